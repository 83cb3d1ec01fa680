"""A known part of a flow: the model learns the rest, and forecasts use the sum."""

import pickle
import warnings

import pytest
import torch

import systems
from physlearn import Forecaster, integrate
from physlearn.metrics import valid_prediction_time
from systems import InputError, IntegrationError, Orbit

PENDULUM, T = systems.get("pendulum"), torch.linspace(0, 6, 61, dtype=torch.float64)
FRICTION = 0.1


def friction(t, z):
    """Quadratic damping."""
    return torch.stack([torch.zeros_like(z[..., 0]), -FRICTION * z[..., 1] * z[..., 1].abs()], dim=-1)


def damped(t, z):
    return PENDULUM.vector_field(t, z) + friction(t, z)


def pendulum(t, z):
    return PENDULUM.vector_field(t, z)


def orbits(n, seed, t=T):
    z = integrate(damped, PENDULUM.sample(n, seed=seed), t, method="dopri8", progress=False).z
    return Orbit(t, z, rate=damped(t, z), coordinates=PENDULUM.coordinates)


@pytest.fixture(scope="module")
def few():
    return orbits(6, 0)


@pytest.fixture(scope="module")
def learned(few):
    return Forecaster("nn", hidden=(20,), known=PENDULUM).fit(few, progress=False)


def test_the_rest_is_the_damping(few, learned):
    rest = learned.vector_field(0.0, few.z) - PENDULUM.vector_field(0.0, few.z)
    wanted = friction(0.0, few.z)
    assert (rest - wanted)[..., 1].square().mean().sqrt() < 0.03 * wanted[..., 1].square().mean().sqrt()
    assert rest[..., 0].abs().max() < 1e-12  # there is nothing to learn in dtheta/dt


@pytest.mark.slow
def test_a_known_part_forecasts_longer_from_one_orbit():
    times = torch.linspace(0, 60, 301, dtype=torch.float64)
    truth, valid = orbits(8, 5, times), {}
    for name, known in (("alone", None), ("known", PENDULUM)):
        f = Forecaster("nn", hidden=(10,), known=known).fit(orbits(1, 3), progress=False)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                forecast = f.forecast(truth.z[:, 0], times, progress=False)
            valid[name] = float(valid_prediction_time(forecast, truth, 0.1).median())
        except IntegrationError:
            valid[name] = 0.0
    assert valid["known"] > 3 * valid["alone"]


@pytest.mark.parametrize("method", ["rk4", "gauss-legendre-4"])
def test_compiled_forecasts_of_the_sum_are_those_by_torch(few, learned, method):
    z0 = orbits(8, 1).z[:, 0]
    by = [learned.forecast(z0, T, method=method, engine=engine, progress=False).z for engine in ("compiled", "torch")]
    torch.testing.assert_close(*by, rtol=1e-9, atol=1e-9)
    function = Forecaster("nn", hidden=(20,), known=pendulum).fit(few, progress=False)
    torch.testing.assert_close(function.forecast(z0, T, method=method, engine="compiled", progress=False).z, by[0])


def test_hamiltonians_add_up(few):
    """H = p^2/2 is known; the potential is learned."""
    free = Orbit(T, few.z, rate=PENDULUM.vector_field(0.0, few.z), coordinates=PENDULUM.coordinates)
    soft = systems.get("pendulum", gravity=0.5)
    for model in ("hnn", "hnn-separable"):
        f = Forecaster(model, hidden=(20,), known=soft).fit(free, epochs=100, progress=False)
        energy = f.hamiltonian(few.z) - PENDULUM.hamiltonian(few.z)
        assert energy.std() < 1e-2 * PENDULUM.hamiltonian(few.z).std()
        z = few.z[0, 3].clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(f.hamiltonian(z), z)
        torch.testing.assert_close(f.vector_field(0.0, z.detach()), torch.stack([slope[1], -slope[0]]), rtol=1e-9, atol=1e-9)
    q, p = z.detach().chunk(2)
    torch.testing.assert_close(torch.cat([f.velocity(p), f.force(q)]), f.vector_field(0.0, z.detach()), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("model", ["linear", "cubic", pytest.param("dissipative-hnn", marks=pytest.mark.slow)])
def test_other_models_learn_the_rest_as_well(few, model):
    free = Orbit(T, few.z, rate=PENDULUM.vector_field(0.0, few.z), coordinates=PENDULUM.coordinates)
    data, known = (free, systems.get("pendulum", gravity=0.9)) if model == "cubic" else (few, PENDULUM)
    off = []
    for part in (None, known):
        f = Forecaster(model, hidden=(10,), known=part).fit(data, epochs=40, progress=False)
        off.append(float((f.vector_field(0.0, data.z) - data.rate).square().mean()))
    assert off[1] < off[0] / 3


def test_units_do_not_matter(few):
    scale, time = torch.tensor([1e-3, 1e5], dtype=torch.float64), 1e4

    def scaled(t, z):
        return pendulum(t, z / scale) * scale / time

    far = Orbit(T * time, few.z * scale, rate=few.rate * scale / time, coordinates=("a", "b"))
    plain, other = (
        Forecaster("nn", hidden=(8,), known=part, dtype=torch.float64).fit(data, epochs=20, progress=False)
        for part, data in ((pendulum, few), (scaled, far))
    )
    rate = other.vector_field(0.0, far.z) * time / scale
    torch.testing.assert_close(rate, plain.vector_field(0.0, few.z), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("loss", ["weak", *(pytest.param(name, marks=pytest.mark.slow) for name in ("step", "shooting"))])
def test_losses_of_states_see_the_whole_flow(few, loss):
    states = [Orbit(T, z, coordinates=PENDULUM.coordinates) for z in few.z]
    f = Forecaster("nn", hidden=(10,), known=PENDULUM).fit(states, loss=loss, epochs=100, polish=40, progress=False)
    rest = (f.vector_field(0.0, few.z) - PENDULUM.vector_field(0.0, few.z))[..., 1]
    wanted = friction(0.0, few.z)[..., 1]
    assert (rest - wanted).square().mean() < 0.1 * wanted.square().mean()


def test_it_is_told_copied_and_kept_in_files(few, learned, tmp_path):
    assert "known='pendulum'" in repr(learned)
    z, rate = few.z[0, :5], learned.vector_field(0.0, few.z[0, :5])
    orbit = learned.forecast(z[0], T[:5], progress=False)
    assert orbit.provenance["learned"]["known"] == {"system": "pendulum", "parameters": PENDULUM.parameters}
    learned.save(tmp_path / "f")
    for other in (Forecaster.load(tmp_path / "f"), pickle.loads(pickle.dumps(learned))):
        assert torch.equal(other.vector_field(0.0, z), rate)
        assert other.get_params()["known"] == PENDULUM
    function = Forecaster("nn", hidden=(4,), known=pendulum).fit(few, epochs=1, progress=False)
    function.save(tmp_path / "g")
    with pytest.raises(InputError, match="the function pendulum, which it does not hold"):
        Forecaster.load(tmp_path / "g")
    assert torch.equal(Forecaster.load(tmp_path / "g", known=pendulum).vector_field(0.0, z), function.vector_field(0.0, z))
    Forecaster("linear").fit(few).save(tmp_path / "h")
    with pytest.raises(InputError, match="no known part"):
        Forecaster.load(tmp_path / "h", known=pendulum)


class Stiff(type(PENDULUM)):
    """A pendulum with another field, under the same name."""

    def vector_field(self, t, z):
        return 2 * super().vector_field(t, z)


def test_a_file_does_not_take_a_subclass_for_the_registered_system(few, tmp_path):
    f = Forecaster("nn", hidden=(4,), known=Stiff()).fit(few, epochs=1, progress=False)
    f.save(tmp_path / "f")
    with pytest.raises(InputError, match="the function pendulum, which it does not hold"):
        Forecaster.load(tmp_path / "f")
    loaded = Forecaster.load(tmp_path / "f", known=Stiff())
    assert torch.equal(loaded.vector_field(0.0, few.z), f.vector_field(0.0, few.z))


def with_time(t, z):
    return pendulum(t, z) * (1 + t)


@pytest.mark.parametrize(
    ("model", "known", "message"),
    [
        ("nn", "pendulum", "must be a system or a function"),
        ("nn", systems.get("henon-heiles"), "has the coordinates x, y, p_x, p_y, but the data have theta, p"),
        ("nn", systems.get("forced-duffing"), "depends on time"),
        ("nn", with_time, "with_time depends on time"),
        ("nn", lambda t, z: z[..., :1], r"returns shape \(100, 1\)"),
        ("nn", lambda t, z: z / 0, "no finite rates"),
        ("hnn", pendulum, "a known Hamiltonian, which pendulum does not have"),
        ("hnn-mechanical", PENDULUM, "a kinetic energy of its own"),
    ],
)
def test_a_part_that_does_not_fit_is_refused(few, model, known, message):
    with pytest.raises(InputError, match=message):
        Forecaster(model, hidden=(4,), known=known).fit(few, epochs=1, progress=False)
