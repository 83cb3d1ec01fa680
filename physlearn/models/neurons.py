"""The hidden layers of a network as compiled fields evaluate them: blocks of neurons with one function each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn.activations import Activation, Mixture, Rational, Table
from physlearn.activations.compiled import CODES
from physlearn.activations.double import RATIONAL
from physlearn.activations.named import ACTIVATIONS, Named
from physlearn.activations.trained.terms import Sum
from physlearn.models.deep import Layer
from physlearn.models.layers import Layers
from physlearn.models.shallow import Neurons
from systems.compiled.loops import Array
from systems.compiled.operators import UntraceableError

NOTHING = np.empty(0)


def neurons_of(activation: Activation, count: int) -> tuple[Neurons, ...]:
    """Return the blocks of neurons of each type.

    Raises UntraceableError if a function has no compiled form in float64, or trains, so that its numbers are not constant.
    """
    if isinstance(activation, Mixture):
        kinds = zip(activation.types, activation.neurons(count), strict=True)
        return tuple(block for kind, share in kinds for block in neurons_of(kind, share) if share)  # type: ignore[arg-type]
    if isinstance(activation, Table) and activation.values.ndim == 1:
        cells = array_of(activation.coefficients).reshape(-1, 4)
        numbers = np.concatenate([[*activation.grid, len(cells)], cells.reshape(-1)])
        return (Neurons(count, CODES["table"], 0, numbers),)
    if isinstance(activation, Named) and activation.name in CODES and ACTIVATIONS.holds(activation.name, activation):
        return (Neurons(count, CODES[activation.name], 0, NOTHING),)
    raise UntraceableError(f"the activation {activation.name} has no compiled form in float64")


def plain_layers(network: Layers) -> tuple[list[Layer], Array]:
    """Return the hidden layers of a network without functions that train, which computes the same, and its last weights.

    A neuron whose function is a trained sum becomes one neuron for each of the terms. Raises UntraceableError if a function
    has no compiled form in float64.
    """
    layers: list[Layer] = []
    before: _Copies | None = None
    *hidden, last = network.layers
    for layer, activation in zip(hidden, network.layer_activations, strict=True):
        weight, bias = array_of(layer.weight), array_of(layer.bias)
        copies = _copies(activation, np.arange(len(bias)))
        weight, bias = copies.scale[:, None] * _from(before, weight)[copies.neuron], copies.scale * bias[copies.neuron]
        layers.append(Layer(weight, bias + copies.shift, copies.blocks))
        before = None if len(copies.neuron) == len(bias) and (copies.factor == 1).all() else copies
    return layers, _from(before, array_of(last.weight))


@dataclass(frozen=True, eq=False)
class _Copies:
    """Neurons that replace those of a layer, in blocks with one function f each: factor * f(scale * x + shift).

    ``neuron`` is the index of the neuron whose input x each of them has. All arrays are of shape ``(n,)``.
    """

    neuron: Array
    factor: Array
    scale: Array
    shift: Array
    blocks: tuple[Neurons, ...]


def _copies(activation: Activation, neuron: Array) -> _Copies:
    """Return the neurons that replace some neurons of a layer, given by their indices."""
    n = len(neuron)
    if isinstance(activation, Mixture):
        shares = np.split(neuron, np.cumsum(activation.neurons(n))[:-1])
        return _joined([_copies(kind, own) for kind, own in zip(activation.types, shares, strict=True)])  # type: ignore[arg-type]
    if isinstance(activation, Sum):
        factors = np.broadcast_to(array_of(activation.coefficients), (n, len(activation.terms))).T
        return _joined(
            [
                _Copies(neuron, factor, np.full(n, term.scale), np.full(n, term.shift), neurons_of(term.function, n))
                for factor, term in zip(factors, activation.terms, strict=True)
            ]
        )
    if isinstance(activation, Rational):
        each = array_of(activation.coefficients)
        blocks = tuple(Neurons(n // len(each), RATIONAL, 0, numbers) for numbers in each)
    else:
        blocks = neurons_of(activation, n)
    return _Copies(neuron, np.ones(n), np.ones(n), np.zeros(n), blocks)


def _joined(parts: list[_Copies]) -> _Copies:
    neuron, factor, scale, shift = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("neuron", "factor", "scale", "shift")
    )
    return _Copies(neuron, factor, scale, shift, tuple(block for part in parts for block in part.blocks if block.count))


def _from(copies: _Copies | None, weight: Array) -> Array:
    """Return the weights of a layer that follows these neurons."""
    return weight if copies is None else weight[:, copies.neuron] * copies.factor


def array_of(tensor: Any) -> Array:
    """Return a copy of a tensor in float64."""
    return np.array(tensor.detach().cpu().double().numpy())
