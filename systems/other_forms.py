"""Orbits from data in other forms, and their conversion to them, as a base class of `Orbit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import numpy as np
    import pandas
    import xarray

    from systems.data_like import Data, Rates, Times
    from systems.orbit_file import Content


class OtherForms:
    """What has states, rates, times and coordinates, and converts them to and from NumPy, pandas and xarray."""

    @classmethod
    def of(
        cls,
        data: Data,
        t: Times | None = None,
        coordinates: Sequence[str] | None = None,
        rate: Rates | None = None,
        periods: Mapping[str, float] | None = None,
        units: Mapping[str, str] | None = None,
        *,
        run: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> Self:
        """Return measured or simulated data in any usual form as an orbit, or as a batch of orbits.

        NaN is a coordinate that was not measured at this time. Runs may have times of their own and different lengths: shorter
        ones are then filled up with NaN, at times that continue with the last step.

        Parameters
        ----------
        data
            One of

            * states ``(T, D)`` of one run, or ``(..., T, D)`` of several, as a NumPy array, a tensor or nested lists. A list
              ``(T,)`` has one coordinate;
            * a list of such arrays, one per run, of any lengths; a list of arrays ``(D,)``, one per time, is one run;
            * a pandas DataFrame, wide (one column per coordinate) or long (columns ``coordinate`` and ``value``), with a
              column of times and, for several runs, one that names the run; or a list or mapping of such frames;
            * the path of a CSV file with any columns, or a list of such paths, one per run. Its columns are taken as they are;
              `from_csv` derives velocities of positions and angles;
            * a mapping of names to columns, such as ``{"t": t, "x": x}``;
            * an xarray Dataset or DataArray with a dimension of times;
            * an Orbit, or a list of them;
            * an object with a method ``to_orbit``, such as the places of markers in a film.
        t : array-like, list of array-like, or str, optional
            Times of all runs, shape ``(T,)``, or of each run. For tables, the name of the column, which defaults to ``t``,
            ``time``, ``timestamp``, ``datetime``, ``date`` or ``seconds``, to the index of the table, or to the only column
            in a unit of time. Dates and times of day become seconds since the first one.
        coordinates : sequence of str, optional
            Names of the coordinates. For tables, the columns to use; by default all columns of numbers that have no other
            purpose.
        rate : array-like or sequence of str, optional
            Time derivatives of the states, in the form of the states. For tables, the names of their columns, which default
            to ``d_NAME`` for each coordinate.
        periods : mapping of str to float, optional
            Period of each coordinate that is an angle. Defaults to a turn for coordinates whose unit is ``rad``, ``deg`` or
            ``turn``; ``{}`` declares that there are no angles.
        units : mapping of str to str, optional
            Unit of each coordinate, and that of the time under the name ``t``. Units in the names of columns, such as
            ``theta [rad]``, and attributes ``units`` of xarray are read.
        run : str, optional
            Name of the column, or dimension, that tells runs apart; defaults to ``run``, ``trial`` or ``orbit``. In a table
            without such a column, a new run starts where the time goes back to its beginning.
        columns : sequence of str, optional
            Name of each column of a file, which overrides its header; a name may include the unit, as in ``"x [m]"``, and
            ``"_"`` leaves a column out.

        Returns
        -------
        Orbit
            The orbit, or a batch with one orbit per run.

        Raises
        ------
        InputError
            If there are no times, or times do not increase or decrease within a run; if a column is missing or contains text;
            if a column is named like an angle and jumps like one, but has no period; or if shapes do not fit.
        FileNotFoundError
            If a file does not exist.

        Examples
        --------
        >>> import numpy as np
        >>> from systems import Orbit
        >>> t = np.arange(5) / 10
        >>> Orbit.of(np.stack([np.sin(t), np.cos(t)], axis=-1), t, coordinates=("x", "v"))
        Orbit(x, v: 5 times, t = 0 to 0.4)
        >>> Orbit.of([np.sin(t), np.sin(t[:3])], [t, t[:3] + 7]).z.shape
        torch.Size([2, 5, 1])
        """
        from systems.recording.of_data import content

        return cls(**content(data, t, coordinates, rate, periods, units, run, columns))

    def to_xarray(self: Content) -> xarray.Dataset:
        """Copy the orbit to a labelled xarray Dataset.

        Half precision becomes float32, because netCDF has no such type.

        Returns
        -------
        xarray.Dataset
            Variables ``z`` and, if known, ``rate``, with dimensions (orbit, time, coordinate). A batch with several axes has
            the dimensions ``orbit_0``, ``orbit_1`` and so on. Orbits with times of their own have the dimension ``sample``
            instead of ``time``. Units are the attribute ``units`` of the time, and a variable along the coordinates.
        """
        from systems import orbit_file  # importing xarray and HDF5 is slow

        copied = orbit_file.dataset(self).copy(deep=True)
        if self.units:
            copied["time"].attrs["units"] = self.units.get("t", "1")
            copied = copied.assign_coords(units=("coordinate", [self.units.get(name, "1") for name in self.coordinates]))
        return copied

    def to_pandas(self: Content) -> pandas.DataFrame:
        """Copy the orbit to a pandas DataFrame, which ``Orbit.of`` reads.

        Returns
        -------
        pandas.DataFrame
            One row per time, with the columns ``t``, one per coordinate, and ``d_NAME`` for the rate of each coordinate if it
            is known. The orbits of a batch follow one another, numbered in the column ``run``, without the times at which
            nothing was measured.

        Raises
        ------
        InputError
            If the name of a coordinate has another purpose in a table, such as ``t``, ``run`` or ``d_x``.
        """
        from systems.recording.frames import frame_of  # importing pandas is slow

        return frame_of(self)

    def to_numpy(self: Content) -> dict[str, np.ndarray]:
        """Copy the orbit to NumPy arrays.

        Returns
        -------
        dict of arrays
            ``t``, ``z`` and, if it is known, ``rate``, in the shapes of the orbit. Half precision becomes float32.
        """
        from systems.orbit_file import array

        parts = {"t": self.t, "z": self.z, "rate": self.rate}
        return {name: array(values).copy() for name, values in parts.items() if values is not None}
