"""The neuron types that an outer loop adapts: sub-networks, and bumps that can be added to their curves."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn.activations import Activation, SubNetwork, get, piecewise_cubic
from physlearn.activations.spline import spline_coefficients
from physlearn.metalearning.settings import MetaLearning

SPACING = 0.75  # distance between the bumps, and their standard deviation


class Neurons(nn.Module):
    """The neuron types of one meta-seed.

    ``sub_networks`` is a stack ``(types,)``, each member drawn from its own seed. ``bumps`` ``(types, bumps)`` are the heights
    of Gaussians on the middle half of the interval; they are zero unless evolution perturbs the curves.
    """

    centers: Tensor
    signs: Tensor | None

    def __init__(self, settings: MetaLearning, seed: int, dtype: torch.dtype, device: torch.device) -> None:
        super().__init__()
        seeds = [(seed << 16) + 1 + k for k in range(settings.types)]
        self.sub_networks = SubNetwork.draw(_base(settings.bases), seeds, settings.width, settings.gain, torch.float64)
        low, high = settings.interval
        middle, reach = (low + high) / 2, int((high - low) / 4 / SPACING)
        self.register_buffer("centers", middle + SPACING * torch.arange(-reach, reach + 1, dtype=torch.float64))
        self.bumps = nn.Parameter(torch.zeros(settings.types, 2 * reach + 1, dtype=torch.float64))
        signs = [(-1.0) ** (k + 1) for k in range(settings.types)] if settings.parity and settings.types > 1 else None
        self.register_buffer("signs", None if signs is None else torch.tensor(signs, dtype=torch.float64).unsqueeze(-1))
        self.log_rate = nn.Parameter(torch.tensor(settings.rates[0], dtype=torch.float64).log())
        self.to(device=device, dtype=dtype)

    def curves(self, x: Float[Tensor, " points"]) -> Float[Tensor, "types points"]:
        """Return the activation functions at x; with odd and even types, x must be symmetric about 0."""
        return self.symmetric(self.sub_networks.value(x.expand(len(self.bumps), -1)) + self.bumps @ self.shapes(x))

    def symmetric(self, values: Float[Tensor, "*stack types points"]) -> Float[Tensor, "*stack types points"]:
        """Return the odd part of the first type, the even part of the second, and so on; without parity, the values."""
        return values if self.signs is None else (values + self.signs * values.flip(-1)) / 2

    def shapes(self, x: Float[Tensor, " points"]) -> Float[Tensor, "bumps points"]:
        """Return the bumps of height one at x."""
        return (-((x - self.centers.unsqueeze(-1)) / SPACING).square() / 2).exp()


def _base(names: Sequence[str]) -> Activation:
    """Return the function from which all types start, or those of the types."""
    return get(names[0]) if len(set(names)) == 1 else _Bases([get(name) for name in names])


class _Bases(Activation):
    """A function for each type; the types are on the last axis but one, ``(..., types, points)``."""

    def __init__(self, functions: Sequence[Activation]) -> None:
        super().__init__()
        self.functions = nn.ModuleList(functions)
        self.name = "+".join(function.name for function in functions)

    def value(self, x: Float[Tensor, "*stack types points"]) -> Float[Tensor, "*stack types points"]:
        return self._each("value", x)

    def first(self, x: Float[Tensor, "*stack types points"]) -> Float[Tensor, "*stack types points"]:
        return self._each("first", x)

    def second(self, x: Float[Tensor, "*stack types points"]) -> Float[Tensor, "*stack types points"]:
        return self._each("second", x)

    def _each(self, how: str, x: Tensor) -> Tensor:
        rows = zip(self.functions, x.unbind(-2), strict=True)
        return torch.stack([getattr(function, how)(row) for function, row in rows], dim=-2)


class SplineGrid:
    """The grid on which curves are interpolated, and the matrix of the interpolation."""

    def __init__(self, points: int, interval: tuple[float, float], dtype: torch.dtype, device: torch.device) -> None:
        matrix, start = spline_coefficients(points, "cubic")
        low, high = interval
        step = (high - low) / (points - 1)
        self.grid = piecewise_cubic.Grid(low + start * step, step)
        self.x = torch.linspace(low, high, points, dtype=dtype, device=device)
        self._matrix = matrix.to(dtype=dtype, device=device)

    def coefficients(self, values: Float[Tensor, "*stack points"]) -> Float[Tensor, "*stack cells 4"]:
        """Return the coefficients of the splines through the values on the grid."""
        return (values @ self._matrix.flatten(0, 1).T).unflatten(-1, self._matrix.shape[:2])
