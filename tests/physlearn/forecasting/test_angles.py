"""Networks that see cosine and sine of an angle learn what is exactly periodic, and forecast any number of turns."""

import copy
import dataclasses
import pickle
from math import pi

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import Forecaster, metrics, models, tensor_file
from physlearn.forecasting import stored
from physlearn.forecasting.contender import LINEUP
from physlearn.forecasting.trained import fit_all
from physlearn.models.stack import stack
from physlearn.training import Pairs, Training, fused_engine
from physlearn.training.ensemble import train_ensemble
from systems import InputError, Orbit

BASELINES = [name for name in models.names() if not models.find(name).takes_angles]
NETWORKS = [
    name
    for name in models.names()  # but for lnn, which needs velocities
    if models.find(name).takes_angles and not models.find(name).baseline and models.find(name).structure != "lagrangian"
]
PENDULUM = systems.get("pendulum")
T = torch.linspace(0, 5, 51, dtype=torch.float64)


def pendulum(n=8):
    """Orbits below and above the separatrix, whose momentum at the bottom is 2."""
    p = torch.linspace(-2.6, 2.6, n, dtype=torch.float64)
    return PENDULUM.orbit(torch.stack([torch.zeros_like(p), p], dim=-1), T)


def fit(name, orbits, angles=True, *, hidden=(8,), epochs=2, **settings):
    return Forecaster(name, hidden=hidden, angles=angles, seed=1, **settings).fit(orbits, epochs=epochs, progress=False)


@pytest.fixture(scope="module")
def orbits():
    return pendulum()


@pytest.fixture(scope="module")
def trained(orbits):
    return {name: fit(name, orbits) for name in NETWORKS}


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_learned_is_exactly_periodic_though_it_was_trained_in_float32(name, trained, orbits):
    f, z = trained[name], orbits.z
    for turns in (1, -1, 1000):
        moved = z + torch.tensor([2 * pi * turns, 0.0], dtype=torch.float64)
        assert_close(f.vector_field(0.0, moved), f.vector_field(0.0, z), rtol=0, atol=1e-13 * (10 + abs(turns)))
        if hasattr(f.model, "hamiltonian"):
            assert_close(f.hamiltonian(moved), f.hamiltonian(z), rtol=0, atol=1e-13 * (10 + abs(turns)))
    half = z + torch.tensor([pi, 0.0], dtype=torch.float64)
    assert (f.vector_field(0.0, half) - f.vector_field(0.0, z)).abs().max() > 1e-2


@pytest.mark.parametrize("hidden", [(8,), (6, 5)], ids=str)
@pytest.mark.parametrize("name", ["hnn", "hnn-separable", "hnn-mechanical", "hnn-splines"])
def test_the_rates_are_the_gradient_of_the_hamiltonian(name, hidden, orbits):
    f, z = fit(name, orbits, hidden=hidden), orbits.z[:, ::10].clone().requires_grad_()
    (slope,) = torch.autograd.grad(f.hamiltonian(z).sum(), z)
    wanted = torch.stack([slope[..., 1], -slope[..., 0]], dim=-1)
    assert_close(f.vector_field(0.0, z.detach()), wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["hnn", "hnn-separable"])
def test_a_momentum_may_have_a_period_too(name):
    """On a torus, as that of a kicked rotor, with another coordinate that has none."""
    random = torch.Generator().manual_seed(0)
    z, rate = torch.randn(2, 20, 4, generator=random, dtype=torch.float64).unbind()
    f = fit(name, Orbit(torch.arange(20.0), z, rate, ("x", "q", "y", "p"), periods={"q": 1.5, "p": 0.7}))
    moved = z + torch.tensor([0, 3.0, 0, -0.7], dtype=torch.float64)
    assert_close(f.vector_field(0.0, moved), f.vector_field(0.0, z), rtol=0, atol=1e-12)
    z.requires_grad_()
    (slope,) = torch.autograd.grad(f.hamiltonian(z).sum(), z)
    assert_close(f.vector_field(0.0, z), torch.cat([slope[:, 2:], -slope[:, :2]], dim=1), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", NETWORKS)
def test_degrees_give_the_same_physics_as_radians(name, trained, orbits):
    unit = torch.tensor([180 / pi, 2e5], dtype=torch.float64)  # momenta in a unit of their own
    degrees = Orbit(orbits.t, orbits.z * unit, orbits.rate * unit, orbits.coordinates, periods={"theta": 360.0})
    rate = fit(name, degrees).vector_field(0.0, degrees.z) / unit
    assert_close(rate, trained[name].vector_field(0.0, orbits.z), rtol=0, atol=1e-4)  # float32 rounds the training


@pytest.mark.parametrize("name", ["nn", "hnn", "dissipative-hnn-mechanical"])
def test_it_does_not_matter_in_which_turn_the_training_orbits_are(name, trained, orbits):
    """Though in float32 the angle after 1e6 turns has no digit left."""
    moved = orbits.z + torch.tensor([2 * pi * 10**6, 0.0], dtype=torch.float64)
    apart = [dataclasses.replace(orbits, z=moved)[:4], orbits[4:]]
    assert_close(fit(name, apart).vector_field(0.0, orbits.z), trained[name].vector_field(0.0, orbits.z), rtol=0, atol=1e-4)


def test_a_rotating_pendulum_is_forecast_over_many_turns():
    """Trained on at most two turns; where a network sees the angle itself, it has never seen the others."""
    data, t = pendulum(20), torch.linspace(0, 40, 401, dtype=torch.float64)
    assert data.z[..., 0].abs().max() < 4 * pi
    truth = PENDULUM.orbit(torch.tensor([[0, 2.3], [0, -2.5], [0.3, 1.2]], dtype=torch.float64), t)
    assert truth.z[:2, -1, 0].abs().min() > 20 * pi
    valid = {}
    for angles in (True, False):
        f = fit("hnn-mechanical", data, angles, hidden=(20,), epochs=60 if angles else 300)
        valid[angles] = metrics.valid_prediction_time(f.forecast(truth.z[:, 0], t), truth)
    assert (valid[True] == 40).all()
    assert (valid[False][:2] < 30).all()
    assert valid[False][2] == 40  # what swings stays among the angles of the training


@pytest.mark.parametrize("angles", [True, ("theta",)])
def test_saving_loading_and_pickling_keep_the_angles(angles, orbits, tmp_path):
    f = fit("hnn-mechanical", orbits, angles)
    f.save(tmp_path / "file")
    for again in (Forecaster.load(tmp_path / "file"), pickle.loads(pickle.dumps(f)), copy.deepcopy(f)):
        assert repr(again) == repr(f)
        assert f"angles={angles}" in repr(again)
        assert torch.equal(again.vector_field(0.0, orbits.z), f.vector_field(0.0, orbits.z))
        assert torch.equal(again.fit(orbits, epochs=2, progress=False).hamiltonian(orbits.z), f.hamiltonian(orbits.z))


def test_a_file_without_the_setting_is_one_without_angles(orbits, tmp_path):
    f = fit("nn", orbits, False)
    f.save(tmp_path / "file")
    settings, tensors = tensor_file.read(tmp_path / "file", "forecaster")
    del settings["angles"]
    tensor_file.write(tmp_path / "older", "forecaster", settings, tensors)
    assert torch.equal(Forecaster.load(tmp_path / "older").vector_field(0.0, orbits.z), f.vector_field(0.0, orbits.z))


@pytest.mark.parametrize("angles", [["psi"], ["p"], ["theta", "theta"], 3, {"theta": 1}, [1]])
def test_a_file_with_wrong_angles_is_refused(angles, orbits, tmp_path):
    fit("hnn", orbits).save(tmp_path / "file")
    settings, tensors = tensor_file.read(tmp_path / "file", "forecaster")
    tensor_file.write(tmp_path / "forged", "forecaster", settings | {"angles": angles}, tensors)
    with pytest.raises(InputError, match="angles"):
        Forecaster.load(tmp_path / "forged")
    for forged in (settings | {"angles": False}, {name: settings[name] for name in settings if name != "angles"}):
        tensor_file.write(tmp_path / "without", "forecaster", forged, tensors)  # the weights are those of more inputs
        with pytest.raises(InputError, match="without"):
            Forecaster.load(tmp_path / "without")


def test_an_angle_is_an_input_more_in_the_size_that_a_file_must_have():
    """Of 1 + 1 inputs: (1 + 1) 5 + 5 7 weights, 5 + 7 biases, and the two coordinates' names."""
    settings = {"model": "hnn", "coordinates": ["q", "p"], "seed": 0, "dtype": "float32", "history": {}, "training": {}}
    settings |= {"hidden": [5, 7], "activation": "sine", "periods": {"q": 1.0}}
    for angles in (True, ["q"]):
        stored.check(settings | {"angles": angles}, {"a": torch.zeros(30), "b": torch.zeros(29)})
        with pytest.raises(InputError, match="at least 59 numbers, but the file has 58"):
            stored.check(settings | {"angles": angles}, {"a": torch.zeros(30), "b": torch.zeros(28)})


@pytest.mark.parametrize(
    ("angles", "message"),
    [
        ("phi", "angles names 'phi', but the coordinates are theta, p"),
        (("theta", "phi"), "angles names 'phi', but the coordinates are theta, p"),
        (["p"], "angles names 'p', which has no period in the orbits: give it one"),
    ],
)
def test_a_coordinate_that_is_no_angle_is_refused(angles, message, orbits):
    with pytest.raises(InputError, match=message):
        fit("hnn", orbits, angles)


def test_all_angles_of_orbits_without_any_are_refused():
    system = systems.get("henon-heiles")
    with pytest.raises(InputError, match="needs a coordinate with a period, but none of x, y, p_x, p_y has one"):
        fit("hnn", system.orbit(system.sample(2, energy=0.1), T))


@pytest.mark.parametrize("angles", [1, None, 0.5, [1], {"theta"}, np.array([1, 2])])
def test_angles_are_names(angles):
    with pytest.raises(InputError, match="angles must be True, False or names of coordinates"):
        Forecaster("hnn", angles=angles)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_refuses_angles(name):
    with pytest.raises(InputError, match=f"the model {name} has no network"):
        Forecaster(name, angles=True)
    with pytest.raises(InputError, match=f"the model {name} has no network"):
        models.build(name, 2, angles={0: 1.0})


def test_the_networks_of_a_line_up_take_angles_and_its_baselines_do_not(orbits):
    contenders = [contender for contender in LINEUP if contender.model in ("linear", "cubic", "nn")]
    settings = {"training": {"epochs": 1}, "hidden": (4,), "angles": True}
    trained = fit_all(contenders, orbits, orbits, progress=False, **settings).forecasters
    assert {name: f.angles for name, f in trained.items()} == {"linear": False, "cubic": False, "nn": True}


@pytest.mark.parametrize("name", ["hnn-mechanical", "dissipative-hnn-mechanical"])
def test_a_kinetic_energy_of_p_squared_has_no_period(name):
    with pytest.raises(InputError, match="p\\^2/2 of hnn-mechanical has no period: name only positions"):
        models.build(name, 2, angles={1: 1.0})


@pytest.mark.parametrize(
    ("names", "same"), [((), False), ([], False), ("theta", ("theta",)), (["theta"] * 2, ("theta",)), (np.True_, True)]
)
def test_names_may_be_given_in_several_ways(names, same):
    assert Forecaster("nn", angles=names).angles == same


@pytest.mark.parametrize("size", [1e-6, 3e-4])
def test_an_angle_that_hardly_moves_is_learned_no_worse_than_without_angles(size):
    """The cosine is one to a few roundings of float32 then: it must not become an input of noise."""
    small = PENDULUM.orbit(size * PENDULUM.sample(8), T)
    without, with_angles = (metrics.derivative_loss(fit("hnn-mechanical", small, a, epochs=40), small) for a in (False, True))
    assert with_angles < without < 0.1 * small.rate.square().mean()


def test_the_compiled_loops_train_a_vector_field_but_not_gradients_by_angles():
    pairs = Pairs(torch.randn(10, 2), torch.randn(10, 2), ("q", "p"))
    for name in ["nn", "hnn", "hnn-separable", "hnn-mechanical", "nn-splines", "hnn-splines"]:
        assert fused_engine.applies([models.build(name, 2)], pairs)
        assert fused_engine.applies([models.build(name, 2, angles={0: 1.0})], pairs) == name.startswith("nn")


@pytest.mark.parametrize("name", ["nn", "nn-splines"])
def test_both_engines_train_a_vector_field_on_an_angle_alike(name):
    random = torch.Generator().manual_seed(0)
    pairs = Pairs(*torch.randn(2, 60, 2, generator=random).unbind(), ("q", "p"))
    networks = [[models.build(name, 2, (5,), seed=seed, angles={0: 1.3}) for seed in (0, 1)] for _ in range(2)]
    for engine, own in zip(("fused", "torch"), networks, strict=True):
        train_ensemble(own, pairs, None, Training(epochs=3, batch_size=20), [0, 1], engine=engine, progress=False)
    for one, other in zip(*networks, strict=True):
        assert_close(one(pairs.z), other(pairs.z), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_stack_has_the_field_of_each_model(name):
    random = torch.Generator().manual_seed(0)
    z, rate = torch.randn(2, 3, 20, 4, generator=random).unbind()
    networks = [models.build(name, 4, (5,), seed=seed, angles={1: 0.9}) for seed in range(3)]
    for model, own, its in zip(networks, z, rate, strict=True):
        model.standardize(own, its)
    wanted = torch.stack([model(own) for model, own in zip(networks, z, strict=True)])
    assert_close(stack(networks)(z), wanted)
    with pytest.raises(InputError, match="one shape"):
        stack([networks[0], models.build(name, 4, (5,), angles={1: 0.8})])


@pytest.mark.parametrize("model", ["nn", "hnn-mechanical"])
def test_a_forecast_does_not_depend_on_the_turn_that_it_starts_in(model):
    pendulum, t = systems.get("pendulum"), torch.linspace(0, 5, 51, dtype=torch.float64)
    f = Forecaster(model, hidden=(8,), seed=0).fit(pendulum.orbit(pendulum.sample(5), t), epochs=2, progress=False)
    z0 = torch.tensor([1.0, 0.0], dtype=torch.float64)
    turns = torch.tensor([200 * pi, 0.0], dtype=torch.float64)
    torch.testing.assert_close(f.forecast(z0 + turns, t).z - turns, f.forecast(z0, t).z, rtol=0, atol=1e-9)
