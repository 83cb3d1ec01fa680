"""Energy along a forecast."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.flow import HamiltonianLike
from physlearn.metrics.spread import time_weights
from systems import InputError, Orbit, System

SMALL = 0.01  # of the energy that an orbit exchanges: a smaller total is what is left of terms that cancel


def energy_error(orbit: Orbit, system: HamiltonianLike) -> Float[Tensor, "*batch"]:
    r"""Return the largest relative energy error along each orbit.

    .. math:: \max_t |H - E| \,/\, S, \qquad
        S = \begin{cases} |E| & |E| \ge R / 100 \\ R & \text{otherwise} \end{cases}, \qquad
        R = \max_t \max(|H(q, p_0) - E|, |H(q_0, p) - E|)

    E = H(q_0, p_0) is the first energy. R is the energy that the orbit exchanges: the range of the potential and the kinetic
    energy, where H is their sum. An energy that is small against it (a parabola, a separatrix) is a difference of large terms,
    to which errors would be relative only by accident, so that they are measured against R. R is taken over the times before
    the orbit gains or loses half as much.

    Parameters
    ----------
    orbit : states of shape ``(..., T, D)``
        Orbits, of which the first half of the coordinates counts as q.
    system
        Whose ``hamiltonian`` is meant, or a function of z. With the true system the result is what the forecast is worth;
        with the learned model that was rolled out, only the integrator's error. A learned H is known up to a constant only,
        and so is E.

    Returns
    -------
    Tensor, shape ``(...)``
        Infinite where a state is not finite.

    Raises
    ------
    InputError
        For a system without a Hamiltonian, or an orbit of zero energy that exchanges none.

    Examples
    --------
    >>> t = torch.linspace(0, 1, 3)
    >>> orbit = Orbit(t, torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, 0.2]]))
    >>> print(f"{energy_error(orbit, lambda z: z.square().sum(-1) / 2):.2f}")
    0.04
    """
    return energy_deviation(orbit, system).abs().amax(-1)


def energy_rms(orbit: Orbit, system: HamiltonianLike) -> Float[Tensor, "*batch"]:
    """Return the root mean square of ``(H - E) / S`` over time along each orbit; otherwise as `energy_error`."""
    squares = energy_deviation(orbit, system).square()
    return (squares * time_weights(orbit.t).to(squares)).sum(-1).sqrt()


def energy_drift(orbit: Orbit, system: HamiltonianLike) -> Float[Tensor, "*batch"]:
    """Return the slope of ``(H - E) / S`` against time [1 / time], fitted by least squares; otherwise as `energy_error`.

    A symplectic method oscillates without drift; the rest gain or lose steadily.
    """
    if len(orbit.t) < 2:
        raise InputError("a drift needs at least two times")
    deviation = energy_deviation(orbit, system)
    t = orbit.t.double() - orbit.t[0].double()
    length = t[-1].abs()
    t = (t - t.mean()) / length  # of order one in any unit
    slope = (deviation * t.to(deviation.device)).sum(-1) / t.square().sum() / length
    return torch.where(torch.isfinite(deviation).all(-1), slope, torch.inf).to(deviation.dtype)


def energy_deviation(orbit: Orbit, system: HamiltonianLike) -> Float[Tensor, "*batch T"]:
    """Return ``(H - E) / S`` at each time, as of `energy_error`; infinite where a state is not finite."""
    hamiltonian: Callable[[Tensor], Tensor] | None = getattr(system, "hamiltonian", system if callable(system) else None)
    if hamiltonian is None:
        raise InputError(f"{getattr(system, 'name', '') or type(system).__name__} has no Hamiltonian to measure an energy by")
    z = orbit.z.double() if isinstance(system, System) else orbit.z  # a learned H takes the type that it was learned in
    with torch.no_grad():
        energy = hamiltonian(z)
        if energy.shape != orbit.shape:
            raise InputError(f"an energy is one number a state: shape {tuple(orbit.shape)}, not {tuple(energy.shape)}")
        q, p = z.split([orbit.dim // 2, orbit.dim - orbit.dim // 2], dim=-1)
        of_q = hamiltonian(torch.cat([q, p[..., :1, :].expand_as(p)], dim=-1))
        of_p = hamiltonian(torch.cat([q[..., :1, :].expand_as(q), p], dim=-1))
    first = energy[..., :1]
    off = energy - first
    parts = torch.maximum((of_q - first).abs(), (of_p - first).abs())
    exchanged = _exchanged(off.abs(), parts.nan_to_num(nan=0.0, posinf=0.0))
    scale = torch.where(first.abs() >= SMALL * exchanged, first.abs(), exchanged)
    if (scale == 0).any():
        raise InputError(
            "an orbit at rest with zero energy has no relative energy error; give a function of z that adds a constant"
        )
    return (off / scale).nan_to_num(nan=torch.inf, posinf=torch.inf, neginf=-torch.inf).to(orbit.z.dtype)


def _exchanged(off: Float[Tensor, "*batch T"], parts: Float[Tensor, "*batch T"]) -> Float[Tensor, "*batch 1"]:
    """Return the energy that was exchanged until the total was off by half as much; until the first exchange at least."""
    most = parts.cummax(-1).values
    kept = ((off <= most / 2) | (most == 0)).long().cumprod(-1)
    last, first = kept.sum(-1, keepdim=True) - 1, (most == 0).sum(-1, keepdim=True)
    end = torch.where((most * kept).amax(-1, keepdim=True) > 0, last, first)
    return most.gather(-1, end.clamp(max=most.shape[-1] - 1))
