"""The places of markers in a film, with their errors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from systems.atomic import atomically
from systems.brief import Told
from systems.errors import InputError
from systems.film.points.axes import Axes
from systems.orbit import Orbit

if TYPE_CHECKING:
    import pandas
    import xarray

    from systems.film.states.states import States


@dataclass(frozen=True, eq=False, repr=False)
class Positions(Told):
    """Where n markers of a film were at T times.

    Parameters
    ----------
    t : shape ``(T,)``
        Time stamps of the frames [s].
    x, y : shape ``(n, T)``
        Places in the unit and along the axes of ``axes``, pixels of the film by default; NaN where a marker was not seen.
    errors : shape ``(n, T)``
        Standard errors of x and of y alike, in their unit: the noise of a single place, and what many frames have in common,
        about a sixteenth of a pixel. NaN where a marker was not seen. The error of the scale is not included; see
        ``axes.scale_error``.
    quality : shape ``(n, T)``
        How well a marker was seen, from 1 to 0 for not at all.
    frames : shape ``(T,)``
        Numbers of the frames in the film, counted from 0.
    axes : Axes
        The axes of x and y.
    provenance : mapping
        Name of the film, and how the markers were chosen.
    """

    t: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    errors: NDArray[np.float64]
    quality: NDArray[np.float64]
    frames: NDArray[np.int64]
    axes: Axes = field(default_factory=Axes)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of markers."""
        return len(self.x)

    def __str__(self) -> str:
        lines = []
        for k, x in enumerate(self.x):
            seen = np.isfinite(x)
            error = float(np.nanmedian(self.errors[k])) if seen.any() else float("nan")
            places = ", ".join(
                f"{name} from {np.nanmin(v):.6g} to {np.nanmax(v):.6g} {self.axes.unit}" for name, v in self._ranges(k)
            )
            lines.append(f"marker {k}: seen in {seen.sum()} of {len(x)} frames, {places or 'nowhere'}, error {error:.2g}")
        return "\n".join(lines)

    def _ranges(self, k: int) -> list[tuple[str, NDArray[np.float64]]]:
        return [(name, v[k]) for name, v in (("x", self.x), ("y", self.y)) if np.isfinite(v[k]).any()]

    @property
    def height(self) -> NDArray[np.float64]:
        """Heights ``(n, T)``: y, or -y if y points down."""
        return self.y if self.axes.y_up else -self.y

    def relative_to(self, marker: int) -> Positions:
        """Return the places of the other markers relative to one of them, which removes the shake of a camera.

        Parameters
        ----------
        marker
            Number of a marker that stands still in the scene.

        Returns
        -------
        Positions
            The other markers, in their order.

        Raises
        ------
        InputError
            If there is no such marker, or no other one.
        """
        if not (0 <= marker < len(self)) or len(self) < 2:
            raise InputError(f"places relative to marker {marker} need it and another one, but there are {len(self)} markers")
        others = [k for k in range(len(self)) if k != marker]
        x, y = self.x[others] - self.x[marker], self.y[others] - self.y[marker]
        return replace(
            self,
            x=x,
            y=y,
            errors=np.hypot(self.errors[others], self.errors[marker]),
            quality=np.minimum(self.quality[others], self.quality[marker]),
            provenance={**self.provenance, "relative to": marker},
        )

    def to_orbit(self) -> Orbit:
        """Return the places as one orbit with the coordinates x and y, or x_0, y_0, x_1, y_1 and so on.

        Returns
        -------
        Orbit
            States ``(T, 2 n)``, NaN where a marker was not seen, with their units.
        """
        one = len(self) == 1
        names = [f"{name}{'' if one else f'_{k}'}" for k in range(len(self)) for name in ("x", "y")]
        z = np.stack([self.x, self.y], axis=1).reshape(2 * len(self), -1).T
        return Orbit(
            torch.from_numpy(self.t.copy()),
            torch.from_numpy(z.copy()),
            coordinates=tuple(names),
            provenance=self.provenance,
            units={**dict.fromkeys(names, self.axes.unit), "t": "s"},
        )

    def to_states(self, system: str, **options: Any) -> States:
        """Return the states of a system that the markers show; see `systems.film.states.to_states`.

        Parameters
        ----------
        system
            Name of the system, such as ``"double-pendulum"``.
        **options
            Options of the system.

        Returns
        -------
        States
            The states, with their errors.
        """
        from systems.film.states import to_states  # which needs this class

        return to_states(self, system, **options)

    def to_pandas(self) -> pandas.DataFrame:
        """Return a table with one row per marker and frame.

        Returns
        -------
        pandas.DataFrame
            Columns marker, frame, t, x, y, error and quality. ``Orbit.of(table, coordinates=("x", "y"), run="marker")`` reads
            one run per marker.
        """
        import pandas  # slow to import

        n, count = self.x.shape
        columns = {"x": self.x, "y": self.y, "error": self.errors, "quality": self.quality}
        return pandas.DataFrame(
            {
                "marker": np.repeat(np.arange(n), count),
                "frame": np.tile(self.frames, n),
                "t": np.tile(self.t, n),
                **{name: values.reshape(-1) for name, values in columns.items()},
            }
        )

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write `to_pandas` as a CSV file, in which a marker that was not seen has empty cells.

        Parameters
        ----------
        path
            File to write; it is either written as a whole or not at all.
        """
        with atomically(path) as temporary:
            self.to_pandas().to_csv(temporary, index=False)

    def to_xarray(self) -> xarray.Dataset:
        """Return the places over (marker, time), with the axes among the attributes.

        Returns
        -------
        xarray.Dataset
            Variables x, y, errors, quality and frame.
        """
        from systems.film.points import positions_file

        return positions_file.dataset(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a netCDF-4 file with a checksum, which `load` reads.

        Parameters
        ----------
        path
            File to write; it is either written as a whole or not at all.
        """
        from systems.film.points import positions_file

        positions_file.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Positions:
        """Read places from a file that `save` wrote.

        Parameters
        ----------
        path
            File to read.

        Returns
        -------
        Positions
            The places.

        Raises
        ------
        FileNotFoundError
            If the file does not exist.
        InputError
            If the file does not contain places of markers, was changed, or refers to other files.
        """
        from systems.film.points import positions_file

        return cls(**positions_file.read(path))
