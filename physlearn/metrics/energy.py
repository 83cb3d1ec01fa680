"""The energy error along a forecast."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.flow import HamiltonianLike
from physlearn.metrics.match import check_flow, check_orbits
from physlearn.metrics.measured import holes
from physlearn.metrics.spread import time_weights
from systems import InputError, Orbit, System

SMALL = 0.01  # a total energy below this part of the exchanged energy is a difference of terms that nearly cancel


def energy_error(orbit: Orbit, system: HamiltonianLike) -> Float[Tensor, "*batch"]:
    r"""Return the largest relative energy error along each orbit.

    .. math:: \max_t |H - E| \,/\, S, \qquad
        S = \begin{cases} |E| & |E| \ge R / 100 \\ R & \text{otherwise} \end{cases}, \qquad
        R = \max_t \max(|H(q, p_0) - E|, |H(q_0, p) - E|)

    E = H(q_0, p_0) is the initial energy. R is the exchanged energy: the range of the potential or the kinetic energy, if H is
    their sum. If E is much smaller than R (on a parabolic orbit or a separatrix), it is a difference of large terms, and an
    error relative to E would be meaningless; the error is then measured relative to R. R is taken over the times before the
    energy error reaches half of it.

    Parameters
    ----------
    orbit : states of shape ``(..., T, D)``
        Orbits, whose times may differ from orbit to orbit. The first half of the coordinates are the positions q. NaN that
        finite states follow was not measured, and does not count. NaN up to the end is an orbit that diverged; runs of
        different lengths, which ``Orbit.of`` fills up with NaN, are measured one by one, from ``orbit.separate()``.
    system
        An object with a ``hamiltonian``, or a function of z. The true system measures the quality of the forecast; the learned
        model that made the forecast measures only the integrator's error. A learned H, and therefore E, is only known up to a
        constant.

    Returns
    -------
    Tensor, shape ``(...)``
        Largest relative errors; infinite if a state is not finite, as when the states are NaN up to the end.

    Raises
    ------
    InputError
        If the system has no Hamiltonian, or an orbit has zero energy and exchanges none.

    Notes
    -----
    Use it to compare forecasts of conservative systems. It is meaningful after the valid prediction time too, because it does
    not depend on the phase.

    Examples
    --------
    >>> t = torch.linspace(0, 1, 3)
    >>> orbit = Orbit(t, torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, 0.2]]))
    >>> print(f"{energy_error(orbit, lambda z: z.square().sum(-1) / 2):.2f}")
    0.04
    """
    return energy_deviation(orbit, system).abs().nan_to_num(nan=0.0, posinf=torch.inf).amax(-1)


def energy_rms(orbit: Orbit, system: HamiltonianLike) -> Float[Tensor, "*batch"]:
    r"""Return the root mean square of ``(H - E) / S`` over time along each orbit.

    .. math:: \sqrt{\langle \delta^2 \rangle_t}, \qquad \delta(t) = (H(z(t)) - E) \,/\, S

    Parameters
    ----------
    orbit, system
        As in `energy_error`, which also defines E and S.

    Returns
    -------
    Tensor, shape ``(...)``
        Relative errors; infinite if a state is not finite.

    Raises
    ------
    InputError
        As in `energy_error`.

    Notes
    -----
    Use it instead of `energy_error` when single outliers should not decide, for example for measured orbits.
    """
    squares = energy_deviation(orbit, system).square()
    count, means = orbit.shape[-1], [squares.new_zeros(0)]
    for t, own in zip(orbit.t.expand(orbit.shape).reshape(-1, count), squares.reshape(-1, count), strict=True):
        known = ~own.isnan()
        means.append((own[known] * time_weights(t[known]).to(own)).sum(0, keepdim=True))
    return torch.cat(means).reshape(orbit.shape[:-1]).sqrt()


def energy_drift(orbit: Orbit, system: HamiltonianLike) -> Float[Tensor, "*batch"]:
    r"""Return the slope of a least-squares fit of ``(H - E) / S`` against time.

    .. math:: \operatorname*{arg\,min}_a \min_b \bigl\langle (\delta(t) - a t - b)^2 \bigr\rangle_t, \qquad
        \delta(t) = (H(z(t)) - E) \,/\, S

    With a symplectic method the energy oscillates without drift; with other methods it increases or decreases steadily.

    Parameters
    ----------
    orbit, system
        As in `energy_error`, which also defines E and S.

    Returns
    -------
    Tensor, shape ``(...)``
        Drift rates [1 / time]; infinite if a state is not finite.

    Raises
    ------
    InputError
        If an orbit has fewer than two measured times, and as in `energy_error`.

    Notes
    -----
    Use it to tell a steady gain or loss of energy from a bounded oscillation.
    """
    deviation = energy_deviation(orbit, system)
    known = ~deviation.isnan()
    count = known.sum(-1, keepdim=True)
    if (count < 2).any():
        raise InputError(f"an energy drift needs an orbit with at least two times, not {int(count.min())}")
    t = orbit.t.to(deviation.device).double()
    t = t - t[..., :1]
    length = t[..., -1:].abs()
    t = t / length  # of order one in any unit
    t = torch.where(known, t - (t * known).sum(-1, keepdim=True) / count, 0.0)
    slope = (deviation.where(known, 0.0) * t).sum(-1) / t.square().sum(-1) / length[..., 0]
    return torch.where(deviation.isinf().any(-1), torch.inf, slope).to(deviation.dtype)


def energy_deviation(orbit: Orbit, system: HamiltonianLike) -> Float[Tensor, "*batch T"]:
    r"""Return the relative energy deviation ``(H - E) / S`` at each time.

    .. math:: \delta(t) = (H(z(t)) - E) \,/\, S

    Parameters
    ----------
    orbit, system
        As in `energy_error`, which also defines E and S.

    Returns
    -------
    Tensor, shape ``(..., T)``
        Signed relative errors; infinite where a state is not finite, and NaN where it was not measured.

    Raises
    ------
    InputError
        As in `energy_error`.

    Notes
    -----
    Use it to draw how the energy error develops: bounded oscillation for a symplectic method, drift for others.
    """
    check_orbits(orbit)
    hamiltonian: Callable[[Tensor], Tensor] | None = getattr(system, "hamiltonian", system if callable(system) else None)
    if hamiltonian is None:
        name = getattr(system, "name", "") or type(system).__name__
        raise InputError(f"{name} has no Hamiltonian; give a system or model with one, or a function of z")
    check_flow(orbit, system)
    z = orbit.z.double() if isinstance(system, System) else orbit.z  # a learned H needs the dtype that it was trained in
    with torch.no_grad():
        energy = hamiltonian(z)
        if energy.shape != orbit.shape:
            raise InputError(
                f"the Hamiltonian must return one number per state, shape {tuple(orbit.shape)}, not {tuple(energy.shape)}"
            )
        unknown = holes(z)
        start = (~unknown).to(torch.uint8).argmax(-1, keepdim=True)
        z0 = z.gather(-2, start[..., None].expand(*start.shape, orbit.dim))
        (q, p), (q0, p0) = (part.split([orbit.dim // 2, orbit.dim - orbit.dim // 2], dim=-1) for part in (z, z0))
        of_q = hamiltonian(torch.cat([q, p0.expand_as(p)], dim=-1))
        of_p = hamiltonian(torch.cat([q0.expand_as(q), p], dim=-1))
    first = energy.gather(-1, start)
    off = energy - first
    parts = torch.maximum((of_q - first).abs(), (of_p - first).abs()).nan_to_num(nan=0.0, posinf=0.0)
    exchanged = _exchanged(off.abs().masked_fill(unknown, 0.0), parts.masked_fill(unknown, 0.0))
    scale = torch.where(first.abs() >= SMALL * exchanged, first.abs(), exchanged)
    if (scale == 0).any():
        raise InputError(
            "an orbit at rest with zero energy has no relative energy error; "
            "give a Hamiltonian function of z that adds a constant"
        )
    deviation = (off / scale).nan_to_num(nan=torch.inf, posinf=torch.inf, neginf=-torch.inf)
    return deviation.masked_fill(unknown, torch.nan).to(orbit.z.dtype)


def _exchanged(off: Float[Tensor, "*batch T"], parts: Float[Tensor, "*batch T"]) -> Float[Tensor, "*batch 1"]:
    """Return the energy exchanged before the total error reaches half of it, including at least the first exchange."""
    most = parts.cummax(-1).values
    kept = ((off <= most / 2) | (most == 0)).long().cumprod(-1)
    last, first = kept.sum(-1, keepdim=True) - 1, (most == 0).sum(-1, keepdim=True)
    end = torch.where((most * kept).amax(-1, keepdim=True) > 0, last, first)
    return most.gather(-1, end.clamp(max=most.shape[-1] - 1))
