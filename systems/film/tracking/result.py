"""The result of tracking a film: angles and rates with their errors, orbits, and a report."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas
import xarray

from systems.atomic import atomically
from systems.orbit import Orbit
from systems.orbit_file import write_netcdf

FORMAT = "physlearn-tracking-1"
COLUMNS = ("theta", "omega", "alpha", "theta_error", "omega_error", "alpha_error", "quality")


@dataclass(frozen=True)
class Report:
    """Results for one pendulum, in seconds, radians and pixels; errors are standard errors.

    Parameters
    ----------
    pendulum : int
        Its number, from the left.
    period, period_error : float
        Period [s].
    amplitude, amplitude_error : float
        Amplitude at the first frame [rad].
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

    def __str__(self) -> str:
        degrees = np.degrees
        arc = "" if self.ends == 2 else f", pivot from the arc, R = {self.radius:.0f} +- {self.radius_error:.0f} pixels"
        view = f", a yaw of {degrees(self.yaw):.1f} +- {degrees(self.yaw_error):.1f} deg undone" if self.yaw else ""
        return (
            f"pendulum {self.pendulum}: T = {self.period:.5f} +- {self.period_error:.5f} s, "
            f"A = {degrees(self.amplitude):.3f} +- {degrees(self.amplitude_error):.3f} deg, "
            f"decay {self.decay:.4f} +- {self.decay_error:.4f} 1/s, jitter {degrees(self.jitter):.4f} deg, "
            f"{self.frames - self.lost} of {self.frames} frames{arc}{view}"
        )


@dataclass(frozen=True, eq=False)
class Tracking:
    """The pendulums of a film, numbered from the left.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per pendulum and decoded frame, with the columns pendulum, t [s], theta [rad], omega [rad/s], alpha [rad/s^2],
        their standard errors and quality, which falls from 1 to 0 for a gap, where theta is NaN. theta is as measured, whereas
        omega and alpha are smoothed.
    orbits : list of Orbit
        Smoothed (theta, omega) with their rates, one orbit per stretch without a gap.
    report : tuple of Report
        One per pendulum.
    markers : pandas.DataFrame
        Where each end was, in pixels of the decoded film: pendulum, end, frame, t, x, y; NaN where not seen.
    provenance : dict
        Name of the film, and whether the markers were found or given.
    """

    table: pandas.DataFrame
    orbits: list[Orbit]
    report: tuple[Report, ...]
    markers: pandas.DataFrame
    provenance: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "\n".join(map(str, self.report))

    def save_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the table as a CSV file in which gaps are empty cells.

        Parameters
        ----------
        path
            File to write; it is either written as a whole or not at all.
        """
        with atomically(path) as temporary:
            self.table.to_csv(temporary, index=False)

    def to_xarray(self) -> xarray.Dataset:
        """Return the table over (pendulum, time), with the report among the attributes.

        Returns
        -------
        xarray.Dataset
            One variable per column of the table.
        """
        data = self.table.set_index(["pendulum", "t"]).to_xarray().rename(t="time")
        data.attrs = {
            "format": FORMAT,
            "report": json.dumps([asdict(report) for report in self.report]),
            "provenance": json.dumps(self.provenance),
        }
        return data

    def save_netcdf(self, path: str | os.PathLike[str]) -> None:
        """Write `to_xarray` as a netCDF-4 file.

        Parameters
        ----------
        path
            File to write; it is either written as a whole or not at all.
        """
        write_netcdf(self.to_xarray(), path)
