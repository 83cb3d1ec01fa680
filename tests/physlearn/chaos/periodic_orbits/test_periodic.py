"""Periodic orbits and their Floquet multipliers."""

from math import pi

import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import Forecaster
from physlearn.chaos import periodic_orbit
from physlearn.chaos.periodic_orbits.floquet import multipliers
from systems import AccuracyWarning, InputError
from systems.hamiltonian.three_body import FIGURE_EIGHT


def state(*z):
    return torch.tensor(z, dtype=torch.float64)


def orbit_of(name, *z, period=None, fix=None, transient=0.0, **parameters):
    return periodic_orbit(systems.get(name, **parameters), state(*z), period=period, fix=fix, transient=transient)


@pytest.mark.parametrize(
    ("name", "z", "parameters", "period"),
    [
        ("van-der-pol", (2.0, 0.0), {"mu": 2.7}, 8.4745354180),
        ("van-der-pol", (2.0, 0.0), {"mu": 1.0}, 6.66328686),
        ("van-der-pol", (2.0, 0.0), {"mu": 0.1}, 6.28711127),
        ("kepler", (0.4, 0.0, 0.0, 2.0), {}, 2 * pi),
        ("pendulum", (pi / 2, 0.0), {}, 7.41629871),
        ("pendulum", (3.0, 0.0), {}, 16.1555394),
        ("lotka-volterra", (0.6931471805599453, 0.0), {}, 6.60848267),
        ("three-body", FIGURE_EIGHT, {}, 6.32591398),
    ],
)
def test_the_period_is_that_of_the_reference(name, z, parameters, period):
    found = orbit_of(name, *z, **parameters)
    assert found.period == pytest.approx(period, rel=1e-8)
    assert found.residual < 1e-12
    assert found.stable


def van_der_pol_in_units(length, speed, origin=0.0):
    """The oscillator with mu = 2.7, in units that differ by coordinate, about another origin."""

    def flow(t, z):
        x, v = (z[..., 0] - origin) / length, z[..., 1] / speed
        return torch.stack([length * v, speed * (2.7 * (1 - x**2) * v - x)], dim=-1)

    return flow


@pytest.mark.parametrize(
    ("length", "speed", "origin"),
    [(1e-6, 1e6, 0.0), (1e-8, 1e8, 0.0), (1e8, 1e-8, 0.0), (1e-12, 1e12, 0.0), (1.0, 1.0, 1e3), (1.0, 1.0, -1e4)],
)
@pytest.mark.parametrize("period", [None, 8.4])
def test_the_cycle_does_not_depend_on_the_units_of_a_coordinate_or_on_the_origin(length, speed, origin, period):
    found = periodic_orbit(van_der_pol_in_units(length, speed, origin), state(origin + 2 * length, 0.0), period=period)
    assert found.period == pytest.approx(8.4745354180, rel=1e-10)
    assert found.exponents.tolist() == pytest.approx([0.0, -3.455333], abs=5e-7)


def test_the_floquet_exponent_of_van_der_pol_is_the_mean_divergence():
    """-3.455333 is the reference; the multiplier 2e-13 would be lost in the rounding of the monodromy matrix."""
    system = systems.get("van-der-pol", mu=2.7)
    found = periodic_orbit(system, state(2.0, 0.0))
    assert float(found.exponents[1]) == pytest.approx(-3.455333, abs=5e-7)
    divergence = torch.trapezoid(system.divergence(found.orbit.z), found.orbit.t) / found.period
    assert float(found.exponents.sum()) == pytest.approx(float(divergence), rel=1e-3)  # of samples on a coarse grid


def test_the_multipliers_of_the_figure_eight_are_those_of_simo():
    """Simo, Contemp. Math. 292, 209 (2002): rotations by 0.00842272 and 0.29809253 of a turn; all others are 1."""
    found = orbit_of("three-body", *FIGURE_EIGHT)
    turns = found.multipliers.angle().abs().sort(descending=True).values / (2 * pi)
    assert_close(turns[:4], state(0.29809253, 0.29809253, 0.00842272, 0.00842272), rtol=0, atol=1e-7)
    assert turns[4:].max() < 1e-5


def test_the_shortest_unstable_orbit_of_lorenz_is_that_of_viswanath():
    """Nonlinearity 16, 1035 (2003): the orbit LR has the period 1.558652210716; the mean divergence is known."""
    found = orbit_of("lorenz", -13.7, -19.5, 27.0)
    assert found.period == pytest.approx(1.5586522107161747, abs=1e-12)
    assert not found.stable
    assert float(found.exponents.sum()) == pytest.approx(-41 / 3, rel=1e-10)
    assert float(found.multipliers[0].real) == pytest.approx(4.71294, abs=1e-4)


@pytest.mark.parametrize("y", [0.3, -0.1])
def test_the_energy_is_kept_and_the_monodromy_matrix_is_symplectic(henon_heiles, at_one_eighth, y):
    found = periodic_orbit(henon_heiles, at_one_eighth(y)[0])
    assert found.energy == pytest.approx(1 / 8, abs=1e-13)
    assert_close(henon_heiles.hamiltonian(found.orbit.z), torch.full_like(found.orbit.t, 1 / 8), rtol=0, atol=1e-12)
    J = torch.zeros(4, 4, dtype=torch.float64)
    J[:2, 2:], J[2:, :2] = torch.eye(2), -torch.eye(2)
    assert_close(found.monodromy.T @ J @ found.monodromy, J, rtol=0, atol=1e-10)
    rate = henon_heiles.vector_field(0.0, found.z)
    assert_close(found.monodromy @ rate, rate, rtol=0, atol=1e-10)


def test_the_orbit_is_one_of_the_system():
    """The system's own orbits come from z0 alone, and thus diverge from an unstable orbit as its multiplier does."""
    found = orbit_of("lorenz", -13.7, -19.5, 27.0)
    assert_close(systems.get("lorenz").orbit(found.z, found.orbit.t).z, found.orbit.z, rtol=0, atol=1e-10)
    assert_close(found.orbit.z[0], found.orbit.z[-1], rtol=0, atol=1e-10)


def test_the_multipliers_of_a_driven_linear_oscillator_are_known():
    """x'' + 2 b x' + k x = cos t: the multipliers are exp(2 pi (-b +- i sqrt(k - b^2))), and x is the stationary response."""
    b, k = 0.05, 2.0

    def driven(t, z):
        x, v = z.unbind(-1)
        return torch.stack([v, torch.cos(torch.as_tensor(t)) - 2 * b * v - k * x], dim=-1)

    found = periodic_orbit(driven, state(0.3, 0.1), period=2 * pi)
    response = 1 / complex(k - 1, 2 * b)
    assert_close(found.z, state(response.real, -response.imag), rtol=0, atol=1e-12)
    exact = torch.tensor(2 * pi * complex(-b, (k - b**2) ** 0.5), dtype=torch.complex128).exp()
    assert_close(found.multipliers, torch.stack([exact, exact.conj()]), rtol=0, atol=1e-10)


def test_an_orbit_of_a_driven_system_has_a_multiple_of_its_period():
    drive = 2 * pi / 1.2
    assert orbit_of("forced-duffing", 1.0, 0.0, gamma=0.2).period == pytest.approx(drive)
    assert orbit_of("forced-duffing", 1.0, 0.0, gamma=0.2, period=2 * drive).period == pytest.approx(drive)  # the shortest
    with pytest.raises(InputError, match=r"not a multiple of the period 5\.23599 of the field"):
        orbit_of("forced-duffing", 1.0, 0.0, period=1.5 * drive)


def test_a_rotating_pendulum_closes_after_a_turn():
    found = orbit_of("pendulum", 0.0, 3.0)
    assert float(found.orbit.z[-1, 0] - found.orbit.z[0, 0]) == pytest.approx(2 * pi, abs=1e-9)
    assert found.energy == pytest.approx(4.5)
    exact = 2 * torch.pi / state(2.5, 2.5 + 2)  # the period lies between those of the largest and least speed
    assert exact[1] < found.period < exact[0]


def test_the_shortest_period_is_found_from_a_multiple():
    assert orbit_of("van-der-pol", 2.0, 0.0, mu=1.0, period=3 * 6.66).period == pytest.approx(6.66328686, rel=1e-8)


def test_the_period_can_be_fixed_instead_of_the_energy():
    found = orbit_of("pendulum", 1.0, 0.0, period=7.41629871, fix="period")
    assert found.period == 7.41629871
    assert float(found.orbit.z[:, 0].abs().max()) == pytest.approx(pi / 2, abs=1e-3)  # of samples
    assert found.energy == pytest.approx(1.0, abs=1e-8)


def test_a_transient_leads_to_an_attractor():
    assert orbit_of("van-der-pol", 0.5, 0.0, mu=0.1, transient=200.0).period == pytest.approx(6.28711127, rel=1e-8)


@pytest.mark.parametrize(
    ("name", "z"),
    [
        pytest.param("van-der-pol", (2.0, 0.0), marks=pytest.mark.slow),
        ("pendulum", (1.0, 0.0)),
        pytest.param("henon-heiles", (0.0, 0.3, 0.41, 0.0), marks=pytest.mark.slow),
        pytest.param("forced-duffing", (1.0, 0.0), marks=pytest.mark.slow),
    ],
)
def test_torch_and_compiled_code_agree(name, z, by_both):
    ours, theirs = by_both(lambda: orbit_of(name, *z, **({"gamma": 0.2} if name == "forced-duffing" else {})))
    assert ours.period == pytest.approx(theirs.period, rel=1e-11)
    assert_close(ours.exponents, theirs.exponents, rtol=1e-6, atol=1e-8)


def test_a_learned_flow_has_periodic_orbits(harmonic_oscillator):
    t = torch.linspace(0, 6, 61, dtype=torch.float64)
    learned = Forecaster("hnn-mechanical", hidden=(8,), seed=0).fit(
        harmonic_oscillator.orbit(harmonic_oscillator.sample(20, seed=0), t), epochs=60, progress=False
    )
    found = periodic_orbit(learned, torch.tensor([0.7, 0.0]))
    assert found.energy is not None
    assert found.period == pytest.approx(2 * pi, rel=0.2)
    assert found.residual < 1e-9


def test_contraction_that_cannot_be_resolved_is_told():
    with pytest.warns(AccuracyWarning, match="only upper bounds"):
        periodic_orbit(
            lambda t, z: torch.stack([z[..., 1], -z[..., 0], -4e3 * z[..., 2]], -1), state(1.0, 0.0, 0.0), period=2 * pi
        )


def test_multipliers_of_very_different_size_are_found_from_a_product():
    """A product of maps S_i D S_(i-1)^-1 has the eigenvalues of D^n."""
    noise = torch.randn(6, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    bases = torch.eye(4) + 0.3 * noise
    D = torch.zeros(4, 4, dtype=torch.float64)
    D[0, 0], D[3, 3] = 2.0, 1e-6
    D[1:3, 1:3] = 0.01 * torch.tensor([[0.8, -0.6], [0.6, 0.8]])
    maps = torch.stack([bases[(i + 1) % 6] @ D @ bases[i].inverse() for i in range(6)])
    logs, values = multipliers(maps)
    assert_close(logs, 6 * state(2.0, 0.01, 0.01, 1e-6).log(), rtol=1e-8, atol=0)
    turned = torch.tensor(complex(0.8, 0.6)) ** 6
    assert float(values[1].angle().abs()) == pytest.approx(float(turned.angle().abs()), rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"z0": torch.zeros(2, 2)}, "z0 must be one state"),
        ({"z0": state(0.0, 0.0)}, "does not come back near its start"),
        ({"period": -1.0}, "period must be a positive number"),
        ({"period": 3.0}, "no periodic orbit was found|ended at the equilibrium"),
        ({"fix": "energy"}, "needs a flow that conserves an energy, which van-der-pol does not"),
        ({"fix": "period"}, "needs the period"),
        ({"fix": "phase"}, "fix must be"),
        ({"transient": -1.0}, "transient must be a finite time"),
        ({"tolerance": 0.0}, "tolerance must lie between"),
        ({"z0": state(1.0, 0.0, 0.0)}, "2 coordinates"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        periodic_orbit(systems.get("van-der-pol"), **{"z0": state(2.0, 0.0), **arguments})


def test_a_function_that_depends_on_time_needs_its_period():
    with pytest.raises(InputError, match="depends on time with an unknown period; give the period"):
        periodic_orbit(lambda t, z: -z + torch.as_tensor(t).sin(), state(0.3))


def test_an_orbit_that_escapes_has_no_near_return(henon_heiles):
    with pytest.raises(InputError, match="does not come back near its start"):
        periodic_orbit(henon_heiles, state(0.0, 1.2, 0.5, 0.5))
