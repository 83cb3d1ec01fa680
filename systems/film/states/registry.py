"""Registry of systems that films show: how the places of their markers become states."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from systems.errors import InputError
from systems.film.points.positions import Positions
from systems.film.states.states import States
from systems.generic_registry import Registry


@dataclass(frozen=True)
class Filmed:
    """How markers become states: the function, and the numbers of markers that it takes, with what they are on."""

    read: Callable[..., States]
    markers: dict[int, str]


_FILES = ("pendulum", "double_pendulum", "spring", "elastic_pendulum", "foucault", "cart", "metronome", "free_fall")
FILMED: Registry[Filmed] = Registry(
    "filmed system",
    "physlearn.filmed",
    source=lambda filmed: filmed.read,
    modules=[f"systems.film.states.{name}" for name in _FILES],
)


def register(name: str, *markers: Sequence[str]) -> Callable[[Callable[..., States]], Callable[..., States]]:
    """Return a decorator that makes a function available as ``to_states(positions, name)``.

    Parameters
    ----------
    name
        Name of the system.
    *markers
        What each marker is on, in order, such as ``("pivot", "bob")``; several lists for several ways to mark it.

    Returns
    -------
    callable
        Decorator for a function that takes `~systems.film.Positions` and options by name, and returns `States`.
    """

    def decorate(read: Callable[..., States]) -> Callable[..., States]:
        FILMED.register(name)(Filmed(read, {len(each): ", ".join(each) for each in markers}))
        return read

    return decorate


def names() -> list[str]:
    """Return the names of all systems whose states can be read from markers.

    Returns
    -------
    list of str
        Names in alphabetical order.
    """
    return sorted(FILMED.names())


def to_states(positions: Positions, system: str, **options: Any) -> States:
    """Return the states of a system from the places of its markers, with their errors.

    Parameters
    ----------
    positions : Positions
        Places of the markers, in the order that the system needs: ``pendulum`` (pivot, bob, or the bob alone),
        ``double-pendulum`` (pivot, first bob, second bob), ``spring`` (mass, or its upper end and the mass),
        ``elastic-pendulum`` (pivot, bob), ``foucault`` from above (bob), ``cart``, ``metronome`` (pivot, weight, or the weight
        alone), and ``free-fall``.
    system : str
        Name of the system.
    **options
        Options of the system: ``momenta=False`` for the angular velocities of a double pendulum, ``length`` of an elastic
        pendulum at rest, ``mass`` of the mass on a spring.

    Returns
    -------
    States
        States in the coordinates of the system that `systems.get` returns under that name, where there is one.

    Raises
    ------
    UnknownNameError
        If the system is unknown.
    InputError
        If the number of markers, an option or the motion does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from systems.film import Positions
    >>> t = np.arange(90) / 30
    >>> x, y = np.stack([0 * t, np.sin(0.3 * np.cos(3 * t))]), np.stack([0 * t, np.cos(0.3 * np.cos(3 * t))])
    >>> marks = Positions(t, x, y, np.full_like(x, 1e-3), np.ones_like(x), np.arange(90))
    >>> states = to_states(marks, "pendulum")
    >>> states.orbit.coordinates, bool(abs(states.orbit.z[0, 0] - 0.3) < 1e-6)
    (('theta', 'p'), True)
    """
    filmed = FILMED.get(system)
    if len(positions) not in filmed.markers:
        ways = " or ".join(f"{count} ({on})" for count, on in filmed.markers.items())
        raise InputError(f"the states of {system} need markers {ways}, in this order, not {len(positions)}")
    known = list(inspect.signature(filmed.read).parameters)[1:]
    if unknown := [name for name in options if name not in known]:
        raise InputError(f"{system} has no option {unknown[0]}; its options are {', '.join(known) or 'none'}")
    return filmed.read(positions, **options)
