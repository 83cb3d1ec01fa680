"""Coordinates by name or index, and how they are written."""

from systems import InputError, Orbit

GREEK = ("alpha", "omega", "theta", "phi", "rho")


def index_of(orbit: Orbit, coordinate: int | str) -> int:
    """The index of a coordinate given by name or index. Raises InputError, listing the names, for any other."""
    if isinstance(coordinate, str) and coordinate in orbit.coordinates:
        return orbit.coordinates.index(coordinate)
    if isinstance(coordinate, int) and -orbit.dim <= coordinate < orbit.dim:
        return coordinate % orbit.dim
    raise InputError(f"no coordinate {coordinate!r}; there are {', '.join(orbit.coordinates)}")


def symbol(name: str) -> str:
    r"""A coordinate's name as mathematics: ``p_x`` with its index below, Greek letters as such.

    >>> symbol("p_x"), symbol("theta")
    ('$p_{x}$', '$\\theta$')
    """
    base, _, index = name.partition("_")
    base = f"\\{base}" if base in GREEK else base
    return f"${base}_{{{index}}}$" if index else f"${base}$"
