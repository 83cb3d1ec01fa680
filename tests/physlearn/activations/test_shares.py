"""Mixtures whose types have unequal shares of the neurons."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

import systems
from physlearn import Forecaster, activations, models
from physlearn.activations import Mixture, Table, neurons_per_type
from physlearn.activations.description import check_description, describe, restore
from physlearn.training import Training
from physlearn.training.ensemble import train_ensemble
from physlearn.training.pairs import Pairs
from systems import InputError
from systems.compiled.field import ParametrizedField


def table(function, name="table"):
    return Table.capture(function, name=name)


KINDS = {
    "named": lambda: [activations.get("sine"), activations.get("square")],
    "tables": lambda: [table(torch.sin), table(torch.tanh)],
    "both": lambda: [table(torch.tanh), activations.get("identity")],
}


@given(neurons=st.integers(0, 300), shares=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=8))
def test_the_neurons_of_each_type_are_its_share_but_for_rounding(neurons, shares):
    found = neurons_per_type(neurons, shares)
    assert sum(found) == neurons
    for number, share in zip(found, shares, strict=True):
        assert abs(number - neurons * share / sum(shares)) < 1 + 1e-9


@given(neurons=st.integers(0, 300), types=st.integers(1, 12), share=st.floats(1e-6, 1e6))
def test_equal_shares_are_those_of_a_number_of_types(neurons, types, share):
    assert neurons_per_type(neurons, [share] * types) == neurons_per_type(neurons, types)


@pytest.mark.parametrize(("shares", "neurons"), [((3, 1), [75, 25]), ((0.1, 0.2, 0.7), [10, 20, 70]), ((1, 999), [0, 100])])
def test_a_hundred_neurons_are_shared_out(shares, neurons):
    assert neurons_per_type(100, shares) == neurons


@pytest.mark.parametrize("kinds", KINDS)
def test_a_network_computes_what_one_built_by_hand_does(kinds):
    one, other = KINDS[kinds]()
    network = models.build("nn", 2, (9, 5), Mixture([one, other], shares=(1, 2))).double().network
    z = torch.randn(7, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = z
    for layer, first in zip(network.layers[:-1], (3, 2), strict=True):
        a = x @ layer.weight.T + layer.bias
        x = torch.cat([one.double()(a[:, :first]), other.double()(a[:, first:])], dim=-1)
    assert_close(network(z), x @ network.layers[-1].weight.T + network.layers[-1].bias)


@pytest.mark.parametrize("model", ["nn", "hnn", "hnn-separable"])
@pytest.mark.parametrize("hidden", [(6,), (6, 5)], ids=str)
@pytest.mark.parametrize("kinds", KINDS)
def test_both_engines_train_it_alike(model, hidden, kinds):
    galaxy = systems.get("henon-heiles")
    z = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    data, mix = Pairs(z, galaxy.vector_field(0.0, z), galaxy.coordinates), Mixture(KINDS[kinds](), shares=(1, 4))
    trained = {}
    for engine in ("fused", "torch"):
        networks = [models.build(model, 4, hidden, mix, seed) for seed in (1, 2)]
        train_ensemble(networks, data, None, Training(epochs=2, batch_size=20), [1, 2], engine=engine, progress=False)
        trained[engine] = [network.state_dict() for network in networks]
    for one, other in zip(trained["fused"], trained["torch"], strict=True):
        assert_close(one, other, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("hidden", [(9,), (6, 5)], ids=str)
@pytest.mark.parametrize("kinds", KINDS)
def test_the_compiled_field_is_that_of_torch(hidden, kinds):
    model = models.build("hnn", 4, hidden, Mixture(KINDS[kinds](), shares=(1, 2.5)), seed=3).double().requires_grad_(False)
    z = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = ParametrizedField(model.compiled_field())(0.0, z.numpy())
    np.testing.assert_allclose(found, model(z).numpy(), rtol=1e-10, atol=1e-12)


def test_a_forecaster_keeps_the_shares_in_its_file(tmp_path):
    pendulum, t = systems.get("pendulum"), torch.linspace(0, 3, 31, dtype=torch.float64)
    orbits, mix = pendulum.orbit(pendulum.sample(4), t), Mixture(KINDS["both"](), shares=(3, 1))
    forecaster = Forecaster("hnn", hidden=(8,), activation=mix).fit(orbits, epochs=2, progress=False)
    forecaster.save(tmp_path / "f")
    again = Forecaster.load(tmp_path / "f")
    assert again.activation.shares == (3, 1)
    assert_close(again.forecast(orbits.z[:, 0], t).z, forecaster.forecast(orbits.z[:, 0], t).z, rtol=0, atol=0)
    again.fit(orbits, epochs=2, progress=False)
    assert_close(again.model.state_dict(), forecaster.model.state_dict(), rtol=0, atol=0)


def test_shares_hold_inside_another_mixture_along_its_axis_and_in_the_name():
    mix = Mixture([Mixture(KINDS["named"](), shares=(3, 1)), activations.get("zero")], dim=1)
    image = torch.full((1, 8, 1, 1), 3.0)
    wanted = [*torch.tensor([3.0, 3.0, 3.0]).sin().tolist(), 9.0, 0.0, 0.0, 0.0, 0.0]
    assert_close(mix(image).flatten(), torch.tensor(wanted))
    assert mix.name == "sine+square (3:1)+zero"


def test_the_description_has_the_shares_and_hostile_ones_are_refused():
    mix = Mixture(KINDS["named"](), shares=np.array([3, 1]))
    told = json.loads(json.dumps(describe(mix)))
    check_description(told)
    assert restore(told).shares == (3, 1)
    for wrong in ([], [1], [1, 0], [1, float("nan")], ["a", "b"], {"a": 1}, None, "12", 3):
        with pytest.raises(InputError, match="share"):
            check_description({"mixture": ["sine", "tanh"], "shares": wrong})
    for wrong in ({"mixture": 3, "shares": [1]}, {"table": {}, "shares": [1]}, {"mixture": ["sine"], "dim": 1}, 3, None):
        with pytest.raises(InputError):
            check_description(wrong)


@pytest.mark.parametrize("shares", [(1,), (1, 2, 3), (1, 0), (1, -1), (1, float("inf")), ("3", "1"), 3, (True, 1)], ids=str)
def test_wrong_shares_are_refused_in_a_sentence(shares):
    with pytest.raises(InputError, match="share"):
        Mixture(KINDS["named"](), shares=shares)
