"""Networks of splines: the splines are splines, and the networks are as good as others to all that takes a network."""

import copy

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline
from torch.testing import assert_close

import systems
from physlearn import Forecaster, integrate, models
from physlearn.activations import Activation, Mixture, Table
from physlearn.forecasting import contender
from physlearn.models.build import build_classifier
from physlearn.models.network import Network
from physlearn.models.spline_network import (
    BASIS,
    EDGE,
    FEATURES,
    SPACING,
    SplineNetwork,
    basis,
    basis_and_slopes,
    hidden_of_equal_size,
)
from physlearn.models.stack import shape_of, stack
from physlearn.tasks import Task
from physlearn.training import Pairs, Training, fused_engine, train
from physlearn.training.ensemble import train_ensemble
from systems import InputError, UnknownNameError

FEW = Training(epochs=2, batch_size=50, learning_rate=1e-2)  # 120 pairs: the last batch has 20
ROUNDING = {"rtol": 1e-4, "atol": 2e-5}  # Adam divides the rounding of small gradients by their size; steps are 1e-2
SPLINES = ["nn-splines", "hnn-splines"]
KINDS = [*SPLINES, "classifier-splines"]


def table(seed, kind="cubic"):
    bend = 0.1 * torch.randn(100, generator=torch.Generator().manual_seed(seed))
    return Table(torch.linspace(-10, 10, 100).sin() + bend.cumsum(0) / 10, kind=kind, name="learned")


def build(name, seeds=(0, 1, 2), hidden=(5,), activation="silu"):
    """Activations that are functions of a seed give each network its own."""
    networks = []
    for seed in seeds:
        base = activation if isinstance(activation, str | Activation) else activation(seed)
        if name == "classifier-splines":
            networks.append(build_classifier(name, 4, 3, hidden, base, seed))
        else:
            networks.append(models.build(name, 4, hidden, base, seed))
    return networks


def pairs_of(name, seed=0):
    generator = torch.Generator().manual_seed(seed)
    z = 1 + 2 * torch.randn(120, 4, generator=generator)
    if name == "classifier-splines":
        return Pairs(z, (z[:, 0] > 1).long() + (z[:, 1] > 1), tuple("abcd"))
    return Pairs(z, torch.stack([z[:, 2], z[:, 3], -z[:, 0].sin(), -z[:, 1].sin()], dim=1), tuple("abcd"))


def in_double(networks, name):
    """In float64, each with scales of its own."""
    for seed, model in enumerate(networks):
        pairs = pairs_of(name, seed)
        model.standardize(pairs.z * (1 + seed), pairs.target)
        model.double().requires_grad_(False)
    return networks


def states(*shape):
    return 4 * torch.randn(*shape, 4, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_the_basis_and_its_slopes_are_scipys():
    # a spline of degree 3 is about the middle of the five knots from where it begins
    knots = -EDGE + SPACING * np.arange(-3, BASIS + 1)
    x = np.linspace(-7, 7, 300)
    splines = [BSpline.basis_element(knots[g : g + 5], extrapolate=False) for g in range(BASIS)]
    value = np.nan_to_num(np.stack([spline(x) for spline in splines]))
    slope = np.nan_to_num(np.stack([spline.derivative()(x) for spline in splines]))
    found, slopes = basis_and_slopes(torch.from_numpy(x))
    assert_close(found, torch.from_numpy(value).flatten(), atol=1e-14, rtol=0)
    assert_close(slopes, torch.from_numpy(slope).flatten(), atol=1e-14, rtol=0)
    assert_close(basis(torch.from_numpy(x)), found, atol=0, rtol=0)


def test_the_basis_sums_to_one_on_the_grid_and_vanishes_far_from_it():
    x = torch.linspace(-EDGE, EDGE, 101, dtype=torch.float64).unsqueeze(1)
    assert_close(basis(x).sum(-1), torch.ones(101, dtype=torch.float64))
    beyond = EDGE + 3.01 * SPACING  # the last one is about a point one spacing beyond the grid, and reaches two further
    assert not basis(torch.tensor([[-beyond], [beyond], [100.0]])).any()


def test_a_layer_is_the_sum_over_the_inputs_of_the_base_function_and_a_spline():
    network = SplineNetwork(2, 3, (4,), "silu", last_bias=True, generator=torch.Generator().manual_seed(0)).double()
    network.requires_grad_(False)
    knots = -EDGE + SPACING * np.arange(-3, BASIS + 1)
    given = x = 6 * torch.rand(20, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 3
    for layer in network.layers:
        assert x.abs().max() < EDGE  # where all of the splines are there, so that scipy's sums are ours
        base, *splines = layer.weight.split(x.shape[1], dim=1)
        y = layer.bias + x * x.sigmoid() @ base.T
        for i in range(x.shape[1]):
            coefficients = torch.stack([spline[:, i] for spline in splines])
            y = y + torch.from_numpy(BSpline(knots, coefficients.numpy(), 3)(x[:, i].numpy()))
        x = y
    assert_close(network(given), x)


@pytest.mark.parametrize("hidden", [(5,), (4, 6)], ids=str)
@pytest.mark.parametrize("base", ["silu", "sine+tanh", table(0)], ids=["silu", "mixture", "table"])
def test_the_gradient_of_the_network_is_that_of_autograd(hidden, base):
    network = SplineNetwork(4, 1, hidden, base, last_bias=False, generator=torch.Generator().manual_seed(0)).double()
    z = states(30).requires_grad_()
    (wanted,) = torch.autograd.grad(network(z).sum(), z)
    assert_close(network.gradient(z), wanted)
    single = z[0].detach()
    assert_close(network.gradient(single), wanted[0])


@pytest.mark.parametrize("hidden", [(5,), (4, 6)], ids=str)
def test_the_field_is_the_symplectic_gradient_of_the_energy_by_finite_differences(hidden):
    (model,) = in_double(build("hnn-splines", (0,), hidden), "hnn-splines")
    z, step = states(20), 1e-5
    shifts = step * torch.eye(4, dtype=z.dtype)
    columns = [(model.hamiltonian(z + h) - model.hamiltonian(z - h)) / (2 * step) for h in shifts]
    dq, dp = torch.stack(columns, -1).chunk(2, -1)
    wanted = torch.cat([dp, -dq], -1)
    assert_close(model(z), wanted, atol=float(1e-7 * wanted.abs().max()), rtol=0)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("hidden", [(5,), (4, 6)], ids=str)
@pytest.mark.parametrize("base", ["silu", table, lambda seed: Mixture([table(seed), table(seed + 9)])])
def test_a_stack_is_each_of_its_members(name, hidden, base):
    networks, z = in_double(build(name, hidden=hidden, activation=base), name), states(3, 6)
    assert_close(stack(networks)(z), torch.stack([model(own) for model, own in zip(networks, z, strict=True)]))


def test_the_energy_of_a_stack_is_that_of_each_member():
    networks, z = in_double(build("hnn-splines"), "hnn-splines"), states(3, 6)
    wanted = torch.stack([model.hamiltonian(own) for model, own in zip(networks, z, strict=True)])
    assert_close(stack(networks).hamiltonian(z), wanted)


def test_networks_with_other_base_functions_are_not_stacked():
    own, other = (models.build("nn-splines", 4, (5,), base) for base in ("silu", "tanh"))
    assert str(shape_of(own)) != str(shape_of(other))
    with pytest.raises(InputError, match="one shape"):
        stack([own, other])


@pytest.mark.parametrize(("name", "method"), [("nn-splines", "rk4"), ("hnn-splines", "gauss-legendre-4")])
def test_the_orbits_of_a_stack_are_those_of_each_member(name, method):
    networks, z0, t = in_double(build(name), name), states(3, 2) / 4, torch.linspace(0, 1, 11, dtype=torch.float64)
    together = integrate(stack(networks), z0, t, method)
    alone = torch.stack([integrate(model, own, t, method).z for model, own in zip(networks, z0, strict=True)])
    assert_close(together.z, alone, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("hidden", "engine"), [((5,), "fused"), ((5,), "torch"), ((4, 6), "auto")], ids=str)
def test_a_network_of_an_ensemble_is_the_network_trained_alone(name, hidden, engine):
    networks, pairs, held_out = build(name, hidden=hidden), pairs_of(name), pairs_of(name, 1)
    alone, before = copy.deepcopy(networks), [weights(model) for model in networks]
    history = train_ensemble(networks, pairs, held_out, FEW, seeds=[10, 11, 12], engine=engine, progress=False)
    assert history.engines == ("torch" if engine == "auto" else engine,) * 3
    for k, (own, model) in enumerate(zip(networks, alone, strict=True)):
        frame = train(model, pairs, held_out, FEW, 10 + k, progress=False)
        for part, reached in (("training", history.training), ("validation", history.validation)):
            assert_close(reached[:, k].double(), torch.tensor(frame[part].to_numpy()), rtol=1e-4, atol=0)
        assert_close(weights(own), weights(model), **ROUNDING)
        assert (weights(own) - before[k]).abs().max() > 1e-2  # of the size of a step


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("activation", [table, "sine+tanh"], ids=["table", "mixture"])
def test_the_compiled_loops_do_not_claim_to_know_every_base_function(name, activation):
    networks, pairs = build(name, activation=activation), pairs_of(name)
    assert not fused_engine.applies(networks, pairs)
    with pytest.raises(InputError, match="fused"):
        train_ensemble(networks, pairs, None, FEW, seeds=[0, 1, 2], engine="fused", progress=False)


def test_a_flat_base_function_keeps_no_bias_of_a_hamiltonian_from_moving():
    """As a linearly interpolated table in a network would: here the splines are curved."""
    flat = table(0, kind="linear")
    with pytest.raises(InputError, match="cubic"):
        models.build("hnn", 4, activation=flat)
    (model,) = build("hnn-splines", (0,), activation=flat)
    pairs = pairs_of("hnn-splines")
    model.standardize(pairs.z, pairs.target)
    (model(pairs.z) - pairs.target).square().mean().backward()
    assert (model.energy.network.layers[0].bias.grad != 0).all()


@pytest.mark.parametrize(("inputs", "outputs", "last_bias"), [(4, 4, True), (4, 1, False), (40, 10, True)])
def test_networks_of_equal_size_have_about_as_many_weights(inputs, outputs, last_bias):
    """Within half a hidden neuron: there are at least 11 of them."""
    options = {"activation": "sine", "last_bias": last_bias, "generator": torch.Generator()}
    (width,) = hidden = hidden_of_equal_size(inputs, (100,), outputs)
    usual = len(weights(Network(inputs, outputs, (100,), **options)))
    splines = len(weights(SplineNetwork(inputs, outputs, hidden, **options)))
    assert abs(splines - usual) <= (FEATURES * (inputs + outputs) + 1) / 2
    assert width >= 11
    assert abs(splines / usual - 1) < 0.05


@pytest.mark.slow  # 4 s
def test_a_spline_hamiltonian_conserves_its_energy():
    """The implicit midpoint rule follows another Hamiltonian, off by dt^2: the error is bounded, and falls with dt^2."""
    (model,) = in_double(build("hnn-splines", (0,)), "hnn-splines")
    z0 = states(5) / 4
    worst = []
    for steps in (500, 1000):
        t = torch.linspace(0, 50, steps + 1, dtype=torch.float64)
        orbit = integrate(model, z0, t, "implicit-midpoint")
        energy = model.hamiltonian(orbit.z)
        moved = (orbit.z - orbit.z[..., :1, :]).norm(dim=-1).amax()
        assert moved > 0.5  # else anything would be conserved
        spread = model.hamiltonian(z0).std()
        worst.append(float(((energy - energy[..., :1]) / spread).abs().max()))
    assert worst[0] < 1e-2
    assert worst[1] < worst[0] / 3


@pytest.mark.parametrize("name", SPLINES)
@pytest.mark.parametrize("base", ["silu", table(0)], ids=["silu", "table"])
def test_a_forecaster_of_splines_comes_back_from_its_file(name, base, tmp_path):
    system = systems.get("henon-heiles")
    orbits = system.orbit(system.sample(4, seed=0, energy=0.1), torch.linspace(0, 3, 10))
    forecaster = Forecaster(name, hidden=(5,), activation=base).fit(orbits, epochs=1, progress=False)
    forecaster.save(tmp_path / "f.safetensors")
    again = Forecaster.load(tmp_path / "f.safetensors")
    assert_close(again.model.state_dict(), forecaster.model.state_dict(), rtol=0, atol=0)
    z = states(3) / 8
    assert_close(again.vector_field(0.0, z), forecaster.vector_field(0.0, z), rtol=0, atol=0)
    if isinstance(base, Table):
        assert_close(again.activation.values, base.values)


def test_a_task_with_classes_builds_the_classifier_that_it_names():
    task = Task("digits", "Digits", "classifier-splines", lambda part: pairs_of("classifier-splines"), hidden=(6,), classes=3)
    network = task.network("silu", seed=1)
    assert isinstance(network, models.SplineClassifier)
    assert network(torch.zeros(5, 4)).shape == (5, 3)
    usual = Task("digits", "Digits", "classifier", lambda part: pairs_of("classifier-splines"), classes=3).network()
    assert type(usual) is models.Classifier


def test_a_classifier_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(UnknownNameError, match="classifier-splines"):
        build_classifier("nn", 4, 3)


def test_only_the_hamiltonian_one_needs_momenta():
    models.build("nn-splines", 3)
    with pytest.raises(InputError, match="hnn-splines needs as many momenta"):
        models.build("hnn-splines", 3)
    assert [c.model for c in contender.choose("nn-splines", None, hamiltonian=False)] == ["nn-splines"]
    with pytest.raises(InputError, match="positions and momenta"):
        contender.choose("hnn-splines", None, hamiltonian=False)


@pytest.mark.parametrize("hidden", [(), (0,), (10, -1)], ids=str)
def test_widths_have_to_be_positive(hidden):
    with pytest.raises(InputError, match="positive widths"):
        models.build("nn-splines", 2, hidden)


@pytest.mark.parametrize("hidden", [(), (0,), (10, 10)], ids=str)
def test_the_size_of_other_than_one_hidden_layer_is_not_matched(hidden):
    with pytest.raises(InputError, match="one hidden layer"):
        hidden_of_equal_size(4, hidden, 4)
