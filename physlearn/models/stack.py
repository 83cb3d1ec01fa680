"""Stacks: many networks of one shape as a single model, which train and roll out together."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from math import prod
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn.activations.description import describe
from physlearn.models.affine import Affine
from physlearn.models.inputs import Inputs
from physlearn.models.layers import Layers
from physlearn.models.model import Learner
from systems import InputError

M = TypeVar("M", bound=nn.Module)


def shape_of(model: nn.Module) -> object:
    """Return what two networks must share to be stacked: class, shapes, angles, and activations except for their tables."""
    sizes = tuple((name, tuple(tensor.shape)) for name, tensor in model.state_dict().items())
    networks = [part for part in model.modules() if isinstance(part, Layers)]
    angles = [part.angles for part in model.modules() if isinstance(part, Inputs)]
    return type(model), sizes, angles, str([describe(network.activation) for network in networks])


def stack(models: Sequence[M]) -> M:
    """Return one model with the stacked weights, scales and tables ``(R, ...)`` of all, for states ``(R, batch, D)``.

    Raises InputError if the shapes or activations differ.
    """
    if len({str(shape_of(model)) for model in models}) != 1:
        raise InputError(
            f"a stack needs networks of one shape with the same kind of activation, but these {len(models)} models differ"
        )
    states = [model.state_dict() for model in models]
    together = copy.deepcopy(models[0])
    for name, tensor in [*together.named_parameters(), *together.named_buffers()]:
        tensor.data = torch.stack([state[name] for state in states])
    return together


class Weights:
    """The layout of all weights of a stack in one tensor ``(R, P)``, so that optimizers and gradients ignore the layers."""

    def __init__(self, together: nn.Module) -> None:
        self.shapes = {name: parameter.shape[1:] for name, parameter in together.named_parameters()}
        self.sizes = [prod(shape) for shape in self.shapes.values()]
        bounds = {id(p): layer.bound for layer in together.modules() if isinstance(layer, Affine) for p in layer.parameters()}
        self.bounds = [bounds.get(id(parameter)) for parameter in together.parameters()]  # None outside of layers

    def flatten(self, together: nn.Module) -> Float[Tensor, "R P"]:
        """Return a copy of the weights of a stack."""
        return torch.cat([parameter.detach().flatten(1) for parameter in together.parameters()], dim=1)

    def views(self, flat: Float[Tensor, "R P"]) -> dict[str, Tensor]:
        """Return the weights by name, as views."""
        parts = flat.split(self.sizes, dim=1)
        return {name: part.unflatten(1, shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def draw(self, networks: int, generator: torch.Generator, dtype: torch.dtype) -> Float[Tensor, "networks P"]:
        """Return initial weights of new networks, with the distribution that new models have.

        Raises InputError for a model with parameters outside of its layers, because their distribution is unknown.
        """
        bounds = [bound for bound in self.bounds if bound is not None]
        if len(bounds) < len(self.bounds):
            raise InputError("the model has parameters outside of its layers, whose initial values are unknown: use nn or hnn")
        u = 2 * torch.rand(networks, sum(self.sizes), generator=generator, dtype=dtype) - 1
        return u * torch.cat([torch.full((size,), bound, dtype=dtype) for size, bound in zip(self.sizes, bounds, strict=True)])


def outputs(together: Learner, tensors: dict[str, Tensor], z: Float[Tensor, "R n D"]) -> Float[Tensor, "R n outputs"]:
    """Return the outputs of a stack, dz/dt or logits, with the given weights or tables in place of its own."""
    return torch.func.functional_call(together, tensors, (z,))
