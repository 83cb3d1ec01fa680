"""A pendulum that was measured: trials, times, angles and velocities in a table without commas."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from systems.errors import InputError
from systems.orbit import Orbit
from systems.recording import check_filter, half_period_window, savitzky_golay, stretches

COLUMNS = ("trial", "t", "theta", "omega")
GAP = 1.5  # median steps


def read_recorded_pendulum(
    path: str | os.PathLike[str], rates: Literal["differences", "derived"] = "differences", order: int = 5
) -> Orbit:
    """The recorded pendulum (theta [rad], omega [rad/s]) as one orbit whose times have gaps.

    The file has a heading that begins with ``%`` and the columns trial, t [s], theta, omega; the states are its last two.
    rates: ``"differences"`` takes those between a row and the next, across gaps too, as Greydanus et al. do: they belong half
    a step later than the state beside them. ``"derived"`` fits polynomials of that order around each row of a stretch without
    a gap to both columns, without lag (`systems.recording.savitzky_golay`); stretches shorter than the filter's window, and
    half of it at both ends of the others, are left out.

    Raises FileNotFoundError, or InputError for a file of another kind, several trials, or times that do not increase.
    Source of the data: Schmidt and Lipson, Science 324, 81 (2009), supplement.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no file {path}")
    if rates not in ("differences", "derived"):
        raise InputError(f"rates must be 'differences' or 'derived', not {rates!r}")
    try:
        table = np.loadtxt(path, comments="%", ndmin=2)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a table of numbers: {error}") from error
    if table.shape[1] != len(COLUMNS) or len(table) < 2 or not np.isfinite(table).all():
        raise InputError(f"{path} must have the columns {', '.join(COLUMNS)}, at least two rows and only finite numbers")
    trial, t, z = table[:, 0], table[:, 1], table[:, 2:]
    if (trial != trial[0]).any() or not (np.diff(t) > 0).all():
        raise InputError(f"{path} must hold a single trial, with times that strictly increase")
    provenance: dict[str, Any] = {"file": Path(path).name, "rates": dict.fromkeys(COLUMNS[2:], rates)}
    if rates == "differences":
        return _orbit(t[:-1], z[:-1], np.diff(z, axis=0) / np.diff(t)[:, None], provenance)
    parts = stretches(t, GAP)
    longest = max(parts, key=lambda part: part.stop - part.start)
    window = half_period_window(z[longest, 0], order)
    check_filter(window, order)
    kept = []
    for part in (part for part in parts if part.stop - part.start >= window):
        whole = slice(window // 2, part.stop - part.start - window // 2)
        slopes = [savitzky_golay(t[part], z[part, i], 1, window, order)[whole] for i in range(2)]
        kept.append((t[part][whole], z[part][whole], np.stack(slopes, axis=-1)))
    if not kept:
        raise InputError(f"{path}: no stretch is as long as the filter's window of {window} rows")
    filtered = {"filter": {"name": "savitzky-golay", "window": window, "order": order}}
    t, z, rate = (np.concatenate(columns) for columns in zip(*kept, strict=True))
    return _orbit(t, z, rate, provenance | filtered)


def _orbit(t: np.ndarray, z: np.ndarray, rate: np.ndarray, provenance: dict[str, Any]) -> Orbit:
    return Orbit(
        t=torch.from_numpy(t.copy()),
        z=torch.from_numpy(z.copy()),
        rate=torch.from_numpy(rate.copy()),
        coordinates=COLUMNS[2:],
        provenance=provenance,
    )
