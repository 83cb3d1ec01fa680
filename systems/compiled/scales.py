"""The sizes and the time scale of orbits, from a compiled field and its derivatives."""

from __future__ import annotations

import numpy as np

from systems.compiled.field import ParametrizedField


def scales(
    field: ParametrizedField, clock: float, z: np.ndarray, rate: np.ndarray, *, roughly: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return the natural sizes of the coordinates, shape ``(n, D)``, and the fastest rates, shape ``(n,)``.

    Parameters
    ----------
    field : ParametrizedField
        The field.
    clock : float
        The time.
    z, rate : ndarray, shape ``(n, D)``
        States, and the field there.
    roughly : bool, default False
        Whether estimates within some percent are enough.
    """
    from systems.compiled.natural_size import natural_sizes, spectral_radii  # compiled when they are first needed

    matrix = np.nan_to_num(field.jacobian(clock, z), posinf=0.0, neginf=0.0)
    if roughly:
        spectral_radii(matrix, fastest := np.empty(len(z)))
    else:
        fastest = np.abs(np.linalg.eigvals(matrix)).max(axis=1)
    natural_sizes(z, rate, matrix, fastest, size := np.empty_like(z))
    return size, fastest
