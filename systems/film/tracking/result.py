"""The result of tracking a film: angles and rates with their errors, orbits, and reports."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import pandas
import xarray

from systems.atomic import atomically
from systems.brief import Told
from systems.film.tracking import tracking_file
from systems.film.tracking.report import Report
from systems.orbit import Orbit


@dataclass(frozen=True, eq=False, repr=False)
class Tracking(Told):
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

        ``Orbit.from_csv`` reads the angles of a single pendulum from it; `load` reads the file of `save_netcdf`.

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
        return tracking_file.dataset(self)

    def save_netcdf(self, path: str | os.PathLike[str]) -> None:
        """Write `to_xarray` as a netCDF-4 file, with the markers, the orbits and a checksum.

        Parameters
        ----------
        path
            File to write; it is either written as a whole or not at all.
        """
        tracking_file.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Tracking:
        """Read a tracked film from a file that `save_netcdf` wrote.

        Parameters
        ----------
        path
            File to read.

        Returns
        -------
        Tracking
            The tracked film.

        Raises
        ------
        FileNotFoundError
            If the file does not exist.
        InputError
            If the file does not contain a tracked film, was changed, or refers to other files.
        """
        return cls(**tracking_file.read(path))
