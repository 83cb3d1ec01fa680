"""Energy along a forecast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from systems import InputError, Orbit


def energy_error(orbit: Orbit, system: Any) -> Float[Tensor, "*batch"]:
    """The largest ``|H - E| / |E|`` along each orbit, E = H(z0) its first energy; infinite where a state is not finite.

    system: whose ``hamiltonian`` is meant, or a function of z. With the true system this is what the forecast is worth;
    with the learned model that was rolled out, only the integrator's error.
    A learned H is known up to a constant only, and so is the E that divides.
    Raises InputError for a system without a Hamiltonian, or an orbit of zero energy.

    >>> t = torch.linspace(0, 1, 3)
    >>> orbit = Orbit(t, torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, 0.2]]))
    >>> print(f"{energy_error(orbit, lambda z: z.square().sum(-1) / 2):.2f}")
    0.04
    """
    return _deviation(orbit, system).abs().amax(-1)


def energy_rms(orbit: Orbit, system: Any) -> Float[Tensor, "*batch"]:
    """The root mean square of ``(H - E) / E`` along each orbit; otherwise as `energy_error`."""
    return _deviation(orbit, system).square().mean(-1).sqrt()


def energy_drift(orbit: Orbit, system: Any) -> Float[Tensor, "*batch"]:
    """The slope of ``(H - E) / |E|`` against time [1 / time], fitted by least squares; otherwise as `energy_error`.

    A symplectic method oscillates without drift; the rest gain or lose steadily.
    """
    if len(orbit.t) < 2:
        raise InputError("a drift needs at least two times")
    deviation = _deviation(orbit, system)
    t = (orbit.t - orbit.t.mean()).to(deviation)
    slope = (deviation * t).sum(-1) / t.square().sum()
    return torch.where(torch.isfinite(deviation).all(-1), slope, torch.inf)


def _deviation(orbit: Orbit, system: Any) -> Float[Tensor, "*batch T"]:
    hamiltonian: Callable[[Tensor], Tensor] | None = getattr(system, "hamiltonian", system if callable(system) else None)
    if hamiltonian is None:
        raise InputError(f"{getattr(system, 'name', '') or type(system).__name__} has no Hamiltonian to measure an energy by")
    with torch.no_grad():
        energy = hamiltonian(orbit.z)
    first = energy[..., :1]
    if energy.shape != orbit.shape:
        raise InputError(f"an energy is one number a state: shape {tuple(orbit.shape)}, not {tuple(energy.shape)}")
    if (first == 0).any():
        raise InputError("an orbit of zero energy has no relative energy error; give a function of z that adds a constant")
    return ((energy - first) / first.abs()).nan_to_num(nan=torch.inf, posinf=torch.inf, neginf=-torch.inf)
