"""The engine that trains networks in compiled loops; it translates models and data for the loops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physlearn.activations import Activation, Mixture, Named, Table, neurons_per_type, piecewise_cubic
from physlearn.activations.compiled import CODES
from physlearn.models import (
    Classifier,
    HamiltonianNetwork,
    Learner,
    SeparableHamiltonianNetwork,
    SplineNetwork,
    VectorFieldNetwork,
)
from physlearn.models.hamiltonian import Potential
from physlearn.models.inputs import Inputs
from physlearn.models.layers import Layers
from physlearn.models.network import Network
from physlearn.models.separable import SeparableModel
from physlearn.training import fused
from physlearn.training.loss import Counting
from physlearn.training.pairs import Pairs
from physlearn.training.train_settings import Training


def applies(models: Sequence[Learner], pairs: Pairs, clip: float | None = None) -> bool:
    """Return whether the loops support these models (all of one shape), their activation, and the data's type and device."""
    networks = networks_of(models[0])
    return (
        bool(networks)
        and pairs.z.device.type == "cpu"
        and pairs.z.dtype == torch.float32
        and all(_is_known(network) for network in networks)
        and (clip is None or len(networks) == 1)  # clipping needs the gradient of all networks of a model
    )


def _is_known(network: Layers) -> bool:
    found = _types_of(network)
    if found is None or type(network) not in (Network, SplineNetwork):
        return False
    codes, tables = found
    alike = len({tuple(own) for own in codes}) == 1 and len(codes[0]) == 1
    return not isinstance(network, SplineNetwork) or (len(network.layers) == 2 and alike and not tables)


def networks_of(model: Learner) -> list[Layers]:
    """Return the networks of a model in the order of its parameters, or none if the loops do not support the model."""
    if not vars(type(model)).get("compiled", False):  # not inherited: a subclass may compute something else
        return []
    by_gradient = not isinstance(model, Classifier | VectorFieldNetwork)
    if by_gradient and any(part.angles for part in model.modules() if isinstance(part, Inputs)):
        return []  # the loops fit the gradient by the network's inputs, which are cosine and sine, not by the angle itself
    return [part for part in model.modules() if isinstance(part, Layers)]


@dataclass(frozen=True)
class Fit:
    """The regression or classification problem that one network of a model has to solve.

    Attributes
    ----------
    problem : FusedProblem
        The problem in the terms of the loops.
    rest : shape ``(n, parts)``, optional
        Error of each sample that does not depend on the weights: the velocities of a mechanical model are its momenta, even if
        the data differ. None if there is no such error.
    components : list of int
        Indices of the network's components, followed by those of ``rest``, among the components of the model.
    given : int
        Number of last components of the network that have no weight: the derivatives of a Hamiltonian by given values.
    """

    problem: fused.FusedProblem
    rest: Float[np.ndarray, "n parts"] | None
    components: list[int] = field(default_factory=list)
    given: int = 0

    @classmethod
    def each(cls, model: Learner, pairs: Pairs, reduction: str, weights: Float[Tensor, " D"] | None = None) -> list[Fit]:
        """Return the problem of each network of a model on the pairs; the loss of the model is the sum of theirs.

        If given, the weights of the squared errors of the rates replace those of the reduction.
        """
        if isinstance(model, Classifier):
            return [cls(_problem("classes", model.inputs(pairs.z), pairs.target), None)]
        z, rate = pairs.z, pairs.rate
        dim, given = rate.shape[1], z.shape[1] - rate.shape[1]
        share: float | Tensor = (1 / dim if reduction == "mean" else 1.0) if weights is None else weights
        if isinstance(model, VectorFieldNetwork):
            targets = (rate - model.rates.center) / model.rates.scale
            problem = _problem("output", model.states(z), targets, share * model.rates.scale.square())
            return [cls(problem, None, list(range(dim)))]
        positions, momenta = list(range(dim // 2)), list(range(dim // 2, dim))
        of_dq, of_dp = (share, share) if isinstance(share, float) else share.chunk(2)
        dq, dp = rate.chunk(2, dim=-1)
        if isinstance(model, HamiltonianNetwork):
            turned = share if isinstance(share, float) else torch.cat([share[dim // 2 :], share[: dim // 2]])
            return [cls(_gradient(model.energy, z, torch.cat([-dp, dq], dim=-1), turned), None, momenta + positions, given)]
        q, p = cast(SeparableModel, model).parts(z)
        force = _gradient(cast(SeparableModel, model).potential_energy, q, -dp, of_dp)
        if isinstance(model, SeparableHamiltonianNetwork):
            return [cls(force, None, momenta, given), cls(_gradient(model.kinetic_energy, p, dq, of_dq), None, positions)]
        squares = (p - dq).square()
        if weights is not None and squares.max() < (4 * torch.finfo(p.dtype).eps * p.abs().max()) ** 2:
            return [cls(force, None, momenta + positions, given)]  # the difference is rounding from the change of units
        rest = of_dq * (squares.sum(-1, keepdim=True) if weights is None else squares)
        return [cls(force, rest.numpy() if rest.any() else None, momenta + positions, given)]

    def left(self, rows: Int[np.ndarray, "R n"], batch: int) -> Float[np.ndarray, "R steps parts"] | float:
        """Return the mean over each batch of the error that does not depend on the weights."""
        if self.rest is None:
            return 0.0
        starts = np.arange(0, rows.shape[1], batch)
        sizes = np.minimum(batch, rows.shape[1] - starts)
        return np.stack([np.add.reduceat(column[rows], starts, axis=1) / sizes for column in self.rest.T], axis=-1)

    @property
    def left_of_all(self) -> Float[np.ndarray, " parts"]:
        """The mean over all samples of the error that does not depend on the weights."""
        return np.zeros(0) if self.rest is None else np.ascontiguousarray(self.rest.T).mean(1)


def together(
    parts: Sequence[Float[np.ndarray, "*stack own"]], fits: Sequence[Fit], counting: Counting
) -> Float[np.ndarray, "*stack parts"]:
    """Combine the parts of the losses of a model's networks into those of the model's loss."""
    if counting.weights is None:
        return cast(np.ndarray, sum(parts))
    whole = np.zeros((*parts[0].shape[:-1], len(counting.weights)))
    for own, fit in zip(parts, fits, strict=True):
        others = len(fit.problem.weights)
        known = [*range(others - fit.given), *range(others, own.shape[-1])]  # without those of given values
        whole[..., fit.components[: len(known)]] = own[..., known]
    return whole


def _problem(kind: fused.Kind, *data: Tensor) -> fused.FusedProblem:
    return fused.FusedProblem(kind, *(np.ascontiguousarray(x.detach().numpy()) for x in data))


def _gradient(potential: Potential, x: Tensor, gradient: Tensor, share: float | Tensor) -> fused.FusedProblem:
    scale = potential.gradient_scale / potential.inputs.scale
    given = x.shape[1] - potential.size  # the gradient by given values does not matter: it has no weight
    weights = torch.cat([share * scale[: potential.size].square(), scale.new_zeros(given)])
    gradient = torch.cat([gradient / scale[: potential.size], gradient.new_zeros(len(x), given)], dim=1)
    return _problem("gradient", potential.inputs(x), gradient, weights)


def _types_of(network: Layers) -> tuple[list[list[int]], list[Table]] | None:
    """Return the codes of the types of each layer, and the tables, or None if the loops do not support the activation."""
    layers = [_kinds(activation) for activation in network.layer_activations]
    tables = list({id(kind): kind for kinds in layers for kind in kinds if isinstance(kind, Table)}.values())
    if len({table.grid for table in tables}) > 1 or len({table.points for table in tables}) > 1:
        return None
    codes: dict[int, int] = {id(table): CODES["table"] + k for k, table in enumerate(tables)}
    for kind in (kind for kinds in layers for kind in kinds if not isinstance(kind, Table)):
        if not isinstance(kind, Named) or kind.name not in CODES:
            return None
        codes[id(kind)] = CODES[kind.name]
    return [[codes[id(kind)] for kind in kinds] for kinds in layers], tables


def _kinds(activation: Activation) -> list[Activation]:
    return list(activation.types) if isinstance(activation, Mixture) else [activation]  # type: ignore[arg-type]


def functions_of(networks: Sequence[Layers]) -> fused.Functions:
    """Return the activations of networks, which are all of one shape and kind, in the terms of the loops."""
    found = [cast(tuple[list[list[int]], list[Table]], _types_of(network)) for network in networks]
    (codes, tables), activations = found[0], networks[0].layer_activations
    widths = [n for n, _ in networks[0].shapes[:-1]]
    numbers = [its.neurons(n) if isinstance(its, Mixture) else [n] for its, n in zip(activations, widths, strict=False)]
    everyone = _neuron_by_neuron(codes, numbers, len(networks))
    if not tables:
        return fused.Functions(everyone, splines=isinstance(networks[0], SplineNetwork))
    coefficients = torch.stack([torch.stack([table.coefficients for table in own]) for _, own in found])
    return functions_of_curves(coefficients, tables[0].grid, everyone)


def types_of_neurons(network: Layers, codes: Sequence[int], networks: int) -> Int[np.ndarray, "R H"]:
    """Return the code of each neuron of so many networks, whose hidden layers have equal shares of each type."""
    numbers = [neurons_per_type(n, len(codes)) for n, _ in network.shapes[:-1]]
    return _neuron_by_neuron([codes] * len(numbers), numbers, networks)


def _neuron_by_neuron(
    codes: Sequence[Sequence[int]], numbers: Sequence[Sequence[int]], networks: int
) -> Int[np.ndarray, "R H"]:
    """Return the code of each neuron, given the codes of the types of each layer and how many neurons they have."""
    each = [np.repeat(np.array(own, np.int32), number) for own, number in zip(codes, numbers, strict=False)]
    return np.tile(np.concatenate(each), (networks, 1))  # writable even for one network, otherwise the loops compile again


def functions_of_curves(
    coefficients: Float[Tensor, "R types cells 4"], grid: piecewise_cubic.Grid, types: Int[np.ndarray, "R H"]
) -> fused.Functions:
    """Return activations that are tables, given by the coefficients of their pieces."""
    tables = np.ascontiguousarray(coefficients.detach().numpy().astype(np.float32, copy=False))
    return fused.Functions(types, tables, grid.start + grid.step, 1 / grid.step)


def split(weights: Float[Tensor, "R P"], network: Layers, *, gradient: bool) -> fused.Parameters:
    """Split stacked weights into the layers, as separate arrays."""
    shapes: list[tuple[int, ...]] = []
    for outputs, features in network.shapes:
        shapes += [(outputs, features), (outputs,)]
    if gradient:
        shapes[-1] = (0,)
    parts = zip(weights.split([math.prod(shape) for shape in shapes], dim=1), shapes, strict=True)
    return tuple(part.detach().numpy().reshape(len(part), *shape).copy() for part, shape in parts)


def joined(parameters: fused.Parameters) -> Float[Tensor, "R P"]:
    """Return a copy of the layers as stacked weights."""
    return torch.from_numpy(np.concatenate([part.reshape(len(part), -1) for part in parameters], axis=1))


class FusedEngine:
    """R models of one shape, with the interface of `TorchEngine`; the networks of a model train one after the other."""

    name = "fused"

    def __init__(self, models: Sequence[Learner], pairs: Pairs, training: Training) -> None:
        self.training = training
        self.model = models[0]
        networks = zip(*(networks_of(model) for model in models), strict=True)
        self.counting = Counting.of(pairs, training.reduction, weighted=training.weighted)
        fits = Fit.each(self.model, pairs, training.reduction, self.counting.weights)
        self.parts = [_Part(own, fit) for own, fit in zip(networks, fits, strict=True)]

    def epoch(self, order: Int[Tensor, "R n"], learning_rates: Float[Tensor, "R steps"]) -> Float[Tensor, "R steps parts"]:
        """Take one step per batch in the given order, and return the parts of the losses before each step."""
        rows = np.ascontiguousarray(order.numpy().astype(np.int32))
        rates = np.ascontiguousarray(learning_rates.numpy())
        parts = [part.epoch(rows, rates, self.training, self._weighted) for part in self.parts]
        alive = np.logical_and.reduce([part.state.alive for part in self.parts])
        for part in self.parts:
            part.state.alive[:] = alive
        return torch.from_numpy(together(parts, [part.fit for part in self.parts], self.counting))

    @property
    def _weighted(self) -> bool:
        return self.counting.weights is not None

    @property
    def alive(self) -> Bool[Tensor, " R"]:
        """Which networks have had finite losses and gradients in all steps so far."""
        return torch.from_numpy(self.parts[0].state.alive.copy())

    @property
    def weights(self) -> Float[Tensor, "R P"]:
        """A copy of all weights."""
        return torch.cat([joined(part.parameters) for part in self.parts], dim=1)

    def evaluate(self, pairs: Pairs) -> Float[Tensor, "R parts"]:
        """Return the parts of the loss of each network on other data."""
        fits = Fit.each(self.model, pairs, self.training.reduction, self.counting.weights)
        parts = [part.evaluate(fit, self._weighted) for part, fit in zip(self.parts, fits, strict=True)]
        return torch.from_numpy(together(parts, fits, self.counting))

    def load(self, weights: Float[Tensor, "R P"]) -> None:
        """Replace the weights."""
        sizes = [sum(array[0].size for array in part.parameters) for part in self.parts]
        for part, own in zip(self.parts, weights.split(sizes, dim=1), strict=True):
            part.load(own)

    def hand_back(self, models: Sequence[Learner]) -> None:
        """Copy the weights into the models."""
        with torch.no_grad():
            for model, weights in zip(models, self.weights, strict=True):
                sizes = [parameter.numel() for parameter in model.parameters()]
                for parameter, own in zip(model.parameters(), weights.split(sizes), strict=True):
                    parameter.copy_(own.view_as(parameter))


class _Part:
    """The networks that have the same place in each of the models."""

    def __init__(self, networks: Sequence[Layers], fit: Fit) -> None:
        self.network, self.fit = networks[0], fit
        self.load(torch.stack([torch.cat([p.detach().flatten() for p in network.parameters()]) for network in networks]))
        self.functions = functions_of(networks)
        self.state = fused.State.fresh(self.parameters)

    def load(self, weights: Float[Tensor, "R P"]) -> None:
        self.parameters = split(weights, self.network, gradient=self.fit.problem.kind == "gradient")

    def epoch(
        self, rows: Int[np.ndarray, "R n"], rates: Float[np.ndarray, "R steps"], training: Training, weighted: bool
    ) -> Float[np.ndarray, "R steps parts"]:
        batch = training.batch_size
        losses = np.empty((len(rows), math.ceil(rows.shape[1] / batch)), np.float32)
        parts = np.empty((*losses.shape, len(self.fit.problem.weights))) if weighted else None
        clip = None if training.clip is None else np.full(len(rows), training.clip, np.float32)
        decay = np.full(len(rows), training.weight_decay, np.float32)
        rule, threads = cast(fused.Rule, training.optimizer), torch.get_num_threads()
        known = (self.fit.problem, self.parameters, self.state, rule, self.functions)
        fused.advance(*known, rows, batch, rates, losses, clip, threads, parts, decay)
        rest = self.fit.left(rows, batch)
        if parts is None:
            return losses[..., None] + rest
        parts[np.isnan(losses)] = np.nan
        return parts if isinstance(rest, float) else np.concatenate([parts, rest], axis=-1)

    def evaluate(self, fit: Fit, weighted: bool) -> Float[np.ndarray, "R parts"]:
        networks = len(self.parameters[0])
        parts = np.empty((networks, len(fit.problem.weights))) if weighted else None
        losses = fused.evaluate(fit.problem, self.parameters, self.functions, torch.get_num_threads(), parts)
        if parts is None:
            return losses[:, None] + (0.0 if fit.rest is None else fit.left_of_all)
        return np.concatenate([parts, np.tile(fit.left_of_all, (networks, 1))], axis=-1)
