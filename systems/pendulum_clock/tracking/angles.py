"""From the places of markers, frame by frame, to angles, rates and a report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas
import torch
from numpy.typing import NDArray

from systems.errors import InputError
from systems.orbit import Orbit
from systems.pendulum_clock.tracking import rates
from systems.pendulum_clock.tracking.geometry import Arc, Points, direction, fit_arc, without_jumps
from systems.pendulum_clock.tracking.markers import Floats, Mask
from systems.pendulum_clock.tracking.noise import noise_of
from systems.pendulum_clock.tracking.result import Report
from systems.recording.derivatives import LARGEST_JITTER

FEWEST = 16  # angles: two for each number that an oscillation takes
HIDDEN = 0.25  # of the usual mass: what differs more is partly hidden, or mixed with something else, and off centre
OUTLIER = 7.0  # noises from the neighbours' angles: 1 in 1e11 by chance
FINEST = 0.05  # pixels: no centre is taken to be better known, when outliers are told
REPEATED = 0.35  # of the usual change of the picture: below it a frame may be the one before again
SHORTEST = 8  # samples of an orbit
BRIDGED = 0.25  # of a window: a longer gap ends a stretch
WORST = 2.0  # usual errors of the acceleration: what is known worse, at ends and beside gaps, is no part of an orbit


@dataclass(frozen=True)
class Ends:
    """One pendulum's markers through a film: places in the film's pixels, camera's motion removed; NaN where not seen.

    change: how much the picture around the moving end differs from the frame before, in grey levels; NaN where not known.
    steady: whether the camera's roll is known to be removed, so that a drift of the middle is the pendulum's own.
    scale_error: relative, of the angles, where the places are not as the film shows them but seen from the front.
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
    """What came out for one pendulum; ``right`` is how far to the viewer's right it hangs, gravity taken as down."""

    table: pandas.DataFrame
    orbits: list[Orbit]
    report: Report
    right: float


def angles(ends: Ends, name: str) -> Angles:
    """The angles of one pendulum about the middle of its swing, positive to the right of a viewer for whom gravity is down.

    Raises InputError where too little is seen to tell an oscillation.
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
        raise InputError(f"{name} is seen in {(quality > 0).sum()} frames only; {FEWEST} are needed to tell its swing")
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
    whole = rates.oscillation(times, phi[good])
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
    down = np.nanmean(np.where(good, np.exp(-1j * centre), np.nan))  # x + i y, y down: the direction of rest
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


def _orbits(t: Floats, x: Floats, window: int, noise: float, whole: rates.Oscillation) -> list[Orbit]:
    """One orbit for each stretch without a long gap, where the filter is about as good as usual, at equal steps.

    A gap of a few frames is bridged: the polynomials see enough on both sides.
    """
    steps = np.diff(t)
    step = float(np.median(steps))
    # a film of variable frame rate has no usual step: there a gap is what is longer than all but the longest steps
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
    """1 for a marker as large as usual, down to 0 for one that is partly hidden; 0 where not seen."""
    off = np.abs(np.log(mass / _usual(mass)))
    limit = max(HIDDEN, 6 * noise_of(off))
    return np.where(off < limit, 1 - 0.9 * off / limit, 0)


def _rigidity(length: Floats) -> Floats:
    """1 for ends as far apart as usual, down to 0 where one is not the end of the rod, or not seen."""
    off = np.abs(length - _usual(length))
    limit = max(8 * noise_of(off), 1e-2 * _usual(length))
    return np.where(off < limit, 1 - 0.5 * off / limit, 0)


def _usual(x: Floats) -> float:
    """The median of what was seen; NaN where nothing was."""
    return float(np.nanmedian(x)) if np.isfinite(x).any() else float("nan")


def _duplicates(t: Floats, phi: Floats, change: Floats | None) -> Mask:
    """Frames that show the one before again: the picture hardly changes, nor the angle, where it should.

    At the turning points nothing can be told, and no harm is done.
    """
    repeated = np.zeros(len(t), bool)
    seen = np.isfinite(phi)
    if change is None or seen.sum() < FEWEST:
        return repeated
    usual = float(np.nanmedian(change))
    whole = rates.oscillation(t[seen], phi[seen])
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
    """Angles far from what their neighbours tell, such as that of a marker partly hidden by a thing of its own colour."""
    seen = np.flatnonzero(np.isfinite(phi))
    if len(seen) < FEWEST:
        return seen[:0]
    whole = rates.oscillation(t[seen], phi[seen])
    rest = phi[seen] - rates.harmonic_rates(t[seen], phi[seen], whole.period)[0]
    off = np.abs(rest - np.nanmedian(rest))
    noise = max(noise_of(off), finest)
    return seen[np.nan_to_num(off) > OUTLIER * noise]


def _difference(a: Floats, b: Floats, where: Mask) -> float:
    if not where.any():
        return float("nan")
    return float(np.sqrt(np.mean((a[where] - b[where]) ** 2) / np.mean(b[where] ** 2)))


def _lag(value: Floats, check: Floats, slope: Floats, where: Mask) -> float:
    """By how much a signal lags behind another of the slope given: the shift that makes them agree best."""
    if not where.any():
        return float("nan")
    return float(-np.sum((value - check)[where] * slope[where]) / np.sum(slope[where] ** 2))
