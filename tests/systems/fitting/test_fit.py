"""Fits find the parameters of synthetic data, within their standard errors."""

import warnings
from math import pi, sqrt

import numpy as np
import pytest
import torch
from scipy.optimize import curve_fit
from torch.testing import assert_close

import systems


def times(end, number):
    return torch.linspace(0, end, number, dtype=torch.float64)


def close(fit, **truth):
    """Whether every parameter is within four of its standard errors, which are at most a few per cent of the value."""
    for name, value in truth.items():
        assert abs(fit.parameters[name] - value) < 4 * fit.errors[name], (name, fit.parameters[name], fit.errors[name])
        assert fit.errors[name] < 0.05 * abs(value)
    assert fit.converged


def numbers(values):
    return torch.tensor(list(values.values()), dtype=torch.float64)


def damped(t, x, v, frequency, damping):
    """The damped oscillator in closed form."""
    fast = np.sqrt(frequency**2 - damping**2 / 4)
    return np.exp(-damping * t / 2) * (x * np.cos(fast * t) + (v + damping * x / 2) / fast * np.sin(fast * t))


def test_a_fit_agrees_with_curve_fit_where_the_orbit_has_a_closed_form(damped_oscillator):
    t = np.linspace(0, 20, 101)
    x = damped(t, 1.0, 0.5, 1.3, 0.15) + 0.05 * np.random.default_rng(0).normal(size=101)
    found, covariance = curve_fit(damped, t, x, p0=(1, 0, 1.2, 0.1), ftol=1e-14, xtol=1e-14, gtol=1e-14)
    fit = systems.fit(damped_oscillator(), systems.Orbit.of(x, t, ("theta",)))
    assert_close(numbers(fit.parameters), torch.tensor(found[2:]), rtol=1e-6, atol=0)
    assert_close(fit.initial, torch.tensor(found[:2]), rtol=1e-6, atol=0)
    # curve_fit differentiates by finite differences, to about 1e-6 of the errors
    errors = np.sqrt(np.diag(covariance))
    assert_close(numbers(fit.errors), torch.tensor(errors[2:]), rtol=1e-5, atol=0)
    assert_close(fit.initial_errors, torch.tensor(errors[:2]), rtol=1e-5, atol=0)
    assert fit.covariance.loc["frequency", "damping"] == pytest.approx(covariance[2, 3], rel=1e-3)


def test_with_a_known_noise_it_agrees_with_curve_fit_too(damped_oscillator):
    t = np.linspace(0, 20, 101)
    x = damped(t, 1.0, 0.5, 1.3, 0.15) + 0.05 * np.random.default_rng(0).normal(size=101)
    sigma = np.full(101, 0.05)
    _, covariance = curve_fit(damped, t, x, p0=(1, 0, 1.2, 0.1), sigma=sigma, absolute_sigma=True, xtol=1e-14, gtol=1e-14)
    fit = systems.fit(damped_oscillator(), systems.Orbit.of(x, t, ("theta",)), noise=0.05)
    assert list(fit.errors.values()) == pytest.approx(np.sqrt(np.diag(covariance))[2:].tolist(), rel=1e-4)
    table = fit.summary()
    assert table.high["damping"] - table.value["damping"] == pytest.approx(1.959964 * fit.errors["damping"])


@pytest.mark.parametrize("segments", [1, 4, 15])
def test_the_number_of_segments_does_not_matter(damped_oscillator, measure, segments):
    data = measure(damped_oscillator(1.3, 0.15).orbit([1.0, 0.5], times(20, 101)), 0.05, ("theta",))
    usual = systems.fit(damped_oscillator(), data)
    other = systems.fit(damped_oscillator(), data, segments=segments)
    assert other.parameters == pytest.approx(usual.parameters, rel=1e-7)
    assert other.errors == pytest.approx(usual.errors, rel=1e-5)


def test_mu_of_van_der_pol_is_found_from_positions_alone(measure):
    data = measure(systems.get("van-der-pol", mu=1.5).orbit([1.0, 0.0], times(20, 201)), 0.05, ("x",))
    fit = systems.fit(systems.get("van-der-pol"), data)
    close(fit, mu=1.5)
    assert fit.noise == {"x": pytest.approx(0.05, rel=4 / sqrt(2 * 198))}
    assert fit.orbit.coordinates == ("x", "v")


def test_all_parameters_of_lorenz_are_found_from_a_chaotic_orbit(measure):
    orbit = systems.get("lorenz").orbit([1.0, 1.0, 20.0], times(20, 1001))
    fit = systems.fit(systems.get("lorenz", sigma=5.0, rho=20.0, beta=1.0), measure(orbit, 0.01 * orbit.z.std(0)))
    close(fit, sigma=10.0, rho=28.0, beta=8 / 3)
    again = fit.system.orbit(fit.initial, fit.orbit.t)  # an error of 1e-11 in the initial state would grow to 1e-3
    assert ((again.z - fit.orbit.z).abs() < 0.1 * orbit.z.std(0)).all()


def test_the_coupling_of_henon_heiles_is_common_to_two_runs(measure):
    truth = systems.get("henon-heiles", coupling=1.1)
    orbits = truth.orbit(truth.sample(2, energy=0.1), times(30, 151))
    fit = systems.fit(systems.get("henon-heiles", coupling=0.5), measure(orbits, 0.01))
    close(fit, coupling=1.1)
    assert fit.initial.shape == (2, 4)
    assert ((fit.initial - orbits.z[:, 0]).abs() < 4 * fit.initial_errors).all()
    assert fit.orbit.shape == (2, 151)


def test_the_attraction_of_kepler_is_found_from_positions(measure):
    truth = systems.get("kepler", mu=1.7)
    data = measure(truth.orbit(truth.sample(1)[0], times(20, 101)), 0.01, ("x", "y"))
    close(systems.fit(systems.get("kepler"), data), mu=1.7)


def test_uneven_times_with_a_gap_and_holes(damped_pendulum, measure):
    t = np.sort(np.random.default_rng(1).uniform(0, 40, 300))
    t = t[(t < 12) | (t > 19)]
    data = measure(damped_pendulum(1.4, 0.05).orbit([2.0, 0.0], torch.tensor(t)), 0.03)
    z = data.z.clone()
    z[::3, 0] = torch.nan
    z[1::2, 1] = torch.nan
    close(systems.fit(damped_pendulum(), systems.Orbit.of(z, data.t, data.coordinates)), frequency=1.4, damping=0.05)


def test_angles_count_modulo_their_period(measure):
    truth = systems.get("pendulum", gravity=1.3).orbit([0.0, 2.6], times(30, 151))  # it turns over
    data = measure(truth, 0.02, ("theta",))
    wrapped = systems.Orbit(data.t, (data.z + pi) % (2 * pi) - pi, None, ("theta",))
    fits = [systems.fit(systems.get("pendulum"), one, "gravity") for one in (data, wrapped)]
    close(fits[0], gravity=1.3)
    assert fits[1].parameters == pytest.approx(fits[0].parameters, rel=1e-6)
    assert fits[1].residuals[:, 0].abs().max() < 0.1


def test_the_frequency_of_a_drive_is_found_from_a_chaotic_orbit(measure):
    """Its derivative grows with time, which is therefore not reduced by the period of the drive."""
    truth = systems.get("forced-duffing", omega=1.3).orbit([1.0, 0.0], times(50, 501))
    fit = systems.fit(systems.get("forced-duffing"), measure(truth, 0.02))
    close(fit, delta=0.3, alpha=-1.0, beta=1.0, gamma=0.5, omega=1.3)
    assert fit.errors["omega"] < 1e-3


def test_parameters_of_each_run(damped_pendulum, measure):
    t = times(20, 101)
    orbits = [
        damped_pendulum(frequency, 0.1).orbit([1.0, 0.0], t[: 60 + 20 * i]) for i, frequency in enumerate((1.0, 1.2, 1.5))
    ]
    data = [measure(orbit, 0.02, ("theta",), seed) for seed, orbit in enumerate(orbits)]
    fit = systems.fit(damped_pendulum(), data, each="frequency")
    close(fit, **{"frequency[0]": 1.0, "frequency[1]": 1.2, "frequency[2]": 1.5, "damping": 0.1})
    assert [system.frequency for system in fit.systems] == [fit.parameters[f"frequency[{i}]"] for i in range(3)]
    alone = systems.fit(damped_pendulum(), data[2])
    assert fit.parameters["frequency[2]"] == pytest.approx(alone.parameters["frequency"], abs=alone.errors["frequency"])


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_units_do_not_matter(damped_oscillator, measure, unit):
    data = measure(damped_oscillator(1.3, 0.15).orbit([1.0, 0.5], times(20, 101)), 0.05, ("theta",))
    usual = systems.fit(damped_oscillator(), data)
    scaled = systems.Orbit(data.t / unit, data.z * unit**0.9, None, ("theta",))
    fit = systems.fit(damped_oscillator(unit, 0.1 * unit), scaled)
    assert fit.parameters == pytest.approx({name: value * unit for name, value in usual.parameters.items()}, rel=1e-6)
    assert fit.errors == pytest.approx({name: value * unit for name, value in usual.errors.items()}, rel=1e-4)


def test_backward_times(damped_oscillator, measure):
    data = measure(damped_oscillator(1.3, 0.15).orbit([1.0, 0.5], times(20, 101)), 0.05, ("theta",))
    usual, back = (systems.fit(damped_oscillator(), one) for one in (data, data[..., ::-1]))
    assert back.parameters == pytest.approx(usual.parameters, rel=1e-6)
    assert back.errors == pytest.approx(usual.errors, rel=1e-4)


def test_measured_initial_states_are_kept(damped_pendulum, measure):
    data = measure(damped_pendulum(1.4, 0.05).orbit([2.0, 0.0], times(20, 101)), 0.01)
    z = data.z.clone()
    z[0] = torch.tensor([2.0, 0.0])
    fit = systems.fit(damped_pendulum(), systems.Orbit.of(z, data.t, data.coordinates), initial="measured")
    assert_close(fit.initial, z[0], atol=1e-7, rtol=0)
    close(fit, frequency=1.4, damping=0.05)
    assert fit.degrees_of_freedom == 2 * 101 - 2


@pytest.mark.slow
def test_a_field_that_cannot_be_traced_gives_the_same_fit(damped_pendulum, measure):
    class Branching(damped_pendulum):
        def vector_field(self, t, z):
            if self.damping > 100 or z.sum() > 1e6:  # a value decides
                raise ValueError
            return super().vector_field(t, z)

    data = measure(damped_pendulum(1.4, 0.05).orbit([1.0, 0.0], times(4, 21)), 0.03, ("theta",))
    usual, other = (systems.fit(one(1.3, 0.1), data, segments=2) for one in (damped_pendulum, Branching))
    assert other.parameters == pytest.approx(usual.parameters, rel=1e-6)
    assert other.errors == pytest.approx(usual.errors, rel=1e-5)


def test_a_system_with_orbits_of_its_own_is_fitted_by_its_orbits():
    """The field of the clock has no latch, and jumps; its orbits are followed from event to event."""
    clock = systems.get("pendulum-clock", kappa=2e-3)
    data = clock.orbit([0.05, 0.0], times(20, 81))
    fit = systems.fit(systems.get("pendulum-clock", kappa=1.8e-3), data, "kappa", segments=1)
    assert fit.parameters["kappa"] == pytest.approx(2e-3, rel=1e-6)


@pytest.mark.parametrize("method", ["derivative", "weak"])
def test_quick_methods_come_near(measure, method):
    """Noise in the states biases them, here by two per cent."""
    orbit = systems.get("lorenz").orbit([1.0, 1.0, 20.0], times(20, 2001))
    data = measure(orbit, 0.01 * orbit.z.std(0))
    fit = systems.fit(systems.get("lorenz", sigma=5.0, rho=20.0, beta=1.0), data, method=method)
    assert fit.parameters == pytest.approx({"sigma": 10.0, "rho": 28.0, "beta": 8 / 3}, rel=0.03)
    assert all(0 < error < 0.05 for error in fit.errors.values())


def test_data_are_taken_in_any_form_and_mode(damped_oscillator, measure):
    data = measure(damped_oscillator(1.3, 0.15).orbit([1.0, 0.5], times(10, 51)), 0.05, ("theta",))
    usual = systems.fit(damped_oscillator(), data)
    assert systems.fit(damped_oscillator(), data.to_pandas()).parameters == usual.parameters
    assert (
        systems.fit(damped_oscillator(), {"t": data.t.numpy(), "theta": data.z[:, 0].numpy()}).parameters == usual.parameters
    )
    with torch.inference_mode():
        assert systems.fit(damped_oscillator(), data).parameters == usual.parameters
    asked = systems.Orbit(data.t, data.z.clone().requires_grad_(), None, ("theta",))
    assert not systems.fit(damped_oscillator(), asked).initial.requires_grad
    single = systems.fit(damped_oscillator(), data.to(torch.float32))
    assert single.parameters == pytest.approx(usual.parameters, rel=1e-5)
    assert single.orbit.z.dtype == torch.float64


def test_orbits_without_noise_give_the_parameters_and_no_warning(damped_pendulum):
    orbit = damped_pendulum(1.4, 0.05).orbit([2.0, 0.0], times(20, 101))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = systems.fit(damped_pendulum(), orbit)
    assert fit.parameters == pytest.approx({"frequency": 1.4, "damping": 0.05}, rel=1e-8)


@pytest.mark.parametrize("method", ["weak", "derivative"])
def test_a_coordinate_that_was_not_measured_for_some_turns_does_not_mislead(method):
    system = systems.get("van-der-pol", mu=1.7)
    t = torch.linspace(0, 40, 401, dtype=torch.float64)
    orbit = system.orbit(system.sample(3, seed=0), t)
    z = orbit.z + 0.01 * torch.randn(orbit.z.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z[0, :250, 1] = z[1, 100:260, 1] = z[2, 200:, 1] = torch.nan
    fit = systems.fit(systems.get("van-der-pol"), systems.Orbit(t, z, coordinates=orbit.coordinates), method=method)
    assert fit.parameters["mu"] == pytest.approx(1.7, abs=0.02)


def test_a_pause_over_which_no_orbit_can_be_computed_is_named():
    system = systems.get("van-der-pol", mu=1.7)
    t = torch.linspace(0, 20, 101, dtype=torch.float64)
    z = system.orbit([1.0, 0.0], t).z
    paused = systems.Orbit(torch.cat([t, t + 1e6]), torch.cat([z, z]), coordinates=system.coordinates)
    with pytest.raises(systems.InputError, match="run 0 pauses from t = 20 to t = 1e"):
        systems.fit(systems.get("van-der-pol"), paused)
    parts = [systems.Orbit(t, z, coordinates=system.coordinates)] * 2
    assert systems.fit(systems.get("van-der-pol"), parts).parameters["mu"] == pytest.approx(1.7, abs=1e-5)
