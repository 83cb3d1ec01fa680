"""The tracked motion of pendulums in a film."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from scipy.signal import lombscargle

from physlearn.plotting.marks import COLORS
from systems import InputError
from systems.film import Tracking

HARMONICS = 6.0  # highest frequency of the spectrum, in units of that of the fastest pendulum
OVERSAMPLING = 8


def tracking_plot(tracking: Tracking, *, axes: Sequence[Axes] | None = None) -> tuple[Axes, ...]:
    """Draw what was tracked in a film of pendulums: angles against time, phase portraits, spectra, and residuals.

    The residuals are the measured angles minus the smoothed ones. Each pendulum has one colour.

    Parameters
    ----------
    tracking : Tracking
        The tracked pendulums.
    axes : sequence of Axes, optional
        Four axes in that order; by default, those of a new figure.

    Returns
    -------
    tuple of Axes
        The four axes.
    """
    if axes is None:
        axes = tuple(plt.subplots(2, 2, figsize=(10, 6.4), layout="constrained")[1].T.flatten())
    if len(axes) != 4:
        raise InputError(f"a tracked film is drawn on four axes, not {len(axes)}")
    angle, portrait, spectrum, residual = axes
    for report, color in zip(tracking.report, COLORS * len(tracking.report), strict=False):
        label = f"pendulum {report.pendulum}: T = {report.period:.4f} s"
        rows = tracking.table[tracking.table["pendulum"] == report.pendulum]
        t, theta = rows["t"].to_numpy(), np.degrees(rows["theta"].to_numpy())
        angle.plot(t, theta, color=color, linewidth=0.8, label=label)
        portrait.plot(theta, np.degrees(rows["omega"].to_numpy()), color=color, linewidth=0.6)
        _spectrum(spectrum, t, theta, report.period, color)
        for orbit in tracking.orbits:
            if orbit.provenance.get("pendulum") == report.pendulum:
                smooth_t, smooth = orbit.t.numpy(), np.degrees(orbit.z[:, 0].numpy())
                measured = np.interp(smooth_t, t[np.isfinite(theta)], theta[np.isfinite(theta)])
                residual.plot(smooth_t, measured - smooth, ".", color=color, markersize=2)
    angle.set(xlabel="$t$ [s]", ylabel=r"$\theta$ [deg]")
    angle.legend(loc="lower left", bbox_to_anchor=(0, 1), fontsize="small", frameon=False)
    portrait.set(xlabel=r"$\theta$ [deg]", ylabel=r"$\omega$ [deg/s]")
    spectrum.set(xlabel="frequency [1/s]", ylabel="amplitude [deg]", yscale="log")
    residual.set(xlabel="$t$ [s]", ylabel="measured minus smoothed angle [deg]")
    return angle, portrait, spectrum, residual


def _spectrum(ax: Axes, t: Float[np.ndarray, " T"], theta: Float[np.ndarray, " T"], period: float, color: str) -> None:
    """Draw the amplitude at each frequency. The samples need not be equally spaced."""
    seen = np.isfinite(theta)
    span = OVERSAMPLING * float(np.ptp(t[seen])) if seen.any() else 0.0
    if not (period > 0 and HARMONICS * span / period >= 1):
        return  # a file may state any period
    t, theta = t[seen], theta[seen] - theta[seen].mean()
    frequency = np.arange(1, int(HARMONICS * span / period) + 1) / span
    amplitude = np.abs(lombscargle(t, theta, 2 * np.pi * frequency, normalize="amplitude"))
    ax.plot(frequency, amplitude, color=color, linewidth=0.8)
