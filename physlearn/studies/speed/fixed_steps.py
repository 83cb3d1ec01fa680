"""Speed of orbits with fixed steps, beside loops written by hand for numba and compiled by jax."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from physlearn import integrate
from physlearn.studies.speed import peers
from physlearn.studies.speed.beside import OURS, Call, Contender, Row, compared, simple
from systems.compiled.loops import loop
from systems.hamiltonian import HenonHeiles

STEPS = {1: 100_000, 100: 10_000, 10_000: 200}  # steps by number of orbits
DT = 0.05


@loop(error_model="numpy")
def rk4_by_hand(z: np.ndarray, steps: int, dt: float) -> np.ndarray:
    """Return states of Henon-Heiles after some steps of RK4, one orbit after the other."""
    out = np.empty_like(z)
    for i in range(len(z)):
        x, y, u, v = z[i, 0], z[i, 1], z[i, 2], z[i, 3]
        for _ in range(steps):
            x1, y1, u1, v1 = u, v, -x - 2 * x * y, -y - (x * x - y * y)
            a, b, c, d = x + dt / 2 * x1, y + dt / 2 * y1, u + dt / 2 * u1, v + dt / 2 * v1
            x2, y2, u2, v2 = c, d, -a - 2 * a * b, -b - (a * a - b * b)
            a, b, c, d = x + dt / 2 * x2, y + dt / 2 * y2, u + dt / 2 * u2, v + dt / 2 * v2
            x3, y3, u3, v3 = c, d, -a - 2 * a * b, -b - (a * a - b * b)
            a, b, c, d = x + dt * x3, y + dt * y3, u + dt * u3, v + dt * v3
            x4, y4, u4, v4 = c, d, -a - 2 * a * b, -b - (a * a - b * b)
            x += dt / 6 * (x1 + 2 * (x2 + x3) + x4)
            y += dt / 6 * (y1 + 2 * (y2 + y3) + y4)
            u += dt / 6 * (u1 + 2 * (u2 + u3) + u4)
            v += dt / 6 * (v1 + 2 * (v2 + v3) + v4)
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = x, y, u, v
    return out


@loop(error_model="numpy")
def leapfrog_by_hand(z: np.ndarray, steps: int, dt: float) -> np.ndarray:
    """Return states of Henon-Heiles after some steps of leapfrog (kick, drift, kick), one orbit after the other."""
    out = np.empty_like(z)
    for i in range(len(z)):
        x, y, u, v = z[i, 0], z[i, 1], z[i, 2], z[i, 3]
        u, v = u + dt / 2 * (-x - 2 * x * y), v + dt / 2 * (-y - (x * x - y * y))
        for step in range(steps):
            x, y = x + dt * u, y + dt * v
            kick = dt if step < steps - 1 else dt / 2  # the last kick of a step and the first of the next are one
            u, v = u + kick * (-x - 2 * x * y), v + kick * (-y - (x * x - y * y))
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = x, y, u, v
    return out


def rk4_by_jax(jax: Any, z: Any, dt: float) -> Any:
    """Return states ``(4, n)`` after a step of RK4."""

    def field(z: Any) -> Any:
        return jax.numpy.stack(peers.henon_heiles(z, jax.numpy))

    k1 = field(z)
    k2 = field(z + dt / 2 * k1)
    k3 = field(z + dt / 2 * k2)
    k4 = field(z + dt * k3)
    return z + dt / 6 * (k1 + 2 * (k2 + k3) + k4)


def leapfrog_by_jax(jax: Any, z: Any, dt: float) -> Any:
    """Return states ``(4, n)`` after a step of leapfrog."""

    def force(q: Any) -> Any:
        return jax.numpy.stack(peers.henon_heiles([*q, *q], jax.numpy)[2:])

    q, p = z[:2], z[2:]
    p = p + dt / 2 * force(q)
    q = q + dt * p
    return jax.numpy.concatenate([q, p + dt / 2 * force(q)])


METHODS: dict[str, tuple[Callable[..., np.ndarray], Callable[..., Any]]] = {
    "rk4": (rk4_by_hand, rk4_by_jax),
    "leapfrog": (leapfrog_by_hand, leapfrog_by_jax),
}


def rows(quick: bool) -> Iterator[Row]:
    """Yield the steps per second of all orbits of Henon-Heiles, one row per method, number of orbits and package.

    The error is the largest difference from physlearn's states at the end.
    """
    for method in METHODS:
        for size, steps in STEPS.items():
            yield from _compared(method, size, steps // 20 if quick else steps)


def _compared(method: str, size: int, steps: int) -> Iterator[Row]:
    system = HenonHeiles()
    z0 = system.sample(size, energy=1 / 12)
    z, t = z0.numpy(), torch.tensor([0.0, steps * DT], dtype=torch.float64)
    by_hand, by_jax = METHODS[method]

    def ours() -> np.ndarray:
        end: np.ndarray = integrate(system, z0, t, method=method, substeps=steps, progress=False).z[:, -1].numpy()
        return end

    def jitted() -> Call:
        jax = peers.jax()
        many = jax.jit(lambda z: jax.lax.fori_loop(0, steps, lambda _, z: by_jax(jax, z, DT), z))
        start = jax.numpy.asarray(z.T)
        return lambda: np.asarray(many(start)).T

    true = ours()
    contenders = [
        Contender(OURS, simple(ours)),
        Contender("numba by hand", simple(lambda: by_hand(z, steps, DT))),
        Contender("jax", lambda distance, error: jitted()),
    ]
    case = {"what": "fixed steps", "case": f"henon-heiles, {method}", "size": size}
    yield from compared(contenders, lambda found: float(np.abs(found - true).max()), size * steps, **case)
