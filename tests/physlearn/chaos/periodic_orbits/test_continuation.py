"""Families of periodic orbits and their bifurcations, against closed forms and published values."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

import systems
from physlearn.chaos import continue_periodic_orbit
from systems import InputError


def state(*z):
    return torch.tensor(z, dtype=torch.float64)


def turning(*of_mu):
    """Flows on whose unit circle (x, y) turns at unit speed, with further coordinates that move by a function of mu."""

    def make(mu):
        def flow(t, z):
            x, y = z[..., 0], z[..., 1]
            radial = 1 - x**2 - y**2
            return torch.stack([radial * x - y, radial * y + x, *of_mu[0](mu, x, y, *z.unbind(-1)[2:])], dim=-1)

        return flow

    return make


def folding(mu):
    def flow(t, z):
        x, y = z.unbind(-1)
        square = x**2 + y**2
        radial = mu + square - square**2
        return torch.stack([radial * x - y, radial * y + x], dim=-1)

    return flow


def twisted(mu, x, y, u, v):
    """In a frame that turns by half, u grows as exp(mu t) and v shrinks as exp(-t); the multiplier is -exp(2 pi mu)."""
    mean, half = (mu - 1) / 2, (mu + 1) / 2
    return mean * u + half * (x * u + y * v) - v / 2, mean * v + half * (y * u - x * v) + u / 2


def spiral(mu, x, y, u, v):
    return (mu - u**2 - v**2) * u - 0.3 * v, (mu - u**2 - v**2) * v + 0.3 * u


def fork(mu, x, y, u):
    return (mu * u - u**3,)


def test_a_family_turns_back_at_a_fold():
    """Its radius is a root of mu + r^2 - r^4, with two roots for -1/4 < mu < 0; the multiplier is known in closed form."""
    family = continue_periodic_orbit(folding, state(0.53, 0.0), "mu", (-0.2, -0.5), period=6.28, step=0.1)
    assert family.ended == "mu reached -0.2"
    (found,) = family.bifurcations.itertuples()
    assert found.bifurcation == "fold"
    assert found.mu == pytest.approx(-0.25, abs=1e-9)
    square = np.array([float(orbit.z.square().sum()) for orbit in family.orbits])
    mu = family.table["mu"].to_numpy()
    np.testing.assert_allclose(mu + square - square**2, 0, atol=1e-9)
    np.testing.assert_allclose(family.table["largest"], np.exp(2 * np.pi * (2 * square - 4 * square**2)), rtol=1e-7)
    assert not family.table["stable"].iloc[0]
    assert family.table["stable"].iloc[-1]


@pytest.mark.parametrize(
    ("move", "rest", "kind"), [(twisted, (0.0, 0.0), "flip"), (spiral, (0.0, 0.0), "Neimark-Sacker"), (fork, (0.0,), "branch")]
)
def test_a_multiplier_crosses_the_unit_circle_at_zero(move, rest, kind):
    family = continue_periodic_orbit(turning(move), state(1.0, 0.0, *rest), "mu", (-0.4, 0.3), period=6.28, step=0.2)
    (found,) = family.bifurcations.itertuples()
    assert found.bifurcation == kind
    assert found.mu == pytest.approx(0, abs=1e-8)
    np.testing.assert_allclose(family.table["largest"], np.exp(2 * np.pi * family.table["mu"]), rtol=1e-8)
    np.testing.assert_allclose(family.table["period"], 2 * np.pi, rtol=1e-12)


@pytest.mark.slow
def test_the_symmetric_orbit_of_lorenz_loses_its_stability_where_it_is_published():
    """Sparrow, The Lorenz Equations (1982): the symmetry is broken at rho = 313."""
    lorenz = systems.get("lorenz", rho=330.0)
    family = continue_periodic_orbit(lorenz, state(10.0, 10.0, 330.0), "rho", (330.0, 300.0), transient=60.0)
    (found,) = family.bifurcations.itertuples()
    assert found.bifurcation == "branch"
    assert found.rho == pytest.approx(313.0, abs=0.5)


@pytest.mark.slow
def test_the_asymmetric_orbit_of_lorenz_doubles_its_period_where_it_is_published():
    """Sparrow: at rho = 229.4."""
    lorenz = systems.get("lorenz", rho=240.0)
    family = continue_periodic_orbit(lorenz, state(10.0, 10.0, 240.0), "rho", (240.0, 225.0), transient=60.0)
    (found,) = family.bifurcations.itertuples()
    assert found.bifurcation == "flip"
    assert found.rho == pytest.approx(229.42, abs=0.05)


@pytest.mark.slow
def test_the_straight_orbit_of_henon_heiles_bifurcates_where_it_is_published(henon_heiles):
    """Brack, Found. Phys. 31, 209 (2001): at 0.969309 and 0.986709 of the escape energy 1/6."""
    family = continue_periodic_orbit(henon_heiles, state(0.0, 0.2, 0.0, 0.3), "energy", (0.15, 0.1655))
    branches = family.bifurcations[family.bifurcations["bifurcation"] == "branch"]
    np.testing.assert_allclose(6 * branches["energy"], [0.969309, 0.986709], atol=5e-6)
    np.testing.assert_allclose(family.table["energy"].iloc[[0, -1]], [0.15, 0.1655], rtol=1e-8)


def test_the_period_of_a_pendulum_depends_on_the_energy_as_the_elliptic_integral():
    from scipy.special import ellipk

    family = continue_periodic_orbit(systems.get("pendulum"), state(1.0, 0.0), "energy", (0.5, 1.5), step=0.2)
    np.testing.assert_allclose(family.table["period"], 4 * ellipk(family.table["energy"] / 2), rtol=1e-9)
    assert family.table["stable"].all()
    by_period = continue_periodic_orbit(systems.get("pendulum"), state(1.0, 0.0), "period", (6.6, 7.5), step=0.2)
    np.testing.assert_allclose(by_period.table["period"], 4 * ellipk(by_period.table["energy"] / 2), rtol=1e-9)
    assert by_period.table["period"].iloc[-1] == pytest.approx(7.5)


def test_where_all_multipliers_are_one_nothing_bifurcates():
    family = continue_periodic_orbit(systems.get("kepler"), state(0.4, 0.0, 0.0, 2.0), "energy", (-0.5, -0.4))
    np.testing.assert_allclose(family.table["period"], 2 * np.pi * (-2 * family.table["energy"]) ** -1.5, rtol=1e-9)
    assert family.bifurcations.empty


def test_a_conservative_family_keeps_its_energy_in_another_parameter():
    """The frequency of a harmonic oscillator sets its period."""
    oscillator = systems.get("harmonic-oscillator", frequency=1.0)
    family = continue_periodic_orbit(oscillator, state(1.0, 0.0), "frequency", (1.0, 2.0))
    np.testing.assert_allclose(family.table["period"], 2 * np.pi / family.table["frequency"], rtol=1e-9)
    np.testing.assert_allclose(family.table["energy"], 0.5, rtol=1e-9)


@pytest.mark.slow
def test_an_orbit_that_shrinks_to_an_equilibrium_ends_the_family():
    """The radius is the root of mu, which vanishes in a Hopf bifurcation at mu = 0."""

    def hopf(mu):
        def flow(t, z):
            x, y = z.unbind(-1)
            radial = mu - x**2 - y**2
            return torch.stack([radial * x - y, radial * y + x], dim=-1)

        return flow

    family = continue_periodic_orbit(hopf, state(0.7, 0.0), "mu", (0.5, -0.5), period=6.28, step=0.3)
    assert family.ended.startswith("the orbit shrinks to an equilibrium")
    assert family.table["mu"].iloc[-1] == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
def test_a_driven_system_keeps_the_ratio_to_its_drive():
    family = continue_periodic_orbit(systems.get("forced-duffing", gamma=0.2), state(1.0, 0.0), "omega", (1.2, 1.3))
    np.testing.assert_allclose(family.table["period"], 2 * np.pi / family.table["omega"], rtol=1e-12)


def test_a_function_that_takes_the_parameter_for_a_number_is_traced_for_each_value():
    family = continue_periodic_orbit(
        lambda mu: systems.get("van-der-pol", mu=mu), state(2.0, 0.0), "mu", (1.0, 1.02), step=0.5
    )
    assert family.table["period"].iloc[0] == pytest.approx(6.66328686, rel=1e-8)


def test_a_family_is_drawn():
    family = continue_periodic_orbit(folding, state(0.53, 0.0), "mu", (-0.2, -0.5), period=6.28, step=0.2)
    ax = family.plot("largest")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["fold", "stable", "unstable"]
    assert ax.get_ylabel()
    with pytest.raises(InputError, match="no column 'size'"):
        family.plot("size")
    plt.close("all")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parameter": "nu"}, "van-der-pol has no parameter 'nu'; choose one of mu, energy, period"),
        ({"interval": (1.0, 1.0)}, "two different finite values"),
        ({"interval": 3.0}, "first and the last value"),
        ({"step": 0.0}, "step must lie between 0 and 1"),
        ({"most": 1}, "most must be at least 2"),
        ({"flow": 3.0}, "flow must be a system or a function"),
        ({"parameter": "energy"}, "needs a flow that conserves an energy"),
        ({"parameter": "energy", "fix": "energy"}, "leave it out"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(arguments, message):
    usual = {"flow": systems.get("van-der-pol"), "z0": state(2.0, 0.0), "parameter": "mu", "interval": (1.0, 2.0)}
    with pytest.raises(InputError, match=message):
        continue_periodic_orbit(**{**usual, **arguments})
