"""The sizes and the time scale of orbits, from a compiled field and its derivatives."""

from __future__ import annotations

import numpy as np

from systems.compiled.field import ParametrizedField


def scales(field: ParametrizedField, clock: float, z: np.ndarray, rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the natural sizes of the coordinates, shape ``(n, D)``, and the fastest rates, shape ``(n,)``.

    Parameters
    ----------
    field : ParametrizedField
        The field.
    clock : float
        The time.
    z, rate : ndarray, shape ``(n, D)``
        States, and the field there.
    """
    from systems.compiled.natural_size import natural_sizes  # compiled when it is first needed

    matrix = np.nan_to_num(field.jacobian(clock, z), posinf=0.0, neginf=0.0)
    fastest = np.abs(np.linalg.eigvals(matrix)).max(axis=1)
    size = np.empty_like(z)
    natural_sizes(z, rate, matrix, fastest, size)
    return size, fastest
