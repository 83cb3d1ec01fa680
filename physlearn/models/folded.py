"""Fold a trained network with one hidden layer into a shallow field, which compiled solvers integrate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from physlearn.activations import Activation, Mixture, Table
from physlearn.activations.activation import neurons_per_type
from physlearn.activations.compiled import CODES
from physlearn.activations.named import ACTIVATIONS, Named
from physlearn.models.hamiltonian import HamiltonianNetwork, Potential
from physlearn.models.inputs import Inputs
from physlearn.models.layers import Layers
from physlearn.models.model import Model
from physlearn.models.network import Network
from physlearn.models.physical import PhysicalModel
from physlearn.models.separable import MechanicalHamiltonianNetwork, SeparableHamiltonianNetwork
from physlearn.models.shallow import Neurons, Shallow, ShallowField
from physlearn.models.vector_field import VectorFieldNetwork
from systems.compiled.loops import Array
from systems.compiled.operators import UntraceableError

NOTHING = np.empty(0)


def folded(model: Model) -> ShallowField:
    """Return the flow of a model as a shallow field.

    Parameters
    ----------
    model
        A single trained model, with its weights in float64.

    Returns
    -------
    ShallowField
        The same flow.

    Raises
    ------
    UntraceableError
        If the model has other layers, features or functions than shallow fields have.
    """
    return ShallowField(_shallow(model))


def _shallow(model: Model) -> Shallow:
    if type(model) is PhysicalModel:
        return _in_units(_shallow(model.inner), model)
    if type(model) not in _FOLDS:
        raise UntraceableError(f"the model {model.name} has no compiled form")
    return _FOLDS[type(model)](model)


def _in_units(inner: Shallow, model: PhysicalModel) -> Shallow:
    """Return a field of standardised states in the units of the data."""
    units = model.units
    scale, center = _array(1 / units.scale), _array(units.center)
    rates, drift = _array(units.rates), _array(units.drift)
    shift = -center * scale
    return replace(
        inner,
        inner=inner.inner * scale,
        shift=inner.shift + inner.inner @ shift,
        outer=rates[:, None] * inner.outer,
        linear=rates[:, None] * inner.linear * scale,
        constant=drift + rates * (inner.constant + inner.linear @ shift),
    )


def _vector_field(model: VectorFieldNetwork) -> Shallow:
    inner, shift = _standardised(model.network, model.states)
    last = _layer(model.network, 1)
    scale, center = _array(model.rates.scale), _array(model.rates.center)
    outer, bias = _array(last.weight), _array(last.bias)
    dim = len(scale)
    neurons = _neurons(model.network.activation, len(shift), 0)
    return Shallow(inner, shift, scale[:, None] * outer, np.zeros((dim, dim)), center + scale * bias, neurons)


def _hamiltonian(model: HamiltonianNetwork) -> Shallow:
    inner, shift, gradient, neurons = _gradient(model.energy)
    half = len(gradient) // 2
    dim = 2 * half
    return Shallow(
        inner, shift, np.concatenate([gradient[half:], -gradient[:half]]), np.zeros((dim, dim)), np.zeros(dim), neurons
    )


def _separable(model: SeparableHamiltonianNetwork) -> Shallow:
    potential = _mechanical(model, straight=0.0)
    inner, shift, gradient, neurons = _gradient(model.kinetic_energy)
    half = len(gradient)
    none = np.zeros_like(inner)
    return replace(
        potential,
        inner=np.concatenate([potential.inner, np.concatenate([none, inner], axis=1)]),
        shift=np.concatenate([potential.shift, shift]),
        outer=np.concatenate([potential.outer, np.concatenate([gradient, np.zeros((half, len(shift)))])], axis=1),
        neurons=(*potential.neurons, *neurons),
    )


def _mechanical(model: Any, straight: float = 1.0) -> Shallow:
    """Return a field with the force of the potential, and with ``straight`` times the momenta as velocities."""
    inner, shift, gradient, neurons = _gradient(model.potential_energy)
    half = len(gradient)
    linear = np.zeros((2 * half, 2 * half))
    linear[:half, half:] = straight * np.eye(half)
    outer = np.concatenate([np.zeros_like(gradient), -gradient])
    return Shallow(np.concatenate([inner, np.zeros_like(inner)], axis=1), shift, outer, linear, np.zeros(2 * half), neurons)


_FOLDS: dict[type[Model], Callable[..., Shallow]] = {
    VectorFieldNetwork: _vector_field,
    HamiltonianNetwork: _hamiltonian,
    SeparableHamiltonianNetwork: _separable,
    MechanicalHamiltonianNetwork: _mechanical,
}


def _gradient(potential: Potential) -> tuple[Array, Array, Array, tuple[Neurons, ...]]:
    """Return B, b and A of the gradient of a learned function, and its neurons."""
    network = potential.network
    inner, shift = _standardised(network, potential.inputs)
    first, last = _layer(network, 0), _layer(network, 1)
    scale = _array(potential.gradient_scale) / _array(potential.inputs.scale)
    gradient = scale[:, None] * (_array(first.weight).T * _array(last.weight)[0])
    return inner, shift, gradient, _neurons(network.activation, len(shift), 1)


def _standardised(network: Layers, inputs: Inputs) -> tuple[Array, Array]:
    """Return the weights and biases of the first layer, which include the standardisation of its inputs."""
    if type(network) is not Network or len(network.shapes) != 2:
        raise UntraceableError("compiled roll-outs are those of networks with one hidden layer")
    if inputs.angles:
        raise UntraceableError("the network takes angles as cosine and sine")
    first = _layer(network, 0)
    if first.weight.ndim != 2:
        raise UntraceableError("it is a stack of networks")
    scaled = _array(first.weight) / _array(inputs.scale)
    return scaled, _array(first.bias) - scaled @ _array(inputs.center)


def _neurons(activation: Activation, count: int, order: int) -> tuple[Neurons, ...]:
    """Return the blocks of neurons of each type."""
    if isinstance(activation, Mixture):
        shares = neurons_per_type(count, len(activation.types))
        kinds = zip(activation.types, shares, strict=True)
        return tuple(block for kind, share in kinds for block in _neurons(kind, share, order) if share)  # type: ignore[arg-type]
    if isinstance(activation, Table) and activation.values.ndim == 1:
        cells = _array(activation.coefficients).reshape(-1, 4)
        numbers = np.concatenate([[*activation.grid, len(cells)], cells.reshape(-1)])
        return (Neurons(count, CODES["table"], order, numbers),)
    if isinstance(activation, Named) and activation.name in CODES and ACTIVATIONS.holds(activation.name, activation):
        return (Neurons(count, CODES[activation.name], order, NOTHING),)
    raise UntraceableError(f"the activation {activation.name} has no compiled form in float64")


def _layer(network: Layers, place: int) -> Any:
    return network.layers[place]


def _array(tensor: Any) -> Array:
    return np.array(tensor.detach().cpu().double().numpy())
