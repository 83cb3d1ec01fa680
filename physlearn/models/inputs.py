"""Inputs of a network: standardised coordinates, with the cosine and sine of coordinates that are angles."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.scaling import Standard, over_batch, rounding

Angles = Mapping[int, float]  # the period of each coordinate that is treated as an angle, by its index
NO_ANGLES: Angles = MappingProxyType({})


class Inputs(Standard):
    r"""Standardised features of the coordinates, which are the inputs of a network.

    .. math:: (x_1, \dots, x_n) \to (x_1, \dots, \cos k_i x_i, \dots, x_n, \sin k_i x_i, \dots), \quad k_i = 2 \pi / P_i

    A coordinate with a period P is replaced by its cosine, and its sine is appended, so that functions of the features are
    exactly periodic. Cosine and sine have the same scale, so that the circle remains a circle and the origin of the angle does
    not matter.

    Parameters
    ----------
    size
        Number n of coordinates.
    angles
        Periods by the index of the coordinate, in the units of the coordinates. Without angles, this is `Standard`.
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
        """The change of each coordinate that corresponds to one unit of the features."""
        lengths = self.scale[: self.size].clone()
        for i, k in self.angles.items():
            lengths[i] /= k
        return lengths

    def fit(self, x: Float[Tensor, "m n"]) -> None:
        """Take the means and scales from the data."""
        features = self.features(x)
        super().fit(features)
        for i, sine in zip(self.angles, range(self.size, self.width), strict=True):
            radius = features[:, [i, sine]].var(0, correction=0).mean().sqrt()
            self.scale[[i, sine]] = torch.where(radius > rounding(len(x), x.dtype), radius, 1.0)

    def forward(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch width"]:
        """Return the inputs of the network."""
        return super().forward(self.features(x))

    def features(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch width"]:
        """Return the features before standardisation."""
        if not self.angles:
            return x
        columns = list(x.unbind(-1))
        for i, k in self.angles.items():  # k is always in double precision; a buffer would have that of the training
            phase = k * x[..., i]
            columns[i] = phase.cos()
            columns.append(phase.sin())
        return torch.stack(columns, dim=-1)

    def slopes(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "n *batch width"]:
        """Return the derivatives of the inputs of the network by each coordinate, on a new first axis.

        Without angles they are the same for all x, and the axes of the batch have length one.
        """
        if not self.angles:
            rows = torch.eye(self.size, dtype=x.dtype, device=x.device)
            return rows.reshape(self.size, *[1] * (x.ndim - 1), self.size) / over_batch(self.scale, 1)
        zero, one = torch.zeros_like(x[..., 0]), torch.ones_like(x[..., 0])
        derivatives = []
        for i in range(self.size):
            columns = [zero] * self.width
            columns[i] = one
            if i in self.angles:
                k, sine = self.angles[i], self.size + list(self.angles).index(i)
                columns[i], columns[sine] = -k * (k * x[..., i]).sin(), k * (k * x[..., i]).cos()
            derivatives.append(torch.stack(columns, dim=-1))
        return torch.stack(derivatives) / over_batch(self.scale, 1)

    def by_coordinates(
        self, x: Float[Tensor, "*batch n"], by_features: Float[Tensor, "*batch width"]
    ) -> Float[Tensor, "*batch n"]:
        """Return the gradient by the coordinates, given that by the features (chain rule)."""
        if not self.angles:
            return by_features
        columns = list(by_features.unbind(-1))
        for (i, k), by_sine in zip(self.angles.items(), columns[self.size :], strict=True):
            phase = k * x[..., i]
            columns[i] = k * (phase.cos() * by_sine - phase.sin() * columns[i])
        return torch.stack(columns[: self.size], dim=-1)
