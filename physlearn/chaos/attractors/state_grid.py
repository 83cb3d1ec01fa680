"""Grids of initial states in a plane of phase space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.flow import Flow
from systems import InputError
from systems.maps import Map
from systems.scalars import whole
from systems.size import check_memory


def state_grid(
    flow: object, axes: Mapping[str, tuple[float, float, int]], others: Mapping[str, float] | None = None
) -> Float[Tensor, "*sizes D"]:
    """Return initial states on a grid, at the centers of equal parts of a range of some coordinates.

    Parameters
    ----------
    flow
        A system, a model, or a map, or the names of its coordinates.
    axes
        Lowest value, highest value, and number of parts of each coordinate that varies, by name.
    others
        Values of the other coordinates, by name; those that are not named are 0.

    Returns
    -------
    Tensor, shape ``(..., D)``
        States in float64, with one axis for each coordinate that varies, in the order of ``axes``.

    Raises
    ------
    InputError
        If a coordinate is unknown, or a range is empty.

    Examples
    --------
    >>> state_grid(("x", "v"), {"v": (0.0, 1.0, 2)}, {"x": 3.0}).tolist()
    [[3.0, 0.25], [3.0, 0.75]]
    """
    names = _names(flow)
    others = {} if others is None else others
    if not axes:
        raise InputError(f"no coordinate varies; give the range of at least one of {', '.join(names)}")
    if unknown := [name for name in (*axes, *others) if name not in names]:
        raise InputError(f"there is no coordinate {unknown[0]!r}; the coordinates are {', '.join(names)}")
    centers = [_centers(name, given) for name, given in axes.items()]
    sizes = [len(one) for one in centers]
    check_memory(torch.Size(sizes).numel() * len(names), f"a grid of {' x '.join(map(str, sizes))} states")
    z = torch.zeros(*sizes, len(names), dtype=torch.float64)
    for name, value in others.items():
        z[..., names.index(name)] = value
    for name, values in zip(axes, torch.meshgrid(*centers, indexing="ij"), strict=True):
        z[..., names.index(name)] = values
    return z


def axes_of(z0: Float[Tensor, "nx ny D"], names: Sequence[str]) -> tuple[Tensor, Tensor, tuple[str, str]]:
    """Return the two coordinates that vary on a plane grid, and their names; raise InputError for other states."""
    if z0.ndim == 3 and z0.shape[0] > 1 and z0.shape[1] > 1:
        first = [i for i in range(z0.shape[-1]) if torch.equal(z0[..., i], z0[:, :1, i].expand(z0.shape[:2]))]
        second = [i for i in range(z0.shape[-1]) if torch.equal(z0[..., i], z0[:1, :, i].expand(z0.shape[:2]))]
        along = [i for i in first if i not in second], [i for i in second if i not in first]
        if all(along):
            x, y = along[0][0], along[1][0]
            return z0[:, 0, x].cpu(), z0[0, :, y].cpu(), (names[x], names[y])
    raise InputError(
        f"states of shape {tuple(z0.shape)} are no grid of two coordinates; draw those of a state_grid with two axes"
    )


def _names(flow: object) -> tuple[str, ...]:
    if isinstance(flow, tuple | list):
        return tuple(map(str, flow))
    names = flow.coordinates if isinstance(flow, Map) else Flow.of(flow).coordinates  # type: ignore[arg-type]
    if not names:
        raise InputError("a function has no names of coordinates; give them in its place, such as ('x', 'v')")
    return names


def _centers(name: str, given: tuple[float, float, int]) -> Float[Tensor, " n"]:
    try:
        low, high, n = given
    except (TypeError, ValueError):
        raise InputError(f"the range of {name} must be (low, high, parts), not {given!r}") from None
    if whole(f"the number of parts of {name}", n) < 1 or not (isfinite(low) and isfinite(high) and low < high):
        raise InputError(f"the range of {name} must have low < high and at least one part, not {given!r}")
    return low + (high - low) * (torch.arange(n, dtype=torch.float64) + 0.5) / n
