import itertools
import json

import pytest
import safetensors
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from physlearn import Forecaster, activations, models
from physlearn.activations import Mixture, SubNetwork, Table, neurons_per_type
from physlearn.activations.description import describe, restore
from physlearn.activations.learned import LearnedActivations
from physlearn.models.network import Network
from physlearn.training.loss import derivative_loss
from systems import InputError

X = torch.linspace(-4, 4, 60, dtype=torch.float64).view(6, 10)


def tables(*functions, dtype=torch.float64, **settings):
    return [Table.capture(f, dtype=dtype, **settings) for f in functions]


KINDS = {
    "named": lambda: [activations.get(name) for name in ("sine", "square", "tanh")],
    "tables": lambda: tables(torch.sin, torch.tanh, torch.square),
    "both": lambda: [activations.get("sine"), *tables(torch.tanh), activations.get("square")],
    "tables on two grids": lambda: [*tables(torch.sin), *tables(torch.tanh, points=50), *tables(torch.square)],
    "tables that begin alike": lambda: [
        *tables(torch.sin, interval=(-6.0, 6.0), points=61),
        *tables(torch.tanh, interval=(-6.0, 2.0), points=41),
    ],
    "tables of two kinds": lambda: [*tables(torch.sin), *tables(torch.tanh, kind="quadratic")],
    "a mixture inside": lambda: [Mixture(tables(torch.sin, torch.tanh)), activations.get("square")],
    "one": lambda: [activations.get("softplus")],
}


def by_hand(types, x, how):
    """Each block of neurons by its own type alone."""
    sizes = [x.shape[-1] // len(types) + (k < x.shape[-1] % len(types)) for k in range(len(types))]
    ends = list(itertools.accumulate(sizes))
    return torch.cat(
        [getattr(kind, how)(x[..., end - size : end]) for kind, size, end in zip(types, sizes, ends, strict=True)], dim=-1
    )


@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize("neurons", [1, 2, 3, 7, 10])
def test_each_neuron_is_evaluated_by_its_own_type(kinds, neurons):
    types = KINDS[kinds]()
    mix, x = Mixture(types), X[:, :neurons]
    for how in ("value", "first", "second"):
        assert_close(getattr(mix, how)(x), by_hand(types, x, how))
    assert_close(torch.stack(mix.value_and_first(x)), torch.stack([mix.value(x), mix.first(x)]))


@pytest.mark.parametrize("kinds", KINDS)
def test_gradients_reach_each_neuron_by_its_own_type(kinds):
    types = KINDS[kinds]()
    x = X[:, :7].clone().requires_grad_()
    (found,) = torch.autograd.grad(Mixture(types).value(x).square().sum(), x)
    assert_close(found, 2 * by_hand(types, x.detach(), "value") * by_hand(types, x.detach(), "first"))


@pytest.mark.parametrize("other", [torch.cos, torch.tanh])
@pytest.mark.parametrize("one_pass", [True, False])
def test_what_is_wrong_with_one_type_stays_with_its_neurons(other, one_pass):
    (good,) = tables(other)
    bad = Table(torch.full((100,), torch.nan, dtype=torch.float64))
    mix = Mixture([good, bad] if one_pass else [good, bad, activations.get("sine")])
    x = X.clone().requires_grad_()
    out = mix(x)
    wrong = out.isnan().all(0)
    assert wrong.sum() == (5 if one_pass else 3)
    assert out[:, ~wrong].isfinite().all()
    (gradient,) = torch.autograd.grad(out[:, ~wrong].sum(), x)
    first = neurons_per_type(10, len(mix.types))[0]
    assert_close(gradient[:, :first], good.first(x[:, :first]).detach())


def test_three_types_share_a_hundred_neurons_as_34_33_33():
    mix = Mixture([activations.get("identity"), activations.get("square"), activations.get("zero")])
    out = mix(torch.full((100,), 3.0))
    assert [int((out == value).sum()) for value in (3, 9, 0)] == [34, 33, 33]
    assert neurons_per_type(100, 3) == [34, 33, 33]


@given(neurons=st.integers(0, 300), types=st.integers(1, 12))
def test_shares_add_up_and_differ_by_one_at_most(neurons, types):
    parts = neurons_per_type(neurons, types)
    assert sum(parts) == neurons
    assert max(parts) - min(parts) <= 1
    assert parts == sorted(parts, reverse=True)


def test_tables_on_one_grid_go_in_one_pass_and_others_do_not():
    assert Mixture(KINDS["tables"]()).piecewise is not None
    assert all(Mixture(KINDS[kinds]()).piecewise is None for kinds in KINDS if kinds not in ("tables",))


@given(seed=st.integers(0, 1000), types=st.integers(1, 5), neurons=st.integers(1, 13))
def test_one_pass_and_one_by_one_agree(seed, types, neurons):
    generator = torch.Generator().manual_seed(seed)
    some = [Table(torch.randn(20, generator=generator, dtype=torch.float64)) for _ in range(types)]
    x = 20 * torch.rand(3, neurons, generator=generator, dtype=torch.float64) - 10
    for how in ("value", "first", "second"):
        assert_close(getattr(Mixture(some), how)(x), by_hand(some, x, how), rtol=1e-11, atol=1e-11)


def test_a_stack_of_mixtures_gives_each_member_its_own():
    values = torch.randn(2, 3, 20, dtype=torch.float64)
    stacked = Mixture([Table(values[:, k]) for k in range(3)])
    x = torch.randn(2, 4, 8, dtype=torch.float64) * 5
    alone = [Mixture([Table(values[r, k]) for k in range(3)])(x[r]) for r in range(2)]
    assert_close(stacked(x), torch.stack(alone))


def test_a_mixture_can_take_sub_networks():
    types = [SubNetwork.draw(activations.get("sine"), [seed], width=5, dtype=torch.float64) for seed in (0, 1)]
    x = X.unsqueeze(0)
    assert_close(Mixture(types)(x), by_hand(types, x, "value"))


@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize(("dim", "shape"), [(1, (2, 7, 4, 3)), (1, (2, 7, 5)), (-3, (7, 4, 3)), (0, (7,)), (-1, (2, 1, 3, 7))])
def test_types_belong_to_the_axis_that_is_named(kinds, dim, shape):
    mix = Mixture(KINDS[kinds](), dim=dim)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for how in ("value", "first", "second"):
        wanted = by_hand(mix.types, x.movedim(dim, -1), how).movedim(-1, dim)
        assert_close(getattr(mix, how)(x), wanted)
    assert_close(torch.stack(mix.value_and_first(x)), torch.stack([mix.value(x), mix.first(x)]))


@pytest.mark.parametrize("made", ["learned:mnist1d", "learned:van-der-pol", "sine+tanh", "a mixture inside"])
def test_a_convolution_has_one_type_in_each_channel(made):
    types = KINDS[made]() if made in KINDS else activations.get(made).types
    layer = torch.nn.Sequential(torch.nn.Conv2d(1, 6, 1), Mixture(types, dim=1)).double().requires_grad_(False)
    y = layer(torch.full((2, 1, 4, 6), 1.5, dtype=torch.float64))
    assert float(y.flatten(2).std(-1).max()) < 1e-12
    assert len(y[0, :, 0, 0].unique()) == 6


def test_images_are_refused_where_nothing_says_what_their_channels_are():
    image = torch.zeros(2, 8, 4, 6)
    for mix in (activations.get("sine+tanh"), activations.get("learned:mnist1d"), Mixture(KINDS["a mixture inside"]())):
        with pytest.raises(InputError, match="dim=1 for the channels of a convolution"):
            torch.nn.Sequential(mix)(image)
        assert Mixture(mix.types, dim=1).activations is not None
    with pytest.raises(InputError, match=r"cannot take an input of shape \(3,\)"):
        Mixture(KINDS["named"](), dim=1)(torch.zeros(3))
    with pytest.raises(InputError, match="dim must be a whole number"):
        Mixture(KINDS["named"](), dim=1.0)
    with pytest.raises(InputError, match="give both the same"):
        Mixture([Mixture(KINDS["named"](), dim=1), activations.get("sine")])


@pytest.mark.parametrize("name", ["hnn", "nn"])
def test_models_take_states_with_any_number_of_batch_axes_and_no_mixture_along_another(name):
    model = models.build(name, 4, (6,), "sine+tanh").double()
    z = torch.randn(2, 3, 2, 2, 4, dtype=torch.float64)
    assert_close(model(z), model(z.flatten(0, -2)).view_as(z))
    with pytest.raises(InputError, match="a network needs a mixture along the last axis"):
        models.build(name, 4, (6,), Mixture(KINDS["named"](), dim=1))


def test_the_axis_of_a_mixture_is_described_and_restored():
    mix = Mixture(KINDS["both"](), dim=1)
    other = restore(json.loads(json.dumps(describe(mix)))).double()
    other.load_state_dict(mix.state_dict())
    x = torch.randn(2, 5, 3, 3, dtype=torch.float64)
    assert torch.equal(other(x), mix(x))
    assert describe(Mixture(mix.types, dim=-1)) == describe(Mixture(mix.types))  # to a network it is the same


def test_names_are_no_types():
    with pytest.raises(InputError, match=r"must be Activations, such as activations.get\('sine'\), not 'sine'"):
        Mixture(["sine", "tanh"])


def test_without_types_there_is_no_mixture():
    with pytest.raises(InputError, match="at least one"):
        Mixture([])


def test_a_name_with_plus_signs_is_a_mixture():
    mix = activations.get("sine+tanh+sine")
    assert [kind.name for kind in mix.types] == ["sine", "tanh", "sine"]
    assert mix.name == "sine+tanh+sine"
    for wrong in ("sine+", "+", "sine+than"):
        with pytest.raises(KeyError, match="tanh"):
            activations.get(wrong)


@pytest.mark.parametrize("model", ["nn", "hnn", "hnn-separable", "hnn-mechanical"])
@pytest.mark.parametrize("hidden", [(1,), (7,), (5, 4), (3, 2, 7)], ids=str)
@pytest.mark.parametrize("kinds", ["named", "tables", "both"])
def test_every_model_takes_a_mixture_and_its_rates_can_be_trained(model, hidden, kinds):
    network = models.build(model, 4, hidden, Mixture(KINDS[kinds]()), seed=1).double()
    z = torch.randn(9, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    network.standardize(z, z.flip(-1))
    rates = network(z)
    assert rates.shape == z.shape
    if model != "nn":  # what the closed form gives is the gradient of H
        leaf = z.clone().requires_grad_()
        dq, dp = torch.autograd.grad(network.hamiltonian(leaf).sum(), leaf)[0].chunk(2, dim=-1)
        assert_close(rates, torch.cat([dp, -dq], dim=-1))
    weights = list(network.parameters())
    found = torch.autograd.grad(derivative_loss(network, z, z.flip(-1)), weights)
    step = 1e-6
    for weight, gradient in zip(weights, found, strict=True):
        flat = weight.data.view(-1)
        at = len(flat) // 2
        losses = []
        for sign in (1, -1):
            flat[at] += sign * step
            losses.append(derivative_loss(network, z, z.flip(-1)).item())
            flat[at] -= sign * step
        assert gradient.view(-1)[at].item() == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("hidden", [(6,), (5, 4), (3, 7, 2)], ids=str)
@pytest.mark.parametrize("kinds", KINDS)
def test_the_closed_form_gradient_is_that_of_automatic_differentiation(hidden, kinds):
    generator = torch.Generator().manual_seed(2)
    network = Network(3, 1, hidden, Mixture(KINDS[kinds]()), last_bias=False, generator=generator).double()
    x = torch.randn(8, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    assert_close(network.gradient(x), torch.autograd.grad(network(x).sum(), x)[0])


@pytest.fixture(scope="module")
def orbits():
    import systems

    pendulum, t = systems.get("pendulum"), torch.linspace(0, 3, 31, dtype=torch.float64)
    return pendulum.orbit(pendulum.sample(4, seed=0), t)


def learned_mix():
    x = torch.linspace(-10, 10, 100, dtype=torch.float64)
    return LearnedActivations(torch.stack([x.sin(), x.tanh(), x / 3]), "sine", "by hand").mix


@pytest.mark.parametrize("model", ["nn", "hnn", "hnn-separable", "hnn-mechanical"])
@pytest.mark.parametrize("activation", ["sine+tanh", learned_mix()], ids=["named", "learned"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_forecaster_comes_back_from_its_file_bit_for_bit(model, activation, dtype, orbits, tmp_path):
    forecaster = Forecaster(model, hidden=(7,), activation=activation, seed=1, dtype=dtype)
    forecaster.fit(orbits, epochs=2, progress=False)
    path = tmp_path / "forecaster.safetensors"
    forecaster.save(path)
    again = Forecaster.load(path)
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    z0 = orbits.z[:, 0]
    assert_close(again.forecast(z0, t).z, forecaster.forecast(z0, t).z, rtol=0, atol=0)
    with safetensors.safe_open(path, "pt") as file:  # tensors and text, nothing that could run
        json.loads(file.metadata()["physlearn"])


def test_a_forecaster_from_a_file_trains_again_with_its_tables(orbits, tmp_path):
    forecaster = Forecaster("nn", hidden=(5,), activation=learned_mix()).fit(orbits, epochs=2, progress=False)
    forecaster.save(tmp_path / "f")
    again = Forecaster.load(tmp_path / "f").fit(orbits, epochs=2, progress=False)
    assert_close(again.model.state_dict(), forecaster.model.state_dict(), rtol=0, atol=0)


def test_training_does_not_change_the_mixture_that_was_given(orbits):
    mix = learned_mix()
    before = {name: tensor.clone() for name, tensor in mix.state_dict().items()}
    Forecaster("hnn", hidden=(5,), activation=mix).fit(orbits, epochs=2, progress=False)
    assert_close(mix.state_dict(), before, rtol=0, atol=0)


@pytest.mark.parametrize("kinds", KINDS)
def test_the_description_and_the_state_restore_a_mixture(kinds):
    mix = Mixture(KINDS[kinds]())
    other = restore(json.loads(json.dumps(describe(mix)))).double()
    other.load_state_dict(mix.state_dict())
    assert other.name == mix.name
    assert_close(other(X), mix(X), rtol=0, atol=0)


def test_what_cannot_be_written_is_refused_when_the_forecaster_is_made():
    neuron = SubNetwork.draw(activations.get("sine"), [0])
    with pytest.raises(InputError, match="capture it in a Table"):
        Forecaster(activation=Mixture([activations.get("sine"), neuron]))
