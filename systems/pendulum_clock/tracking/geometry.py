"""Angles from the ends of a pendulum, or from the arc of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from systems.errors import InputError
from systems.pendulum_clock.tracking.markers import Floats
from systems.pendulum_clock.tracking.noise import noise_of
from systems.pendulum_clock.tracking.rates import alikeness

Points = NDArray[np.complex128]  # x + i y in pixels, y pointing down
LOOSEST = 0.5  # relative error of a radius beyond which the angles have no scale


@dataclass(frozen=True)
class Arc:
    """The circle through the places of one marker. conditioning: that of the fit, 1 at best; above 1e3 the arc is flat."""

    centre: complex
    radius: float
    radius_error: float
    conditioning: float


def direction(upper: Points, lower: Points) -> Floats:
    """The direction from the upper to the lower end, anticlockwise to the eye [rad], without jumps; NaN where one is missing.

    Immune to any shift of the camera, and to its distance.
    """
    return without_jumps(-np.angle(lower - upper))


def without_jumps(angle: Floats) -> Floats:
    """The same angles, with no step of more than half a turn; those that are NaN stay so."""
    whole = np.array(angle)
    seen = np.isfinite(whole)
    whole[seen] = np.unwrap(whole[seen])
    return whole


def fit_arc(points: Points) -> Arc:
    """The circle with the least distances from the points, the far ones counting less.

    Raises InputError for an arc too short or too flat to tell its centre.
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
    # the algebraic fit draws noisy flat arcs too tight: begin the geometric one from flatter circles too
    fits = []
    for factor in (1.0, 3.0, 10.0):
        toward = start[:2] / max(float(np.hypot(*start[:2])), 1e-9)
        radius = factor * start[2]
        fits.append(least_squares(miss, [*(toward * radius), radius], loss="soft_l1", f_scale=3 * noise, x_scale="jac"))
    fit = min(fits, key=lambda result: result.cost)
    jacobian = np.stack([-(x - fit.x[0]), -(y - fit.x[1]), -np.hypot(x - fit.x[0], y - fit.x[1])], axis=1)
    jacobian /= np.hypot(x - fit.x[0], y - fit.x[1])[:, None]
    # a string that swings as a whole leaves residuals alike for many frames, which tell less than as many separate ones
    spread = float(np.mean(miss(fit.x) ** 2)) * len(x) / max(len(x) - 3, 1) * alikeness(miss(fit.x))
    singular = np.linalg.svd(jacobian, compute_uv=False)
    if singular[-1] < 1e-12 * singular[0]:
        raise InputError(
            "the marker moves along a straight line, so its pivot cannot be told; show the pivot, or a marker on it"
        )
    covariance = spread * np.linalg.inv(jacobian.T @ jacobian)
    error = float(np.sqrt(covariance[2, 2]))
    if error > LOOSEST * fit.x[2] or fit.x[2] > 1e4:
        raise InputError(
            f"the marker's arc is too flat to tell its pivot, its radius being {fit.x[2] * scale:.0f} +- {error * scale:.0f} "
            "pixels; show the pivot, or a second marker on the rod"
        )
    return Arc(
        centre=complex(middle + scale * (fit.x[0] + 1j * fit.x[1])),
        radius=float(fit.x[2] * scale),
        radius_error=error * scale,
        conditioning=float(singular[0] / singular[-1]),
    )
