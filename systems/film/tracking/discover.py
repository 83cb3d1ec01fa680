"""Find what swings in a film, and from where it hangs."""

from __future__ import annotations

from collections.abc import Sequence

from systems.errors import InputError
from systems.film.tracking.candidates import find_candidates
from systems.film.tracking.pairing import Found, pair
from systems.film.tracking.sample import Sample


def discover(sample: Sample, named: Sequence[str] | None = None) -> list[Found]:
    """Find the pendulums in the start of a film.

    Parameters
    ----------
    sample
        The start of the film.
    named : optional
        Names of the markers' colours, by default any.

    Returns
    -------
    list of Found
        Pendulums, the likeliest first.

    Raises
    ------
    InputError
        If nothing swings.
    """
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
