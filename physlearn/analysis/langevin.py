"""The overdamped Langevin equation: descent in a potential with noise."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, isfinite

import torch
from jaxtyping import Float
from torch import Tensor

from systems import InputError, Orbit
from systems.floats import takes_arrays

Field = Callable[[Tensor], Tensor]
Diffusion = float | Tensor | Field
ROUNDING = 1e-9  # tolerance for negative eigenvalues of a diffusion matrix, relative to the largest


@takes_arrays("start", "diffusion")
def langevin(
    gradient: Field,
    start: Float[Tensor, "*batch d"],
    diffusion: Diffusion,
    time: float,
    dt: float,
    *,
    seed: int = 0,
    every: int = 1,
) -> Orbit:
    r"""Simulate paths of the overdamped Langevin equation, one per initial state, each with independent noise.

    .. math:: d\theta = -\nabla V(\theta)\,dt + \sqrt{2 D(\theta)}\,dW

    The equation is in the sense of Ito: D is evaluated at the start of each step, because the noise of a gradient is that of
    the weights at which the gradient is taken. If D depends on theta, the stationary density is therefore not Boltzmann's; in
    one dimension it is :math:`D^{-1} \exp(-\int V'/D)`. The steps are those of the Euler-Maruyama method, and averages have
    an error of order dt. A step of stochastic gradient descent with the learning rate :math:`\eta` takes a time of
    :math:`\eta`.

    Parameters
    ----------
    gradient
        Gradient of the potential, :math:`\nabla V`, ``(..., d)`` to ``(..., d)``.
    start : shape ``(..., d)``
        Initial states. For n realisations from one state, pass ``start.expand(n, d)``.
    diffusion
        Diffusion D: a number, a matrix ``(d, d)``, or a function of theta that returns ``(...)`` or ``(..., d, d)``.
    time
        Duration of the simulation.
    dt
        Longest time step; it is shortened to divide ``time`` evenly. It should be well below 2 / (largest curvature).
    seed
        Random seed.
    every
        Number of steps between stored states.

    Returns
    -------
    Orbit
        Stored states, the first and the last included, with the coordinates ``theta_1``, ``theta_2``, ...

    Raises
    ------
    InputError
        If an argument is invalid, or D has a negative eigenvalue.

    References
    ----------
    Kloeden and Platen, Numerical Solution of Stochastic Differential Equations (1992), chapters 9 and 14.

    Examples
    --------
    >>> start = torch.zeros(2000, 1, dtype=torch.float64)
    >>> paths = langevin(lambda theta: 4 * theta, start, 0.2, time=3.0, dt=0.01)
    >>> print(f"{paths.z[:, -1].var():.2f}")  # D / V''
    0.05
    """
    walk = Descent(gradient, start, diffusion, time, dt, seed)
    if every < 1:
        raise InputError(f"every must be at least 1 step, not {every}")
    theta = walk.start
    kept, steps = [theta], [0]
    for i in range(1, walk.steps + 1):
        theta = walk.step(theta)
        if i % every == 0 or i == walk.steps:
            kept.append(theta)
            steps.append(i)
    t = walk.dt * torch.tensor(steps, dtype=torch.float64)
    names = tuple(f"theta_{i + 1}" for i in range(theta.shape[-1]))
    return Orbit(t.to(theta), torch.stack(kept, dim=-2), coordinates=names)


class Descent:
    """The validated arguments of `langevin`, and its step."""

    def __init__(
        self, gradient: Field, start: Float[Tensor, "*batch d"], diffusion: Diffusion, time: float, dt: float, seed: int
    ) -> None:
        for name, value in (("time", time), ("dt", dt)):
            if not (value > 0 and isfinite(value)):
                raise InputError(f"{name} must be a positive number, not {value}")
        self.start = torch.as_tensor(start).detach()
        if self.start.ndim == 0 or not self.start.is_floating_point():
            raise InputError(f"start must be floats (..., d), not {self.start.dtype} {tuple(self.start.shape)}")
        self.steps = max(1, ceil(time / dt - 1e-9))  # 1e-9, so that rounding adds no step if dt divides the time evenly
        self.dt = time / self.steps
        self._gradient = gradient
        self._diffusion = diffusion
        self._generator = torch.Generator().manual_seed(seed)

    def step(self, theta: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """Return the states of all paths after one step."""
        w = torch.randn(theta.shape, generator=self._generator, dtype=theta.dtype).to(theta.device)
        if callable(self._diffusion):
            D = self._diffusion(theta)
            matrix = D.ndim > theta.ndim
        else:
            D = torch.as_tensor(self._diffusion).to(theta)
            matrix = D.ndim == 2
        kick = (_root(D) @ w.unsqueeze(-1)).squeeze(-1) if matrix else _square_root(D).unsqueeze(-1) * w
        return theta - self.dt * self._gradient(theta) + (2 * self.dt) ** 0.5 * kick


def _square_root(D: Tensor) -> Tensor:
    if (D < 0).any():
        raise InputError(f"the diffusion must not be negative, but its smallest value is {float(D.min()):.3g}")
    return D.sqrt()


def _root(D: Float[Tensor, "*batch d d"]) -> Float[Tensor, "*batch d d"]:
    """Return the symmetric square root."""
    if D.shape[-1] == 2:
        return _root_of_two(D)
    values, vectors = torch.linalg.eigh(D)
    _check_positive(values[..., 0], values[..., -1])
    return (vectors * values.clamp(min=0).sqrt().unsqueeze(-2)) @ vectors.mT


def _root_of_two(D: Float[Tensor, "*batch 2 2"]) -> Float[Tensor, "*batch 2 2"]:
    """Return the symmetric square root in closed form (Cayley-Hamilton), 100 times faster than eigh for many matrices."""
    trace = D[..., 0, 0] + D[..., 1, 1]
    gap = torch.hypot(D[..., 0, 0] - D[..., 1, 1], 2 * D[..., 0, 1])
    _check_positive((trace - gap) / 2, (trace + gap) / 2)
    product = (D[..., 0, 0] * D[..., 1, 1] - D[..., 0, 1].square()).clamp(min=0).sqrt()
    sum_ = (trace + 2 * product).clamp(min=0).sqrt()
    unit = torch.eye(2, dtype=D.dtype, device=D.device)
    return torch.where(sum_[..., None, None] > 0, (D + product[..., None, None] * unit) / sum_[..., None, None], 0.0)


def _check_positive(low: Tensor, high: Tensor) -> None:
    if (low < -ROUNDING * high.abs()).any():
        raise InputError(
            f"the diffusion matrix has the negative eigenvalue {float(low.min()):.3g}; use the Hessian at a minimum"
        )
