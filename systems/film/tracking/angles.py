"""From the places of markers, frame by frame, to angles, rates and a report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas
import torch
from numpy.typing import NDArray

from systems.errors import InputError
from systems.film.tracking import rates
from systems.film.tracking.arrays import Floats, Mask, Points
from systems.film.tracking.geometry import Arc, direction, fit_arc, without_jumps
from systems.film.tracking.noise import noise_of
from systems.film.tracking.oscillation import Oscillation, oscillation
from systems.film.tracking.report import Report
from systems.orbit import Orbit
from systems.recording.derivatives import LARGEST_JITTER

FEWEST = 16  # angles that are needed, two per parameter of an oscillation
HIDDEN = 0.25  # relative deviation from the usual mass, beyond which a marker is partly hidden or merged with something
OUTLIER = 7.0  # standard deviations from the neighbouring angles: a chance of 1 in 1e11
FINEST = 0.05  # pixels: the smallest error of a centre that the search for outliers assumes
REPEATED = 0.35  # of the usual change of the picture: below it a frame may repeat the previous one
SHORTEST = 8  # samples that an orbit needs
BRIDGED = 0.25  # of a window: a longer gap ends a stretch
WORST = 2.0  # of the usual error of the acceleration: larger errors, at ends and beside gaps, are left out of orbits


@dataclass(frozen=True)
class Ends:
    """Markers of one pendulum throughout a film, with the camera's motion removed.

    Attributes
    ----------
    t : shape ``(T,)``
        Times [s].
    lower, upper : shape ``(T,)``
        Places of the moving and of the other end as ``x + i y`` [pixels of the film]; NaN where not seen. ``upper`` is None if
        only one end is visible.
    lower_mass, upper_mass : shape ``(T,)``, optional
        How much of each marker is seen [pixels].
    change : shape ``(T,)``, optional
        Mean difference of the picture around the moving end from the previous frame [grey levels]; NaN where unknown.
    steady : default False
        Whether the camera's roll is known to be removed, so that a drift of the middle is the pendulum's own.
    scale_error : default 0
        Relative error of the angles of places that were transformed to a view from the front.
    """

    t: Floats
    lower: Points
    upper: Points | None = None
    lower_mass: Floats | None = None
    upper_mass: Floats | None = None
    change: Floats | None = None
    steady: bool = False
    scale_error: float = 0.0


@dataclass(frozen=True)
class Angles:
    """Results for one pendulum.

    Attributes
    ----------
    table
        One row per frame: t, theta, omega, alpha, their standard errors, and quality.
    orbits
        One orbit per stretch without a gap.
    report
        Period, amplitude and other results.
    right : float
        How far to the viewer's right the pendulum hangs, with gravity taken as down [pixels].
    """

    table: pandas.DataFrame
    orbits: list[Orbit]
    report: Report
    right: float


def angles(ends: Ends, name: str) -> Angles:
    """Compute the angles of one pendulum about the middle of its swing.

    Parameters
    ----------
    ends
        Its markers.
    name
        Name of the pendulum in error messages, such as "the pendulum".

    Returns
    -------
    Angles
        Angles, positive to the right of a viewer for whom gravity points down, with rates and report.

    Raises
    ------
    InputError
        If too little is seen to determine an oscillation, or the arc of a single end is too flat.
    """
    t = ends.t
    seen = np.isfinite(ends.lower) & (np.isfinite(ends.upper) if ends.upper is not None else True)
    quality = np.where(seen, 1.0, 0.0)
    for mass in (ends.lower_mass, ends.upper_mass):
        if mass is not None:
            quality *= _wholeness(np.where(seen, mass, np.nan))
    if ends.upper is not None:
        quality *= _rigidity(np.where(quality > 0, np.abs(ends.lower - ends.upper), np.nan))
    if (quality > 0).sum() < FEWEST:
        raise InputError(f"{name} is seen in {(quality > 0).sum()} frames only; {FEWEST} are needed to determine its swing")
    arc = None
    lower = np.where(quality > 0, ends.lower, np.nan)
    if ends.upper is not None:
        phi = direction(np.where(quality > 0, ends.upper, np.nan), lower)
        length = np.abs(lower - ends.upper)
    else:
        arc = fit_arc(lower)
        phi = direction(np.full_like(lower, arc.centre), lower)
        length = np.abs(lower - arc.centre)
        far = np.abs(length - arc.radius)
        quality[far > OUTLIER * max(noise_of(far), 0.1)] = 0
    phi = without_jumps(np.where(quality > 0, phi, np.nan))
    duplicates = _duplicates(t, phi, ends.change)
    quality[duplicates] = 0
    for _ in range(2):
        quality[_outliers(t, np.where(quality > 0, phi, np.nan), FINEST / float(np.nanmedian(length)))] = 0
    phi = np.where(quality > 0, phi, np.nan)
    return _report(ends, phi, quality, length, arc, int(duplicates.sum()))


def _report(ends: Ends, phi: Floats, quality: Floats, length: Floats, arc: Arc | None, duplicates: int) -> Angles:
    t = ends.t
    good = np.isfinite(phi)
    times = t[good]
    whole = oscillation(times, phi[good])
    drifts = not ends.steady and abs(whole.drift) > 5 * whole.drift_error and np.ptp(times) > 4 * whole.period
    centre = whole.centre + (whole.drift * (t - whole.middle) if drifts else 0.0)
    theta = phi - centre
    x = theta[good]
    noise = rates.jitter(times, x, whole.period)
    mean_amplitude = float(np.sqrt(2 * np.mean((x - x.mean()) ** 2)))
    window = rates.half_period(times, whole.period)
    smooth = rates.smoothed(times, x, times, window, noise, whole)
    relative = arc.radius_error / arc.radius if arc is not None else ends.scale_error
    scale_error = relative * np.abs(smooth.value)
    check = rates.harmonic_rates(times, x, whole.period)
    columns = {name: np.full(len(t), np.nan) for name in ("omega", "alpha", "theta_error", "omega_error", "alpha_error")}
    columns["omega"][good], columns["alpha"][good] = smooth.value[1:]
    columns["theta_error"][good] = np.hypot(noise, relative * np.abs(x))
    columns["omega_error"][good], columns["alpha_error"][good] = np.hypot(smooth.error, scale_error)[1:]
    table = pandas.DataFrame({"t": t, "theta": theta, **columns, "quality": quality})
    down = np.nanmean(np.where(good, np.exp(-1j * centre), np.nan))  # direction of rest, as x + i y with y pointing down
    right = complex(down.imag, -down.real)
    place = np.nanmean(ends.lower)
    inner = np.isfinite(check).all(axis=0) & (smooth.off_centre < rates.CENTRED)
    step = float(np.median(np.diff(t)))
    report = Report(
        pendulum=0,
        period=whole.period,
        period_error=whole.period_error,
        amplitude=whole.amplitude,
        amplitude_error=float(np.hypot(whole.amplitude_error, relative * whole.amplitude)),
        mean_amplitude=mean_amplitude,
        decay=whole.decay,
        decay_error=whole.decay_error,
        jitter=noise,
        frames=len(t),
        lost=int((~good).sum()),
        duplicates=duplicates,
        missing=int(np.maximum(np.round(np.diff(t) / step) - 1, 0).sum()),
        ends=1 if ends.upper is None else 2,
        radius=float(np.nanmedian(length)) if arc is None else arc.radius,
        radius_error=0.0 if arc is None else arc.radius_error,
        conditioning=1.0 if arc is None else arc.conditioning,
        gravity=float(np.angle(1j * np.conj(down))),
        drift=whole.drift if drifts else 0.0,
        omega_check=_difference(smooth.value[1], check[1], inner),
        alpha_check=_difference(smooth.value[2], check[2], inner),
        lag=_lag(smooth.value[1], check[1], check[2], inner),
    )
    orbits = _orbits(times, x, window, noise, whole)
    return Angles(table, orbits, report, float((np.conj(right) * place).real))


def _orbits(t: Floats, x: Floats, window: int, noise: float, whole: Oscillation) -> list[Orbit]:
    """Return one orbit at equal steps per stretch without a long gap, where the filter's error is about as usual.

    A gap of a few frames is bridged, because the polynomials see enough on both sides.
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


def _wholeness(mass: Floats) -> Floats:
    """Return 1 for a marker as large as usual, down to 0 for one that is partly hidden or not seen."""
    off = np.abs(np.log(mass / _usual(mass)))
    limit = max(HIDDEN, 6 * noise_of(off))
    return np.where(off < limit, 1 - 0.9 * off / limit, 0)


def _rigidity(length: Floats) -> Floats:
    """Return 1 for ends as far apart as usual, down to 0 where one is not the end of the rod, or is not seen."""
    off = np.abs(length - _usual(length))
    limit = max(8 * noise_of(off), 1e-2 * _usual(length))
    return np.where(off < limit, 1 - 0.5 * off / limit, 0)


def _usual(x: Floats) -> float:
    """Return the median of what was seen, or NaN if nothing was."""
    return float(np.nanmedian(x)) if np.isfinite(x).any() else float("nan")


def _duplicates(t: Floats, phi: Floats, change: Floats | None) -> Mask:
    """Return which frames repeat the previous one: neither picture nor angle changes where the angle should.

    At the turning points this cannot be decided, and does no harm.
    """
    repeated = np.zeros(len(t), bool)
    seen = np.isfinite(phi)
    if change is None or seen.sum() < FEWEST:
        return repeated
    usual = float(np.nanmedian(change))
    whole = oscillation(t[seen], phi[seen])
    smooth = rates.harmonic_rates(t[seen], phi[seen], whole.period)[0]
    noise = max(noise_of(np.abs(phi[seen] - smooth)), 1e-9)
    where = np.flatnonzero(seen)
    for k in range(1, len(where)):
        i = where[k]
        due = abs(smooth[k] - smooth[k - 1])
        if where[k - 1] == i - 1 and change[i] < REPEATED * usual and due > max(4 * noise, 0.02 * whole.amplitude):
            repeated[i] = abs(phi[i] - phi[i - 1]) < 0.25 * due
    return repeated


def _outliers(t: Floats, phi: Floats, finest: float) -> NDArray[np.intp]:
    """Return the indices of angles far from their neighbours', as when something of a marker's colour hides part of it."""
    seen = np.flatnonzero(np.isfinite(phi))
    if len(seen) < FEWEST:
        return seen[:0]
    whole = oscillation(t[seen], phi[seen])
    rest = phi[seen] - rates.harmonic_rates(t[seen], phi[seen], whole.period)[0]
    off = np.abs(rest - np.nanmedian(rest))
    noise = max(noise_of(off), finest)
    return seen[np.nan_to_num(off) > OUTLIER * noise]


def _difference(a: Floats, b: Floats, where: Mask) -> float:
    if not where.any():
        return float("nan")
    return float(np.sqrt(np.mean((a[where] - b[where]) ** 2) / np.mean(b[where] ** 2)))


def _lag(value: Floats, check: Floats, slope: Floats, where: Mask) -> float:
    """Return how far a signal lags behind another one of the given slope: the shift for which they agree best."""
    if not where.any():
        return float("nan")
    return float(-np.sum((value - check)[where] * slope[where]) / np.sum(slope[where] ** 2))
