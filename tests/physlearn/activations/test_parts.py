"""Activations by layer, and by the role of a network: potential or kinetic energy."""

import json

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import Forecaster, activations, models
from physlearn.activations import Mixture, PerLayer, PerRole, Table
from physlearn.activations.description import check_description, describe, restore
from physlearn.activations.learned import LearnedActivations
from physlearn.training import Training
from physlearn.training.ensemble import train_ensemble
from physlearn.training.pairs import Pairs
from systems import InputError
from systems.compiled.field import ParametrizedField


def learned():
    x = torch.linspace(-10, 10, 100)
    return LearnedActivations(torch.stack([x.sin(), x.tanh()]), "sine", "by hand").mix


GIVEN = {
    "layers": lambda: ["sine", "square"],
    "a table in one layer": lambda: [learned(), "tanh"],
    "tables in both": lambda: (learned(), Table.capture(torch.cos)),
    "roles": lambda: {"position": "sine+tanh", "momentum": "square"},
    "layers in roles": lambda: {"momentum": ["square", learned()], "position": "sine"},
}
CASES = [
    (model, given) for given in GIVEN for model in ("nn", "hnn", "hnn-separable") if "roles" not in given or "sep" in model
]


def by_hand(network, functions, x):
    for layer, function in zip(network.layers[:-1], functions, strict=True):
        x = function(x @ layer.weight.T + layer.bias)
    return x @ network.layers[-1].weight.T


def states(n=60):
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(0))


def pairs():
    galaxy = systems.get("henon-heiles")
    return Pairs(states(), galaxy.vector_field(0.0, states()), galaxy.coordinates)


@pytest.mark.parametrize("model", ["nn", "hnn"])
def test_each_layer_has_its_own_function(model):
    built = models.build(model, 4, (6, 5), ["sine", "square"])
    network = built.network if model == "nn" else built.energy.network
    found = by_hand(network, [torch.sin, torch.square], states())
    assert_close(network(states()), found if model == "hnn" else found + network.layers[-1].bias)


def test_the_potential_and_the_kinetic_energy_have_their_own_functions():
    built = models.build("hnn-separable", 4, (6,), {"position": "sine", "momentum": "square"})
    q, p = states().chunk(2, dim=-1)
    assert_close(built.potential(q), by_hand(built.potential_energy.network, [torch.sin], q).squeeze(-1))
    assert_close(built.kinetic(p), by_hand(built.kinetic_energy.network, [torch.square], p).squeeze(-1))
    leaf = states().requires_grad_()
    dq, dp = torch.autograd.grad(built.hamiltonian(leaf).sum(), leaf)[0].chunk(2, dim=-1)
    assert_close(built(states()), torch.cat([dp, -dq], dim=-1))


@pytest.mark.parametrize(("model", "given"), CASES)
def test_both_engines_train_them_alike(model, given):
    trained = {}
    for engine in ("fused", "torch"):
        networks = [models.build(model, 4, (6, 5), GIVEN[given](), seed) for seed in (1, 2)]
        train_ensemble(networks, pairs(), None, Training(epochs=2, batch_size=20), [1, 2], engine=engine, progress=False)
        trained[engine] = [network.state_dict() for network in networks]
    for one, other in zip(trained["fused"], trained["torch"], strict=True):
        assert_close(one, other, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize(("model", "given"), CASES)
def test_the_compiled_field_is_that_of_torch(model, given):
    field = models.build(model, 4, (6, 5), GIVEN[given](), seed=3).double().requires_grad_(False)
    z = states(5).double()
    found = ParametrizedField(field.compiled_field())(0.0, z.numpy())
    np.testing.assert_allclose(found, field(z).numpy(), rtol=1e-10, atol=1e-12)


@pytest.fixture(scope="module")
def orbits():
    pendulum, t = systems.get("pendulum"), torch.linspace(0, 3, 31, dtype=torch.float64)
    return pendulum.orbit(pendulum.sample(6), t)


@pytest.mark.parametrize("given", [*GIVEN, "trained"])
def test_an_ensemble_comes_back_from_its_file_and_trains_again_as_before(given, orbits, tmp_path):
    activation = GIVEN[given]() if given in GIVEN else {"position": ["trained:fourier", learned()], "momentum": "square"}
    forecaster = Forecaster("hnn-separable", hidden=(6, 5), activation=activation, members=2)
    forecaster.fit(orbits, epochs=2, progress=False)
    forecaster.save(tmp_path / "f")
    again, z0 = Forecaster.load(tmp_path / "f"), orbits.z[:, 0]
    assert_close(again.vector_field(0.0, z0), forecaster.vector_field(0.0, z0), rtol=0, atol=0)
    assert describe(again.activation) == describe(activation)
    again.fit(orbits, epochs=2, progress=False)
    for one, other in zip(again.members, forecaster.members, strict=True):
        assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)


def test_the_pendulum_is_learned_exactly_by_a_sine_for_the_angle_and_a_square_for_the_momentum():
    pendulum, t = systems.get("pendulum"), torch.linspace(0, 3, 31, dtype=torch.float64)
    orbits, unseen = (pendulum.orbit(pendulum.sample(20, seed=seed), t) for seed in (0, 1))

    def losses(activation):
        fits = [Forecaster("hnn-separable", hidden=(4,), activation=activation, seed=seed) for seed in range(2)]
        return [f.fit(orbits, unseen, epochs=100, progress=False).history["validation"].min() for f in fits]

    by_role = losses({"position": "sine", "momentum": "square"})
    assert max(by_role) < 1e-3 * min(losses("sine") + losses("square"))


@pytest.mark.parametrize("given", GIVEN)
def test_the_description_restores_the_parts(given):
    activation = activations.get(GIVEN[given]())
    told = json.loads(json.dumps(describe(activation)))
    check_description(told)
    assert describe(restore(told)) == describe(activation)
    assert restore(told).name == activation.name


HOSTILE = [
    {"layers": "sine"},
    {"layers": {}},
    {"layers": [3]},
    {"layers": ["sine"], "roles": {}},
    {"roles": ["sine", "tanh"]},
    {"roles": {"position": 3, "momentum": "sine"}},
    {"layers": []},
    {"layers": [{"layers": ["sine"]}]},
    {"roles": {}},
    {"roles": {"position": "sine"}},
    {"roles": {"position": "sine", "momentum": "sine", "spin": "sine"}},
    {"roles": {"position": {"roles": {"position": "sine", "momentum": "sine"}}, "momentum": "sine"}},
    {"mixture": [{"layers": ["sine", "sine"]}, "sine"]},
]


@pytest.mark.parametrize("description", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_descriptions_are_refused(description):
    def read():
        check_description(description)
        restore(description)

    with pytest.raises(InputError):
        read()


WRONG = [
    ("nn", (5,), ["sine", "tanh"], "2 activations were given, but the number of layers that have one is 1"),
    ("hnn", (5, 4), ["sine"], "1 activations were given"),
    ("hnn", (5,), [], "one function or mixture for each hidden layer"),
    ("hnn", (5,), [["sine"]], "one function or mixture for each hidden layer"),
    ("hnn", (5,), {"position": "sine", "momentum": "square"}, "only the model hnn-separable"),
    ("hnn-mechanical", (5,), {"position": "sine", "momentum": "square"}, "only the model hnn-separable"),
    ("hnn-separable", (5,), {"position": "sine"}, "there are those of position"),
    ("hnn-separable", (5,), {"q": "sine", "p": "sine"}, "position and momentum, but there are those of q, p"),
    ("hnn-separable", (5,), {}, "there are those of no role"),
    ("hnn-separable", (5,), [{"position": "sine", "momentum": "square"}], "one function or mixture"),
    ("hnn", (5,), 3, "a list of them by layer, or a dictionary by role"),
    ("hnn", (5,), [3], "a list of them by layer, or a dictionary by role"),
    ("hnn", (5,), [Table.capture(torch.sin, kind="linear")], "trains through the slope"),
    ("echo-state", (5,), ["sine"], "need one function"),
]


@pytest.mark.parametrize(("model", "hidden", "given", "sentence"), WRONG, ids=range(len(WRONG)))
def test_what_does_not_fit_is_refused_in_a_sentence(model, hidden, given, sentence):
    with pytest.raises(InputError, match=sentence):
        models.build(model, 4, hidden, given)


def test_several_activations_are_no_function_and_no_type_of_neuron():
    for several in (
        PerLayer([activations.get("sine")]),
        PerRole(dict.fromkeys(("position", "momentum"), activations.get("sine"))),
    ):
        for evaluate in (several, several.first, several.second, several.value_and_first):
            with pytest.raises(InputError, match="are no single function: call one of them"):
                evaluate(states())
        with pytest.raises(InputError, match="cannot be a type of neuron"):
            Mixture([several, activations.get("sine")])
    with pytest.raises(KeyError, match="tanh"):
        activations.get(["sien"])
