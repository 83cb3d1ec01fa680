"""The engine that trains networks of one hidden layer as compiled loops: what they have to fit, in the loops' own terms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physlearn.activations import Activation, Mixture, Named, Table, pieces, shares
from physlearn.activations.compiled import CODES
from physlearn.models import (
    Classifier,
    HamiltonianNetwork,
    Learner,
    MechanicalHamiltonianNetwork,
    SplineClassifier,
    SplineHamiltonian,
    SplineNetwork,
    SplineVectorField,
    VectorFieldNetwork,
)
from physlearn.models.hamiltonian import Potential
from physlearn.models.layers import Layers
from physlearn.training import fused
from physlearn.training.pairs import Pairs
from physlearn.training.train import Training


def applies(models: Sequence[Learner], pairs: Pairs) -> bool:
    """Whether the loops know these models (all of one shape), their activation, the data's type and its device."""
    network = network_of(models[0])
    return (
        network is not None
        and pairs.z.device.type == "cpu"
        and pairs.z.dtype == torch.float32
        and len(network.layers) == 2
        and (found := _types_of(network.activation)) is not None
        and not (isinstance(network, SplineNetwork) and (found[1] or len(found[0]) > 1))
    )


def network_of(model: Learner) -> Layers | None:
    """The only network of a model; None where there are several, or none."""
    kind = type(model)  # a subclass may compute something else
    if kind in (VectorFieldNetwork, Classifier, SplineVectorField, SplineClassifier):
        return cast(VectorFieldNetwork | Classifier, model).network
    if kind in (HamiltonianNetwork, SplineHamiltonian):
        return cast(HamiltonianNetwork, model).energy.network
    if kind is MechanicalHamiltonianNetwork:
        return cast(MechanicalHamiltonianNetwork, model).potential_energy.network
    return None


@dataclass(frozen=True)
class Fit:
    """What the network of a model has to fit so that the model's rates, or its classes, are right.

    rest: ``(n,)``, the error of each sample that no weight can change (None where there is none): a mechanical model's
    velocities are its momenta, whatever the data say.
    """

    problem: fused.FusedProblem
    rest: Float[np.ndarray, " n"] | None

    @classmethod
    def of(cls, model: Learner, pairs: Pairs, reduction: str) -> Fit:
        """The problem of the model, with its scales, on the pairs."""
        if isinstance(model, Classifier):
            return cls(_problem("classes", model.inputs(pairs.z), pairs.target), None)
        z, rate = pairs.z, pairs.rate
        share = 1 / z.shape[1] if reduction == "mean" else 1.0
        if isinstance(model, VectorFieldNetwork):
            weights = share * model.rates.scale.square()
            targets = (rate - model.rates.center) / model.rates.scale
            return cls(_problem("output", model.states(z), targets, weights), None)
        if isinstance(model, HamiltonianNetwork):
            dq, dp = rate.chunk(2, dim=-1)
            return cls(_gradient(model.energy, z, torch.cat([-dp, dq], dim=-1), share), None)
        (q, p), (dq, dp) = z.chunk(2, dim=-1), rate.chunk(2, dim=-1)
        rest = share * (p - dq).square().sum(-1)
        potential = cast(MechanicalHamiltonianNetwork, model).potential_energy
        return cls(_gradient(potential, q, -dp, share), rest.numpy() if rest.any() else None)

    def left(self, rows: Int[np.ndarray, "R n"], batch: int) -> Float[np.ndarray, "R steps"] | float:
        """The mean over each batch of what cannot be changed."""
        if self.rest is None:
            return 0.0
        starts = np.arange(0, rows.shape[1], batch)
        sizes = np.minimum(batch, rows.shape[1] - starts)
        return np.add.reduceat(self.rest[rows], starts, axis=1) / sizes


def _problem(kind: fused.Kind, *data: Tensor) -> fused.FusedProblem:
    return fused.FusedProblem(kind, *(np.ascontiguousarray(x.detach().numpy()) for x in data))


def _gradient(potential: Potential, x: Tensor, gradient: Tensor, share: float) -> fused.FusedProblem:
    scale = potential.gradient_scale / potential.inputs.scale
    return _problem("gradient", potential.inputs(x), gradient / scale, share * scale.square())


def _types_of(activation: Activation) -> tuple[list[int], list[Table]] | None:
    """The code of each type, and the tables that there are; None for what the loops do not know."""
    kinds = list(activation.types) if isinstance(activation, Mixture) else [activation]
    tables = [kind for kind in kinds if isinstance(kind, Table)]
    if len({table.grid for table in tables}) > 1 or len({table.points for table in tables}) > 1:
        return None
    codes = []
    for kind in kinds:
        if isinstance(kind, Table):
            codes.append(CODES["table"] + next(i for i, table in enumerate(tables) if table is kind))
        elif isinstance(kind, Named) and kind.name in CODES:
            codes.append(CODES[kind.name])
        else:
            return None
    return codes, tables


def functions_of(networks: Sequence[Layers], neurons: int) -> fused.Functions:
    """The activation of each network, all of one kind, in the loops' terms."""
    found = [cast(tuple[list[int], list[Table]], _types_of(network.activation)) for network in networks]
    codes, tables = found[0]
    types = np.repeat(np.array(codes, np.int32), shares(neurons, len(codes)))
    everyone = np.tile(types, (len(networks), 1))  # writable even for one, or the loops are compiled once more
    if not tables:
        return fused.Functions(everyone, splines=isinstance(networks[0], SplineNetwork))
    coefficients = torch.stack([torch.stack([table.coefficients for table in own]) for _, own in found])
    return functions_of_curves(coefficients, tables[0].grid, everyone)


def functions_of_curves(
    coefficients: Float[Tensor, "R types cells 4"], grid: pieces.Grid, types: Int[np.ndarray, "R H"]
) -> fused.Functions:
    """Tables given by their pieces."""
    tables = np.ascontiguousarray(coefficients.detach().numpy().astype(np.float32, copy=False))
    return fused.Functions(types, tables, grid.start + grid.step, 1 / grid.step)


def split(weights: Float[Tensor, "R P"], network: Layers, *, gradient: bool) -> fused.Parameters:
    """The layers of stacked weights, as arrays of their own."""
    (hidden, inputs), (outputs, features) = network.shapes
    sizes = [hidden * inputs, hidden, outputs * features, 0 if gradient else outputs]
    shapes = [(hidden, inputs), (hidden,), (outputs, features), (sizes[-1],)]
    w1, b1, w2, b2 = (
        part.detach().numpy().reshape(len(part), *shape).copy()
        for part, shape in zip(weights.split(sizes, dim=1), shapes, strict=True)
    )
    return w1, b1, w2, b2


def joined(parameters: fused.Parameters) -> Float[Tensor, "R P"]:
    """A copy of the layers as stacked weights."""
    return torch.from_numpy(np.concatenate([part.reshape(len(part), -1) for part in parameters], axis=1))


class FusedEngine:
    """R networks of one shape; the same face as `TorchEngine`."""

    name = "fused"

    def __init__(self, models: Sequence[Learner], pairs: Pairs, training: Training) -> None:
        self.training = training
        self.model = models[0]
        network = cast(Layers, network_of(self.model))
        self.fit = Fit.of(self.model, pairs, training.reduction)
        self.gradient = self.fit.problem.kind == "gradient"
        flat = [torch.cat([p.detach().flatten() for p in model.parameters()]) for model in models]
        self.parameters = split(torch.stack(flat), network, gradient=self.gradient)
        hidden = self.parameters[1].shape[1]
        self.functions = functions_of([cast(Layers, network_of(model)) for model in models], hidden)
        self.state = fused.State.fresh(self.parameters)

    def epoch(self, order: Int[Tensor, "R n"], learning_rates: Float[Tensor, "R steps"]) -> Float[Tensor, "R steps"]:
        """One step for each batch in that order; gives the losses before each step."""
        rows = np.ascontiguousarray(order.numpy().astype(np.int32))
        batch = self.training.batch_size
        losses = np.empty((len(rows), math.ceil(rows.shape[1] / batch)), np.float32)
        clip = None if self.training.clip is None else np.full(len(rows), self.training.clip, np.float32)
        rates = np.ascontiguousarray(learning_rates.numpy())
        rule, threads = cast(fused.Rule, self.training.optimizer), torch.get_num_threads()
        fused.advance(
            self.fit.problem, self.parameters, self.state, rule, self.functions, rows, batch, rates, losses, clip, threads
        )
        return torch.from_numpy(losses + self.fit.left(rows, batch)).to(learning_rates)

    @property
    def alive(self) -> Bool[Tensor, " R"]:
        """False from the step on in which a network's loss or gradient was not finite."""
        return torch.from_numpy(self.state.alive.copy())

    @property
    def weights(self) -> Float[Tensor, "R P"]:
        """A copy of all weights."""
        return joined(self.parameters)

    def evaluate(self, pairs: Pairs) -> Float[Tensor, " R"]:
        """The loss of each network on other data."""
        fit = Fit.of(self.model, pairs, self.training.reduction)
        losses = fused.evaluate(fit.problem, self.parameters, self.functions, threads=torch.get_num_threads())
        return torch.from_numpy(losses + (0.0 if fit.rest is None else fit.rest.mean()))

    def load(self, weights: Float[Tensor, "R P"]) -> None:
        """Take other weights."""
        self.parameters = split(weights, cast(Layers, network_of(self.model)), gradient=self.gradient)

    def hand_back(self, models: Sequence[Learner]) -> None:
        """Write the weights into the networks they came from."""
        with torch.no_grad():
            for model, weights in zip(models, self.weights, strict=True):
                sizes = [parameter.numel() for parameter in model.parameters()]
                for parameter, part in zip(model.parameters(), weights.split(sizes), strict=True):
                    parameter.copy_(part.view_as(parameter))
