"""From which side a camera looks at a swing: told by rods that seem to grow and to shrink, and undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import cos, hypot, isfinite, nan, radians, sin

import numpy as np
from scipy.optimize import least_squares

from systems.errors import InputError
from systems.pendulum_clock.tracking.angles import Angles, Ends
from systems.pendulum_clock.tracking.geometry import Points, direction
from systems.pendulum_clock.tracking.markers import Floats
from systems.pendulum_clock.tracking.noise import noise_of
from systems.pendulum_clock.tracking.rates import alikeness

TELEPHONE = 0.75  # diagonals: main cameras are 24 to 28 mm (35 mm film), of 43 mm, and a film shows 0.75 to 0.9 of the picture
# standard deviations of what may be taken for a yaw, or spoil it
TELEPHONES = 0.2  # of a focal length, relative
ANY = 10.0  # radians, of a yaw: nothing is known of it
LENS = 0.05  # of k1: what telephones leave of their lens's distortion
PITCH = 0.05  # radians: 3 degrees, by which a camera held by hand looks up or down
LEANING = 3e-3  # of the length of a rod, by which its markers are beside its middle: a millimetre of a foot
BENT = 1e-3  # of the same, by which light and shade, moving over a marker, shift its centre to one side
OFF_PIVOT = 0.03  # of the same, by which a thing that stands still is beside the pivot
RIGID = 0.03  # of the swing of the rod: an upper end that moves by so much is on it, and no thing that stands still
LIKELY = 5.0  # standard errors of a yaw that is undone
KNOWN = 1 / 3  # of itself, by which it may be off: undoing it leaves 2/3 of what it does to the angles, at worst
LARGEST = radians(45)  # beyond it, what was told is no yaw
STEEPEST = 1.2  # radians: the search stays off the horizon
FINEST = 1e-6  # of a length: no noise is taken to be less
OUTLIER = 5.0  # noises: 1 in 2 million by chance


@dataclass(frozen=True)
class View:
    """A pinhole camera's view of a plane, turned by yaw, then by pitch, then by roll [rad].

    A positive yaw moves the right side away, a positive pitch the top, a positive roll turns anticlockwise. middle,
    focal_length: in pixels. lens: k1, the radial distortion r (1 + k1 r^2), r in focal lengths. yaw_error: a standard error;
    NaN where nothing can be told.
    """

    middle: complex
    focal_length: float
    yaw: float = 0.0
    lens: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    yaw_error: float = nan

    def plane(self, points: Points) -> Points:
        """The points of the plane, in focal lengths from where the camera looks, x to the right and y down."""
        z = (points - self.middle) / self.focal_length * np.exp(1j * self.roll)
        z = z * (1 - self.lens * np.abs(z) ** 2)
        c, s, cp, sp = cos(self.yaw), sin(self.yaw), cos(self.pitch), sin(self.pitch)
        depth = c * cp / (-s * z.real + c * sp * z.imag + c * cp)
        x = depth * (c * z.real + s * sp * z.imag + s * cp) - s * cp
        y = depth * (cp * z.imag - sp) + sp
        return np.asarray(x + 1j * y)

    def front(self, points: Points) -> Points:
        """The points as seen from the front, in pixels."""
        return np.asarray(self.plane(points) * np.exp(-1j * self.roll) * self.focal_length + self.middle)


def seen_from_the_front(
    ends: Sequence[Ends], done: Sequence[Angles], size: tuple[int, int], focal_length: float | None = None
) -> tuple[list[Ends], View]:
    r"""The ends of pendulums as a camera in front of them would see them, and the view that was undone: of yaw 0 if none was.

    A rod is rigid, but in an oblique view level lines converge: it seems to grow to one side and to shrink to the other,

    .. math:: \ell(\theta) / \ell(0) = 1 - \frac{y \tan\psi}{f - x \tan\psi} \theta + O(\theta^2)

    for a pivot at its upper end, (x, y) being its lower end at rest, from the middle of the picture, f the focal length, psi
    the yaw. That with which all rods of the film come nearest to rigid, and at rest to plumb, is undone if the rods contradict
    by five standard errors that there is none, and it is known to a third of itself.

    Little or nothing tell: a single end; a lower end as high as the picture's middle; an upper one that stands still, for it
    may be beside the pivot, by which the rod grows just so; a single pendulum far from the middle, to the left or the right,
    which grows as well by a lens, or a camera that looks up. A pitch moves the height y is counted from, by f tan(pitch):
    pendulums at several places tell it; of a single one in the middle, a pitch of 3 degrees is part of the error.

    An error of f changes the yaw by as much, but the angles only by its cosine: what perspective does to them stays told.

    size: of the picture, (width, height). focal_length: in its diagonals; by default that of a telephone, to 20 %.
    """
    diagonals = TELEPHONE if focal_length is None else focal_length
    start = View(complex(size[0] - 1, size[1] - 1) / 2, diagonals * hypot(*size))
    seen = {i: (e.upper, e.lower, a) for i, (e, a) in enumerate(zip(ends, done, strict=True)) if e.upper is not None}
    if not seen:
        return list(ends), start
    start = replace(start, roll=next(iter(seen.values()))[2].report.gravity)
    rods = [_Rod.of(upper, lower, a, start) for upper, lower, a in seen.values()]
    view, covariance, contradiction = _fit(rods, start)
    error = float(np.sqrt(covariance[0, 0]))
    if not (contradiction > LIKELY and error < KNOWN * abs(view.yaw) and abs(view.yaw) < LARGEST):
        return list(ends), replace(start, yaw_error=error)
    # one standard error off: in four directions that are independent, and by the focal length
    others = [_turned(view, step) for step in np.linalg.cholesky(covariance).T]
    if focal_length is None:
        others.append(_fit(rods, replace(start, focal_length=start.focal_length * (1 + TELEPHONES)))[0])
        error = hypot(error, others[-1].yaw - view.yaw)
    straight = list(ends)
    for (i, (upper, lower, _)), rod in zip(seen.items(), rods, strict=True):
        off = [rod.swing(other) / rod.swing(view) - 1 for other in others]
        scale_error = float(np.linalg.norm(off))
        straight[i] = replace(ends[i], upper=view.front(upper), lower=view.front(lower), scale_error=scale_error)
    return straight, replace(view, yaw_error=error)


def check(focal_length: float | None, size: tuple[int, int] | None = None) -> None:
    """Raises InputError for what no camera has."""
    if focal_length is not None and not 0.2 <= focal_length <= 20:
        raise InputError(
            f"focal_length must be from 0.2 to 20 diagonals of the picture, not {focal_length}; millimetres of 35 mm film are "
            "divided by 43.3"
        )
    if size is not None and not (len(size) == 2 and all(isfinite(side) and side > 1 for side in size)):
        raise InputError(f"size must be the width and the height of the picture in pixels, not {size!r}")


@dataclass(frozen=True)
class _Rod:
    """Where the ends of a rod were seen well, and the angles theta as they seem to be.

    growth_error: of its growth. leaning: by how much it may rest aside of plumb.
    """

    upper: Points
    lower: Points
    theta: Floats
    growth_error: float = nan
    leaning: float = nan

    @classmethod
    def of(cls, upper: Points, lower: Points, done: Angles, view: View) -> _Rod:
        theta = done.table["theta"].to_numpy()
        good = np.isfinite(theta)
        rod = cls(upper[good], lower[good], theta[good])
        for _ in range(2):
            rest = np.abs(rod.growth(view)[1])
            good[good] = rest <= OUTLIER * max(noise_of(rest), FINEST)
            rod = cls(upper[good], lower[good], theta[good])
        rest = rod.growth(view)[1]
        top, bottom = rod.ends(view)
        swing = (bottom - top).real / np.abs(bottom - top).mean()
        moves = np.polyfit(swing, top.real, 1)[0] > RIGID * np.abs(bottom - top).mean()
        beside, leaning = (BENT, LEANING) if moves else (OFF_PIVOT, OFF_PIVOT)
        # residuals that are alike in time tell as much as fewer ones would
        noise = float(rest.std() / swing.std() * np.sqrt(alikeness(rest) / len(rest)))
        return replace(rod, growth_error=hypot(noise, beside), leaning=leaning)

    def ends(self, view: View) -> tuple[Points, Points]:
        return view.plane(self.upper), view.plane(self.lower)

    def swing(self, view: View) -> float:
        """The rms of the angle."""
        return float(direction(*self.ends(view)).std())

    def rest(self, view: View) -> float:
        """Where it points in the middle of its swing, from plumb [rad]."""
        middle = np.polyfit(self.theta, direction(*self.ends(view)), 1)[1]
        return float(np.angle(1j * np.exp(1j * middle)))

    def growth(self, view: View) -> tuple[float, Floats]:
        """By which part it grows for each radian to the right, and what else its length does."""
        upper, lower = self.ends(view)
        length = np.abs(lower - upper)
        sine = (lower - upper).real / length
        columns = np.stack([sine, np.ones_like(sine), sine**2], axis=1)
        relative = length / length.mean()
        fit = np.linalg.lstsq(columns, relative, rcond=None)[0]
        return float(fit[0]), relative - columns @ fit


def _turned(view: View, by: Floats) -> View:
    """The view with another yaw, lens, pitch and roll."""
    yaw, lens, pitch, roll = (float(value) for value in by)
    return replace(view, yaw=view.yaw + yaw, lens=view.lens + lens, pitch=view.pitch + pitch, roll=view.roll + roll)


def _fit(rods: list[_Rod], start: View) -> tuple[View, Floats, float]:
    """The view that leaves the rods most nearly rigid and plumb, the covariance of its yaw, lens, pitch and roll.

    And by how many standard errors the rods contradict that there is no yaw.
    """
    growth_error, leaning = np.array([(rod.growth_error, rod.leaning) for rod in rods]).T

    def misses(p: Floats) -> Floats:
        view = _turned(start, p)
        growth = np.array([rod.growth(view)[0] for rod in rods])
        rest = np.array([rod.rest(view) for rod in rods])
        return np.concatenate([growth / growth_error, rest / leaning, p[:3] / (ANY, LENS, PITCH)])

    scale = np.array([0.1, LENS, PITCH, 0.1])
    bound = np.array([STEEPEST, 4 * LENS, STEEPEST, np.inf])
    fit = least_squares(misses, np.zeros(4), x_scale=scale, bounds=(-bound, bound))
    none = least_squares(lambda p: misses(np.array([0, *p])), np.zeros(3), x_scale=scale[1:], bounds=(-bound[1:], bound[1:]))
    contradiction = float(np.sqrt(max(2 * (none.cost - fit.cost), 0.0)))
    return _turned(start, fit.x), np.linalg.inv(fit.jac.T @ fit.jac), contradiction
