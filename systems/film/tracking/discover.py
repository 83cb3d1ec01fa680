"""Find what swings in a film, and from where it hangs."""

from __future__ import annotations

from collections.abc import Sequence

from systems.errors import InputError
from systems.film.tracking.candidates import candidate_at, find_candidates
from systems.film.tracking.pairing import Found, pair
from systems.film.tracking.sample import Sample


def discover(
    sample: Sample, named: Sequence[str] | None = None, pixels: Sequence[tuple[float, float]] | None = None
) -> list[Found]:
    """Find the pendulums in the start of a film.

    Parameters
    ----------
    sample
        The start of the film.
    named : optional
        Names of the markers' colours, by default any.
    pixels : optional
        Points (x, y) on the markers in the first frame [pixels of the film].

    Returns
    -------
    list of Found
        Pendulums, the likeliest first.

    Raises
    ------
    InputError
        If nothing swings, or a pixel shows no marker.
    """
    if pixels is not None:
        pendulums = pair(sample, [candidate_at(sample, point) for point in pixels], strict=False)
        if not pendulums:
            raise InputError("none of the given markers swings; give the moving end of each pendulum, in the first frame")
        return pendulums
    seen = find_candidates(sample, coloured=True, named=named)
    pendulums = pair(sample, seen)
    if not pendulums and named is None:
        seen += find_candidates(sample, coloured=False)
        pendulums = pair(sample, seen)
    if not pendulums:
        what = f"marker that is {' or '.join(named)}" if named else "marker"
        raise InputError(
            f"no {what} swings in the film's first {sample.t[-1] - sample.t[0]:.1f} s, which must show at least 1.5 periods; "
            "name the markers' colours, or give their pixels in the first frame"
        )
    return pendulums
