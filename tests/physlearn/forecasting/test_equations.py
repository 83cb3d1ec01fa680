"""Polynomial and sparse forecasters find the equations of systems, from rates and from states alone."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

import systems
from physlearn import Forecaster, analysis, tensor_file
from physlearn.metrics import valid_prediction_time
from systems import InputError, Orbit, System

LORENZ, HENON_HEILES = systems.get("lorenz"), systems.get("henon-heiles")
EXPONENT = 0.9056  # of Lorenz's flow: Viswanath, Ph.D. thesis, Cornell (1998)
H = {"x**2": 0.5, "y**2": 0.5, "p_x**2": 0.5, "p_y**2": 0.5, "x**2*y": 1.0, "y**3": -1 / 3}


@dataclass(frozen=True)
class Damped(System):
    """A damped pendulum."""

    friction: float = 0.1
    coordinates = ("theta", "omega")
    periods: ClassVar = {"theta": 2 * math.pi}

    def vector_field(self, t, z):
        theta, omega = z.unbind(-1)
        return torch.stack([omega, -theta.sin() - self.friction * omega], -1)

    def sample(self, n, *, seed=0):
        return systems.sampling.box(n, ((-2, 2), (-1.5, 1.5)), seed)


def orbits(system, n, times, dt, noise=0.0, seed=0, rates=False, **sample):
    t = torch.arange(times, dtype=torch.float64) * dt
    orbit = system.orbit(system.sample(n, seed=seed, **sample), t)
    if rates:
        return orbit
    drawn = torch.randn(orbit.z.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    z = orbit.z + noise * orbit.z.std((0, 1)) * drawn
    return Orbit(t, z, coordinates=orbit.coordinates, periods=orbit.periods)


def star(n=40, times=60, dt=0.2, noise=0.0, seed=0, rates=False):
    return orbits(HENON_HEILES, n, times, dt, noise, seed, rates, energy_range=(0.02, 0.125))


@pytest.fixture(scope="module")
def lorenz():
    return Forecaster("polynomial").fit(orbits(LORENZ, 30, 50, 0.02))


def lyapunov_times(f, n=24):
    truth = LORENZ.orbit(LORENZ.sample(n, seed=2), torch.linspace(0, 30, 1501, dtype=torch.float64))
    forecast = f.forecast(truth.z[:, 0], truth.t, progress=False)
    assert forecast.provenance["engine"] == "compiled"
    return float(valid_prediction_time(forecast, truth).median()) * EXPONENT


def test_lorenz_is_forecast_from_states_alone(lorenz):
    assert lorenz.loss == "shooting"
    assert lorenz.loss_method.startswith("degree 2, chosen among 1 to")
    assert lyapunov_times(lorenz) > 15


def test_lorenz_is_forecast_from_rates():
    f = Forecaster("polynomial").fit(orbits(LORENZ, 50, 50, 0.02, rates=True))
    assert f.loss == "derivative"
    assert lyapunov_times(f) > 18


def test_files_keep_the_terms(lorenz, tmp_path):
    lorenz.save(tmp_path / "f")
    again = Forecaster.load(tmp_path / "f")
    z = LORENZ.sample(5, seed=3)
    assert torch.equal(again.vector_field(0.0, z), lorenz.vector_field(0.0, z))
    assert again.equations().table.equals(lorenz.equations().table)
    assert again.loss_method == lorenz.loss_method


@pytest.mark.parametrize(
    ("part", "change"),
    [("terms", 0.5), ("terms", -1.0), ("terms", 1e9), ("free", 2.0), ("coefficients", None), ("covariance", None)],
)
def test_files_whose_terms_do_not_match_are_refused(part, change, lorenz, tmp_path):
    lorenz.save(tmp_path / "f")
    settings, tensors = tensor_file.read(tmp_path / "f", "forecaster")
    if change is None:
        tensors[part] = tensors[part][:-1].clone()
    else:
        tensors[part] = tensors[part].clone()
        tensors[part].view(-1)[-1] = change
    tensor_file.write(tmp_path / "forged", "forecaster", settings, tensors)
    with pytest.raises(InputError, match=r"do not match|at least"):
        Forecaster.load(tmp_path / "forged")


def test_a_polynomial_hamiltonian_is_exact_from_six_states_a_turn():
    f = Forecaster("polynomial-hamiltonian").fit(star(15, 20, 1.0))
    assert "degree 3" in f.loss_method
    truth = HENON_HEILES.orbit(HENON_HEILES.sample(12, seed=5, energy=1 / 12), torch.arange(201, dtype=torch.float64))
    assert float(valid_prediction_time(f.forecast(truth.z[:, 0], truth.t, progress=False), truth).median()) == 200


def test_units_origin_types_and_holes_do_not_matter():
    """Each coordinate and time in other units, with an origin of its own, and every seventh value missing."""
    seen = orbits(LORENZ, 10, 60, 0.02)
    scale, origin = torch.tensor([1e9, 1e-9, 3.0], dtype=torch.float64), torch.tensor([2e10, 1e-8, -40.0], dtype=torch.float64)
    other = Orbit(1e6 * seen.t, scale * seen.z + origin, coordinates=seen.coordinates)
    other.z.view(-1)[::7] = torch.nan
    f = Forecaster("polynomial", degree=2).fit(other)
    wanted = LORENZ.vector_field(0.0, seen.z[3]) * scale / 1e6
    found = f.vector_field(0.0, scale * seen.z[3] + origin)
    torch.testing.assert_close(found / scale, wanted / scale, rtol=1e-4, atol=1e-9)
    low = Forecaster("polynomial", degree=2).fit(Orbit(seen.t.float(), seen.z.float(), coordinates=seen.coordinates))
    torch.testing.assert_close(low.vector_field(0.0, seen.z[3]), LORENZ.vector_field(0.0, seen.z[3]), rtol=1e-3, atol=1e-2)


def found_terms(equations):
    rows = equations.table
    return {(row.term if row.of == "H" else f"{row.of}: {row.term}"): row for row in rows.itertuples()}


def test_the_terms_of_henon_heiles_are_found_in_noise_of_ten_percent():
    f = Forecaster("sparse-hamiltonian").fit(star(noise=0.1, seed=1))
    found = found_terms(f.equations())
    assert found.keys() == H.keys()
    for term, row in found.items():
        assert abs(row.value - H[term]) < 4 * row.error
        assert row.error < 0.02
    spread = star(seed=1).z.std((0, 1)).numpy()
    np.testing.assert_allclose(list(f.noise.values()), 0.1 * spread, rtol=0.06)


@pytest.mark.slow
def test_the_friction_and_the_sine_of_a_pendulum_are_found_in_noise_of_ten_percent():
    found = found_terms(Forecaster("sparse").fit(orbits(Damped(), 20, 60, 0.1, noise=0.1)).equations())
    truth = {"dtheta/dt: omega": 1.0, "domega/dt: sin(theta)": -1.0, "domega/dt: omega": -0.1}
    assert found.keys() == truth.keys()
    assert all(abs(row.value - truth[term]) < 4 * row.error for term, row in found.items())


@pytest.mark.slow
def test_the_terms_of_lorenz_are_found_in_noise_of_ten_percent():
    found = found_terms(Forecaster("sparse").fit(orbits(LORENZ, 200, 50, 0.02, noise=0.1)).equations())
    truth = {"dx/dt: x": -10, "dx/dt: y": 10, "dy/dt: x": 28, "dy/dt: y": -1, "dy/dt: x*z": -1, "dz/dt: z": -8 / 3}
    truth["dz/dt: x*y"] = 1
    assert found.keys() == truth.keys()
    assert all(abs(row.value - truth[term]) < 4 * row.error for term, row in found.items())


@pytest.mark.slow
def test_intervals_cover_over_many_data_sets():
    """Of 24 data sets with 6 terms, a coverage of 95 % means 137 +- 2.6 of 144; four standard errors below are 126."""
    covered = 0
    for seed in range(24):
        found = found_terms(Forecaster("sparse-hamiltonian").fit(star(noise=0.1, seed=100 + seed)).equations())
        assert found.keys() == H.keys()
        covered += sum(row.low <= H[term] <= row.high for term, row in found.items())
    assert covered >= 126


def test_the_equations_of_exact_rates_are_those_of_the_system():
    f = Forecaster("sparse-hamiltonian").fit(star(rates=True, n=10))
    assert str(f.equations()) == "H = 0.5*p_x**2 + 0.5*p_y**2 + x**2*y + 0.5*x**2 - 0.333333*y**3 + 0.5*y**2"
    energy = f.equations().expressions["H"]
    at = {symbol: 0.5 if symbol.name in "xy" else 0.0 for symbol in energy.free_symbols}
    state = torch.tensor([0.5, 0.5, 0.0, 0.0], dtype=torch.float64)
    assert float(energy.subs(at)) == pytest.approx(float(HENON_HEILES.hamiltonian(state)), abs=1e-9)
    latex = f.equations()._repr_latex_()
    assert "H &= 0.5 p_{x}^{2}" in latex


@pytest.mark.slow
def test_a_network_is_told_as_equations_with_intervals_from_its_members():
    pendulum = systems.get("pendulum")
    seen = orbits(pendulum, 20, 40, 0.1, rates=True)
    f = Forecaster("hnn-mechanical", hidden=(20,), members=3).fit(seen, epochs=60, progress=False)
    found = f.equations(seen)
    assert found.explained > 0.99
    terms = found_terms(found)
    assert terms["p**2"].value == pytest.approx(0.5, rel=0.05)
    assert terms["cos(theta)"].value == pytest.approx(-1.0, rel=0.05)
    assert (found.table["error"] > 0).all()
    with pytest.raises(InputError, match="give orbits in it"):
        f.equations()
    with pytest.raises(InputError, match="coordinates"):
        analysis.equations(f, orbits(LORENZ, 2, 5, 0.1))
    with pytest.raises(InputError, match="explain only"):
        f.equations(Orbit(seen.t, 40 * seen.z, coordinates=seen.coordinates), degree=2)


@pytest.mark.parametrize(
    ("model", "settings", "data", "message"),
    [
        ("polynomial", {}, orbits(LORENZ, 1, 3, 0.02), "too few"),
        ("polynomial", {"degree": 12}, orbits(LORENZ, 2, 30, 0.02), "at most 300 can be fitted to states"),
        ("sparse", {}, orbits(LORENZ, 1, 8, 0.02), "too few"),
        ("sparse-hamiltonian", {}, orbits(LORENZ, 2, 30, 0.02), "as many momenta"),
    ],
)
def test_data_that_do_not_suffice_are_refused_in_a_sentence(model, settings, data, message):
    with pytest.raises(InputError, match=message):
        Forecaster(model, **settings).fit(data)
    with pytest.raises(InputError, match="loss='shooting', not 'step'"):
        Forecaster("polynomial").fit(orbits(LORENZ, 2, 30, 0.02), loss="step")


@pytest.mark.filterwarnings("ignore:the states are too far apart")
def test_states_without_any_motion_have_no_terms():
    t = torch.arange(60, dtype=torch.float64)
    z = torch.randn(5, 60, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with pytest.raises(InputError, match="no term is significant"):
        Forecaster("sparse").fit(Orbit(t, z, coordinates=("a", "b")))
