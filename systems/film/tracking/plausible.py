"""Whether what was followed can be a pendulum at all."""

from __future__ import annotations

from math import degrees, isfinite, pi

from systems.errors import InputError
from systems.film.tracking.motion import Motion

LONGEST = 2 / 3  # of the film: a longer period cannot be told from a drift
UNEXPLAINED = 0.25  # of the amplitude, RMS beside the noise: whatever leaves more of itself unexplained does not swing
VAGUE = 0.05, 0.2  # of the period and of the amplitude: a swing for which one has a larger error is none
REMEDY = "give the pixels of the moving end, or follow something else with systems.film.track_points"


def check_pendulum(motion: Motion, span: float, amplitude: float, noise: float, radius: float, size: float, name: str) -> None:
    """Check that a motion is that of a pendulum.

    Parameters
    ----------
    motion
        The motion as a whole.
    span
        Duration of the free swing [s].
    amplitude
        Mean amplitude [rad].
    noise
        Noise of an angle, from one frame to the next [rad].
    radius
        Distance of the ends, or radius of the arc [pixels].
    size
        Radius of the marker [pixels]; 0 if unknown.
    name
        Name of the pendulum in error messages.

    Raises
    ------
    InputError
        If there is no period, or it is too long for the film; if an error exceeds its value; or if most of the motion is not
        the swing's.
    """
    period = motion.period
    if not all(
        map(isfinite, (period, motion.period_error, motion.amplitude, motion.amplitude_error, amplitude, noise, radius))
    ):
        raise InputError(f"{name} has no finite period and amplitude, so it is no pendulum; {REMEDY}")
    if not 0 < period <= LONGEST * span:
        raise InputError(
            f"{name} does not swing: its period would be {period:.3g} s in {span:.3g} s, "
            f"of which at most two thirds can be a period; film at least 1.5 swings, or {REMEDY}"
        )
    if motion.amplitude > pi:
        raise InputError(f"{name} does not swing: its amplitude would be {degrees(motion.amplitude):.0f} degrees; {REMEDY}")
    if motion.period_error > VAGUE[0] * period or motion.amplitude_error > VAGUE[1] * motion.amplitude:
        raise InputError(
            f"{name} does not swing: its period would be {period:.3g} +- {motion.period_error:.2g} s and its amplitude "
            f"{degrees(motion.amplitude):.3g} +- {degrees(motion.amplitude_error):.2g} degrees; {REMEDY}"
        )
    if motion.residual > UNEXPLAINED * amplitude:
        raise InputError(f"{name} does not swing: {motion.residual / amplitude:.0%} of its motion is no oscillation; {REMEDY}")
