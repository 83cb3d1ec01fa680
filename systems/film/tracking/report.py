"""The report of one pendulum of a tracked film."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

WIDE = 0.3  # radians: from here on, the period of small swings is shorter by 0.6 % or more


@dataclass(frozen=True)
class Report:
    """Results for one pendulum, in seconds, radians and pixels; errors are standard errors.

    Parameters
    ----------
    pendulum : int
        Its number, from the left.
    period, period_error : float
        Period [s]; that of small swings if the pendulum turns over.
    amplitude, amplitude_error : float
        Amplitude at the first frame of the free swing [rad]; pi if the pendulum turns over.
    mean_amplitude : float
        Amplitude averaged over the film [rad].
    decay, decay_error : float
        Rate of the decay exp(-decay t) [1/s].
    jitter : float
        Noise of the angles: RMS of their residuals from harmonics [rad].
    frames : int
        Number of frames that were decoded.
    lost : int
        Number of these frames without an angle.
    duplicates : int
        Number of lost frames that repeat the previous frame.
    missing : int
        Number of frames that the time stamps leave out.
    ends : int
        2, or 1 if the pivot comes from the arc of a single end.
    radius, radius_error : float
        Distance of the ends, or radius of the arc [pixels].
    conditioning : float
        Condition number of the arc's fit: 1 for two ends, above 1e3 for a flat arc with an uncertain scale of the angles.
    gravity : float
        Direction of rest, anticlockwise from the downward direction of the picture [rad].
    drift : float
        Drift that was subtracted from the centre of the swing [rad/s].
    omega_check, alpha_check : float
        Relative RMS differences of the rates from those of harmonics.
    lag : float
        How far omega lags behind the derivative of theta's harmonics [s].
    yaw : float
        Yaw of the camera that was undone [rad], positive where the right is farther away; 0 if none was.
    yaw_error : float
        Error of the yaw, including that of the focal length. If none was undone, it says how well the rod determines that
        the yaw is 0; NaN if it does not determine it.
    small_period : float
        Period of small swings of a simple pendulum that swings as this one does [s]; NaN if unknown.
    release : float
        Time at which a hand released the pendulum [s]; NaN if it swings freely from the first frame. Earlier angles have no
        rates.
    slips : int
        Number of splices and slips of time, at which the phase of the swing jumps. All results are those of the longest
        stretch between them; angles outside of it have no rates.
    """

    pendulum: int
    period: float
    period_error: float
    amplitude: float
    amplitude_error: float
    mean_amplitude: float
    decay: float
    decay_error: float
    jitter: float
    frames: int
    lost: int
    duplicates: int
    missing: int
    ends: int
    radius: float
    radius_error: float
    conditioning: float
    gravity: float
    drift: float
    omega_check: float
    alpha_check: float
    lag: float
    yaw: float = 0.0
    yaw_error: float = float("nan")
    small_period: float = float("nan")
    release: float = float("nan")
    slips: int = 0

    def __str__(self) -> str:
        degrees = np.degrees
        arc = "" if self.ends == 2 else f", pivot from the arc, R = {self.radius:.0f} +- {self.radius_error:.0f} pixels"
        small = f" ({self.small_period:.5f} s for small swings)" if self.amplitude > WIDE else ""
        release = f", released at {self.release:.3f} s" if isfinite(self.release) else ""
        slips = f", cut at {self.slips} slip{'s' * (self.slips > 1)} of time" if self.slips else ""
        view = f", a yaw of {degrees(self.yaw):.1f} +- {degrees(self.yaw_error):.1f} deg undone" if self.yaw else ""
        return (
            f"pendulum {self.pendulum}: T = {self.period:.5f} +- {self.period_error:.5f} s{small}, "
            f"A = {degrees(self.amplitude):.3f} +- {degrees(self.amplitude_error):.3f} deg, "
            f"decay {self.decay:.4f} +- {self.decay_error:.4f} 1/s, jitter {degrees(self.jitter):.4f} deg, "
            f"{self.frames - self.lost} of {self.frames} frames{arc}{view}{release}{slips}"
        )
