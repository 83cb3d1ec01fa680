"""Fold a trained network into a shallow or deep field, which compiled solvers integrate."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy.linalg import block_diag
from torch import nn

from physlearn import activations
from physlearn.models.deep import Deep, DeepField, Tower
from physlearn.models.hamiltonian import HamiltonianNetwork, Potential
from physlearn.models.informed import InformedModel
from physlearn.models.inputs import Inputs
from physlearn.models.layers import Layers
from physlearn.models.model import Model
from physlearn.models.network import Network
from physlearn.models.neurons import array_of, neurons_of, plain_layers
from physlearn.models.physical import PhysicalModel
from physlearn.models.separable import MechanicalHamiltonianNetwork, SeparableHamiltonianNetwork
from physlearn.models.shallow import Shallow, ShallowField
from physlearn.models.vector_field import VectorFieldNetwork
from systems.compiled.loops import Array
from systems.compiled.operators import UntraceableError


@dataclass(frozen=True, eq=False)
class Change:
    """An affine change of the state of a field: z = S y + v and dy/dt = E dz/dt.

    Parameters
    ----------
    inner, shift : shape ``(D, N)``, ``(D,)``
        S and v.
    outer : shape ``(N, D)``
        E.
    """

    inner: Array
    shift: Array
    outer: Array


def folded(model: Model, change: Change | None = None) -> ShallowField | DeepField:
    """Return the flow of a model as a compiled field.

    Parameters
    ----------
    model
        A single trained model, with its weights in float64.
    change
        How the inputs of the model follow from the state of the field, if the model has given values.

    Returns
    -------
    ShallowField or DeepField
        The same flow: a shallow field if the networks of the model have one hidden layer.

    Raises
    ------
    UntraceableError
        If the model has other layers, features or functions than these fields have.
    """
    deep = _deep(model) if change is None else _changed(_deep(model), change)
    if deep.linear.shape[0] != deep.linear.shape[1]:
        raise UntraceableError(f"the model {model.name} depends on given values")
    return DeepField(deep) if any(tower.layers for tower in deep.towers) else ShallowField(_shallow(deep))


def placed(model: Model) -> Deep:
    """Return how the networks of a model stand in its field: the field of networks that return their inputs.

    The inputs of a network are then ``inner @ z + shift`` of its tower, and ``outer`` takes its outputs, or the gradient of a
    potential by its inputs, to the rates. Raises UntraceableError as `folded` does.
    """
    probe = copy.deepcopy(model)
    for network in (part for part in probe.modules() if isinstance(part, Layers)):
        (hidden, inputs), (outputs, _) = network.shapes[0], network.shapes[-1]
        neurons_of(network.activation, hidden)
        network.activation = activations.get("identity")
        for place, size in ((0, inputs), (-1, outputs)):
            layer = _layer(network, place)
            layer.weight = nn.Parameter(torch.eye(size))
            if layer.bias is not None:
                layer.bias = nn.Parameter(torch.zeros(size))
    return _deep(probe)


def _shallow(deep: Deep) -> Shallow:
    """Return a field whose towers have one layer, which then lie next to each other. Their neurons take the weights w."""
    towers = deep.towers
    outer = [tower.outer if tower.last is None else tower.outer * tower.last for tower in towers]
    neurons = tuple(replace(block, order=0 if tower.last is None else 1) for tower in towers for block in tower.neurons)
    inner, shift = np.concatenate([tower.inner for tower in towers]), np.concatenate([tower.shift for tower in towers])
    return Shallow(inner, shift, np.concatenate(outer, axis=1), deep.linear, deep.constant, neurons)


def _deep(model: Model) -> Deep:
    if type(model) is PhysicalModel:
        return _in_units(_deep(model.inner), model)
    if type(model) is InformedModel:
        return _informed(_in_units(_deep(model.inner), model), model)
    if type(model) not in _FOLDS:
        raise UntraceableError(f"the model {model.name} has no compiled form")
    return _FOLDS[type(model)](model)


def _in_units(inner: Deep, model: PhysicalModel) -> Deep:
    """Return a field of standardised states in the units of the data."""
    units = model.units
    scale, center = array_of(1 / units.scale), array_of(units.center)
    found = _changed(inner, Change(np.diag(scale), -center * scale, np.diag(array_of(units.rates))))
    return replace(found, constant=array_of(units.drift) + found.constant)


def _informed(deep: Deep, model: InformedModel) -> Deep:
    """Return the average of a field over symmetries."""
    if model.prior.known is not None:
        raise UntraceableError("a known part is added to the network")
    if (group := model.prior.group) is None:
        return deep
    images = []
    for matrix, sign in zip(array_of(group.matrices), array_of(group.signs), strict=True):
        inner = block_diag(matrix, np.eye(deep.linear.shape[1] - len(matrix)))
        images.append(_changed(deep, Change(inner, np.zeros(len(inner)), sign / len(group) * np.linalg.inv(matrix))))
    towers = tuple(tower for image in images for tower in image.towers)
    linear, constant = (np.sum([getattr(one, name) for one in images], axis=0) for name in ("linear", "constant"))
    return Deep(linear, constant, towers)


def _changed(deep: Deep, change: Change) -> Deep:
    """Return a field of other variables."""
    inner, shift, outer = change.inner, change.shift, change.outer
    towers = (
        replace(tower, inner=tower.inner @ inner, shift=tower.shift + tower.inner @ shift, outer=outer @ tower.outer)
        for tower in deep.towers
    )
    return Deep(outer @ deep.linear @ inner, outer @ (deep.constant + deep.linear @ shift), tuple(towers))


def _vector_field(model: VectorFieldNetwork) -> Deep:
    scale, center = array_of(model.rates.scale), array_of(model.rates.center)
    tower, _, last = _tower(model.network, model.states)
    tower = replace(tower, outer=scale[:, None] * last)
    constant = center + scale * array_of(_layer(model.network, -1).bias)
    return Deep(np.zeros((len(scale), tower.inner.shape[1])), constant, (tower,))


def _hamiltonian(model: HamiltonianNetwork) -> Deep:
    tower = _gradient(model.energy)
    dim = len(tower.outer)
    turned = np.concatenate([tower.outer[dim // 2 :], -tower.outer[: dim // 2]])
    return Deep(np.zeros((dim, tower.inner.shape[1])), np.zeros(dim), (replace(tower, outer=turned),))


def _separable(model: SeparableHamiltonianNetwork) -> Deep:
    force = _mechanical(model, straight=0.0)
    tower = _gradient(model.kinetic_energy)
    half = len(tower.outer)
    inner = np.zeros((len(tower.inner), force.linear.shape[1]))
    inner[:, half : 2 * half] = tower.inner
    velocity = replace(tower, inner=inner, outer=np.concatenate([tower.outer, np.zeros_like(tower.outer)]))
    return replace(force, towers=(*force.towers, velocity))


def _mechanical(model: SeparableHamiltonianNetwork, straight: float = 1.0) -> Deep:
    """Return a field with the force of the potential, and with ``straight`` times the momenta as velocities."""
    tower = _gradient(model.potential_energy)
    half = len(tower.outer)
    linear = np.zeros((2 * half, tower.inner.shape[1] + half))
    linear[:half, half : 2 * half] = straight * np.eye(half)
    force = replace(
        tower,
        inner=np.insert(tower.inner, [half] * half, 0.0, axis=1),
        outer=np.concatenate([np.zeros_like(tower.outer), -tower.outer]),
    )
    return Deep(linear, np.zeros(2 * half), (force,))


_FOLDS: dict[type[Model], Callable[..., Deep]] = {
    VectorFieldNetwork: _vector_field,
    HamiltonianNetwork: _hamiltonian,
    SeparableHamiltonianNetwork: _separable,
    MechanicalHamiltonianNetwork: _mechanical,
}


def _gradient(potential: Potential) -> Tower:
    """Return the gradient of a learned function."""
    tower, first, last = _tower(potential.network, potential.inputs)
    scale = array_of(potential.gradient_scale) / array_of(potential.inputs.scale)
    outer = scale[:, None] * first.T
    return replace(tower, outer=outer[: potential.size], last=last[0])


def _tower(network: Layers, inputs: Inputs) -> tuple[Tower, Array, Array]:
    """Return the hidden layers of a network, of which the first includes the standardisation of its inputs.

    The weights of the first hidden layer without it, and those of the output layer, follow.
    """
    if type(network) is not Network:
        raise UntraceableError("compiled roll-outs are those of fully connected networks")
    if inputs.angles:
        raise UntraceableError("the network takes angles as cosine and sine")
    if _layer(network, 0).weight.ndim != 2:
        raise UntraceableError("it is a stack of networks")
    (first, *others), last = plain_layers(network)
    scaled = first.weight / array_of(inputs.scale)
    shift = first.bias - scaled @ array_of(inputs.center)
    return Tower(scaled, shift, first.neurons, tuple(others), np.empty((0, 0)), None), first.weight, last


def _layer(network: Layers, place: int) -> Any:
    return network.layers[place]
