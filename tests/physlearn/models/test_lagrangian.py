"""The Lagrangian network: the Euler-Lagrange equations by automatic differentiation, energy, and mechanics without momenta."""

import math

import pytest
import torch
from torch.func import grad, hessian, jacrev, jvp, vmap

import systems
from physlearn import Forecaster, integrate, models
from physlearn.metrics import valid_prediction_time
from systems import InputError, Orbit

DOUBLE = systems.get("double-pendulum")


def in_velocities(orbit, system=DOUBLE):
    """The orbit in angles and angular rates, with exact accelerations, instead of canonical momenta."""
    n = orbit.dim // 2
    velocity = orbit.rate[..., :n]
    acceleration = jvp(lambda z: system.vector_field(0.0, z)[..., :n], (orbit.z,), (orbit.rate,))[1]
    z, rate = torch.cat([orbit.z[..., :n], velocity], -1), torch.cat([velocity, acceleration], -1)
    return Orbit(orbit.t, z, rate=rate, coordinates=("theta_1", "theta_2", "omega_1", "omega_2"), periods=orbit.periods)


def built(dim=4, given=0, angles=None, hidden=(12,), activation="tanh"):
    model = models.build("lnn", dim, hidden, activation, 3, angles or {}, given).double()
    random = torch.Generator().manual_seed(0)
    z = torch.randn(40, dim + given, generator=random, dtype=torch.float64)
    model.standardize(z, torch.randn(40, dim, generator=random, dtype=torch.float64))
    return model, z


@pytest.mark.parametrize(
    ("dim", "options"),
    [(2, {}), (4, {}), (6, {"given": 1}), (4, {"angles": {0: 2.0, 1: 3.0}}), (4, {"hidden": (8, 7), "given": 2})],
)
def test_the_field_is_that_of_the_euler_lagrange_equation(dim, options):
    model, z = built(dim, **options)
    n = dim // 2

    def lagrangian(q, v, given):
        x = torch.cat([q, given])
        return v @ model.mass(x) @ v / 2 - model.potential_energy(x)

    def acceleration(state):
        q, v, given = state[:n], state[n:dim], state[dim:]
        slope, mixed = grad(lagrangian, 0)(q, v, given), jacrev(grad(lagrangian, 1), 0)(q, v, given)
        return torch.linalg.solve(hessian(lagrangian, 1)(q, v, given), slope - mixed @ v)

    torch.testing.assert_close(model(z)[:, :n], z[:, n:dim])
    torch.testing.assert_close(model(z)[:, n:], vmap(acceleration)(z), rtol=1e-9, atol=1e-9)

    def energy(state):  # v . dL/dv - L
        q, v, given = state[:n], state[n:dim], state[dim:]
        return v @ grad(lagrangian, 1)(q, v, given) - lagrangian(q, v, given)

    torch.testing.assert_close(model.energy(z), vmap(energy)(z))


@pytest.mark.parametrize("angles", [{}, {0: 2.0, 1: 3.0}])
def test_the_flow_conserves_the_energy(angles):
    model, z = built(angles=angles)
    orbit = integrate(model, 0.3 * z[:5], torch.linspace(0, 3, 7, dtype=torch.float64), method="dopri8", progress=False)
    energy = model.energy(orbit.z.detach()).detach()
    torch.testing.assert_close(energy, energy[:, :1].expand_as(energy), rtol=0, atol=1e-8)


def test_the_mass_matrix_is_positive_definite_and_symmetric():
    model, z = built(6)
    mass = model.mass(100 * z[:, :3])
    torch.testing.assert_close(mass, mass.mT)
    assert torch.linalg.eigvalsh(mass).min() > 0


def test_a_double_pendulum_is_learned_from_angular_rates_which_no_hamiltonian_fits():
    t = torch.linspace(0, 2, 51, dtype=torch.float64)
    orbits = in_velocities(DOUBLE.orbit(DOUBLE.sample(20, seed=0), t))
    settings = {"hidden": (30,), "activation": "tanh", "seed": 0}
    lagrangian = Forecaster("lnn", **settings).fit(orbits, epochs=20, polish=40, progress=False)
    hamiltonian = Forecaster("hnn", **settings).fit(orbits, epochs=200, progress=False)
    reached = [float(f.history["training"].iloc[-1]) for f in (lagrangian, hamiltonian)]
    assert reached[0] < 3e-3 < 1e-2 < reached[1]
    truth = in_velocities(DOUBLE.orbit(DOUBLE.sample(6, seed=1), torch.linspace(0, 5, 126, dtype=torch.float64)))
    valid = [
        float(valid_prediction_time(f.forecast(truth.z[:, 0], truth.t, progress=False), truth).median())
        for f in (lagrangian, hamiltonian)
    ]
    assert valid[0] > 2 * valid[1]
    energy = lagrangian.energy(orbits.z)
    true = DOUBLE.hamiltonian(DOUBLE.orbit(DOUBLE.sample(20, seed=0), t).z)
    assert torch.corrcoef(torch.stack([energy.flatten(), true.flatten()]))[0, 1] > 0.99


def test_units_do_not_matter_and_files_keep_the_forecast(tmp_path):
    t = torch.linspace(0, 2, 26, dtype=torch.float64)
    orbits = in_velocities(DOUBLE.orbit(DOUBLE.sample(5, seed=0), t))
    settings = {"hidden": (10,), "dtype": torch.float64}
    f = Forecaster("lnn", **settings).fit(orbits, epochs=3, polish=0, progress=False)
    scale, time = 1e6, 1e-3
    units = torch.tensor([scale, scale, scale / time, scale / time], dtype=torch.float64)
    names = orbits.coordinates
    moved = Orbit(t * time, orbits.z * units, rate=orbits.rate * units / time, coordinates=names)
    g = Forecaster("lnn", **settings).fit(moved, epochs=3, polish=0, progress=False)
    z0 = orbits.z[:, 0]
    first = f.forecast(z0, t, substeps=4, progress=False).z
    torch.testing.assert_close(
        g.forecast(z0 * units, t * time, substeps=4, progress=False).z / units, first, rtol=1e-6, atol=1e-7
    )
    f.save(tmp_path / "lnn.safetensors")
    again = Forecaster.load(tmp_path / "lnn.safetensors")
    assert torch.equal(again.forecast(z0, t, substeps=4, progress=False).z, first)
    assert torch.equal(again.energy(z0), f.energy(z0))


def test_the_energy_of_a_forecaster_is_its_hamiltonian_where_there_is_one():
    orbit = DOUBLE.orbit(DOUBLE.sample(3), torch.linspace(0, 1, 11))
    for name in ("hnn", "hnn-separable"):
        f = Forecaster(name, hidden=(5,)).fit(orbit, epochs=1, polish=0, progress=False)
        assert torch.equal(f.energy(orbit.z), f.hamiltonian(orbit.z))
    with pytest.raises(AttributeError, match="nn has no hamiltonian"):
        _ = Forecaster("nn", hidden=(5,)).fit(orbit, epochs=1, polish=0, progress=False).energy


def test_momenta_that_are_no_velocities_are_refused():
    orbit = DOUBLE.orbit(DOUBLE.sample(3), torch.linspace(0, 1, 26))
    with pytest.raises(InputError, match=r"p_1 differs from the rate of theta_1 by .*: give velocities"):
        Forecaster("lnn").fit(orbit, progress=False)
    with pytest.raises(InputError, match="lnn needs as many velocities as positions, not 3"):
        models.build("lnn", 3)
    with pytest.raises(InputError, match="no period in the velocities: name only positions"):
        models.build("lnn", 2, angles={1: 2 * math.pi})
