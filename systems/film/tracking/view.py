"""Recognize a camera that looks at a swing from the side, by rods that seem to grow and to shrink, and undo its view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import cos, hypot, isfinite, nan, radians, sin

import numpy as np
from scipy.optimize import least_squares

from systems.errors import InputError
from systems.film.tracking.angles import Angles, Ends
from systems.film.tracking.arrays import Floats, Points
from systems.film.tracking.geometry import direction
from systems.film.tracking.noise import alikeness, noise_of

TELEPHONE = 0.75  # diagonals: main cameras have 24 to 28 mm (35 mm film), of 43 mm, and film 0.75 to 0.9 of the picture
# standard deviations of what may be mistaken for a yaw, or distort it
TELEPHONES = 0.2  # of a focal length, relative
ANY = 10.0  # radians, of a yaw, about which nothing is known
LENS = 0.05  # of k1: what telephones leave of the distortion of their lenses
PITCH = 0.05  # radians: 3 degrees, by which a camera held by hand looks up or down
LEANING = 3e-3  # of the length of a rod, by which its markers are beside its middle: a millimetre in 30 cm
BENT = 1e-3  # of the same, by which light and shade on a moving marker shift its centre to one side
OFF_PIVOT = 0.03  # of the same, by which something that stands still is beside the pivot
RIGID = 0.03  # of the swing of the rod: an upper end that moves by more is on the rod, and does not stand still
LIKELY = 5.0  # standard errors from which a yaw is undone
KNOWN = (
    1 / 3
)  # largest relative error of a yaw that is undone: 2/3 of its effect on the angles is removed even in the worst case
LARGEST = radians(45)  # a larger result is no yaw
STEEPEST = 1.2  # radians: keeps the search off the horizon
FINEST = 1e-6  # of a length: the smallest noise that is assumed
OUTLIER = 5.0  # standard deviations: a chance of 1 in 2 million


@dataclass(frozen=True)
class View:
    """A pinhole camera's view of a plane, rotated by yaw, then by pitch, then by roll.

    Attributes
    ----------
    middle : complex
        Middle of the picture, as ``x + i y`` [pixels].
    focal_length : float
        Focal length [pixels].
    yaw, pitch, roll : float
        Angles [rad]. A positive yaw moves the right side away, a positive pitch the top; a positive roll turns anticlockwise.
    lens : float
        Coefficient k1 of the radial distortion r (1 + k1 r^2), with r in focal lengths.
    yaw_error : float
        Standard error of the yaw; NaN where nothing is known about it.
    """

    middle: complex
    focal_length: float
    yaw: float = 0.0
    lens: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    yaw_error: float = nan

    def plane(self, points: Points) -> Points:
        """Map points of the picture to the plane.

        Parameters
        ----------
        points : shape ``(T,)``
            Points as ``x + i y`` [pixels].

        Returns
        -------
        shape ``(T,)``
            Points of the plane in focal lengths from where the camera looks, with x to the right and y down.
        """
        z = (points - self.middle) / self.focal_length * np.exp(1j * self.roll)
        z = z * (1 - self.lens * np.abs(z) ** 2)
        c, s, cp, sp = cos(self.yaw), sin(self.yaw), cos(self.pitch), sin(self.pitch)
        depth = c * cp / (-s * z.real + c * sp * z.imag + c * cp)
        x = depth * (c * z.real + s * sp * z.imag + s * cp) - s * cp
        y = depth * (cp * z.imag - sp) + sp
        return np.asarray(x + 1j * y)

    def front(self, points: Points) -> Points:
        """Map points of the picture to where a camera in front would see them, ``(T,)`` as ``x + i y`` [pixels]."""
        return np.asarray(self.plane(points) * np.exp(-1j * self.roll) * self.focal_length + self.middle)


def seen_from_the_front(
    ends: Sequence[Ends], done: Sequence[Angles], size: tuple[int, int], focal_length: float | None = None
) -> tuple[list[Ends], View]:
    r"""Return the ends of pendulums as a camera in front of them would see them, if their rods determine the yaw.

    Parameters
    ----------
    ends
        Markers of each pendulum.
    done
        Angles of each pendulum as the film shows them.
    size
        Width and height of the picture [pixels].
    focal_length : optional
        Focal length in diagonals of the picture, by default that of a telephone, with an error of 20 %.

    Returns
    -------
    straight : list of Ends
        Markers of each pendulum as seen from the front; the same objects where nothing was undone.
    view : View
        The view that was undone; its yaw is 0 if none was.

    Notes
    -----
    A rod is rigid, but in an oblique view level lines converge, so it seems to grow to one side and to shrink to the other,

    .. math:: \ell(\theta) / \ell(0) = 1 - \frac{y \tan\psi}{f - x \tan\psi} \theta + O(\theta^2)

    for a pivot at its upper end, its lower end at rest at (x, y) from the middle of the picture, focal length f and yaw psi.
    The fit determines the yaw for which all rods of the film are most nearly rigid, and at rest most nearly plumb. It is
    undone if the rods contradict a yaw of zero by five standard errors, and its error is below a third of itself.

    The following determine little or nothing: a single end; a lower end as high as the picture's middle; an upper end that
    stands still, because it may be beside the pivot, which makes the rod grow in the same way; and a single pendulum far to
    one side of the middle, whose rod seems to grow because of the lens or of a camera that looks up as well. A pitch moves
    the height from which y counts by f tan(pitch). Pendulums at several places determine it; for a single one in the middle,
    a pitch of 3 degrees is part of the error.

    An error of f changes the yaw in proportion, but the angles only by its cosine, because the effect of
    perspective stays removed.
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
    # one standard error off: in four independent directions, and by the focal length
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
    """Check the parameters of a camera.

    Parameters
    ----------
    focal_length
        Focal length in diagonals of the picture, or None.
    size : optional
        Width and height of the picture [pixels].

    Raises
    ------
    InputError
        If no camera has such parameters.
    """
    if focal_length is not None and not 0.2 <= focal_length <= 20:
        raise InputError(
            f"focal_length must be from 0.2 to 20 diagonals of the picture, not {focal_length}; divide millimetres "
            "of 35 mm film by 43.3"
        )
    if size is not None and not (len(size) == 2 and all(isfinite(side) and side > 1 for side in size)):
        raise InputError(f"size must be the width and the height of the picture in pixels, not {size!r}")


@dataclass(frozen=True)
class _Rod:
    """Where the ends of a rod were seen well, and the apparent angles theta.

    growth_error is the standard error of its growth, and leaning the angle by which it may rest beside plumb.
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
        # residuals that are correlated in time weigh as much as fewer independent ones
        noise = float(rest.std() / swing.std() * np.sqrt(alikeness(rest) / len(rest)))
        return replace(rod, growth_error=hypot(noise, beside), leaning=leaning)

    def ends(self, view: View) -> tuple[Points, Points]:
        return view.plane(self.upper), view.plane(self.lower)

    def swing(self, view: View) -> float:
        """Return the RMS of the angle."""
        return float(direction(*self.ends(view)).std())

    def rest(self, view: View) -> float:
        """Return where the rod points in the middle of its swing, from plumb [rad]."""
        middle = np.polyfit(self.theta, direction(*self.ends(view)), 1)[1]
        return float(np.angle(1j * np.exp(1j * middle)))

    def growth(self, view: View) -> tuple[float, Floats]:
        """Return the relative growth of the rod per radian to the right, and what else its length does."""
        upper, lower = self.ends(view)
        length = np.abs(lower - upper)
        sine = (lower - upper).real / length
        columns = np.stack([sine, np.ones_like(sine), sine**2], axis=1)
        relative = length / length.mean()
        fit = np.linalg.lstsq(columns, relative, rcond=None)[0]
        return float(fit[0]), relative - columns @ fit


def _turned(view: View, by: Floats) -> View:
    """Return the view with yaw, lens, pitch and roll changed by the given amounts."""
    yaw, lens, pitch, roll = (float(value) for value in by)
    return replace(view, yaw=view.yaw + yaw, lens=view.lens + lens, pitch=view.pitch + pitch, roll=view.roll + roll)


def _fit(rods: list[_Rod], start: View) -> tuple[View, Floats, float]:
    """Return the view for which the rods are most nearly rigid and plumb, and the covariance of its yaw, lens, pitch and roll.

    The third result is by how many standard errors the rods contradict a yaw of zero.
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
