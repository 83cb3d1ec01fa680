"""The systems and solvers of other packages, for comparison; each package is imported when it is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from physlearn.studies.speed.beside import Call
from systems.extras import require

Equations = Callable[[Sequence[Any], Any], list[Any]]  # the coordinates, and a module with sin, cos and sqrt, to the rates
LONG = 1e-18  # tolerance of the reference, in extended precision
PURPOSE = "this comparison"


def henon_heiles(z: Sequence[Any], m: Any) -> list[Any]:
    """Return the rates of the Henon-Heiles system."""
    x, y, p_x, p_y = z
    return [p_x, p_y, -x - 2.0 * x * y, -y - (x * x - y * y)]


def double_pendulum(z: Sequence[Any], m: Any) -> list[Any]:
    """Return the rates of the double pendulum."""
    first, second, p, s = z
    sin, cos = m.sin(first - second), m.cos(first - second)
    inertia = 1.0 + sin * sin
    turning = (p * s - (p * p + 2.0 * s * s - 2.0 * p * s * cos) * cos / inertia) * sin / inertia
    return [
        (p - s * cos) / inertia,
        (2.0 * s - p * cos) / inertia,
        -turning - 2.0 * 9.81 * m.sin(first),
        turning - 9.81 * m.sin(second),
    ]


def lorenz(z: Sequence[Any], m: Any) -> list[Any]:
    """Return the rates of the Lorenz system."""
    x, y, height = z
    return [10.0 * (y - x), x * (28.0 - height) - y, x * y - 8 / 3 * height]


def van_der_pol(z: Sequence[Any], m: Any) -> list[Any]:
    """Return the rates of the van der Pol oscillator."""
    x, v = z
    return [v, 2.7 * (1.0 - x * x) * v - x]


def kepler(z: Sequence[Any], m: Any) -> list[Any]:
    """Return the rates of the Kepler problem."""
    x, y, p_x, p_y = z
    square = x * x + y * y
    cube = square * m.sqrt(square)
    return [p_x, p_y, -x / cube, -y / cube]


def jax() -> ModuleType:
    """Return jax, which computes in double precision."""
    module = require("jax", "bench", PURPOSE)
    module.config.update("jax_enable_x64", True)
    return module


def heyoka() -> ModuleType:
    """Return heyoka."""
    return require("heyoka", "bench", PURPOSE)


def heyoka_system(equations: Equations, dim: int) -> list[tuple[Any, Any]]:
    """Return a system as heyoka takes it."""
    hy = heyoka()
    variables = list(hy.make_vars(*(f"z{i}" for i in range(dim))))
    return list(zip(variables, equations(variables, hy), strict=True))


def heyoka_flow(system: Sequence[tuple[Any, Any]], n: int, tolerance: float) -> Callable[[np.ndarray, float], np.ndarray]:
    """Return a function that moves n states ``(n, D)`` by a time: one by one, or side by side in the registers."""
    hy = heyoka()
    if n == 1:
        one = hy.taylor_adaptive(list(system), state=np.zeros(len(system)), tol=tolerance)

        def flow(z: np.ndarray, time: float) -> np.ndarray:
            one.time = 0.0
            one.state[:] = z[0]
            one.propagate_until(time)
            return np.array(one.state)[None]

        return flow
    lanes = hy.recommended_simd_size()
    many = hy.taylor_adaptive_batch(list(system), state=np.zeros((len(system), lanes)), tol=tolerance)

    def flow_of_many(z: np.ndarray, time: float) -> np.ndarray:
        blocks = -(-n // lanes)
        out = np.concatenate([z, np.repeat(z[-1:], blocks * lanes - n, axis=0)])
        for start in range(0, len(out), lanes):
            many.set_time(0.0)
            many.state[:] = out[start : start + lanes].T
            many.propagate_until(time)
            out[start : start + lanes] = many.state.T
        return out[:n]

    return flow_of_many


def heyoka_reference(equations: Equations, z: np.ndarray, time: float) -> np.ndarray:
    """Return the states after a time, integrated in extended precision."""
    wide: Any = np.longdouble
    system, tolerance = heyoka_system(equations, z.shape[1]), wide(LONG)
    one = heyoka().taylor_adaptive(system, state=np.zeros(z.shape[1], dtype=wide), tol=tolerance, fp_type=wide)
    found = []
    for state in z:
        one.time = wide(0)
        one.state[:] = state
        one.propagate_until(wide(time))
        found.append(np.array(one.state, dtype=float))
    return np.array(found)


def gala(potential: str, z: np.ndarray, time: float, tolerance: float) -> Call:
    """Return the orbits of one of gala's potentials by its DOP853, which is written in C."""
    gp, gi = require("gala.potential", "bench", PURPOSE), require("gala.integrate", "bench", PURPOSE)
    units = require("gala.units", "bench", PURPOSE).dimensionless
    well = gp.KeplerPotential(m=1.0, units=units) if potential == "kepler" else gp.HenonHeilesPotential(units=units)
    dim, half = well.ndim, z.shape[1] // 2
    start = np.zeros((2 * dim, len(z)))
    start[:half], start[dim : dim + half] = z[:, :half].T, z[:, half:].T
    options = {"rtol": tolerance, "atol": tolerance}

    def call() -> np.ndarray:
        orbit = well.integrate_orbit(
            start,
            t=np.array([0.0, time]),
            Integrator=gi.DOPRI853Integrator,
            Integrator_kwargs=options,
            save_all=False,
        )
        end = orbit.w().reshape(2 * dim, len(z))
        return np.concatenate([end[:half], end[dim : dim + half]]).T

    return call


def diffrax(equations: Equations, z: np.ndarray, time: float) -> Callable[[float], Call]:
    """Return a function of the tolerance that returns the orbits by Dopri8, which is compiled once for all tolerances."""
    jx, dx = jax(), require("diffrax", "bench", PURPOSE)

    def field(t: Any, state: Any, args: Any) -> Any:
        return jx.numpy.stack(equations(state, jx.numpy))

    def one(state: Any, tolerance: Any) -> Any:
        controller = dx.PIDController(rtol=tolerance, atol=tolerance)
        found = dx.diffeqsolve(
            dx.ODETerm(field),
            dx.Dopri8(),
            0.0,
            time,
            None,
            state,
            stepsize_controller=controller,
            max_steps=None,
            saveat=dx.SaveAt(t1=True),
        )
        return found.ys[-1]

    compiled, start = jx.jit(jx.vmap(one, in_axes=(0, None))), jx.numpy.asarray(z)
    return lambda tolerance: lambda: np.asarray(compiled(start, tolerance))
