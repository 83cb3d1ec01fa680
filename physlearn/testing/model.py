"""The contract of models, and the checks for it."""

from __future__ import annotations

import copy
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import jacrev, vmap

from physlearn import integrators, models
from physlearn.flow import Flow
from physlearn.forecasting import Forecaster
from physlearn.models import Model
from physlearn.models.baselines import LeastSquaresModel
from physlearn.models.stack import stack
from physlearn.models.units import Structure
from systems import Orbit
from systems.hamiltonian_system import rotate
from systems.sampling import generator
from systems.testing import Check

STATES, HIDDEN, PERIOD = 64, (12,), 1.5
DIFFERENCE = 1e-5  # step of central differences, whose error is of the order of its square
TOLERANCE = 1e-6  # tolerance of comparisons with central differences
SEPARABLE = ("hamiltonian", "kinetic", "potential", "velocity", "force")


def model_checks(model: str, dim: int = 4, seed: int = 0) -> Iterator[tuple[str, Check]]:
    """Yield the checks of a model.

    Parameters
    ----------
    model
        Name of a registered model.
    dim
        Number of coordinates, which must be even; defaults to 4.
    seed
        Random seed for weights and states.

    Yields
    ------
    name : str
        The name of the check.
    check : callable
        A function without arguments that runs the check.

    Examples
    --------
    >>> [name for name, _ in model_checks("nn")]
    ['declarations', 'weights', 'states', 'states-gradient', 'weights-gradient', 'stack', 'angles', 'training', 'file']
    """
    cls = models.find(model)
    z, rate = _data(dim, seed)

    @cache
    def built() -> Model:
        return _built(model, dim, seed)

    yield "declarations", lambda: _check_declarations(model, built())
    yield "weights", lambda: _check_weights(model, dim, seed)
    yield "states", lambda: _check_states(built(), z)
    yield "states-gradient", lambda: _check_states_gradient(built(), z)
    if not cls.baseline:
        yield "weights-gradient", lambda: _check_weights_gradient(built(), z, rate)
        yield "stack", lambda: _check_stack([_built(model, dim, seed + k) for k in range(2)], z)
    if cls.takes_angles:
        yield "angles", lambda: _check_angles(model, dim, seed, z)
    if cls.is_hamiltonian():
        yield "hamiltonian", lambda: _check_hamiltonian(built(), z)
    yield "training", lambda: _check_training(model, dim, seed)
    yield "file", lambda: _check_file(model, dim, seed)


def check_model(model: str, dim: int = 4, seed: int = 0) -> None:
    """Check that a model satisfies the contract.

    The checks cover

    * the declared attributes;
    * that the seed determines the initial weights;
    * the states: shapes and batches, dtype, and an unchanged input;
    * the gradients with respect to states and weights, against finite differences;
    * that a stack of networks computes the same as the separate networks;
    * exact periodicity in angles;
    * Hamilton's equations, against finite differences of the Hamiltonian, and its split into T(p) + V(q);
    * that training lowers the loss;
    * that a model makes the same forecasts after it was saved and loaded.

    Parameters
    ----------
    model, dim, seed
        As in `model_checks`.

    Raises
    ------
    AssertionError
        If a check fails; the message says what is wrong.

    Examples
    --------
    >>> check_model("linear")
    """
    for _, check in model_checks(model, dim, seed):
        check()


def _data(dim: int, seed: int) -> tuple[Float[Tensor, "n D"], Float[Tensor, "n D"]]:
    """Return states and rates of oscillators with hardening springs: dq/dt = p, dp/dt = -q - q^3."""
    z = torch.randn(STATES, dim, generator=generator(STATES, seed), dtype=torch.float64)
    q, p = z.chunk(2, dim=-1)
    return z, torch.cat([p, -q - q**3], dim=-1)


def _built(model: str, dim: int, seed: int, **options: Any) -> Model:
    """Return a model in float64, standardized to the data; a baseline is fitted."""
    z, rate = _data(dim, seed)
    built = models.build(model, dim, HIDDEN, "tanh", seed, **options).double()
    built.standardize(z, rate)
    if built.baseline:
        cast(LeastSquaresModel, built).solve(z, rate)
    return built


def _check_declarations(model: str, built: Model) -> None:
    assert isinstance(built, Model), f"{type(built).__name__} is not a Model"
    assert built.name == model, f"the class registered as {model!r} has the name {built.name!r}"
    assert built.structure in get_args(Structure), f"structure must be one of {get_args(Structure)}, not {built.structure!r}"
    if built.separable:
        missing = [name for name in SEPARABLE if not hasattr(built, name)]
        assert not missing, f"separable is True, but there is no {missing[0]}"
    if built.is_hamiltonian():
        assert built.needs_momenta(), "it has a Hamiltonian, but structure is 'general', which changes of units do not keep"
    integrators.find(built.default_method)(Flow.of(built))


def _check_weights(model: str, dim: int, seed: int) -> None:
    """Check that the seed determines the initial weights."""
    state = torch.get_rng_state()
    first, again = (models.build(model, dim, HIDDEN, "tanh", seed).state_dict() for _ in range(2))
    assert torch.equal(state, torch.get_rng_state()), "construction changes the state of torch's global random generator"
    assert all(torch.equal(first[name], again[name]) for name in first), "weights differ between two models with the same seed"


def _check_states(built: Model, z: Tensor) -> None:
    """Check that the field preserves shapes and dtypes, does not change its input, and treats states independently."""
    before = z.clone()
    f = built.vector_field(0.0, z)
    assert torch.equal(z, before), "vector_field changes its input states in place"
    assert f.shape == z.shape, f"vector_field returns shape {tuple(f.shape)} for states of shape {tuple(z.shape)}"
    assert torch.isfinite(f).all(), "vector_field returns rates that are not finite"
    _assert_close(torch.stack([built.vector_field(0.0, state) for state in z]), f, 1e-12, "vector_field state by state")
    deep = built.vector_field(0.0, z.reshape(2, -1, z.shape[-1]))
    _assert_close(deep.flatten(0, 1), f, 1e-12, "vector_field with several batch axes")
    _assert_close(built.vector_field(1.7, z), f, 0.0, "vector_field at another time")
    _assert_close(built(z), f, 0.0, "the model as a function")
    low = copy.deepcopy(built).float()(z.float())
    assert low.dtype == torch.float32, f"a model in float32 returns {low.dtype} for states in float32"
    _assert_close(low.double(), f, 1e-3, "vector_field in float32")


def _check_states_gradient(built: Model, z: Tensor) -> None:
    jacobian = vmap(jacrev(lambda state: built.vector_field(0.0, state)))(z)
    expected = _slopes(lambda x: built.vector_field(0.0, x), z)
    _assert_close(jacobian, expected, TOLERANCE, "the Jacobian of vector_field by autodiff")


def _check_weights_gradient(built: Model, z: Tensor, rate: Tensor) -> None:
    """Check the gradient of a loss with respect to the weights, along its own direction."""
    parameters = list(built.parameters())
    assert parameters, "there are no parameters to train; a model that is solved for must declare baseline = True"
    loss = (built(z) - rate).square().mean()
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    for (name, _), gradient in zip(built.named_parameters(), gradients, strict=True):
        assert gradient is not None, f"the loss does not depend on the parameter {name}"
        assert torch.isfinite(gradient).all(), f"the gradient with respect to the parameter {name} is not finite"
    length = torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt()
    assert length > 0, "the gradient with respect to all parameters is zero"
    ends = []
    with torch.no_grad():
        for shift in (DIFFERENCE, -2 * DIFFERENCE):
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.add_(shift * gradient / length)
            ends.append((built(z) - rate).square().mean())
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.add_(DIFFERENCE * gradient / length)
    slope = (ends[0] - ends[1]) / (2 * DIFFERENCE)
    _assert_close(length, slope, TOLERANCE, "the gradient of the loss with respect to the parameters")


def _check_stack(members: list[Model], z: Tensor) -> None:
    """Check that a stack of networks, with one more axis on weights and buffers, computes the same as the networks."""
    expected = torch.stack([member(z) for member in members])
    try:
        found = stack(members)(z.expand(len(members), *z.shape))
    except (RuntimeError, IndexError) as error:
        raise AssertionError(f"a stack of two models fails, probably as a tensor has no stack axis: {error}") from error
    _assert_close(found, expected, 1e-12, "a stack of two models")


def _check_angles(model: str, dim: int, seed: int, z: Tensor) -> None:
    built = _built(model, dim, seed, angles={0: PERIOD})
    on = z.clone()
    on[:, 0] += PERIOD
    _assert_close(built(on), built(z), 1e-9, "vector_field after a shift of an angle by its period")


def _check_hamiltonian(built: Any, z: Tensor) -> None:
    """Check that the field is J grad H, and, if H is separable, that its parts and their gradients agree with H."""
    energy = built.hamiltonian(z)
    assert energy.shape == z.shape[:-1], f"hamiltonian returns shape {tuple(energy.shape)} for states {tuple(z.shape)}"
    expected = rotate(_slopes(built.hamiltonian, z))
    _assert_close(built(z), expected, TOLERANCE, "vector_field as (dH/dp, -dH/dq)")
    if built.separable:
        q, p = z.chunk(2, dim=-1)
        _assert_close(built.kinetic(p) + built.potential(q), energy, 1e-12, "kinetic + potential")
        _assert_close(torch.cat([built.velocity(p), built.force(q)], -1), expected, TOLERANCE, "velocity and force")


def _check_training(model: str, dim: int, seed: int) -> None:
    history = _trained(model, dim, seed, epochs=30).history
    if len(history):
        first, last = history["training"].iloc[0], history["training"].iloc[-1]
        assert last < first, f"30 epochs change the training loss from {first:.3g} to {last:.3g}"


def _check_file(model: str, dim: int, seed: int) -> None:
    """Check that a loaded model makes the same forecasts as the saved one."""
    trained = _trained(model, dim, seed, epochs=1)
    z, t = _data(dim, seed)[0][:3], torch.linspace(0, 0.1, 3, dtype=torch.float64)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        trained.save(path)
        try:
            loaded = Forecaster.load(path)
        except (ValueError, RuntimeError) as error:
            raise AssertionError(f"a saved model cannot be loaded: {error}") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # after one epoch, forecasts need not be accurate
        expected, found = (f.forecast(z, t, method="euler", substeps=1).z for f in (trained, loaded))
    _assert_close(found, expected, 0.0, "the forecast of a model that was saved and loaded")


def _trained(model: str, dim: int, seed: int, epochs: int) -> Forecaster:
    z, rate = _data(dim, seed)
    orbit = Orbit(torch.arange(STATES, dtype=torch.float64), z, rate=rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the quality of the fit does not matter here
        forecaster = Forecaster(model, hidden=HIDDEN, activation="tanh", seed=seed)
        return forecaster.fit(orbit, epochs=epochs, batch_size=16, progress=False)


def _slopes(f: Callable[[Tensor], Tensor], z: Float[Tensor, "n D"]) -> Tensor:
    """Return the derivative with respect to each coordinate, on a new last axis, by central differences."""
    steps = DIFFERENCE * torch.eye(z.shape[-1], dtype=z.dtype)
    return torch.stack([(f(z + h) - f(z - h)) / (2 * DIFFERENCE) for h in steps], dim=-1)


def _assert_close(found: Tensor, expected: Tensor, tolerance: float, what: str) -> None:
    """Check a difference relative to the largest expected value."""
    error = float(((found - expected).abs().max() / expected.abs().max().clamp(min=1e-3)).detach())
    assert error <= tolerance, f"{what} is off by {error:.2g} (tolerance {tolerance:g})"
