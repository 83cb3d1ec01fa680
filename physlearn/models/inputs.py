"""What a network sees of a state: standardised coordinates, or the cosine and sine of one that has a period."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.scaling import Standard, rounding

Angles = Mapping[int, float]  # the period of each coordinate that is taken as an angle, by its index
NO_ANGLES: Angles = MappingProxyType({})


class Inputs(Standard):
    r"""Coordinates as the inputs of a network, which are standardised features of them.

    .. math:: (x_1, \dots, x_n) \to (x_1, \dots, \cos k_i x_i, \dots, x_n, \sin k_i x_i, \dots), \quad k_i = 2 \pi / P_i

    A coordinate with a period P is replaced by its cosine, and its sine is appended, so that whatever is computed from the
    features is exactly periodic. Both have one scale, so that the circle remains a circle and the angle's origin does not
    matter.

    Parameters
    ----------
    size
        The number n of coordinates.
    angles
        Periods by the index of the coordinate, in the units of the coordinates. Without any, this is `Standard`.
    """

    def __init__(self, size: int, angles: Angles = NO_ANGLES) -> None:
        super().__init__(size + len(angles))
        self.size = size
        self.angles = {index: 2 * pi / angles[index] for index in sorted(angles)}

    @property
    def width(self) -> int:
        """The number of features."""
        return self.size + len(self.angles)

    @property
    def lengths(self) -> Float[Tensor, " n"]:
        """By how much each coordinate has to change for one unit of the features."""
        lengths = self.scale[: self.size].clone()
        for i, k in self.angles.items():
            lengths[i] /= k
        return lengths

    def fit(self, x: Float[Tensor, "m n"]) -> None:
        """Take means and scales from the data."""
        features = self.features(x)
        super().fit(features)
        for i, sine in zip(self.angles, range(self.size, self.width), strict=True):
            radius = features[:, [i, sine]].var(0, correction=0).mean().sqrt()
            self.scale[[i, sine]] = torch.where(radius > rounding(len(x), x.dtype), radius, 1.0)

    def forward(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch width"]:
        """The inputs of the network."""
        return super().forward(self.features(x))

    def features(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch width"]:
        """The features before they are standardised."""
        if not self.angles:
            return x
        columns = list(x.unbind(-1))
        for i, k in self.angles.items():  # each k in double precision, unlike a buffer, whatever the training's is
            phase = k * x[..., i]
            columns[i] = phase.cos()
            columns.append(phase.sin())
        return torch.stack(columns, dim=-1)

    def by_coordinates(
        self, x: Float[Tensor, "*batch n"], by_features: Float[Tensor, "*batch width"]
    ) -> Float[Tensor, "*batch n"]:
        """The gradient by the coordinates, of what has that gradient by the features: the chain rule."""
        if not self.angles:
            return by_features
        columns = list(by_features.unbind(-1))
        for (i, k), by_sine in zip(self.angles.items(), columns[self.size :], strict=True):
            phase = k * x[..., i]
            columns[i] = k * (phase.cos() * by_sine - phase.sin() * columns[i])
        return torch.stack(columns[: self.size], dim=-1)
