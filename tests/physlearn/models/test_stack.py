"""A stack of models is one model that computes what each of them does."""

import math

import pytest
import torch
from torch.testing import assert_close

from physlearn import integrate, models
from physlearn.activations import Mixture, Table
from physlearn.models.stack import Weights, outputs, shape_of, stack
from systems import InputError

MODELS = ["nn", "hnn", "hnn-separable", "hnn-mechanical"]


def table(seed, points=100):
    bend = 0.1 * torch.randn(points, generator=torch.Generator().manual_seed(seed))
    return Table(torch.linspace(-10, 10, points).sin() + bend, name="learned")


ACTIVATIONS = {
    "sine": lambda seed: "sine",
    "tanh": lambda seed: "tanh",
    "sine+tanh": lambda seed: "sine+tanh",
    "table": table,
    "mixture": lambda seed: Mixture([table(seed), table(seed + 50), table(seed + 90)]),
    "table and name": lambda seed: Mixture([table(seed), models.build("nn", 2).network.activation]),
}


def build(name, hidden=(8,), activation="sine", seeds=(0, 1, 2), dim=4):
    """In float64, each with scales and curves of its own."""
    networks = []
    for seed in seeds:
        model = models.build(name, dim, hidden, ACTIVATIONS[activation](seed), seed)
        generator = torch.Generator().manual_seed(100 + seed)
        z, rate = (1 + seed + torch.randn(2, 50, dim, generator=generator)).unbind()
        model.standardize(z * (1 + seed), rate)
        networks.append(model.double())
    return networks


def states(*shape, dim=4):
    return torch.randn(*shape, dim, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("hidden", [(8,), (7, 5), (4, 6, 3)], ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_field_of_a_stack_is_that_of_each_model(name, hidden, activation):
    networks, z = build(name, hidden, activation), states(3, 6)
    together = stack(networks)
    assert_close(together(z), torch.stack([model(own) for model, own in zip(networks, z, strict=True)]))


@pytest.mark.parametrize("name", ["hnn", "hnn-separable", "hnn-mechanical"])
def test_the_energy_of_a_stack_is_that_of_each_model(name):
    networks, z = build(name), states(3, 6)
    wanted = torch.stack([model.hamiltonian(own) for model, own in zip(networks, z, strict=True)])
    assert_close(stack(networks).hamiltonian(z), wanted)


def test_a_stack_shares_nothing_with_its_members():
    networks = build("hnn", activation="mixture")
    before = [{name: tensor.clone() for name, tensor in model.state_dict().items()} for model in networks]
    together = stack(networks)
    with torch.no_grad():
        for tensor in [*together.parameters(), *together.buffers()]:
            tensor.zero_()
    for model, state in zip(networks, before, strict=True):
        assert_close(model.state_dict(), state, rtol=0, atol=0)


DIFFERENT = [
    ("nn", (8,), "sine"),
    ("hnn", (8,), "tanh"),
    ("hnn", (9,), "sine"),
    ("hnn", (8, 8), "sine"),
    ("hnn-mechanical", (8,), "sine"),
    ("hnn", (8,), "table"),
]


@pytest.mark.parametrize("other", DIFFERENT, ids=str)
def test_networks_of_different_shapes_or_activations_are_not_stacked(other):
    with pytest.raises(InputError, match="one shape"):
        stack([*build("hnn"), *build(*other)])


def test_tables_on_other_grids_or_of_other_kinds_are_not_stacked():
    own = models.build("nn", 4, (8,), table(0))
    for other in (table(0, 120), Table(table(0).values, (-9, 9)), Table(table(0).values, kind="quadratic")):
        assert str(shape_of(own)) != str(shape_of(models.build("nn", 4, (8,), other)))
        with pytest.raises(InputError, match="one shape"):
            stack([own, models.build("nn", 4, (8,), other)])
    assert str(shape_of(own)) == str(shape_of(models.build("nn", 4, (8,), table(9))))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("hidden", [(8,), (7, 5)], ids=str)
def test_flat_weights_and_their_views_are_the_weights_of_the_members(name, hidden):
    networks = build(name, hidden)
    layout = Weights(stack(networks))
    flat = layout.flatten(stack(networks))
    assert flat.shape == (3, sum(p.numel() for p in networks[0].parameters()))
    views = layout.views(flat)
    assert list(views) == [name for name, _ in networks[0].named_parameters()]
    for k, model in enumerate(networks):
        for key, parameter in model.named_parameters():
            assert torch.equal(views[key][k], parameter)
    assert all(view.untyped_storage().data_ptr() == flat.untyped_storage().data_ptr() for view in views.values())


def test_rates_with_other_weights_are_those_of_networks_that_have_them():
    networks, others = build("hnn"), build("hnn", seeds=(5, 6, 7))
    together, z = stack(networks), states(3, 4)
    layout = Weights(together)
    found = outputs(together, layout.views(layout.flatten(stack(others))), z)
    for model, other in zip(networks, others, strict=True):
        for own, new in zip(model.parameters(), other.parameters(), strict=True):
            own.data.copy_(new)
    assert_close(found, torch.stack([model(own) for model, own in zip(networks, z, strict=True)]))


@pytest.mark.parametrize("name", MODELS)
def test_drawn_weights_have_the_law_of_networks_that_are_built(name):
    """Uniform within 1 / sqrt(inputs of the layer): so many draws end near the bound, and have its variance."""
    hidden, drawn = (25, 16), 4000
    built = models.build(name, 4, hidden)
    layout = Weights(stack([built]))
    views = layout.views(layout.draw(drawn, torch.Generator().manual_seed(0), torch.float64))
    for key, parameter in built.named_parameters():
        values = views[key]
        weight = built.get_parameter(key.replace("bias", "weight"))
        bound = 1 / math.sqrt(weight.shape[1])
        assert parameter.abs().max() <= bound
        assert values.abs().max() <= bound
        assert values.abs().max() > 0.99 * bound
        n = values.numel()
        # of a uniform law: variance b^2 / 3, kurtosis 9/5, so that the variance is known to 2 b^2 / (3 sqrt(5 n))
        assert abs(values.square().mean() - bound**2 / 3) < 5 * 2 * bound**2 / (3 * math.sqrt(5 * n))
        assert abs(values.mean()) < 5 * bound / math.sqrt(3 * n)


def test_drawn_networks_differ_and_follow_from_the_generator():
    layout = Weights(stack(build("nn")))
    first, again = (layout.draw(4, torch.Generator().manual_seed(3), torch.float32) for _ in range(2))
    assert torch.equal(first, again)
    assert first.dtype == torch.float32
    assert len(first.unique(dim=0)) == 4


INTEGRATORS = [("nn", "euler"), ("nn", "rk4"), ("hnn", "implicit-midpoint"), ("hnn-separable", "yoshida-4"),
               ("hnn-mechanical", "leapfrog"), ("hnn", "gauss-legendre-4")]  # fmt: skip


@pytest.mark.parametrize(("name", "method"), INTEGRATORS)
@pytest.mark.parametrize("activation", ["sine", "mixture"])
def test_the_orbits_of_a_stack_are_those_of_each_model(name, method, activation):
    networks, z0, t = build(name, activation=activation), states(3, 2), torch.linspace(0, 1, 11, dtype=torch.float64)
    with torch.no_grad():
        together = integrate(stack(networks), z0, t, method, substeps=1)
        alone = torch.stack([integrate(model, own, t, method, substeps=1).z for model, own in zip(networks, z0, strict=True)])
    assert_close(together.z, alone, rtol=1e-9, atol=1e-11)
