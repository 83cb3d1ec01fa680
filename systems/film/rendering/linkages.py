"""What systems look like: joints, and what connects them, as functions of the state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from systems.errors import UnknownNameError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Linkage:
    """Joints of a system, each of which carries a marker.

    Parameters
    ----------
    coordinates : tuple of str
        Coordinates of the state from which the joints follow.
    joints : callable
        Function of these coordinates, ``(T,)`` each, and of a length, that returns places ``(J, T, 2)`` with y upwards.
    rods, springs : tuple of (int, int)
        Pairs of joints that a rod or a spring connects.
    fixed : int
        Number of joints, the first ones, that do not move.
    wheels : bool
        Whether the first joint is on a cart, which runs on a level track.
    """

    coordinates: tuple[str, ...]
    joints: Callable[..., Floats]
    rods: tuple[tuple[int, int], ...] = ()
    springs: tuple[tuple[int, int], ...] = ()
    fixed: int = 1
    wheels: bool = False


def linkage(system: str) -> Linkage:
    """Return what a system looks like. Raises UnknownNameError, a KeyError that lists the names."""
    if system not in LINKAGES:
        raise UnknownNameError.of("no picture of a system", system, LINKAGES)
    return LINKAGES[system]


def _below(angle: Floats, length: float) -> Floats:
    return length * np.stack([np.sin(angle), -np.cos(angle)], axis=-1)


def _pendulum(theta: Floats, length: float) -> Floats:
    return np.stack([np.zeros((len(theta), 2)), _below(theta, length)])


def _double_pendulum(first: Floats, second: Floats, length: float) -> Floats:
    middle = _below(first, length)
    return np.stack([np.zeros_like(middle), middle, middle + _below(second, length)])


def _spring(q: Floats, length: float) -> Floats:
    return np.stack([np.zeros((len(q), 2)), np.stack([np.zeros_like(q), q - length], axis=-1)])


def _elastic_pendulum(x: Floats, y: Floats, length: float) -> Floats:
    return np.stack([np.zeros((len(x), 2)), length * np.stack([x, y], axis=-1)])


def _metronome(theta: Floats, length: float) -> Floats:
    return np.stack([np.zeros((len(theta), 2)), length * np.stack([np.sin(theta), np.cos(theta)], axis=-1)])


def _cart(x: Floats, length: float) -> Floats:
    return np.stack([x, np.zeros_like(x)], axis=-1)[None]


def _from_above(x: Floats, y: Floats, length: float) -> Floats:
    return np.stack([x, y], axis=-1)[None]


LINKAGES = {
    "pendulum": Linkage(("theta",), _pendulum, rods=((0, 1),)),
    "double-pendulum": Linkage(("theta_1", "theta_2"), _double_pendulum, rods=((0, 1), (1, 2))),
    "spring": Linkage(("q",), _spring, springs=((0, 1),)),
    "elastic-pendulum": Linkage(("x", "y"), _elastic_pendulum, springs=((0, 1),)),
    "metronome": Linkage(("theta",), _metronome, rods=((0, 1),)),
    "cart": Linkage(("x",), _cart, fixed=0, wheels=True),
    "foucault": Linkage(("x", "y"), _from_above, fixed=0),
}
