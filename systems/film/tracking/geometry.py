"""Angles from the two ends of a pendulum, or from the arc of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from systems.errors import InputError
from systems.film.tracking.arrays import Floats, Points
from systems.film.tracking.noise import alikeness, noise_of

LOOSEST = 0.5  # relative error of a radius beyond which the angles have no scale


@dataclass(frozen=True)
class Arc:
    """A circle through the places of one marker.

    Attributes
    ----------
    centre : complex
        Its centre, as ``x + i y`` [pixels].
    radius, radius_error : float
        Its radius and the standard error [pixels].
    conditioning : float
        Condition number of the fit, 1 at best; above 1e3 the arc is flat.
    """

    centre: complex
    radius: float
    radius_error: float
    conditioning: float


def direction(upper: Points, lower: Points) -> Floats:
    """Return the direction from the upper to the lower end, which neither shifts of the camera nor its distance change.

    Parameters
    ----------
    upper, lower : shape ``(T,)``
        Places of both ends, as ``x + i y`` with y pointing down.

    Returns
    -------
    shape ``(T,)``
        Angles [rad], anticlockwise to the viewer, without jumps; NaN where an end is missing.
    """
    return without_jumps(-np.angle(lower - upper))


def without_jumps(angle: Floats) -> Floats:
    """Return the same angles without steps of more than half a turn; NaN stays NaN."""
    whole = np.array(angle)
    seen = np.isfinite(whole)
    whole[seen] = np.unwrap(whole[seen])
    return whole


def fit_arc(points: Points, place_error: float = 0.0) -> Arc:
    """Fit a circle to points by least distances, with less weight for outliers.

    Parameters
    ----------
    points : shape ``(T,)``
        Places as ``x + i y``; NaN is ignored.
    place_error : default 0
        Systematic error of a place, the same whenever the marker comes back to within a pixel of it, and by which the ends of
        the arc may differ from its middle [pixels].

    Returns
    -------
    Arc
        The circle.

    Raises
    ------
    InputError
        If the arc is too short or too flat to determine its centre.
    """
    z = points[np.isfinite(points)]
    middle = z.mean()
    scale = float(np.abs(z - middle).std() + np.abs(z - middle).mean()) or 1.0
    x, y = ((z - middle) / scale).real, ((z - middle) / scale).imag
    columns = np.stack([x, y, np.ones_like(x)], axis=1)
    a, b, c = np.linalg.lstsq(columns, x**2 + y**2, rcond=None)[0]
    start = np.array([a / 2, b / 2, np.sqrt(max(c + (a * a + b * b) / 4, 1e-12))])

    def miss(p: Floats) -> Floats:
        return np.asarray(np.hypot(x - p[0], y - p[1]) - p[2])

    noise = max(noise_of(np.abs(miss(start))), 1e-6)
    # the algebraic fit underestimates the radius of noisy flat arcs, so the geometric one also starts from flatter circles
    fits = []
    for factor in (1.0, 3.0, 10.0):
        toward = start[:2] / max(float(np.hypot(*start[:2])), 1e-9)
        radius = factor * start[2]
        fits.append(least_squares(miss, [*(toward * radius), radius], loss="soft_l1", f_scale=3 * noise, x_scale="jac"))
    fit = min(fits, key=lambda result: result.cost)
    jacobian = np.stack([-(x - fit.x[0]), -(y - fit.x[1]), -np.hypot(x - fit.x[0], y - fit.x[1])], axis=1)
    jacobian /= np.hypot(x - fit.x[0], y - fit.x[1])[:, None]
    # a string that vibrates leaves residuals that are correlated over many frames, which weigh less than independent ones
    spread = float(np.mean(miss(fit.x) ** 2)) * len(x) / max(len(x) - 3, 1) * alikeness(miss(fit.x))
    # errors that come back with the place are as many as the pixels along the arc, however often the marker passes
    pixels = max(float(np.abs(np.ptp(x) + 1j * np.ptp(y))) * scale, 1.0)
    spread += (place_error / scale) ** 2 * max(len(x) / pixels, 1.0)
    singular = np.linalg.svd(jacobian, compute_uv=False)
    if singular[-1] < 1e-12 * singular[0]:
        raise InputError(
            "the marker moves along a straight line, so its pivot cannot be determined; show the pivot, or a marker on it"
        )
    covariance = spread * np.linalg.inv(jacobian.T @ jacobian)
    # blur and compression displace a slow marker otherwise than a fast one, in all swings alike, which looks like a bend
    along = np.angle((x + 1j * y - fit.x[0] - 1j * fit.x[1]) * (-fit.x[0] + 1j * fit.x[1]))
    bend = (along / max(float(np.abs(along).max()), 1e-9)) ** 2
    by_bend = np.linalg.lstsq(jacobian, place_error / scale * bend, rcond=None)[0]
    covariance += np.outer(by_bend, by_bend)
    error = float(np.sqrt(covariance[2, 2]))
    if not (error <= LOOSEST * fit.x[2] and fit.x[2] <= 1e4):  # NaN is refused, too
        raise InputError(
            f"the marker's arc is too flat to determine its pivot: its radius is {fit.x[2] * scale:.0f} +- "
            f"{error * scale:.0f} pixels; show the pivot, or a second marker on the rod"
        )
    return Arc(
        centre=complex(middle + scale * (fit.x[0] + 1j * fit.x[1])),
        radius=float(fit.x[2] * scale),
        radius_error=error * scale,
        conditioning=float(singular[0] / singular[-1]),
    )
