"""What tracking a film gives: angles and rates with their errors, orbits, a report."""

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
    """What one pendulum did, in seconds, radians and pixels; errors are standard errors.

    ``amplitude`` is that at the first frame, ``mean_amplitude`` that over the film, ``decay`` the rate of exp(-decay t).
    ``jitter`` is the rms of what harmonics leave of the angles: their noise. ``frames`` counts those decoded, ``lost`` those
    of them without an angle (``duplicates`` repeat the frame before), ``missing`` those that the time stamps leave out.

    ``ends`` is 2 or, with the pivot from the arc, 1; ``radius`` [pixel] the distance of the ends, or of the arc, and
    ``conditioning`` that of the arc's fit: 1 for two ends, above 1e3 a flat arc with an uncertain scale of the angles.
    ``gravity`` is the direction of rest in the picture, from its downward direction anticlockwise. ``drift`` [rad/s] was
    taken off the centre of the swing. ``yaw`` [rad] was undone, by which the camera looked from the side, positive where the
    right is farther away; 0 if none was. ``yaw_error`` is its error, with that of the focal length, or of the 0, as far as the
    rod tells; NaN if it tells nothing. ``omega_check``, ``alpha_check`` are the rms differences of the rates from those of
    harmonics, relative; ``lag`` [s] is by how much omega lags behind the derivative of theta's harmonics.
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

    table: one row a pendulum and decoded frame, with the columns pendulum, t [s], theta [rad], omega, alpha, their standard
    errors and ``quality``, from 1 to 0 for a gap, where theta is NaN. theta is as measured; omega and alpha are smoothed.
    orbits: (theta, omega), both smoothed, with their rates; one for each stretch without a gap. report: one for each pendulum.
    markers: where each end was, in pixels of the film as decoded: pendulum, end, frame, t, x, y; NaN where it was not seen.
    """

    table: pandas.DataFrame
    orbits: list[Orbit]
    report: tuple[Report, ...]
    markers: pandas.DataFrame
    provenance: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "\n".join(map(str, self.report))

    def save_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the table as a CSV file, whole or not at all; gaps are empty cells."""
        with atomically(path) as temporary:
            self.table.to_csv(temporary, index=False)

    def to_xarray(self) -> xarray.Dataset:
        """The table over (pendulum, time), the report among the attributes."""
        data = self.table.set_index(["pendulum", "t"]).to_xarray().rename(t="time")
        data.attrs = {
            "format": FORMAT,
            "report": json.dumps([asdict(report) for report in self.report]),
            "provenance": json.dumps(self.provenance),
        }
        return data

    def save_netcdf(self, path: str | os.PathLike[str]) -> None:
        """Write a netCDF-4 file, whole or not at all."""
        write_netcdf(self.to_xarray(), path)
