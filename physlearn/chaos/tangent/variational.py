"""The variational equations, which move deviation (tangent) vectors along an orbit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.chaos.rollout import Rollout
from physlearn.chaos.tangent.directional import directional
from physlearn.integrators import Flow
from physlearn.integrators.integrate import TYPICAL_WIDTH
from physlearn.threads import suited_to
from systems import InputError
from systems.sampling import generator
from systems.size import check_memory

# Number of steps between renormalisations. A stable explicit method shrinks a deviation vector at most a few times in one
# step, so that after ten steps a basis of such vectors is still well within the range of floating-point numbers.
TOGETHER = 10


def carry(
    rollout: Rollout, first: int, steps: int, z: Float[Tensor, "n D"], w: Float[Tensor, "n k D"], scale: Float[Tensor, "n D"]
) -> tuple[Float[Tensor, "n D"], Float[Tensor, "n k D"]]:
    r"""Advance states and their deviation vectors, in units of ``scale``, by some steps from the step number ``first``.

    .. math:: \dot w = \frac{\partial f}{\partial z}(t, z)\, w

    The integrator moves state and deviation vectors together, so that the vectors follow the exact derivative of its steps.
    For a symplectic method, this is the derivative of a symplectic map.

    References
    ----------
    Skokos and Gerlach, Phys. Rev. E 82, 036704 (2010), the tangent map method.
    """
    unit = scale.unsqueeze(-2)
    y = torch.cat([z.unsqueeze(-2), w * unit], dim=-2)
    if rollout.compiled is not None:
        together = y.mT.flatten(1)  # each coordinate of the state, followed by that of the vectors
        tangent, method = rollout.compiled.tangent(w.shape[1]), rollout.kind(rollout.flow)
        end = tangent.path(method, together, first * rollout.dt, rollout.dt, [steps])[-1]
        y = end.unflatten(-1, (z.shape[-1], -1)).mT.contiguous()
        return y[:, 0], y[:, 1:] / unit
    step = rollout.kind(joint(rollout.flow)).step
    with torch.no_grad(), suited_to(w.numel() * TYPICAL_WIDTH):
        for number in range(first, first + steps):
            y = step(y.new_tensor(number * rollout.dt), y, rollout.dt)
    return y[:, 0], y[:, 1:] / unit


def joint(flow: Flow) -> Flow:
    """Return the joint flow of a state and its k deviation vectors, shape ``(n, 1 + k, D)``, with the state first."""
    velocity, force = flow.velocity, flow.force
    return Flow(
        field=lambda t, y: _differentiated(lambda z: flow.field(t, z), y),
        name=f"{flow.name} with deviations",
        velocity=None if velocity is None else lambda y: _differentiated(velocity, y),
        force=None if force is None else lambda y: _differentiated(force, y),
        autonomous=flow.autonomous,
    )


def _differentiated(f: Callable[[Tensor], Tensor], y: Float[Tensor, "n k1 m"]) -> Float[Tensor, "n k1 m"]:
    """Return f of the state and its directional derivatives along the vectors, by forward-mode differentiation."""
    w = y[:, 1:].contiguous()
    z = y[:, :1].expand_as(w).contiguous()
    value, derivative = directional(f, z, w)
    return torch.cat([value[:, :1], derivative], dim=1)


def between_renormalisations(steps: int, first: int = 0, together: int = TOGETHER) -> Iterator[tuple[int, int]]:
    """Yield (index of the first step, number of steps) of each stretch between two renormalisations."""
    for start in range(first, first + steps, together):
        yield start, min(together, first + steps - start)


def together(rollout: Rollout) -> int:
    """Return the number of steps between two renormalisations: one for a map, which may stretch by any factor in one step."""
    return 1 if rollout.flow.discrete else TOGETHER


def lengths_between(
    steps: Int[np.ndarray, " S"], together: int = TOGETHER
) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " R"]]:
    """Divide stretches by renormalisations; return the numbers of steps, and the stretch to which each belongs."""
    parts = -(-steps // together)
    check_memory(2.0 * parts.sum(), f"the times of {steps.sum():g} steps")
    counts = np.full(int(parts.sum()), together)
    counts[np.cumsum(parts)[parts > 0] - 1] = (steps - (parts - 1) * together)[parts > 0]
    return counts, np.repeat(np.arange(len(steps)), parts)


def deviations(z: Float[Tensor, "n D"], k: int, seed: int) -> Float[Tensor, "n k D"]:
    """Draw k orthonormal directions, the same for each state; raise InputError unless 1 <= k <= D."""
    dim = z.shape[-1]
    if not 1 <= k <= dim:
        raise InputError(f"k must be from 1 to {dim}, the number of coordinates, not {k}")
    drawn = torch.randn(dim, k, generator=generator(1, seed), dtype=torch.float64)
    w = torch.linalg.qr(drawn).Q.T.to(z)
    return w.expand(len(z), k, dim).contiguous()
