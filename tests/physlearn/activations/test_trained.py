"""Activations whose coefficients train jointly with the weights of a network."""

import json

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import Forecaster, activations, models, tensor_file
from physlearn.activations import Combination, Fourier, Rational, trained
from physlearn.activations.description import check_description, describe, restore
from physlearn.models.layers import Layers
from physlearn.models.stack import stack
from physlearn.training import Training
from physlearn.training.ensemble import train_ensemble
from physlearn.training.loss import derivative_loss
from physlearn.training.pairs import Pairs
from physlearn.training.train import train
from systems import InputError
from systems.compiled.field import ParametrizedField

X = torch.linspace(-5, 5, 60, dtype=torch.float64).view(6, 10)
MODELS = ["nn", "hnn", "hnn-separable"]


def changed(name, seed=0, neurons=10):
    """An activation in a layer, in the middle of a training."""
    activation = activations.get(name).in_layer(neurons).double()
    with torch.no_grad():
        for parameter in activation.parameters():
            parameter += 0.5 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return activation


def pairs(seed=0, n=60, dim=4, dtype=torch.float32):
    z = torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    galaxy = systems.get("henon-heiles")
    return Pairs(z, galaxy.vector_field(0.0, z), galaxy.coordinates)


@pytest.mark.parametrize("name", [*trained.names(), "trained:rational+sine+trained:fourier-per-neuron"])
def test_the_derivatives_are_those_of_differences_and_of_automatic_differentiation(name):
    activation, step = changed(name), 1e-5
    x = X.clone().requires_grad_()
    (first,) = torch.autograd.grad(activation(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert_close(activation.first(X), first, rtol=1e-12, atol=1e-12)
    assert_close(activation.second(X), second, rtol=1e-11, atol=1e-11)
    assert_close(torch.stack(activation.value_and_first(X)), torch.stack([activation(X), first]))
    assert_close((activation(X + step) - activation(X - step)) / (2 * step), first, rtol=1e-8, atol=1e-8)
    assert_close((activation.first(X + step) - activation.first(X - step)) / (2 * step), second, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("end", ["", "-per-neuron"])
def test_training_starts_with_the_network_of_the_sine_or_close_to_tanh(end):
    assert torch.equal(activations.get(f"trained:combination{end}")(X), X.sin())
    assert_close(activations.get(f"trained:fourier{end}")(X), X.sin())
    inner = X[X.abs() < 3]
    assert_close(activations.get(f"trained:rational{end}")(inner), inner.tanh(), rtol=0, atol=5e-4)


def test_a_combination_has_the_functions_and_coefficients_that_are_given():
    assert_close(Combination(["square", "identity"], start=[0.5, -2]).double()(X), X**2 / 2 - 2 * X)
    wave = Fourier(multiples=(1, 3), start=(1, 2, 3, 4)).double()
    assert_close(wave(X), X.sin() + 2 * (3 * X).sin() + 3 * X.cos() + 4 * (3 * X).cos())
    assert_close(Fourier(multiples=(2, 0.9, 0.2)).double()(X), (0.9 * X).sin())


def test_a_rational_function_is_a_quotient_of_polynomials_without_poles():
    rng = np.random.default_rng(0)
    for a in 10 * rng.standard_normal((20, 9)).astype(np.float32):
        u = np.polynomial.Polynomial([0, 1 / 3])
        numerator = sum(c * u**j for j, c in enumerate(a[:6]))
        denominator = 1 + (a[6] * u + a[7] * u**2) ** 2 + (a[8] * u**2) ** 2
        x = np.linspace(-50, 50, 1001)
        assert denominator(x).min() >= 1
        found = Rational(start=a.tolist()).double()(torch.from_numpy(x)).detach().numpy()
        np.testing.assert_allclose(found, numerator(x) / denominator(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", trained.names())
@pytest.mark.parametrize("hidden", [(6,), (5, 4)], ids=str)
@pytest.mark.parametrize("model", [*MODELS, "hnn-mechanical", "nn-splines"])
def test_a_stack_computes_what_each_network_does(name, hidden, model):
    networks = [models.build(model, 4, hidden, name, seed).double() for seed in range(3)]
    with torch.no_grad():
        for k, network in enumerate(networks):
            for parameter in network.parameters():
                parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(k))
    z = torch.randn(3, 7, 4, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    assert_close(stack(networks)(z), torch.stack([network(own) for network, own in zip(networks, z, strict=True)]))


@pytest.mark.parametrize("model", [*MODELS, "lnn", "dissipative-hnn"])
@pytest.mark.parametrize("name", ["trained:combination", "trained:rational-per-neuron"])
def test_the_gradient_by_the_coefficients_is_that_of_differences(model, name):
    network, data = models.build(model, 4, (5, 4), name, seed=1).double(), pairs(dtype=torch.float64)
    network.standardize(data.z, data.rate)
    coefficients = [parameter for key, parameter in network.named_parameters() if key.endswith("coefficients")]
    assert len(coefficients) == 2 * sum(1 for part in network.modules() if isinstance(part, Layers))
    found, step = torch.autograd.grad(derivative_loss(network, data.z, data.rate), coefficients), 1e-6
    for parameter, gradient in zip(coefficients, found, strict=True):
        losses = []
        for sign in (1, -1):
            parameter.data[-1, 2] += sign * step
            losses.append(derivative_loss(network, data.z, data.rate).item())
            parameter.data[-1, 2] -= sign * step
        assert gradient[-1, 2].item() == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_one_object_gives_coefficients_of_its_own_to_every_network_and_layer(model):
    given = Combination()
    networks = [models.build(model, 4, (6, 5), given, seed) for seed in (1, 2)]
    train_ensemble(networks, pairs(), None, Training(epochs=2, batch_size=20), [1, 2], progress=False)
    parts = [part for network in networks for part in network.modules() if isinstance(part, Combination)]
    assert len(parts) == (8 if model == "hnn-separable" else 4)
    found = torch.cat([part.coefficients.detach() for part in parts])
    assert len(found.unique(dim=0)) == len(parts)
    assert_close(given.coefficients.detach(), torch.tensor([[1.0] + 7 * [0.0]]), rtol=0, atol=0)


def test_a_network_that_is_given_starts_the_coefficients_of_another_anew():
    network = models.build("nn", 4, (6,), "trained:combination")
    train_ensemble([network], pairs(), None, Training(epochs=2, batch_size=20), [1], progress=False)
    other = models.build("nn", 4, (9,), network.network.activation)
    assert torch.equal(other.network.activation.coefficients[0, 1:], torch.zeros(7))


def test_the_coefficients_are_counted_as_parameters():
    def parameters(activation):
        return sum(p.numel() for p in models.build("hnn-separable", 4, (6, 5), activation).parameters())

    plain = parameters("sine")
    assert parameters("trained:combination") == plain + 2 * 2 * 8
    assert parameters("trained:combination-per-neuron") == plain + 2 * (6 + 5) * 8
    assert parameters("trained:rational-per-neuron+sine") == plain + 2 * (3 + 3) * 9


@pytest.fixture(scope="module")
def orbits():
    pendulum, t = systems.get("pendulum"), torch.linspace(0, 5, 51, dtype=torch.float64)
    return pendulum.orbit(pendulum.sample(12, seed=0), t)


@pytest.mark.parametrize(("name", "start"), [("combination", "sine"), ("fourier", "sine"), ("rational", "tanh")])
def test_the_loss_is_lower_than_with_the_function_from_which_training_starts(name, start, orbits):
    losses = [
        Forecaster("hnn", hidden=(10,), activation=activation, seed=0)
        .fit(orbits, orbits, epochs=20, polish=0, progress=False)
        .history["validation"]
        .min()
        for activation in (f"trained:{name}", start)
    ]
    assert losses[0] < 0.7 * losses[1]


SOME = [
    ("nn", "trained:rational-per-neuron"),
    ("hnn", "trained:combination-per-neuron"),
    ("hnn-separable", "trained:fourier"),
    ("hnn-separable", "trained:combination+trained:rational"),
]


@pytest.mark.parametrize(("model", "name"), SOME)
def test_a_network_of_an_ensemble_trains_as_it_does_alone(model, name):
    data, given, settings = pairs(dtype=torch.float64), activations.get(name), Training(epochs=2, batch_size=30)

    def built():
        return [models.build(model, 4, (6, 5), given, seed).double() for seed in (1, 2, 3)]

    together, alone = built(), built()
    history = train_ensemble(together, data, None, settings, [4, 5, 6], progress=False)
    assert set(history.engines) == {"torch"}
    for network, seed in zip(alone, [4, 5, 6], strict=True):
        train(network, data, None, settings, seed, progress=False)
    for one, other in zip(together, alone, strict=True):
        assert_close(one.state_dict(), other.state_dict(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("model", "name"), SOME)
def test_a_forecaster_comes_back_from_its_file_and_trains_again_as_before(model, name, orbits, tmp_path):
    forecaster = Forecaster(model, hidden=(5, 4), activation=name, members=2, dtype=torch.float64)
    forecaster.fit(orbits, epochs=2, progress=False)
    assert len({str(member.inner.state_dict()) for member in forecaster.members}) == 2
    forecaster.save(tmp_path / "f.safetensors")
    again, z = Forecaster.load(tmp_path / "f.safetensors"), orbits.z[:3, 0]
    assert_close(again.vector_field(0.0, z), forecaster.vector_field(0.0, z), rtol=0, atol=0)
    assert again.n_parameters == forecaster.n_parameters
    again.save(tmp_path / "again.safetensors")
    again.fit(orbits, epochs=2, progress=False)
    assert_close(again.model.state_dict(), forecaster.model.state_dict(), rtol=0, atol=0)
    once_more = Forecaster.load(tmp_path / "again.safetensors")
    assert_close(once_more.model.state_dict(), forecaster.model.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("model", [*MODELS, "hnn-mechanical"])
@pytest.mark.parametrize("hidden", [(5,), (6, 4, 3)], ids=str)
@pytest.mark.parametrize("name", [*trained.names(), "trained:rational+sine+trained:combination-per-neuron"])
def test_compiled_fields_are_those_of_torch(model, hidden, name):
    network = models.build(model, 4, hidden, name, seed=1).double()
    data = pairs(dtype=torch.float64)
    network.standardize(data.z, data.rate)
    with torch.no_grad():
        for key, parameter in network.named_parameters():
            if key.endswith("coefficients"):
                parameter += 0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0))
    field, z = ParametrizedField(network.requires_grad_(False).compiled_field()), data.z[:5]
    np.testing.assert_allclose(field(0.0, z.numpy()), network(z).numpy(), rtol=1e-10, atol=1e-10)
    wanted = torch.func.vmap(torch.func.jacrev(network))(z)
    np.testing.assert_allclose(field.jacobian(0.0, z.numpy()), wanted.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "activation",
    [Combination(["square", "sine"], [2, 3], per_neuron=True), Fourier((1, 2)), Rational(range(9)), "trained:fourier+sine"],
    ids=str,
)
def test_the_description_restores_the_start(activation):
    told = json.loads(json.dumps(describe(activation)))
    check_description(told)
    again = restore(told)
    assert describe(again) == describe(activation)
    assert torch.equal(again(X.float()), activations.get(activation)(X.float()))


HOSTILE = [
    {"trained": "combination"},
    {"trained": {}},
    {"trained": {"kind": "Combination"}},
    {"trained": {"kind": ["combination"]}},
    {"trained": {"kind": "combination", "functions": "sine"}},
    {"trained": {"kind": "combination", "functions": ["no such"], "start": [1.0], "per_neuron": False}},
    {"trained": {"kind": "combination", "functions": ["sine"] * 5000, "start": [1.0] * 5000, "per_neuron": False}},
    {"trained": {"kind": "combination", "functions": [["sine"]], "start": [1.0], "per_neuron": False}},
    {"trained": {"kind": "combination", "functions": ["sine"], "start": [float("nan")], "per_neuron": False}},
    {"trained": {"kind": "combination", "functions": ["sine"], "start": [1.0], "per_neuron": 3}},
    {"trained": {"kind": "fourier", "multiples": [-1.0], "start": [1.0, 2.0], "per_neuron": False}},
    {"trained": {"kind": "fourier", "multiples": [1.0], "start": ["a", "b"], "per_neuron": False}},
    {"trained": {"kind": "rational", "start": [0.0] * 8, "per_neuron": False}},
    {"trained": {"kind": "rational", "start": {"a": 1}, "per_neuron": False}},
    {"trained": {"kind": "rational", "start": [0.0] * 9, "per_neuron": False, "more": [1]}},
    {"layers": "sine"},
    {"layers": {}},
    {"layers": [{"layers": ["sine"]}], "trained": 1},
]


@pytest.mark.parametrize("description", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_descriptions_are_refused(description):
    with pytest.raises((InputError, KeyError)) as caught:
        check_description(description)
    assert isinstance(caught.value, InputError | systems.UnknownNameError)


def test_a_file_that_describes_more_coefficients_than_it_holds_takes_no_memory(orbits, tmp_path):
    path, wide = tmp_path / "f.safetensors", describe("trained:rational-per-neuron")
    Forecaster("nn", hidden=(2000,)).fit(orbits, epochs=1, polish=0, progress=False).save(path)
    settings, tensors = tensor_file.read(path, "forecaster")
    for activation in (wide, {"mixture": ["sine", wide], "shares": [1, 999]}, {"layers": [wide]}):
        tensor_file.write(path, "forecaster", {**settings, "activation": activation}, tensors)
        with pytest.raises(InputError, match="describe a model with at least"):
            Forecaster.load(path)


def test_wrong_arguments_are_refused_in_a_sentence():
    with pytest.raises(InputError, match="one number for each of the 2 functions"):
        Combination(["sine", "tanh"], [1.0])
    with pytest.raises(InputError, match=r"such as \['sine', 'square'\]"):
        Combination("sine")
    with pytest.raises(InputError, match="list of 1 to 100 names"):
        Combination([])
    with pytest.raises(KeyError, match="tanh"):
        Combination(["than"])
    with pytest.raises(InputError, match="positive numbers"):
        Fourier([0.0, 1.0])
    with pytest.raises(InputError, match="positive numbers"):
        Fourier([])
    with pytest.raises(InputError, match="needs 9 coefficients"):
        Rational([1.0])
    for wrong in (3, "12", [[1.0]], [True]):
        for make in (Fourier, Rational):
            with pytest.raises(InputError, match=r"must be a list of numbers|must be a finite number"):
                make(wrong)
    for wrong in (3, None, {"sine"}):
        with pytest.raises(InputError, match="functions must be a list"):
            Combination(wrong)
    with pytest.raises(InputError, match="True or False"):
        Rational(per_neuron=1)
    with pytest.raises(InputError, match="finite number"):
        Combination(["sine"], [float("inf")])


def test_names_that_do_not_exist_are_refused_and_the_prefix_is_reserved():
    for wrong in ("trained:", "trained:pade", "trained:combination-per-layer", "sine+trained:pade"):
        with pytest.raises(systems.UnknownNameError, match="trained:rational-per-neuron"):
            Forecaster(activation=wrong)
    with pytest.raises(InputError, match="begins with trained:"):
        activations.register("trained:mine", torch.sin)


def test_a_reservoir_has_nothing_that_trains():
    with pytest.raises(InputError, match="does not train"):
        models.build("echo-state", 2, activation="trained:rational")
