"""What fit takes, whatever mode the caller is in, and what it refuses in one sentence."""

import copy
import multiprocessing
import pickle

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import Forecaster, LearnedActivations, activations, models
from physlearn.activations import Mixture, Table
from systems import AccuracyWarning, InputError, Orbit

PENDULUM = systems.get("pendulum")
T = torch.linspace(0, 3, 16, dtype=torch.float64)
MODES = {"no_grad": torch.no_grad, "inference_mode": torch.inference_mode, "grad": torch.enable_grad}

NETWORKS = [{"hidden": (8,)}, {"hidden": (6, 5)}, {"hidden": (6, 5), "activation": "mish"}]
IDS = ["fused", "fused, deep", "torch"]


@pytest.fixture(scope="module")
def orbits():
    return PENDULUM.orbit(PENDULUM.sample(6, seed=0), T)


def weights(f):
    return torch.cat([parameter.flatten() for parameter in f.model.parameters()])


@pytest.mark.parametrize("network", NETWORKS, ids=IDS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["hnn", "nn"])
def test_fit_is_the_same_in_every_autograd_mode_and_leaves_it(name, mode, network, orbits):
    wanted = Forecaster(name, **network).fit(orbits, orbits[:2], epochs=2, progress=False)
    with MODES[mode]():
        data = PENDULUM.orbit(PENDULUM.sample(6, seed=0), T)
        f = Forecaster(name, **network).fit(data, data[:2], epochs=2, progress=False)
        assert torch.is_inference_mode_enabled() == (mode == "inference_mode")
        assert torch.is_grad_enabled() == (mode == "grad")
        inside = f.vector_field(0.0, data.z)
    assert torch.equal(weights(f), weights(wanted))
    z = orbits.z.clone().requires_grad_()  # and what was learned, or copied, there can be differentiated here
    torch.autograd.grad(f.vector_field(0.0, z).sum(), z)
    assert torch.equal(inside.clone(), wanted.vector_field(0.0, orbits.z))


@pytest.mark.parametrize("network", NETWORKS, ids=IDS)
def test_orbits_that_require_gradients_train_and_get_none(network, orbits):
    z, rate = orbits.z.clone().requires_grad_(), orbits.rate.clone().requires_grad_()
    f = Forecaster("hnn", **network).fit(Orbit(T, z, rate), epochs=2, progress=False)
    assert torch.equal(weights(f), weights(Forecaster("hnn", **network).fit(orbits, epochs=2, progress=False)))
    assert z.grad is None
    assert z.requires_grad
    assert not f.vector_field(0.0, orbits.z).requires_grad


def test_a_file_that_is_loaded_in_inference_mode_can_be_differentiated_later(orbits, tmp_path):
    Forecaster("hnn", hidden=(4,)).fit(orbits, epochs=1, progress=False).save(tmp_path / "f")
    with torch.inference_mode():
        f = Forecaster.load(tmp_path / "f")
    z = orbits.z.clone().requires_grad_()
    assert torch.autograd.grad(f.vector_field(0.0, z).sum(), z)[0].isfinite().all()


@pytest.mark.parametrize("transform", [torch.func.jacrev, torch.func.jacfwd])
@pytest.mark.parametrize("name", ["hnn", "nn-splines", "linear"])
def test_the_first_call_in_another_dtype_may_be_inside_a_transform(name, transform, orbits):
    f = Forecaster(name, hidden=(4,)).fit(orbits, epochs=1, progress=False)  # weights in float32, states in float64
    z, h = orbits.z[0, 0], 1e-5
    jacobian = transform(lambda z: f.vector_field(0.0, z))(z)
    steps = h * torch.eye(2, dtype=z.dtype)
    differences = (f.vector_field(0.0, z + steps) - f.vector_field(0.0, z - steps)).T / (2 * h)
    assert_close(jacobian, differences, rtol=0, atol=1e-7)
    x = z.clone().requires_grad_()  # and the copy that was made there is as good as any
    slopes = torch.stack([torch.autograd.grad(f.vector_field(0.0, x)[i], x)[0] for i in range(2)])
    assert_close(slopes, jacobian, rtol=1e-12, atol=1e-12)


def test_a_model_that_was_built_in_inference_mode_does_not_train(orbits):
    from physlearn.training import Pairs, Training, train

    with torch.inference_mode():
        model = models.build("hnn", 2, (4,))
    with pytest.raises(InputError, match="it cannot train: build it outside"):
        train(model, Pairs.of(orbits).to("cpu", torch.float32), None, Training(epochs=1), progress=False)


def kinds():
    x = torch.linspace(-10, 10, 100)
    learned = LearnedActivations(torch.stack([x.sin(), x.tanh()]), "sine", "by hand")
    return {
        "named": "tanh",
        "mixed": "sine+tanh",
        "shipped": "learned:van-der-pol",
        "table": Table.capture(torch.sin),
        "learned": learned.mix,
        "piecewise": learned.mix.piecewise,
        "mixture": Mixture([Table.capture(torch.tanh), activations.get("sine")]),
    }


def models_with_activations():
    """All models with an activation that was learned, and a network of a field and of H with all kinds of activations."""
    for name in models.names():
        yield from ((name, kind) for kind in kinds() if name in ("nn", "hnn") or kind == "learned")


@pytest.mark.parametrize(("name", "kind"), list(models_with_activations()))
def test_what_is_saved_or_pickled_can_be_loaded_and_forecasts_the_same(name, kind, orbits, tmp_path):
    f = Forecaster(name, hidden=(4,), activation=kinds()[kind]).fit(orbits, epochs=1, progress=False)
    wanted = f.vector_field(0.0, orbits.z)
    f.save(tmp_path / "f")
    for again in (Forecaster.load(tmp_path / "f"), pickle.loads(pickle.dumps(f)), copy.deepcopy(f)):
        assert torch.equal(again.vector_field(0.0, orbits.z), wanted)
        again.save(tmp_path / "again")
        assert torch.equal(Forecaster.load(tmp_path / "again").vector_field(0.0, orbits.z), wanted)


@pytest.mark.parametrize("what", [*kinds(), "function of a user"])
def test_activations_pickle(what):
    one = activations.register("test-pickled", lambda x: x**3) if what.endswith("user") else activations.get(kinds()[what])
    x = torch.linspace(-3, 3, 9)
    for again in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one)):
        assert torch.equal(again(x), one(x))
        assert torch.equal(again.first(x), one.first(x))


def test_learned_activations_pickle():
    learned = activations.shipped.load("van-der-pol")
    again = pickle.loads(pickle.dumps(learned))
    assert torch.equal(again.values, learned.values)
    assert again.settings == learned.settings


@pytest.mark.slow
def test_a_forecaster_works_in_a_process_that_was_spawned(orbits):
    f = Forecaster("hnn", hidden=(4,), activation="sine+tanh").fit(orbits, epochs=1, progress=False)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        rates = pool.apply(f.vector_field, (0.0, orbits.z[0]))
    assert torch.equal(rates, f.vector_field(0.0, orbits.z[0]))


def test_numbers_of_numpy_are_numbers(orbits, tmp_path):
    plain = Forecaster("nn", hidden=(5,), seed=3).fit(orbits, epochs=2, batch_size=30, learning_rate=0.5, progress=False)
    numbers = {"batch_size": np.uint8(30), "learning_rate": np.float32(0.5), "patience": np.int16(9)}
    f = Forecaster("nn", hidden=(np.int64(5),), seed=np.int32(3))
    f.fit(orbits, epochs=np.int64(2), progress=False, **numbers)
    assert torch.equal(weights(f), weights(plain))
    f.save(tmp_path / "f")
    assert Forecaster.load(tmp_path / "f").training == f.training


def test_an_orbit_of_a_system_with_numbers_of_numpy_is_saved(tmp_path):
    system = systems.get("van-der-pol", mu=np.float32(0.5))
    assert type(system.parameters["mu"]) is float
    system.orbit(system.sample(np.int64(2), seed=np.int64(1)), T).save(tmp_path / "orbit.nc")


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": True}, {"epochs": np.bool_(True)}, {"epochs": "3"}, {"batch_size": 2.0}, {"learning_rate": float("nan")},
     {"learning_rate": True}, {"learning_rate": "fast"}, {"clip": float("inf")}, {"patience": 1.5}, {"learning_rate": 1j}],
)  # fmt: skip
def test_what_is_no_number_is_refused_by_name(wrong, orbits):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Forecaster("nn").fit(orbits, progress=False, **wrong)


@pytest.mark.parametrize("seed", [1.5, True, "one", 2**70, -(2**64)])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(InputError, match="seed"):
        Forecaster("nn", seed=seed)


def changed(orbit, **parts):
    return Orbit(orbit.t, **{"z": orbit.z, "rate": orbit.rate, "coordinates": orbit.coordinates, **parts})


LEARNED = [
    *((name, part) for name in models.names() for part in ("z", "rate")),
    *((m, "z") for m in models.names_with_memory()),
]


@pytest.mark.parametrize("size", [1e300, -1e200])
@pytest.mark.parametrize(("name", "part"), LEARNED)
def test_numbers_whose_squares_overflow_are_refused(name, part, size, orbits):
    values = getattr(orbits, part).clone()
    values[2, 3, 1] = size
    huge = changed(orbits, **{part: values})
    for given in ((huge,), (orbits, huge)):
        with pytest.raises(InputError, match="overflow") as error:
            Forecaster(name, hidden=(4,)).fit(*given, epochs=1, progress=False)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("network", NETWORKS, ids=IDS)
@pytest.mark.parametrize("size", [1e15, 1e60])
def test_validation_that_no_loss_can_be_computed_on_is_refused(size, network, orbits):
    far = changed(orbits, z=orbits.z * size, rate=orbits.rate * 1e20)
    with pytest.raises(InputError, match=r"validation|overflow"):
        Forecaster("nn", **network).fit(orbits, far, epochs=2, progress=False)


@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.parametrize("name", ["hnn-mechanical", "dissipative-hnn-mechanical"])
def test_a_model_that_cannot_fit_its_data_warns(name, held_out, orbits):
    """Momenta 10 above mass times velocity: the velocities p/m are 10 off, and one of two components has this error."""
    offset = changed(orbits, z=orbits.z + torch.tensor([0, 10]))
    loss = 10**2 / orbits.rate[..., 0].var(correction=0) / 2
    with pytest.warns(AccuracyWarning, match="where a constant rate has 1") as caught:
        f = Forecaster(name, hidden=(4,)).fit(offset, offset if held_out else None, epochs=2, progress=False)
    assert len(caught) == 1
    assert f"training loss of {f.history['training'].iloc[-1]:.3g}," in str(caught[0].message)
    assert f.history["training"].iloc[-1] == pytest.approx(float(loss), abs=3)  # the other adds less
    Forecaster("nn", hidden=(4,)).fit(offset, epochs=2, progress=False)  # which warns of nothing


@pytest.mark.parametrize(("name", "few"), [("linear", 2), ("cubic", 2), ("cubic", 3)])
def test_a_baseline_refuses_fewer_states_than_it_has_coefficients_for(name, few, orbits):
    z = orbits.z[:few, 0]
    once = Orbit(torch.arange(float(few)).double(), z, PENDULUM.vector_field(0.0, z), orbits.coordinates)
    repeated = [once] * 20
    for data in (once, repeated):
        with pytest.raises(InputError, match=f"{few} different states are too few"):
            Forecaster(name).fit(data, progress=False)


@pytest.mark.parametrize("copies", [1, 101])
@pytest.mark.parametrize("name", ["linear", "cubic"])
def test_a_baseline_refuses_a_single_state_however_often_it_is_given(name, copies, orbits):
    z, rate = (x[0, :1].expand(copies, 2) for x in (orbits.z, orbits.rate))
    with pytest.raises(InputError, match=r"1 different state is too few for the [39] coefficients"):
        Forecaster(name).fit(Orbit(torch.arange(float(copies)).double(), z, rate, orbits.coordinates), progress=False)


@pytest.mark.parametrize("name", ["linear", "cubic"])
def test_a_baseline_says_where_states_leave_its_coefficients_open(name):
    """Two equal oscillators in step: states on a plane of the four dimensions."""
    t = torch.linspace(0, 20, 100, dtype=torch.float64)
    q = torch.stack([t.cos(), (1.3 * t).cos()]).unsqueeze(-1)
    p = torch.stack([-t.sin(), -t.sin()]).unsqueeze(-1) * 0.7
    orbit = Orbit(t, torch.cat([q, q, p, p], -1), torch.cat([p, p, -q, -q], -1))
    with pytest.warns(UserWarning, match=r"determine \d+ of the \d+ coefficients"):
        f = Forecaster(name).fit(orbit, progress=False)
    assert_close(f.vector_field(0.0, orbit.z), orbit.rate, rtol=0, atol=1e-6)


@pytest.mark.parametrize("given", ["together", "validation"])
def test_orbits_with_different_parameters_or_of_different_systems_do_not_train_one_model(given):
    t = torch.linspace(0, 1, 5, dtype=torch.float64)
    one, other = (systems.get("van-der-pol", mu=mu) for mu in (1.0, 2.0))
    alike = systems.get("harmonic-oscillator")
    orbits = [system.orbit(system.sample(3), t) for system in (one, other)]
    third = changed(alike.orbit(alike.sample(3), t), coordinates=orbits[0].coordinates)
    third = Orbit(t, third.z, third.rate, third.coordinates, alike.orbit(alike.sample(1), t).provenance)
    f = Forecaster("nn", hidden=(4,))
    for wrong, said in ((orbits[1], r"mu=1\.0 and mu=2\.0"), (third, "van-der-pol and of harmonic-oscillator")):
        with pytest.raises(InputError, match=said):
            f.fit([orbits[0], wrong], progress=False) if given == "together" else f.fit(orbits[0], wrong, progress=False)
    again = systems.get("van-der-pol", mu=1.0)
    f.fit([orbits[0], again.orbit(again.sample(2, seed=1), t)], epochs=1, progress=False)


@pytest.mark.parametrize("name", ["linear", "cubic", "polynomial", "polynomial-hamiltonian"])
def test_baselines_are_rolled_out_in_compiled_code_with_the_result_of_torch(name):
    system, t = systems.get("henon-heiles"), torch.linspace(0, 5, 51, dtype=torch.float64)
    f = Forecaster(name).fit(system.orbit(system.sample(10, energy=0.1), t), progress=False)
    z0 = system.sample(3, seed=1, energy=0.1)
    compiled, plain = (f.forecast(z0, t, method="gauss-legendre-4", engine=engine) for engine in ("auto", "torch"))
    assert compiled.provenance["engine"] == "compiled"
    torch.testing.assert_close(compiled.z, plain.z, rtol=1e-12, atol=1e-12)
