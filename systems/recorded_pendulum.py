"""Reading of a recorded pendulum from a table of trials, times, angles and velocities separated by blanks."""

from __future__ import annotations

import os
from math import pi
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from systems.errors import InputError
from systems.orbit import Orbit
from systems.recording.csv_columns import read_columns
from systems.recording.derivatives import check_filter, half_period_window, savitzky_golay, stretches
from systems.recording.unwrapping import unwrapped

COLUMNS = ("trial", "t", "theta", "omega")
GAP = 1.5  # median steps


def read_recorded_pendulum(
    path: str | os.PathLike[str], rates: Literal["differences", "derived"] = "differences", order: int = 5
) -> Orbit:
    """Read the recorded pendulum (theta [rad], omega [rad/s]) as one orbit, whose times have gaps.

    The angle of a pendulum that turns over is first unwrapped, as in ``Orbit.from_csv``, and theta has the period 2 pi.

    Parameters
    ----------
    path : path-like
        Table of the columns trial, t [s], theta and omega, below a header that begins with ``%``.
    rates : {"differences", "derived"}, default "differences"
        ``"differences"`` takes the difference quotients between consecutive rows, also across gaps, as Greydanus et al. do.
        They belong to times half a step later than their states. ``"derived"`` fits polynomials to both columns around each
        row of an interval without a gap, which causes no lag; see `systems.recording.savitzky_golay`. Intervals shorter than
        the window of the filter are then left out, as is half a window at both ends of the others. The provenance records how
        many rows are used.
    order : int, default 5
        Order of the polynomials.

    Returns
    -------
    Orbit, shape ``(T,)``
        States (theta, omega) with their rates.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    InputError
        If the file is of another kind or contains several trials, if times do not increase, or if the turns of the angle
        cannot be counted.

    References
    ----------
    The data are from Schmidt and Lipson, Science 324, 81 (2009), supplement.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"the file {path} does not exist")
    if rates not in ("differences", "derived"):
        raise InputError(f"rates must be 'differences' or 'derived', not {rates!r}")
    try:
        table = np.stack(list(read_columns(path, COLUMNS).values()), axis=-1)
    except InputError as error:
        raise InputError(f"{path} is not a table of numbers with the columns {', '.join(COLUMNS)}: {error}") from error
    if len(table) < 2 or not np.isfinite(table).all():
        raise InputError(f"{path} must have the columns {', '.join(COLUMNS)}, at least two rows and no missing numbers")
    trial, t, z = table[:, 0], table[:, 1], table[:, 2:]
    if (trial != trial[0]).any() or not (np.diff(t) > 0).all():
        raise InputError(f"{path} must contain a single trial, with times that strictly increase")
    parts = stretches(t, GAP)
    theta, joined, unclear = unwrapped(t, z[:, 0], 2 * pi, parts)
    turns = bool((theta != z[:, 0]).any())
    z[:, 0] = theta
    if unclear is not None or (turns and rates == "differences" and not all(joined)):
        row = parts[joined.index(False)].stop - 1 if unclear is None else unclear
        raise InputError(
            f"{path}: theta may have turned by more than half a turn from t = {t[row]:.12g} to {t[row + 1]:.12g}, so its "
            "turns cannot be counted; record faster"
        )
    provenance: dict[str, Any] = {"file": Path(path).name, "rates": dict.fromkeys(COLUMNS[2:], rates)}
    if rates == "differences":
        return _orbit(t[:-1], z[:-1], np.diff(z, axis=0) / np.diff(t)[:, None], provenance)
    longest = max(parts, key=lambda part: part.stop - part.start)
    window = half_period_window(z[longest, 0], order)
    check_filter(window, order)
    kept = []
    for part in (part for part in parts if part.stop - part.start >= window):
        whole = slice(window // 2, part.stop - part.start - window // 2)
        slopes = [savitzky_golay(t[part], z[part, i], 1, window, order)[whole] for i in range(2)]
        kept.append((t[part][whole], z[part][whole], np.stack(slopes, axis=-1)))
    if not kept:
        raise InputError(f"{path}: every interval between gaps is shorter than the filter's window of {window} rows")
    at, states, rate = (np.concatenate(columns) for columns in zip(*kept, strict=True))
    provenance["filter"] = {"name": "savitzky-golay", "window": window, "order": order}
    provenance["rows"] = {"file": len(t), "used": len(at)}
    return _orbit(at, states, rate, provenance)


def _orbit(t: np.ndarray, z: np.ndarray, rate: np.ndarray, provenance: dict[str, Any]) -> Orbit:
    return Orbit(
        t=torch.from_numpy(t.copy()),
        z=torch.from_numpy(z.copy()),
        rate=torch.from_numpy(rate.copy()),
        coordinates=COLUMNS[2:],
        provenance=provenance,
        periods={"theta": 2 * pi},
    )
