"""High-accuracy orbits: SciPy's adaptive solvers in float64, torchdiffeq's dopri8 on other devices than the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from scipy.integrate import solve_ivp
from torch import Tensor

from systems.errors import InputError, IntegrationError

Field = Callable[[Tensor, Tensor], Tensor]
Solver = Literal["DOP853", "RK45", "Radau", "BDF", "LSODA", "dopri8"]
SMALLEST_RTOL = 1e-13  # SciPy raises anything below 100 machine epsilons, with a warning
ORBITS_AT_ONCE = 32


def solve(
    field: Field,
    z0: Float[Tensor, "*batch D"],
    t: Float[Tensor, " T"],
    solver: Solver = "DOP853",
    rtol: float = 1e-12,
    atol: float = 1e-12,
) -> Float[Tensor, "*batch T D"]:
    """States of dz/dt = field(t, z) at the times t, from z0 at t[0], each orbit within the tolerances.

    SciPy's solvers control the root mean square error over everything they integrate, in which one bad orbit of a batch
    would hide; so orbits go in groups, with tolerances divided by the square root of the group's size.

    Raises InputError for an unknown solver, IntegrationError where an orbit cannot be continued (it blew up).
    """
    if solver not in Solver.__args__:  # type: ignore[attr-defined]
        raise InputError(f"no solver {solver!r}; there are {', '.join(Solver.__args__)}")  # type: ignore[attr-defined]
    if len(t) == 1:
        return z0.unsqueeze(-2).clone()
    flat = z0.reshape(-1, z0.shape[-1])
    if solver == "dopri8":
        with torch.no_grad():
            states = dopri8(field, flat, t, rtol, atol)
    else:
        groups = flat.split(ORBITS_AT_ONCE)
        states = torch.cat(
            [_by_scipy(field, group, t, solver, rtol, atol, i * ORBITS_AT_ONCE) for i, group in enumerate(groups)]
        )
    return states.reshape(*z0.shape[:-1], len(t), z0.shape[-1])


def _by_scipy(field: Field, z0: Tensor, t: Tensor, solver: str, rtol: float, atol: float, first: int) -> Tensor:
    share = len(z0) ** -0.5
    times = t.cpu().numpy()

    def rate(time: float, y: np.ndarray) -> np.ndarray:
        z = torch.from_numpy(y).reshape(z0.shape).to(z0.device)
        return field(z.new_tensor(time), z).reshape(-1).cpu().numpy()

    with torch.no_grad(), np.errstate(all="ignore"):
        result = solve_ivp(
            rate,
            (times[0], times[-1]),
            z0.reshape(-1).cpu().numpy(),
            method=solver,
            t_eval=times,
            rtol=max(rtol * share, SMALLEST_RTOL),
            atol=atol * share,
        )
    if result.success and np.isfinite(result.y).all():
        return torch.from_numpy(result.y.T.copy()).reshape(len(t), *z0.shape).transpose(0, 1).to(z0.device)
    if len(z0) > 1:  # find the orbit that failed, so that the error can name it
        return torch.cat([_by_scipy(field, z, t, solver, rtol, atol, first + i) for i, z in enumerate(z0.split(1))])
    reached = times[result.y.shape[1] - 1] if result.y.size else times[0]
    raise IntegrationError(
        f"orbit {first} from z0 = {[round(x, 6) for x in z0[0].tolist()]} cannot be followed "
        f"beyond t = {reached:g}: it grows without bound or its field is not finite"
    )


def dopri8(field: Field, z0: Float[Tensor, "n D"], t: Float[Tensor, " T"], rtol: float, atol: float) -> Float[Tensor, "n T D"]:
    """Dormand and Prince's adaptive method of order 8 by torchdiffeq, on any device, differentiable, backward in time too.

    Raises IntegrationError where the step size underflows.
    """
    from torchdiffeq import odeint

    share = len(z0) ** -0.5
    # Steps end on the requested times: the solver's interpolation between them is of a lower order than the solver.
    options = {"step_t": t[1:-1]} if len(t) > 2 else {}
    try:
        states = odeint(field, z0, t, rtol=rtol * share, atol=atol * share, method="dopri8", options=options)
    except AssertionError as error:  # how torchdiffeq says that its step size underflowed
        raise IntegrationError(f"dopri8 cannot follow the {len(z0)} orbits to t = {t[-1]:g}: {error}") from error
    return states.transpose(0, 1)
