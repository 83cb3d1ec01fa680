"""From the places of markers, frame by frame, to angles, rates and a report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas

from systems.errors import InputError
from systems.film.tracking import rates, screening
from systems.film.tracking.arrays import Floats, Mask, Points
from systems.film.tracking.course import Course, course_of
from systems.film.tracking.geometry import Arc, direction, fit_arc, without_jumps
from systems.film.tracking.motion import FEWEST, Motion, motion_of
from systems.film.tracking.noise import alikeness, noise_of, roughness
from systems.film.tracking.oscillation import Oscillation
from systems.film.tracking.pendulum_motion import PendulumMotion, stretched
from systems.film.tracking.plausible import check_pendulum
from systems.film.tracking.report import Report
from systems.film.tracking.stretches import orbits_of
from systems.orbit import Orbit

FINEST = 0.05  # pixels: the smallest error of a centre that the search for outliers assumes
UNSURE = 1 / 3  # of a displacement by blur: its error; the exposure is estimated, and the background is not all alike


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
    place_error : default 0
        Systematic error of a place, which depends on the place and is the same whenever the marker comes back to it [pixels].
    pull : shape ``(T,)``, optional
        How far blur displaced the lower end from the upper one, which was undone as far as it is known [pixels].
    """

    t: Floats
    lower: Points
    upper: Points | None = None
    lower_mass: Floats | None = None
    upper_mass: Floats | None = None
    change: Floats | None = None
    steady: bool = False
    scale_error: float = 0.0
    place_error: float = 0.0
    pull: Points | None = None


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
    for place, mass in ((ends.lower, ends.lower_mass), (ends.upper, ends.upper_mass)):
        if place is not None and mass is not None:
            quality *= screening.wholeness(np.where(seen, mass, np.nan), screening.speed_of(place))
    if ends.upper is not None:
        quality *= screening.rigidity(np.where(quality > 0, np.abs(ends.lower - ends.upper), np.nan))
    if (quality > 0).sum() < FEWEST:
        raise InputError(f"{name} is seen in {(quality > 0).sum()} frames only; {FEWEST} are needed to determine its swing")
    arc = None
    lower = np.where(quality > 0, ends.lower, np.nan)
    if ends.upper is not None:
        phi = direction(np.where(quality > 0, ends.upper, np.nan), lower)
        length = np.abs(lower - ends.upper)
    else:
        arc = fit_arc(lower, ends.place_error)
        phi = direction(np.full_like(lower, arc.centre), lower)
        length = np.abs(lower - arc.centre)
        far = np.abs(length - arc.radius)
        quality[far > screening.OUTLIER * max(noise_of(far), 0.1)] = 0
    phi = without_jumps(np.where(quality > 0, phi, np.nan))
    course = course_of(t, phi)
    free = course.free
    repeated = free & screening.duplicates(t, np.where(free, phi, np.nan), ends.change, course.motion)
    quality[repeated] = 0
    for _ in range(2):
        swinging = np.where(free & (quality > 0), phi, np.nan)
        quality[screening.outliers(t, swinging, FINEST / float(np.nanmedian(length)), course.motion)] = 0
    phi = np.where(quality > 0, phi, np.nan)
    if (free & np.isfinite(phi)).sum() < FEWEST:
        raise InputError(f"{name} swings freely in too few frames; {FEWEST} are needed to determine its swing")
    return _report(ends, phi, quality, length, arc, int(repeated.sum()), course, name)


def _report(
    ends: Ends,
    phi: Floats,
    quality: Floats,
    length: Floats,
    arc: Arc | None,
    duplicates: int,
    course: Course,
    name: str,
) -> Angles:
    t = ends.t
    good = np.isfinite(phi) & course.free
    times = t[good]
    whole = motion_of(times, phi[good], course.motion)
    drifts = not ends.steady and abs(whole.drift) > 5 * whole.drift_error and np.ptp(times) > 4 * whole.period
    centre = whole.centre + (whole.drift * (t - whole.middle) if drifts else 0.0)
    theta = phi - centre
    x = theta[good]
    radius = float(np.nanmedian(length)) if arc is None else arc.radius
    # two places that are off by a constant change the angles of a rod like its length
    relative = arc.radius_error / radius if arc else float(np.hypot(ends.scale_error, np.sqrt(2) * ends.place_error / radius))
    if isinstance(whole, PendulumMotion):
        mean_amplitude, small_period = whole.mean_amplitude, whole.small_period
    else:
        mean_amplitude = _mean_amplitude(whole, times, x)
        small_period = _undamped(whole) / stretched(mean_amplitude)
    size = 0.0 if ends.lower_mass is None else float(np.sqrt(np.nanmedian(ends.lower_mass) / np.pi))
    check_pendulum(whole, float(np.ptp(times)), mean_amplitude, roughness(x), radius, size, name)
    beginning = course.beginning or whole
    # where the pendulum turns, its places are off alike in all swings; the amplitude is half the distance of these two angles
    turning = ends.place_error / radius / (1 if arc is None else np.sqrt(2))
    swing = whole.swing(times)
    noise = rates.jitter(times, x - swing[0], whole.period)
    window = rates.half_period(times, whole.period)
    check = swing + rates.harmonic_rates(times, x - swing[0], whole.period)
    rest = (x - check[0])[np.isfinite(check[0])]
    lasting = noise * float(np.sqrt(alikeness(rest)))  # of errors that are alike in neighbouring frames, less is averaged away
    smooth = rates.smoothed(times, x, times, window, lasting, whole)
    scale_error = relative * np.abs(smooth.value)
    columns = {name: np.full(len(t), np.nan) for name in ("omega", "alpha", "theta_error", "omega_error", "alpha_error")}
    columns["omega"][good], columns["alpha"][good] = smooth.value[1:]
    blur = np.zeros(len(t)) if ends.pull is None else UNSURE * (ends.pull * np.exp(1j * phi)).imag / length
    columns["theta_error"] = np.hypot(np.hypot(noise, relative * theta), blur)
    blurred = np.stack([blur[good], np.gradient(blur[good], times), np.gradient(np.gradient(blur[good], times), times)])
    columns["omega_error"][good], columns["alpha_error"][good] = np.hypot(np.hypot(smooth.error, scale_error), blurred)[1:]
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
        amplitude=beginning.amplitude,
        amplitude_error=float(np.linalg.norm([beginning.amplitude_error, relative * beginning.amplitude, turning])),
        mean_amplitude=mean_amplitude,
        decay=whole.decay,
        decay_error=whole.decay_error,
        jitter=noise,
        frames=len(t),
        lost=int((~np.isfinite(phi)).sum()),
        duplicates=duplicates,
        missing=int(np.maximum(np.round(np.diff(t) / step) - 1, 0).sum()),
        ends=1 if ends.upper is None else 2,
        radius=radius,
        radius_error=0.0 if arc is None else arc.radius_error,
        conditioning=1.0 if arc is None else arc.conditioning,
        gravity=float(np.angle(1j * np.conj(down))),
        drift=whole.drift if drifts else 0.0,
        omega_check=_difference(smooth.value[1], check[1], inner),
        alpha_check=_difference(smooth.value[2], check[2], inner),
        lag=_lag(smooth.value[1], check[1], check[2], inner),
        small_period=small_period,
        release=course.release,
        slips=course.slips,
    )
    orbits = orbits_of(times, x, window, lasting, whole)
    return Angles(table, orbits, report, float((np.conj(right) * place).real))


def _mean_amplitude(whole: Oscillation, t: Floats, x: Floats) -> float:
    """Return the amplitude of an oscillation, as the root of its mean square over time.

    It follows from the size of the motion. The oscillation tells how the amplitude of one swing is related to that: it is not
    quite a sine, and what is filmed is no whole number of swings.
    """
    amplitude = whole.amplitude * np.sqrt(np.mean(np.exp(-2 * whole.decay * (t - t[0]))))
    return float(amplitude * x.std() / whole.swing(t)[0].std())


def _undamped(whole: Motion) -> float:
    """Return the period of an oscillation without its damping."""
    return float(2 * np.pi / np.hypot(2 * np.pi / whole.period, whole.decay))


def _difference(a: Floats, b: Floats, where: Mask) -> float:
    if not where.any():
        return float("nan")
    return float(np.sqrt(np.mean((a[where] - b[where]) ** 2) / np.mean(b[where] ** 2)))


def _lag(value: Floats, check: Floats, slope: Floats, where: Mask) -> float:
    """Return how far a signal lags behind another one of the given slope: the shift for which they agree best."""
    if not where.any():
        return float("nan")
    return float(-np.sum((value - check)[where] * slope[where]) / np.sum(slope[where] ** 2))
