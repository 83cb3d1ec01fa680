"""Standard errors are those of many data sets, and a fit says what its data do not support."""

import warnings
from math import sqrt

import numpy as np
import pytest
import torch

import systems
from systems import AccuracyWarning, InputError


def times(end, number):
    return torch.linspace(0, end, number, dtype=torch.float64)


def scores(system, start, orbit, noise, coordinates, measure, number):
    """How many 95 % intervals hold the true values, and the errors of many data sets in standard errors."""
    inside, sizes = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(number):
            fit = systems.fit(start, measure(orbit, noise, coordinates, seed))
            table = fit.summary()
            truth = np.array([getattr(system, name) for name in table.index])
            inside.append(((table.low < truth) & (truth < table.high)).to_numpy())
            sizes.append(((table.value - truth) / table.error).to_numpy())
    return np.mean(inside, axis=0), np.array(sizes)


@pytest.mark.slow
def test_errors_are_as_large_as_they_say(damped_oscillator, measure):
    """Over 20 data sets, the mean square of normal numbers is 1 +- 0.32."""
    truth = damped_oscillator(1.3, 0.15)
    orbit = truth.orbit([1.0, 0.5], times(15, 46))
    inside, sizes = scores(truth, truth, orbit, 0.1, ("theta",), measure, 20)
    assert (inside >= 0.8).all()
    assert ((sizes**2).mean(0) < 1 + 4 * 0.32).all()
    assert ((sizes**2).mean(0) > 0.3).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pendulum", "van-der-pol", "lorenz", "damped"])
def test_intervals_of_200_data_sets_hold_the_truth_in_95_per_cent(name, damped_pendulum, measure):
    if name == "lorenz":
        system, z0, t, noise, seen = systems.get("lorenz"), [1.0, 1.0, 20.0], times(8, 161), 0.5, ("x", "y", "z")
    elif name == "pendulum":
        system, z0, t, noise, seen = systems.get("pendulum", gravity=1.3), [2.0, 0.0], times(20, 101), 0.05, ("theta", "p")
    elif name == "damped":
        t = torch.tensor(np.sort(np.random.default_rng(0).uniform(0, 25, 120)))
        system, z0, noise, seen = damped_pendulum(1.3, 0.1), [1.5, 0.0], 0.05, ("theta",)
    else:
        system, z0, t, noise, seen = systems.get("van-der-pol", mu=1.5), [1.0, 0.0], times(20, 101), 0.1, ("x",)
    inside, sizes = scores(system, system, system.orbit(z0, t), noise, seen, measure, 200)
    assert (abs(inside - 0.95) <= 0.04).all(), inside
    assert (abs((sizes**2).mean(0) - 1) < 4 * sqrt(2 / 200)).all(), sizes.std(0)


def test_parameters_that_the_data_do_not_determine_are_named(measure):
    """From angles alone, only the ratio of gravity and inertia follows."""
    data = measure(systems.get("pendulum", gravity=1.3).orbit([2.0, 0.0], times(20, 101)), 0.02, ("theta",))
    with pytest.warns(AccuracyWarning, match="determine only a combination of gravity and inertia"):
        fit = systems.fit(systems.get("pendulum"), data)
    assert set(fit.errors.values()) == {np.inf}
    assert fit.parameters["gravity"] / fit.parameters["inertia"] == pytest.approx(1.3, rel=0.01)
    known = systems.fit(systems.get("pendulum"), data, "gravity")
    assert 0 < known.errors["gravity"] < 0.02


def test_a_parameter_without_influence_is_named(measure):
    class Idle(systems.get("van-der-pol").__class__):
        def vector_field(self, t, z):
            x, v = z.unbind(-1)
            return torch.stack([v, -x + 0 * self.mu], -1)

    data = measure(Idle().orbit([1.0, 0.0], times(10, 51)), 0.02)
    with pytest.warns(AccuracyWarning, match="the data do not determine mu"):
        assert systems.fit(Idle(), data).errors == {"mu": np.inf}


def test_residuals_that_are_not_noise_are_told(damped_pendulum, measure):
    data = measure(damped_pendulum(1.3, 0.2).orbit([2.0, 0.0], times(20, 201)), 0.01, ("theta",))
    with pytest.warns(AccuracyWarning, match="residuals of theta are not white noise") as told:
        systems.fit(systems.get("pendulum"), data, "gravity")
    assert len(told) == 1


def test_a_wrong_noise_is_told(damped_pendulum, measure):
    data = measure(damped_pendulum(1.3, 0.2).orbit([2.0, 0.0], times(20, 201)), 0.02, ("theta",))
    with pytest.warns(AccuracyWarning, match=r"[34]\.\d+ times that of the given noise"):
        systems.fit(damped_pendulum(), data, noise={"theta": 0.01})


def test_a_parameter_at_its_bound_has_no_error(damped_pendulum, measure):
    data = measure(damped_pendulum(1.3, 0.1).orbit([2.0, 0.0], times(20, 201)), 0.02)
    inside = systems.fit(damped_pendulum(), data, bounds={"damping": (0.0, 1.0)})
    assert inside.parameters["damping"] == pytest.approx(0.1, abs=4 * inside.errors["damping"])
    with pytest.warns(AccuracyWarning, match="damping ended at a bound"):
        fit = systems.fit(damped_pendulum(1.0, 0.3), data, bounds={"damping": (0.2, 1.0)})
    assert fit.parameters["damping"] == 0.2
    assert np.isnan(fit.errors["damping"])
    assert fit.errors["frequency"] > 0


def test_the_result_reads_well(damped_pendulum, measure):
    data = measure(damped_pendulum(1.3, 0.1).orbit([2.0, 0.0], times(20, 201)), 0.02)
    fit = systems.fit(damped_pendulum(), data)
    assert str(fit).startswith("DampedPendulum: frequency = 1.3")
    assert list(fit.summary().columns) == ["value", "error", "low", "high"]
    narrow = fit.summary(0.5)
    assert (narrow.low > fit.summary().low).all()
    with pytest.raises(InputError, match="between 0 and 1"):
        fit.summary(95)
    assert (fit.residuals == data.z - fit.orbit.z).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parameters": ["mass"]}, "'mass' is not a parameter that can be fitted; .*: frequency, damping"),
        ({"parameters": ["damping", "damping"]}, "may be named once"),
        ({"method": "guess"}, "method must be one of shooting, derivative, weak"),
        ({"initial": "fixed"}, "initial must be one of free, measured"),
        ({"initial": "measured"}, "needs all coordinates at the first time"),
        ({"noise": 0.0}, "noise of theta must be positive"),
        ({"noise": {"omega": 1.0}}, "noise has no value for theta"),
        ({"noise": {"x": 1.0}}, "'x', which is not one of the coordinates"),
        ({"bounds": {"damping": (1.0, 0.0)}}, r"must be \(low, high\)"),
        ({"bounds": {"damping": (0.5, 1.0)}}, "outside of its bounds"),
        ({"parameters": "damping", "bounds": {"frequency": (0.5, 1.0)}}, "which is not fitted"),
        ({"segments": 0}, "at least 1"),
        ({"segments": 1.5}, "whole number"),
    ],
)
def test_wrong_arguments_are_refused(damped_pendulum, measure, options, message):
    data = measure(damped_pendulum(1.3, 0.1).orbit([2.0, 0.0], times(5, 21)), 0.02, ("theta",))
    with pytest.raises(InputError, match=message):
        systems.fit(damped_pendulum(), data, **options)


def test_wrong_data_are_refused(damped_pendulum):
    pendulum, t = damped_pendulum(), times(5, 6)
    with pytest.raises(InputError, match=r"the data have the coordinate phi, but .* has theta, omega"):
        systems.fit(pendulum, systems.Orbit(t, t[:, None], None, ("phi",)))
    with pytest.raises(InputError, match="no measured value"):
        systems.fit(pendulum, systems.Orbit(t, t[:, None] * torch.nan, None, ("theta",)))
    with pytest.raises(InputError, match="3 measured values do not determine 4 unknowns"):
        systems.fit(pendulum, systems.Orbit(t[:3], t[:3, None], None, ("theta",)))
    with pytest.raises(InputError, match="a fit needs a system"):
        systems.fit(lambda t, z: z, systems.Orbit(t, t[:, None]))
    with pytest.raises(InputError, match="infinite values"):
        systems.fit(pendulum, systems.Orbit(t, t[:, None] / 0, None, ("theta",)))


def van_der_pol(*values):
    return [systems.get("van-der-pol", mu=mu).orbit([1.0, 0.0], times(10, 51)) for mu in values]


@pytest.mark.parametrize("form", [lambda orbit: orbit, systems.Orbit.to_pandas], ids=["orbits", "tables"])
def test_runs_whose_parameters_differ_have_no_common_value(form):
    runs = [form(orbit) for orbit in van_der_pol(1.0, 2.0)]
    for mu in (1.0, 2.0):
        with pytest.raises(InputError, match=r'mu=1\.0 and mu=2\.0, but the fit has one value.* each="mu"'):
            systems.fit(systems.get("van-der-pol", mu=mu), runs)
    found = systems.fit(systems.get("van-der-pol"), runs, each="mu")
    assert found.parameters == pytest.approx({"mu[0]": 1.0, "mu[1]": 2.0}, abs=1e-6)


def test_a_value_that_is_not_fitted_is_common_to_all_runs_too(damped_pendulum):
    runs = [damped_pendulum(1.0, damping).orbit([1.0, 0.0], times(10, 51)) for damping in (0.1, 0.2)]
    with pytest.raises(InputError, match=r"damping=0\.1 and damping=0\.2"):
        systems.fit(damped_pendulum(1.0, 0.1), runs, "frequency")


def test_runs_of_different_systems_are_refused():
    (first,) = van_der_pol(1.0)
    other = systems.Orbit(first.t, first.z, None, first.coordinates, {"system": "damped"})
    with pytest.raises(InputError, match="van-der-pol and of damped"):
        systems.fit(systems.get("van-der-pol"), [first, other])
