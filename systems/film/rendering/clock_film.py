"""The settings of a film of pendulum clocks."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from systems.errors import InputError
from systems.film.rendering.shapes import RGB

COLOURS: dict[str, RGB] = {  # bright and pure, so that they survive yuv420, which halves the resolution of colours
    "red": (214, 24, 32),
    "blue": (20, 84, 214),
    "green": (12, 148, 62),
    "magenta": (204, 28, 172),
    "yellow": (250, 214, 16),
    "cyan": (0, 178, 208),
}


@dataclass(frozen=True)
class Film:
    """Settings of a film of pendulum clocks.

    Lengths are in pixels; those that are None are proportional to the height of the frame.

    Parameters
    ----------
    size : default (1280, 720)
        Width and height of the frames, both even and at least 32.
    fps : default 30
        Frame rate [1/s], from 1 to 1000.
    pivot : optional
        x and y of the pivot from the upper left, by default in the middle of the frame; with several clocks, the middle of
        their pivots.
    rod : optional
        Length from the pivot to the middle of the bob.
    bob, marker : optional
        Radii of the bob and of the markers.
    markers : optional
        Colours of the upper and of the lower marker of each clock, by name or as (red, green, blue).
    case, hands : default True
        Whether to draw the case, and the hands of the dial.

    Raises
    ------
    InputError
        If a setting is out of range or a colour is unknown.
    """

    size: tuple[int, int] = (1280, 720)
    fps: float = 30.0
    pivot: tuple[float, float] | None = None
    rod: float | None = None
    bob: float | None = None
    marker: float | None = None
    markers: tuple[tuple[str | RGB, str | RGB], ...] = (("red", "blue"), ("green", "magenta"), ("yellow", "cyan"))
    case: bool = True
    hands: bool = True

    def __post_init__(self) -> None:
        if len(self.size) != 2 or not all(isinstance(n, int) and n >= 32 and n % 2 == 0 for n in self.size):
            raise InputError(f"size of a film must be an even width and height of at least 32 pixels, not {self.size}")
        if not (isfinite(self.fps) and 1 <= self.fps <= 1000):
            raise InputError(f"fps of a film must be from 1 to 1000, not {self.fps}")
        for name in ("rod", "bob", "marker"):
            value = getattr(self, name)
            if value is not None and not (isfinite(value) and value > 0):
                raise InputError(f"{name} of a film must be a positive number of pixels, not {value}")
        _ = self.colours

    @property
    def colours(self) -> tuple[tuple[RGB, RGB], ...]:
        """``markers`` as (red, green, blue)."""
        return tuple((colour_of(upper), colour_of(lower)) for upper, lower in self.markers)


def colour_of(colour: str | RGB) -> RGB:
    """Return a colour by its name, or (red, green, blue) as it is. Raises InputError for any other colour."""
    if isinstance(colour, str):
        if colour not in COLOURS:
            raise InputError(f"no colour {colour!r}; there are {', '.join(COLOURS)}, and any (red, green, blue) of 0 to 255")
        return COLOURS[colour]
    if len(colour) != 3 or not all(0 <= part <= 255 for part in colour):
        raise InputError(f"a colour must be a name or three numbers (red, green, blue) of 0 to 255, not {colour}")
    return colour
