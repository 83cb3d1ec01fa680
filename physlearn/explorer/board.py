"""The figures for one system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import Column, ColumnDataSource, Range1d
from bokeh.palettes import Turbo256
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos import Section
from physlearn.explorer.dragging import drag
from physlearn.explorer.exploration import TRUTH, Exploration, distance
from physlearn.explorer.figures import LEFT, RIGHT, bare
from physlearn.explorer.scene import Scene
from physlearn.explorer.sections import has_section
from physlearn.explorer.symbols import written
from physlearn.forecasting.contender import Contender
from physlearn.plotting.array import array
from physlearn.plotting.forecast import COLORS
from systems import Orbit
from systems.sampling import plane_of

PLAIN = "#bfbfbf"  # true orbit below those of models, a thick line as in physlearn.plotting
ALONE = "#595959"  # true orbit in its own plane
HANDLE = "#000000"
FRAME = 272  # width and height of a plane in pixels, equal so that both directions have the same scale
SECTION = 190  # pixels in height
LOW, HIGH = 130, 250  # heights of the time series in pixels, with and without sections below them
FAR = 3.0  # distance from the centre, in half widths of the picture, beyond which an orbit is cut
LEAST = 0.02  # smallest half range of the energy axis, relative to the energies seen, which hides rounding errors


class Board:
    """The figures for one system: a plane for the true orbit and for each model, time series, and sections.

    Parameters
    ----------
    exploration : Exploration
        The system and the initial state.
    scene : Scene
        The plane and its limits.
    models : sequence of str
        Names of the models, in the order of their planes.

    Attributes
    ----------
    handle : ColumnDataSource
        The points that the user drags, with columns x and y, shared by all planes.
    """

    def __init__(self, exploration: Exploration, scene: Scene, models: Sequence[str]) -> None:
        system = exploration.system
        self.scene = scene
        self.columns = (TRUTH, *models)
        self.colors = dict(zip(self.columns, (PLAIN, *COLORS), strict=False))
        self.handle = ColumnDataSource(data=_handle(scene.points(exploration.z0)), name="state")
        self._conserved = exploration.energy is not None
        self._paths = {name: _source(f"orbit {name}", "x", "y") for name in self.columns}
        self._times = {name: _source(f"times {name}", "t", "first", "below") for name in self.columns}
        self._crossings: dict[str, ColumnDataSource] = {}
        self._planes = {name: self._plane(name) for name in self.columns}
        self._first, self._below = self._over_time(LOW if has_section(system) else HIGH)
        self._sections: dict[str, Any] = {}
        if has_section(system):
            surface, value = system.surface
            _, other = plane_of(system, surface)
            self._cut = (other, other + 2)  # coordinates of the sections: the other position and its momentum
            self._crossings = {name: _source(f"section {name}", "x", "y", "color", "size") for name in self.columns}
            self._cut_title = f"section where {written(surface)} = {value:g}"
            self._sections = {name: self._section(name, self._cut_title) for name in self.columns}

    @property
    def layout(self) -> Column:
        """All figures: the planes side by side, the time series below them, and then the sections."""
        rows = [list(self._planes.values()), [self._first, self._below], list(self._sections.values())]
        return column(*(row(*figures) for figures in rows if figures))

    def draw(self, exploration: Exploration, orbits: Mapping[str, Orbit | str]) -> None:
        """Show the orbits of an exploration. A model without an orbit is shown empty."""
        truth = orbits[TRUTH]
        below = {}
        for name in self.columns:
            t, z, below[name] = np.empty(0), np.empty((0, 2)), np.empty(0)
            orbit = orbits.get(name, "")
            if isinstance(orbit, Orbit):
                t, z, below[name] = array(orbit.t), self._within(array(orbit.z)), self._later(exploration, orbit, truth)
            self._paths[name].data = {"x": z[:, 0], "y": z[:, 1]}
            self._times[name].data = {"t": t, "first": z[:, 0], "below": below[name]}
            self._planes[name].title.text = self._title(exploration, name)
        self._first.x_range.end = exploration.time
        self._limit(exploration, below)

    def draw_section(self, name: str, section: Section) -> None:
        """Show the section of the system or of a model, one colour per orbit, with the orbit of the initial state in black."""
        orbit, z = section.orbit.numpy(), array(section.z)
        missing = int(section.unresolved.sum())
        said = f"; {missing} of {len(section.unresolved)} orbits not resolved" if missing else ""
        self._sections[name].title.text = self._cut_title + said
        i, j = self._cut
        many = max(1, int(orbit.max(initial=1)))
        palette = np.array([Turbo256[round(13 + 229 * k / many)] for k in range(many + 1)])
        own = orbit == 0
        order = np.argsort(own, kind="stable")
        self._crossings[name].data = {
            "x": z[order, i],
            "y": z[order, j],
            "color": np.where(own, HANDLE, palette[orbit])[order],
            "size": np.where(own, 4.0, 2.0)[order],
        }

    def clear_sections(self) -> None:
        """Show no sections, because there are none at the present state."""
        for name, crossings in self._crossings.items():
            self._sections[name].title.text = self._cut_title
            crossings.data = {str(name): [] for name in crossings.data}

    def _title(self, exploration: Exploration, name: str) -> str:
        if name == TRUTH:
            return TRUTH
        if name not in exploration.models:
            return f"{name}, not trained yet"
        return Contender(name, exploration.method_of(name)).label

    def _plane(self, name: str) -> Any:
        """Return a figure of one plane: the true orbit in grey, the orbit of the model, and the points that the user drags."""
        alone = name == TRUTH
        plane = self._figure(FRAME, 0, 1, title=name, name=f"plane {name}")
        plane.title.text_color = ALONE if alone else self.colors[name]
        style = {"line_color": ALONE, "line_width": 2} if alone else {"line_color": PLAIN, "line_width": 4}
        plane.line("x", "y", source=self._paths[TRUTH], line_join="round", **style)
        if not alone:
            plane.line("x", "y", source=self._paths[name], color=self.colors[name], line_width=1.5, line_join="round")
        if self.scene.arrow:
            plane.line("x", "y", source=self.handle, color=HANDLE, line_width=1.5)
        plane.scatter("x", "y", source=self.handle, size="size", fill_color="fill", line_color=HANDLE, line_width=1.8)
        drag(self.handle, plane)
        return plane

    def _section(self, name: str, title: str) -> Any:
        section = self._figure(SECTION, *self._cut, title=title)
        section.title.text_color = self._planes[name].title.text_color
        section.scatter("x", "y", source=self._crossings[name], size="size", color="color", line_color=None)
        return section

    def _figure(self, height: int, i: int, j: int, **options: Any) -> Any:
        """Return a figure of coordinate j against coordinate i, within the limits of the scene."""
        (left, right), (low, high) = self.scene.extent[i].tolist(), self.scene.extent[j].tolist()
        across, up = (written(self.scene.coordinates[k]) for k in (i, j))
        ranges = {"x_range": Range1d(start=left, end=right), "y_range": Range1d(start=low, end=high)}
        return bare(frame_width=FRAME, frame_height=height, x_axis_label=across, y_axis_label=up, **ranges, **options)

    def _over_time(self, height: int) -> tuple[Any, Any]:
        """Return figures over time of the first coordinate, and of the energy or else the distance to the true orbit."""
        width = (FRAME + LEFT + RIGHT) * len(self.columns) // 2 - LEFT - RIGHT
        low, high = self.scene.extent[0].tolist()
        common = {"frame_width": width, "frame_height": height, "x_range": Range1d(start=0, end=1), "x_axis_label": "t"}
        first = bare(y_range=Range1d(start=low, end=high), y_axis_label=written(self.scene.coordinates[0]), **common)
        below = bare(y_range=Range1d(start=0, end=1), y_axis_label="energy H" if self._conserved else "distance", **common)
        for name in self.columns:
            style = {"source": self._times[name], "color": self.colors[name], "line_width": 4 if name == TRUTH else 1.5}
            first.line("t", "first", **style)
            below.line("t", "below", **style)
        return first, below

    def _within(self, z: Float[np.ndarray, "T D"]) -> Float[np.ndarray, "T D"]:
        """Return the orbit until it leaves the picture for good. A diverging orbit would otherwise be drawn across it."""
        low, high = self.scene.extent.numpy().T
        away = np.abs(z - (low + high) / 2) > FAR * (high - low) / 2
        gone = np.logical_or.accumulate(away.any(-1) | ~np.isfinite(z).all(-1))
        return np.where(gone[:, None], np.nan, z)

    def _later(self, exploration: Exploration, orbit: Orbit, truth: Orbit | str) -> Float[np.ndarray, " T"]:
        """Return the values of the second time series, with NaN for those that are not finite or mean nothing."""
        energy = exploration.energy_along(orbit)
        if energy is not None:
            values = array(energy)
            return np.where(np.isfinite(values), values, np.nan)
        if isinstance(truth, str):
            return np.full(len(orbit.t), np.nan)
        apart = array(distance(orbit, truth))
        return np.where(apart < 1e3, apart, np.nan)

    def _limit(self, exploration: Exploration, below: Mapping[str, Float[np.ndarray, " T"]]) -> None:
        """Set the limits of the second time series: around the initial energy, or from zero for the distance."""
        values = np.concatenate([part[np.isfinite(part)] for part in below.values()])
        if not len(values):
            return
        if exploration.energy is None:
            high = float(np.clip(1.1 * values.max(), 0.1, 2.0))
            low = -0.05 * high
        else:
            most, spread = 1.15 * np.abs(values - exploration.energy).max(), self.scene.spread
            half = float(np.clip(most, LEAST * spread, spread))
            low, high = exploration.energy - half, exploration.energy + half
        self._below.y_range.start, self._below.y_range.end = low, high


def _source(name: str, *columns: str) -> ColumnDataSource:
    return ColumnDataSource(data={column: [] for column in columns}, name=name)


def _handle(points: Float[Tensor, "n 2"]) -> dict[str, list[Any]]:
    """Return the points and their styles: an open circle for the state, and a dot for the tip of its momentum."""
    looks: dict[str, list[Any]] = {"size": [11, 7][: len(points)], "fill": ["white", HANDLE][: len(points)]}
    return {"x": points[:, 0].tolist(), "y": points[:, 1].tolist(), **looks}
