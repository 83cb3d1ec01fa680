"""A map that is given by a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.errors import InputError
from systems.maps.map import Map
from systems.sampling import Bounds, box


@dataclass(frozen=True)
class FunctionMap(Map):
    """The map of a function ``z -> z'``, such as a formula of your own or a trained network.

    Parameters
    ----------
    function : callable
        Returns the next states, shape ``(..., D)``. It need not reduce angles.
    coordinates : tuple of str
        Names of the D coordinates.
    periods : mapping of str to float
        Period of each coordinate that is an angle. Empty by default. The next states are reduced to values from 0 to the
        period: a map that stretches would otherwise lose the digits within a turn, and overflow in the end.

    Examples
    --------
    >>> doubling = FunctionMap(lambda z: 2 * z, ("x",), {"x": 1.0})
    >>> doubling.orbit([0.3], 2).z[:, 0].round(decimals=2).tolist()
    [0.3, 0.6, 0.2]
    """

    name: ClassVar[str] = "a function"
    function: Callable[[Tensor], Tensor]
    coordinates: tuple[str, ...]  # type: ignore[misc] # each one has its own
    periods: Mapping[str, float] = field(default_factory=dict)  # type: ignore[misc]

    @property
    def parameters(self) -> dict[str, object]:
        """No parameters, since a function tells none."""
        return {}

    def step(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return the next states, with angles from 0 to their period; raise InputError if their shape is another."""
        after = self.function(z)
        if after.shape != z.shape:
            raise InputError(
                f"the function of a map returned states of shape {tuple(after.shape)} for states of shape {tuple(z.shape)}; "
                "both must be equal"
            )
        if not self.periods:
            return after
        parts = zip(self.coordinates, after.unbind(-1), strict=True)
        return torch.stack([x % self.periods[name] if name in self.periods else x for name, x in parts], dim=-1)

    def sample(self, n: int, *, seed: int = 0, bounds: Bounds | None = None) -> Float[Tensor, "n D"]:
        """Draw initial states uniformly from a box.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        bounds : sequence of (low, high), optional
            Range of each coordinate; by default from 0 to 1.

        Returns
        -------
        Tensor, shape ``(n, D)``
            States in float64.
        """
        return box(n, [(0.0, 1.0)] * self.dim if bounds is None else bounds, seed)
