"""Reading recorded motion from CSV files, as a base class of `Orbit`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Literal, Self

import torch


class FromCsv:
    """What has states, rates, times and coordinates, and can therefore be read from a table."""

    @classmethod
    def from_csv(
        cls,
        path: str | os.PathLike[str],
        columns: Sequence[str] | None = None,
        *,
        time: str = "t",
        coordinates: str | Sequence[str] | None = None,
        angle: str | None = None,
        velocity: str | Sequence[str] | None = None,
        acceleration: str | Sequence[str] | None = None,
        periods: Mapping[str, float] | None = None,
        rates: Literal["file", "derived"] = "file",
        window: int | None = None,
        order: int = 5,
        gap: float = 1.5,
    ) -> list[Self]:
        r"""Read recorded motion from a CSV file, as one orbit per interval without a gap, and derive missing rates.

        Use ``Orbit.of(path)`` for columns that are states as they are, for runs one after another, and for uneven times.
        Numbers stay in the units of the file. Columns may be separated by commas, semicolons, tabs or blanks; see
        `systems.recording.read_columns`. Rows with an empty cell or NaN in a column that is used count as missing.

        Angles are unwrapped before rates are derived, which removes jumps by whole periods. Across a gap, an angle is
        unwrapped if the largest recorded speed rules out any other number of turns. Otherwise it continues as recorded.

        Derivatives are estimated with a Savitzky-Golay filter, which has no phase lag. Where rows are missing, its polynomials
        are fitted to the remaining rows, across gaps of up to a quarter of the window. Half a window is lost at both ends of
        each interval that is bridged in this way. Intervals shorter than the window are left out with a warning, unless all
        are too short, which is an error.

        Parameters
        ----------
        path : path-like
            CSV file.
        columns : sequence of str, optional
            Name of each column, which overrides the header. A name may include the unit, as in ``"theta [deg]"``, and ``"_"``
            leaves a column out. In a file without a header, the names default to the first of ``t, theta, omega, alpha``.
        time : str, default "t"
            Column of times.
        coordinates : str or sequence of str, optional
            Columns of positions or angles. Other columns of the file are ignored.
        angle : str, default "theta"
            Column of the coordinate if there is only one. The file may then contain no columns other than the time, the angle,
            its rates and the by-products of film tracking; pass ``coordinates`` to select from other columns.
        velocity, acceleration : str or sequence of str, optional
            Columns of the rates, one per coordinate, or the names for derived rates. They default to ``omega`` and ``alpha``
            for a single angle, ``omega_1`` and ``alpha_1`` for ``theta_1``, and ``v_x`` and ``a_x`` for ``x``.
        periods : mapping of str to float, optional
            Period of each coordinate that is an angle, or ``{}`` if there are no angles. By default, a coordinate is an angle
            if its unit is rad or deg, or if its name begins with theta, phi, psi or angle and no other unit is given.
        rates : {"file", "derived"}, default "file"
            ``"file"`` reads velocity and acceleration from the file and derives those that are missing. ``"derived"`` smooths
            the coordinate and derives both from it.
        window : int, optional
            Number of samples in the window of the filter, which must be odd. Defaults to half of the dominant period. For an
            angle that turns over, this is the period of a turn.
        order : int, default 5
            Order of the polynomials of the filter.
        gap : float, default 1.5
            Longest step between rows of one orbit, in median steps. A longer step starts a new orbit.

        Returns
        -------
        list of Orbit
            Orbits with states of shape ``(T, 2 D)``, all coordinates followed by all velocities, and their rates. The
            provenance records which rates are derived and how, the units, and how many rows were read, bridged and left out.

        Raises
        ------
        FileNotFoundError
            If the file does not exist.
        InputError
            If the file contains no numbers, several pendulums, two columns with one name or a column that would not be used;
            if a column is missing, times do not increase, rates and coordinates have incompatible units, the turns of an angle
            cannot be counted, or every interval is shorter than the window.

        Examples
        --------
        >>> import math, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "swing.csv"
        >>> _ = path.write_text("t,theta\n" + "".join(f"{i / 20},{math.sin(i / 20)}\n" for i in range(400)))
        >>> from systems import Orbit
        >>> Orbit.from_csv(path)
        [Orbit(theta, omega: 340 times, t = 1.5 to 18.45)]
        """
        from systems.recording.motion import read_motion  # importing SciPy is slow

        motions = read_motion(
            path,
            columns,
            time=time,
            coordinates=coordinates,
            angle=angle,
            velocity=velocity,
            acceleration=acceleration,
            periods=periods,
            rates=rates,
            window=window,
            order=order,
            gap=gap,
        )
        return [
            cls(  # type: ignore[call-arg]
                t=torch.from_numpy(motion.t),
                z=torch.from_numpy(motion.z),
                rate=torch.from_numpy(motion.rate),
                coordinates=motion.coordinates,
                provenance=motion.provenance,
                periods=motion.periods,
                units=motion.units,
            )
            for motion in motions
        ]
