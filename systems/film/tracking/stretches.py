"""The stretches of a recording without a long gap, as orbits."""

from __future__ import annotations

import numpy as np
import torch

from systems.film.tracking import rates
from systems.film.tracking.arrays import Floats
from systems.film.tracking.motion import Motion
from systems.orbit import Orbit
from systems.recording.derivatives import LARGEST_JITTER

SHORTEST = 8  # samples that an orbit needs
BRIDGED = 0.25  # of a window: a longer gap ends a stretch
WORST = 2.0  # of the usual error of the acceleration: larger errors, at ends and beside gaps, are left out of orbits


def orbits_of(t: Floats, x: Floats, window: int, noise: float, whole: Motion) -> list[Orbit]:
    """Return one orbit at equal steps per stretch without a long gap, where the filter's error is about as usual.

    A gap of a few frames is bridged, because the polynomials see enough on both sides.

    Parameters
    ----------
    t, x : shape ``(T,)``
        Increasing times [s] and the angles [rad].
    window, noise, whole
        As for `systems.film.tracking.rates.smoothed`.

    Returns
    -------
    list of Orbit
        States (theta, omega) with their rates.
    """
    steps = np.diff(t)
    step = float(np.median(steps))
    # with a variable frame rate no step is usual, so a gap is a step longer than all but the longest
    varies = float(np.mean(np.abs(steps / step - np.round(steps / step)) > LARGEST_JITTER)) > 0.05
    longest = max(1.5 * (float(np.percentile(steps, 95)) if varies else step), BRIDGED * window * step)
    ends = np.flatnonzero(steps > longest) + 1
    orbits = []
    for start, stop in zip([0, *ends], [*ends, len(t)], strict=True):
        at = t[start:stop]
        even = np.linspace(at[0], at[-1], max(round((at[-1] - at[0]) / step) + 1, 2))
        if varies or len(at) != len(even) or np.abs(at - even).max() > LARGEST_JITTER * step:
            at = even
        smooth = rates.smoothed(t, x, at, window, noise, whole)
        usual = float(np.nanmedian(smooth.error[2])) if np.isfinite(smooth.error[2]).any() else np.nan
        inner = np.flatnonzero(smooth.error[2] < WORST * usual)
        for part in np.split(inner, np.flatnonzero(np.diff(inner) > 1) + 1):
            if len(part) < SHORTEST:
                continue
            theta, omega, alpha = (torch.from_numpy(row[part].copy()) for row in smooth.value)
            provenance = {"name": "oscillation and savitzky-golay", "window": window, "order": rates.ORDER}
            orbits.append(
                Orbit(
                    t=torch.from_numpy(at[part].copy()),
                    z=torch.stack([theta, omega], dim=-1),
                    rate=torch.stack([omega, alpha], dim=-1),
                    coordinates=("theta", "omega"),
                    provenance={"filter": provenance, "rates": {"omega": "derived", "alpha": "derived"}},
                    periods={"theta": 2 * np.pi},
                )
            )
    return orbits
