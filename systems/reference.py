"""High-accuracy orbits: SciPy's adaptive solvers in float64, torchdiffeq's dopri8 on other devices than the CPU."""

from __future__ import annotations

import warnings
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
SMALLEST_STEP_ERROR = 4  # machine epsilons


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
    if len(t) == 1 or z0.numel() == 0:
        return standing(z0, t)
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


def standing(z0: Float[Tensor, "*batch D"], t: Float[Tensor, " T"]) -> Float[Tensor, "*batch T D"]:
    """The initial states at all times: what there is to say of a single time, or of no orbits."""
    return z0.unsqueeze(-2).expand(*z0.shape[:-1], len(t), z0.shape[-1]).clone()


def _by_scipy(field: Field, z0: Tensor, t: Tensor, solver: str, rtol: float, atol: float, first: int) -> Tensor:
    share = len(z0) ** -0.5
    times = t.cpu().numpy()

    def rate(time: float, y: np.ndarray) -> np.ndarray:
        z = torch.from_numpy(y).reshape(z0.shape).to(z0.device)
        f = field(z.new_tensor(time), z).reshape(-1).cpu().numpy()
        if np.isfinite(f).all():
            farthest[0] = max(farthest[0], abs(time - times[0]))
        return f

    farthest = [0.0]  # from the start, where the field was still finite
    reached = times[0]
    with torch.no_grad(), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LSODA's own words on what is an IntegrationError here
        if np.isfinite(rate(times[0], z0.reshape(-1).cpu().numpy())).all():
            try:
                result = solve_ivp(
                    rate,
                    (times[0], times[-1]),
                    z0.reshape(-1).cpu().numpy(),
                    method=solver,
                    t_eval=times,
                    rtol=max(rtol * share, SMALLEST_RTOL),
                    atol=atol * share,
                )
            except ValueError:  # from the linear algebra of the implicit solvers, on a field that is not finite
                reached = times[np.abs(times - times[0]) <= farthest[0]][-1]
            else:
                finite = np.isfinite(result.y).all(axis=0)
                if result.success and finite.all():
                    return torch.from_numpy(result.y.T.copy()).reshape(len(t), *z0.shape).transpose(0, 1).to(z0.device)
                reached = times[max(int(finite.argmin() if not finite.all() else len(finite)) - 1, 0)]
    if len(z0) > 1:  # find the orbit that failed, so that the error can name it
        return torch.cat([_by_scipy(field, z, t, solver, rtol, atol, first + i) for i, z in enumerate(z0.split(1))])
    raise IntegrationError(
        f"orbit {first} from z0 = {[round(x, 6) for x in z0[0].tolist()]} cannot be followed "
        f"beyond t = {reached:g}: it grows without bound or its field is not finite"
    )


def dopri8(field: Field, z0: Float[Tensor, "n D"], t: Float[Tensor, " T"], rtol: float, atol: float) -> Float[Tensor, "n T D"]:
    """Dormand and Prince's adaptive method of order 8 by torchdiffeq: on any device, differentiable, backward in time too.

    Raises IntegrationError where the field is not finite at the start, or the step size underflows.
    """
    from torchdiffeq import odeint

    with torch.no_grad():
        if not torch.isfinite(field(t[0].to(z0.dtype), z0)).all():
            raise IntegrationError(f"dopri8 cannot follow the {len(z0)} orbits: the field is not finite at their start")
    share = len(z0) ** -0.5
    floor = SMALLEST_STEP_ERROR * torch.finfo(z0.dtype).eps
    # Steps end on all requested times: the solver's interpolation between its steps is of a far lower order than they are.
    options = {"step_t": t[1:]} if len(t) > 1 else {}
    try:
        states = odeint(
            field, z0, t, rtol=max(rtol * share, floor), atol=max(atol * share, floor), method="dopri8", options=options
        )
    except AssertionError as error:  # how torchdiffeq says that its step size underflowed
        raise IntegrationError(f"dopri8 cannot follow the {len(z0)} orbits to t = {t[-1]:g}: {error}") from error
    return states.transpose(0, 1)
