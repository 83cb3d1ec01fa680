"""Render films of systems with joints from known orbits, with all defects of films and with their truth."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import pandas
import torch
from numpy.typing import NDArray
from tqdm.auto import tqdm

from systems.atomic import atomically
from systems.errors import InputError
from systems.film.rendering import video
from systems.film.rendering.clock_film import COLOURS, colour_of
from systems.film.rendering.courses import course, numbers
from systems.film.rendering.defects import Defects
from systems.film.rendering.frames import Exposures, Frames
from systems.film.rendering.linkage_scene import LinkageScene
from systems.film.rendering.linkages import linkage
from systems.film.rendering.shapes import RGB
from systems.orbit import Orbit
from systems.scalars import real

ROOM = 0.1  # of the frame around the motion on each side, for a camera that moves and looks from the side
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MarkersTruth:
    """What a film of F frames shows of n markers.

    Parameters
    ----------
    t, exposed : shape ``(F,)``
        Time stamps of the frames in the file, and the middles of the exposures of the visible pictures [s].
    duplicate : shape ``(F,)``
        Whether the frame repeats the previous one.
    x, y : shape ``(n, F)``
        Places of the markers' centres in the frames as written, y pointing down [pixels].
    visible : shape ``(n, F)``
        Whether the whole marker is visible.
    scale : float
        Length of a pixel, in the unit of the joints.
    origin : (float, float)
        Pixel of the first joint's origin, before the camera turns or moves.
    """

    t: Floats
    exposed: Floats
    duplicate: NDArray[np.bool_]
    x: Floats
    y: Floats
    visible: NDArray[np.bool_]
    scale: float
    origin: tuple[float, float]

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.t)

    def to_pandas(self) -> pandas.DataFrame:
        """Return a table with one row per marker and frame.

        Returns
        -------
        pandas.DataFrame
            Columns marker, frame, t, exposed, duplicate, x, y and visible.
        """
        n, count = self.x.shape
        shared = {"t": self.t, "exposed": self.exposed, "duplicate": self.duplicate}
        return pandas.DataFrame(
            {
                "marker": np.repeat(np.arange(n), count),
                "frame": np.tile(np.arange(count), n),
                **{name: np.tile(values, n) for name, values in shared.items()},
                **{name: getattr(self, name).reshape(-1) for name in ("x", "y", "visible")},
            }
        )


def render_system(
    system: str,
    orbit: Orbit,
    path: str | os.PathLike[str],
    *,
    length: float = 1.0,
    size: tuple[int, int] = (1280, 720),
    fps: float = 30.0,
    scale: float | None = None,
    marker: float | None = None,
    colours: Sequence[str | RGB] = tuple(COLOURS),
    defects: Defects | None = None,
    seed: int = 0,
    progress: bool = False,
) -> MarkersTruth:
    """Render a film of a system whose orbit is known, and return where its markers are in each frame.

    Parameters
    ----------
    system
        Name of the system: ``"pendulum"``, ``"double-pendulum"``, ``"spring"``, ``"elastic-pendulum"``,
        ``"metronome"``, ``"cart"``, or ``"foucault"``, which is seen from above. Its markers are in the
        order of `systems.film.states.to_states`, with both ends of a spring, and with the pivot of a metronome.
    orbit : Orbit, shape ``(T,)``
        States with the angles or places of the system; times are in seconds. Ten or more times per swing are needed.
    path
        File to write, .mp4.
    length : default 1
        Length of a rod, of a spring at rest, or of the unit in which an elastic pendulum's places are given.
    size : default (1280, 720)
        Width and height of the frames, both even and at least 32.
    fps : default 30
        Frame rate [1/s], from 1 to 1000.
    scale : optional
        Length of a pixel, in the unit of ``length``. By default, the motion fills the frame.
    marker : optional
        Radius of the markers [pixels], by default a ninetieth of the frame's height, at least 3.
    colours : optional
        Colours of the markers, by name or as (red, green, blue).
    defects : optional
        Defects of the film, by default none.
    seed : default 0
        Random seed of the defects; the same seed gives the same film.
    progress : default False
        Whether to show a progress bar.

    Returns
    -------
    MarkersTruth
        What each frame shows.

    Raises
    ------
    UnknownNameError
        If there is no picture of the system.
    InputError
        If the orbit lacks a coordinate, is a batch or is not finite, or if the motion leaves the frame.
    MissingExtraError
        If PyAV or OpenCV is not installed.

    Examples
    --------
    >>> import systems, tempfile, torch
    >>> from systems.film import render_system
    >>> t = torch.linspace(0, 1, 200, dtype=torch.float64)
    >>> orbit = systems.get("double-pendulum").orbit([1.0, 0.5, 0.0, 0.0], t)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     truth = render_system("double-pendulum", orbit, f"{folder}/film.mp4", size=(320, 240))
    >>> truth.x.shape
    (3, 31)
    """
    drawn, target, defects = linkage(system), video.target(path), defects or Defects()
    if len(size) != 2 or not all(isinstance(n, int) and n >= 32 and n % 2 == 0 for n in size):
        raise InputError(f"size of a film must be an even width and height of at least 32 pixels, not {size}")
    if not (isfinite(fps) and 1 <= fps <= 1000):
        raise InputError(f"fps of a film must be from 1 to 1000, not {fps}")
    for name, value in (("length", length), ("scale", scale), ("marker", marker)):
        if value is not None and real(name, value) <= 0:
            raise InputError(f"{name} must be positive, not {value}")
    if len(orbit.shape) != 1 or orbit.shape[0] < 2:
        raise InputError(f"a film shows one orbit of two times or more, not one of shape {tuple(orbit.shape)}")
    t = numbers(orbit.t)
    joints = drawn.joints(*(numbers(orbit.z[:, orbit.index(name)]) for name in drawn.coordinates), length)
    radius = max(3.0, size[1] / 90) if marker is None else float(marker)
    own = course(t, np.moveaxis(joints, 1, -1), None)  # shape (J, 2, T)
    low, high = (extreme(joints.reshape(-1, 2), axis=0) for extreme in (np.min, np.max))
    room = np.array(size) * (1 - 2 * ROOM) - 6 * radius
    pixel = float(np.max((high - low) / room)) if scale is None else float(scale)
    origin = (np.array(size) - 1) / 2 - np.array([1, -1]) * (low + high) / 2 / pixel
    if ((high - low) / pixel > np.array(size) - 6 * radius).any():
        raise InputError(
            f"the motion spans {high[0] - low[0]:.4g} x {high[1] - low[1]:.4g}, which leaves frames of {size[0]} x {size[1]} "
            f"pixels of {pixel:.4g} each; choose a larger scale or size"
        )
    if len(colours) < len(joints):
        raise InputError(f"{len(joints)} markers need as many colours, not {len(colours)}")
    flip = np.array([[1.0], [-1.0]]) / pixel
    scene = LinkageScene(
        drawn,
        lambda time: _times_last(own(np.asarray(time) + t[0]), flip, origin),
        size,
        radius,
        tuple(colour_of(colour) for colour in colours[: len(joints)]),
    )
    exposures = Exposures.of(float(t[-1] - t[0]), fps, defects, seed)
    places = scene.places(exposures.exposed)
    targets = places[0][[[k, (k + 1) % len(joints)] for k in range(len(joints))]]
    frames = Frames(scene, exposures, fps, targets, radius, defects, seed)
    points, visible = frames.seen(places)
    with atomically(target) as temporary:
        pictures = tqdm(frames.pictures(), total=len(places), disable=not progress, desc="filming", unit="frame", leave=False)
        video.write(temporary, pictures, exposures.stamps, frames.camera.size, fps, defects.compression)
    return MarkersTruth(
        exposures.t,
        exposures.exposed,
        exposures.duplicate,
        points[..., 0].T,
        points[..., 1].T,
        visible.T,
        pixel,
        (float(origin[0]), float(origin[1])),
    )


def held(orbit: Orbit, seconds: float) -> Orbit:
    """Return the orbit of a system that is held in its first state for some time, and then released.

    Parameters
    ----------
    orbit : Orbit
        Orbit from the moment of the release.
    seconds : float
        How long it is held before.

    Returns
    -------
    Orbit
        The same states later, after equal ones at the same steps; without rates, which jump at the release.

    Raises
    ------
    InputError
        If the time is not positive, or the orbit has fewer than two times.
    """
    if real("seconds", seconds) <= 0 or not orbit.shared_times or orbit.t.shape[0] < 2:
        raise InputError(f"a system is held for a positive time before an orbit of two times or more, not for {seconds} s")
    step = float(orbit.t[1] - orbit.t[0])
    count = max(2, round(seconds / step))
    before = orbit.t[0] + torch.arange(count, dtype=orbit.t.dtype) * (seconds / count)
    first = orbit.z[..., :1, :].expand(*orbit.z.shape[:-2], count, orbit.dim)
    t, z = torch.cat([before, orbit.t + seconds]), torch.cat([first, orbit.z], dim=-2)
    return Orbit(t, z, None, orbit.coordinates, orbit.provenance, orbit.periods, orbit.units)


def _times_last(places: Floats, flip: Floats, origin: Floats) -> Floats:
    """Return places ``(J, 2, ...)`` in pixels."""
    tail = (1,) * (places.ndim - 2)
    return places * flip.reshape(2, *tail) + origin.reshape(2, *tail)
