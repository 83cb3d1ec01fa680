"""High-accuracy orbits from SciPy's adaptive solvers in float64, or from torchdiffeq's dopri8 on other devices."""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from systems.autograd_mode import ordinary, plain
from systems.errors import InputError, IntegrationError
from systems.reference.jumps import Watch
from systems.reference.time_scale import fastest_rate, known_jacobian, natural_size, power_of_two
from systems.reference.tolerances import SMALLEST_RTOL, Solver, tolerances

__all__ = ["SMALLEST_RTOL", "Field", "Solver", "dopri8", "solve", "standing", "tolerances"]

Field = Callable[[Tensor, Tensor], Tensor]
ORBITS_AT_ONCE = 32
SMALLEST_STEP_ERROR = 4  # machine epsilons


def solve(
    field: Field,
    z0: Float[Tensor, "*batch D"],
    t: Float[Tensor, " T"],
    method: Solver = "DOP853",
    rtol: float | None = None,
    atol: float | None = None,
    *,
    period: float | None = None,
) -> Float[Tensor, "*batch T D"]:
    """Solve dz/dt = field(t, z) with z = z0 at t[0], and return the states at the times t.

    The error of each step is at most ``rtol |z_i| + atol s_i`` in each coordinate of each orbit, where s_i is the size of the
    coordinate along the orbit so far. The accuracy therefore does not depend on units. SciPy's solvers control the root mean
    square error over all orbits that they integrate, which could hide one inaccurate orbit of a batch. Orbits are therefore
    integrated in groups, with tolerances divided by the square root of the size of the group.

    Parameters
    ----------
    field : callable
        Vector field ``f(t, z)``, which is called with times in float64.
    z0 : shape ``(..., D)``
        States at ``t[0]``.
    t : shape ``(T,)``
        Times, increasing or decreasing.
    method : {"DOP853", "RK45", "Radau", "BDF", "LSODA", "dopri8"}, default "DOP853"
        A method of SciPy, or ``"dopri8"`` of torchdiffeq.
    rtol, atol : float, optional
        Tolerances of a step. Default to the smallest useful ones; if only one is given, the other is 1e-12.
    period : float, optional
        Period of the field in time. Times are reduced modulo the period before the field is called.

    Returns
    -------
    Tensor, shape ``(..., T, D)``
        States at the times.

    Raises
    ------
    InputError
        If the solver is unknown, or if the tolerances are not positive.
    IntegrationError
        If an orbit diverges and cannot be continued.
    """
    if method not in Solver.__args__:  # type: ignore[attr-defined]
        raise InputError(f"no solver {method!r}; choose one of {', '.join(Solver.__args__)}")  # type: ignore[attr-defined]
    rtol, atol = tolerances(method, rtol, atol)
    if len(t) == 1 or z0.numel() == 0:
        return standing(z0, t)
    with ordinary(), torch.no_grad():
        flat = plain(z0).reshape(-1, z0.shape[-1])
        times = plain(t).to(flat.device, torch.float64)
        if method == "dopri8":
            states = dopri8(field, flat, times, rtol, atol, period)
        else:
            from systems.reference.adaptive import Group  # importing SciPy's solvers is slow

            groups = enumerate(flat.split(ORBITS_AT_ONCE))
            states = torch.cat(
                [Group(field, z, times, method, rtol, atol, period, i * ORBITS_AT_ONCE).states() for i, z in groups]
            )
        return states.reshape(*z0.shape[:-1], len(t), z0.shape[-1])


def standing(z0: Float[Tensor, "*batch D"], t: Float[Tensor, " T"]) -> Float[Tensor, "*batch T D"]:
    """Repeat the initial states at all times, which is the solution for a single time or an empty batch."""
    return z0.unsqueeze(-2).expand(*z0.shape[:-1], len(t), z0.shape[-1]).clone()


def dopri8(
    field: Field,
    z0: Float[Tensor, "n D"],
    t: Float[Tensor, " T"],
    rtol: float,
    atol: float,
    period: float | None = None,
) -> Float[Tensor, "n T D"]:
    """Solve an equation with torchdiffeq's adaptive Dormand-Prince method of order 8, on any device and differentiably.

    States and times are scaled by the magnitudes of the orbit, so the tolerances do not depend on the units of the system.

    Parameters
    ----------
    field : callable
        Vector field ``f(t, z)``, which is called with times in float64.
    z0 : shape ``(n, D)``
        States at ``t[0]``.
    t : shape ``(T,)``
        Times, increasing or decreasing.
    rtol, atol : float
        Tolerances of a step.
    period : float, optional
        Period of the field in time. Times are reduced modulo the period before the field is called.

    Returns
    -------
    Tensor, shape ``(n, T, D)``
        States at the times.

    Raises
    ------
    IntegrationError
        If the field is not finite at the start, if the step size underflows, or if an orbit slides along a jump of the field.
    """
    from torchdiffeq import odeint

    clock = t.new_tensor(float(t[0]) if period is None else float(t[0]) % period)
    since = t - t[0]
    with torch.no_grad():
        rate = field(clock, z0)
        if not torch.isfinite(rate).all():
            raise IntegrationError(f"dopri8 cannot follow the {len(z0)} orbits: the field is not finite at their start")
        matrix = known_jacobian(lambda z: field(clock, z), z0)
        size = natural_size(z0.detach(), rate, matrix)
        unit = torch.from_numpy(power_of_two(size.double().cpu().numpy())).to(z0)
        fastest = max(float(fastest_rate(matrix).max()), 0.0 if period is None else 2 * pi / period)
        span = float(since[-1].abs())
        scale = float(power_of_two(t.new_tensor(1 / fastest if fastest > 0 else span).cpu().numpy()))

    def scaled(x: Tensor, y: Tensor) -> Tensor:
        time = clock + scale * x.double()
        return field(time if period is None else time % period, y * unit) * (scale / unit)

    def rates(x: float, y: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            states = torch.from_numpy(y.reshape(z0.shape)).to(z0)
            return scaled(t.new_tensor(x), states).reshape(-1).double().cpu().numpy()

    watch = Watch(rates, float(since[-1]) / scale, z0.detach(), begin=float(t[0]), unit=scale)

    def watched(x: Tensor, y: Tensor) -> Tensor:
        watch(float(x.detach()), lambda: y.detach().reshape(-1).double().cpu().numpy())
        return scaled(x, y)

    share = len(z0) ** -0.5
    floor = SMALLEST_STEP_ERROR * torch.finfo(z0.dtype).eps
    # steps end at all requested times, because the solver's interpolation between steps has a much lower order
    options = {"step_t": since[1:] / scale} if len(t) > 1 else {}
    try:
        states = odeint(
            watched,
            z0 / unit,
            since / scale,
            rtol=max(rtol * share, floor),
            atol=max(atol * share, floor),
            method="dopri8",
            options=options,
        )
    except AssertionError as error:  # torchdiffeq reports an underflow of the step size in this way
        raise IntegrationError(f"dopri8 cannot follow the {len(z0)} orbits to t = {t[-1]:g}: {error}") from error
    return states.transpose(0, 1) * unit.unsqueeze(-2)
