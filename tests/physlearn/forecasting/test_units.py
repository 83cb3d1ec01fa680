"""A forecaster learns the same physics whatever the units of its data are."""

import math

import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import Forecaster, metrics, models, tensor_file
from physlearn.models.units import Units
from systems import InputError, Orbit

T = torch.linspace(0, 3, 31, dtype=torch.float64)
UNITS = {  # of length, momentum, time
    "small": (2.3e-12, 3e-9, 1e-12),
    "large": (7e11, 5e12, 6e12),
    "mixed": (4e-7, 2e11, 1e-3),
}
MODELS = [name for name in models.names() if models.find(name).structure != "lagrangian"]  # lnn needs velocities
NETWORKS = [name for name in MODELS if not models.find(name).baseline]
ANY_ORIGIN = [name for name in MODELS if not models.find(name).structure.endswith("origin")]


def measured(orbit, length, momentum, time, origin=0.0):
    """The orbit as numbers in other units; lengths are counted from an origin that lies so many old units away."""
    half = orbit.dim // 2
    unit = torch.tensor([length] * half + [momentum] * half, dtype=torch.float64)
    moved = torch.tensor([origin] * half + [0.0] * half, dtype=torch.float64)
    return Orbit(orbit.t * time, (orbit.z + moved) * unit, orbit.rate * unit / time, orbit.coordinates), unit


def fit(name, orbits, **settings):
    hidden = (4,) if "splines" in name else (12,)
    return Forecaster(name, hidden=hidden, seed=1, **settings).fit(orbits, orbits[:2], epochs=3, progress=False)


@pytest.fixture(scope="module")
def orbits():
    system = systems.get("henon-heiles")
    return system.orbit(system.sample(6, seed=0, energy=0.1), T)


@pytest.fixture(scope="module")
def trained(orbits):
    return {name: fit(name, orbits) for name in MODELS}


def models_in_units():
    """A network of a field and one of H, and a model that is solved for, in all units; the others in mixed ones."""
    yield from ((name, units) for name in MODELS for units in UNITS if units == "mixed" or name in ("nn", "hnn", "cubic"))


@pytest.mark.parametrize(("name", "units"), list(models_in_units()))
def test_every_model_learns_the_same_field_and_forecasts_the_same_in_any_units(name, units, orbits, trained):
    data, unit = measured(orbits, *UNITS[units])
    other, known = fit(name, data), trained[name]
    # float32 rounds the standardised data, and Adam divides the rounding of small gradients by their size
    rate = other.vector_field(0.0, data.z) * UNITS[units][2] / unit
    assert_close(rate, known.vector_field(0.0, orbits.z), rtol=0, atol=1e-4)
    forecast = other.forecast(data.z[3, 0], data.t[:11])
    assert_close(forecast.z / unit, known.forecast(orbits.z[3, 0], orbits.t[:11]).z, rtol=0, atol=1e-4)
    if hasattr(known.model, "hamiltonian"):
        energies = [f.hamiltonian(o.z) for f, o in ((other, data), (known, orbits))]
        energies[0] = energies[0] / (UNITS[units][0] * UNITS[units][1] / UNITS[units][2])
        assert_close(energies[0] - energies[0][0, 0], energies[1] - energies[1][0, 0], rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_losses_do_not_depend_on_units_but_for_those_in_the_units_of_the_data(name, orbits, trained):
    data, _ = measured(orbits, *UNITS["mixed"])
    f, history = fit(name, data), trained[name].history
    for column in ("training", "validation"):
        assert f.history[column].to_list() == pytest.approx(history[column].to_list(), rel=1e-3)
    best = f.history["validation"].idxmin()
    assert f.history["validation_physical"][best] == pytest.approx(float(metrics.derivative_loss(f, data[:2])), rel=1e-4)


@pytest.mark.parametrize("name", ["nn", "hnn", "hnn-mechanical", "hnn-separable"])
def test_without_weights_the_losses_are_those_in_the_units_of_the_data(name, orbits):
    f = Forecaster(name, hidden=(8,)).fit(orbits, orbits[:2], epochs=2, progress=False, weighted=False)
    assert f.history["training"].to_list() == pytest.approx(f.history["training_physical"].to_list(), rel=1e-5)
    assert f.history["validation"].min() == pytest.approx(float(metrics.derivative_loss(f, orbits[:2])), rel=1e-4)


@pytest.mark.parametrize("activation", ["sine", "mish"], ids=["fused", "torch"])
@pytest.mark.parametrize("hidden", [(10,), (8, 7)], ids=str)
def test_the_weighted_loss_is_the_mean_square_error_in_units_of_each_rates_spread(hidden, activation, orbits):
    data, _ = measured(orbits, *UNITS["mixed"])
    f = Forecaster("nn", hidden=hidden, activation=activation, dtype=torch.float32).fit(
        data, data[:3], epochs=2, progress=False
    )
    spread = data.rate.flatten(0, -2).std(0, correction=0)
    error = (f.vector_field(0.0, data.z[:3]) - data.rate[:3]) / spread
    assert f.history["validation"].min() == pytest.approx(float(error.square().mean()), rel=1e-4)


@pytest.mark.parametrize("name", ANY_ORIGIN)
def test_an_offset_of_ten_million_loses_no_digits_in_float32(name, orbits, trained):
    data, _ = measured(orbits, 1.0, 1.0, 1.0, origin=1e7)
    f = fit(name, data)
    # of 1e7 + q, float64 keeps q to 2e-9
    assert_close(f.vector_field(0.0, data.z), trained[name].vector_field(0.0, orbits.z), rtol=0, atol=1e-4)
    forecast = f.forecast(data.z[3, 0], T[:11]).z - data.z[3, 0] + orbits.z[3, 0]
    assert_close(forecast, trained[name].forecast(orbits.z[3, 0], T[:11]).z, rtol=0, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["linear", "cubic", "nn", "hnn-mechanical"])
def test_a_planet_is_learned_and_forecast_in_si_units(name, dtype):
    """6e24 kg at 1.5e11 m on a spring: momenta of 2e29 kg m/s, whose squares float32 does not hold."""
    mass, size, w = 6e24, 1.5e11, 2e-7
    phase = torch.linspace(0, 6, 7, dtype=torch.float64)[:, None]
    t = torch.linspace(0, 2 * math.pi / w, 41, dtype=torch.float64)
    q, p = size * (w * t + phase).cos(), -mass * w * size * (w * t + phase).sin()
    orbit = Orbit(t, torch.stack([q, p], -1), torch.stack([p / mass, -mass * w**2 * q], -1), ("q", "p"))
    f = Forecaster(name, hidden=(20,), activation="tanh").fit(orbit, epochs=150, batch_size=20, progress=False)
    unit = torch.tensor([size, mass * w * size])
    forecast = f.forecast(orbit.z[0, 0].to(dtype), t)
    tolerance = 1e-4 if name in ("linear", "cubic") else 0.1  # what float32 coefficients, and a quick training, allow
    assert_close(forecast.z.double() / unit, orbit.z[0] / unit.double(), rtol=0, atol=tolerance)


def test_the_linear_field_of_a_planet_is_found_to_rounding():
    mass, w = 6e24, 2e-7
    t = torch.linspace(0, 2 * math.pi / w, 41, dtype=torch.float64)
    z = torch.stack([1.5e11 * (w * t).cos() + 4e12, -mass * w * 1.5e11 * (w * t).sin()], -1)
    rate = torch.stack([z[:, 1] / mass, -mass * w**2 * (z[:, 0] - 4e12)], -1)
    model = models.build("linear", 2).double()
    model.solve(z, rate)
    assert_close(model.vector_field(0.0, z) / rate.abs().amax(0), rate / rate.abs().amax(0), rtol=0, atol=1e-12)


def test_the_masses_of_a_mechanical_model_are_measured(orbits):
    """H = p^2 / 2m + V with m = 3: velocities p / m, and the kinetic energy by its formula."""
    mass = torch.tensor([1.0, 1.0, 3.0, 3.0], dtype=torch.float64)
    heavy = Orbit(T, orbits.z * mass, orbits.rate * mass, orbits.coordinates)
    f = fit("hnn-mechanical", heavy)
    p = heavy.z[..., 2:]
    assert_close(f.velocity(p), p / 3, rtol=1e-12, atol=0)
    assert_close(f.model.to(torch.float64).kinetic(p), p.square().sum(-1) / 6, rtol=1e-12, atol=0)


def test_noise_on_the_momenta_leaves_a_mass_of_one():
    random = torch.Generator().manual_seed(0)
    q, p = torch.randn(2, 500, 1, generator=random, dtype=torch.float64)
    noisy = p + 0.1 * torch.randn(500, 1, generator=random, dtype=torch.float64)
    units = Units.of(torch.cat([q, noisy], -1), torch.cat([p, -q], -1), "mechanical")
    assert float(units.scale[0] / units.scale[1] / units.time) == pytest.approx(1, rel=1e-12)  # 1 / m


@pytest.mark.parametrize("structure", ["canonical", "odd", "mechanical"])
def test_units_of_a_hamiltonian_flow_are_canonical(structure):
    random = torch.Generator().manual_seed(0)
    z, rate = torch.randn(2, 300, 6, generator=random, dtype=torch.float64) * torch.logspace(-9, 9, 6, dtype=torch.float64)
    units = Units.of(z, rate, structure)
    action = units.scale[:3] * units.scale[3:]
    assert_close(action, action[0].expand(3), rtol=1e-12, atol=0)
    assert structure == "canonical" or not units.center[3:].any()


@pytest.mark.parametrize("noise", [0.0, 1e-16, 1e-13])
@pytest.mark.parametrize("value", [0.3, -4e5, 2e-9])
@pytest.mark.parametrize("name", ["nn", "linear"])
def test_a_coordinate_that_is_constant_to_rounding_does_not_spoil_the_others(name, value, noise, orbits):
    random = torch.Generator().manual_seed(0)
    z = value * (1 + noise * torch.randn(*orbits.z.shape[:-1], 1, generator=random, dtype=torch.float64))
    data = Orbit(T, torch.cat([orbits.z, z], -1), torch.cat([orbits.rate, 0 * z], -1))
    f = Forecaster(name, hidden=(12,), seed=1).fit(data, data, epochs=3, progress=False)
    z0 = data.z[0].clone()
    shifted = f.vector_field(0.0, torch.cat([z0[:, :4], z0[:, 4:] * (1 + 1e-11)], -1))
    assert_close(shifted, f.vector_field(0.0, z0), rtol=0, atol=1e-8)
    assert float((f.vector_field(0.0, data.z)[..., :4] - orbits.rate).abs().max()) < 1
    assert torch.equal(f.forecast(data.z[0, 0], T).z[:, 4], data.z[0, 0, 4].expand(len(T)))  # what is conserved stays


def test_a_rate_that_does_not_vary_is_known_exactly(orbits):
    """A phase that turns at 0.7 a unit of time, beside states that do what they do."""
    phase = (0.7 * T).expand(len(orbits), -1).unsqueeze(-1)
    data = Orbit(T, torch.cat([orbits.z, phase], -1), torch.cat([orbits.rate, 0 * phase + 0.7], -1))
    f = Forecaster("nn", hidden=(6,)).fit(data, epochs=2, progress=False)
    assert_close(f.vector_field(0.0, data.z)[..., 4], torch.full((6, len(T)), 0.7, dtype=torch.float64), rtol=1e-15, atol=0)


def test_periods_of_the_orbits_are_kept_and_saved(tmp_path):
    t = torch.linspace(0, 2, 11)
    turning = Orbit(t, torch.stack([t, torch.ones_like(t)], -1), torch.stack([0 * t + 1, 0 * t], -1), ("theta", "p"),
                    periods={"theta": 2 * math.pi})  # fmt: skip
    f = Forecaster("nn", hidden=(4,)).fit(turning, epochs=1, progress=False)
    f.save(tmp_path / "f")
    assert f.periods == Forecaster.load(tmp_path / "f").periods == {"theta": 2 * math.pi}
    other = Orbit(t, turning.z, turning.rate, ("theta", "p"), periods={"theta": 360.0})
    with pytest.raises(InputError, match="period"):
        f.fit([turning, other], progress=False)


def test_a_file_from_before_units_were_kept_is_in_those_of_its_data(tmp_path, orbits):
    f = fit("hnn", orbits, activation="sine")
    settings = {"model": "hnn", "hidden": [12], "activation": "sine", "seed": 1, "dtype": "float32",
                "coordinates": list(orbits.coordinates), "training": {"epochs": 3}, "history": {}}  # fmt: skip
    tensor_file.write(tmp_path / "old", "forecaster", settings, f.model.inner.state_dict())
    old = Forecaster.load(tmp_path / "old")
    assert_close(old.vector_field(0.0, orbits.z), f.model.inner.double().vector_field(0.0, orbits.z), rtol=1e-12, atol=1e-12)
    assert old.periods == {}
    assert not old.training.weighted
