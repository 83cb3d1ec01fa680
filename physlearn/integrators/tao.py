"""Tao's explicit method for Hamiltonians that are not separable."""

from __future__ import annotations

import math
from math import cos, sin

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.flow import Flow
from physlearn.integrators.integrator import Integrator
from systems import InputError
from systems.reference.time_scale import natural_size

_CUBE_ROOT = 2 ** (1 / 3)
_OUTER = 1 / (2 - _CUBE_ROOT)
WEIGHTS = (_OUTER, -_CUBE_ROOT * _OUTER, _OUTER)
DEFAULT_ANGLE = 0.3  # omega * dt; between 0.2 and 0.5 the copies stay together, and the binding does not limit the step


class Tao4(Integrator):
    r"""Tao's explicit method of order 4 for any H: two copies (q, p) and (x, y) of the state, bound by a spring.

    .. math:: \bar H = H(q, y) + H(x, p) + \tfrac12 \omega \sum_i \bigl(r_i (q_i - x_i)^2 + (p_i - y_i)^2 / r_i\bigr)

    The r_i are the ratios of the sizes of momenta and positions at the start, rounded to powers of 64; they are 1 in units of
    order one. The method is symplectic in the extended space only. The orbit is that of the first copy. ``copy_gap`` in its
    provenance is the largest distance between the copies (positions times sqrt(r), momenta divided by it). If the gap is not
    small, the orbit is not reliable: change ``omega`` or the step. The constructor raises NotHamiltonianError for a flow
    without a Hamiltonian.

    Parameters
    ----------
    flow
        The flow to integrate.
    omega
        Frequency of the spring [1 / time]; defaults to 0.3 / dt.

    Notes
    -----
    Use it for a Hamiltonian that is not separable when an explicit method is wanted, for example for gradients through the
    orbit. Otherwise, the Gauss-Legendre methods need no check of a gap.

    References
    ----------
    Tao, Phys. Rev. E 94, 043303 (2016).
    """

    name = "tao-4"
    order = 4
    symplectic = False

    def __init__(self, flow: Flow, omega: float | None = None) -> None:
        flow.require_hamiltonian(self.name)
        if omega is not None and not omega > 0:
            raise InputError(f"omega must be positive, not {omega}")
        super().__init__(flow)
        self.omega = omega

    def start(self, z: Tensor, dt: float) -> Tensor:
        """Return both copies of z, from shape ``(..., D)`` to ``(..., 2 D)``."""
        self.report["omega"] = self.omega = self.omega or DEFAULT_ANGLE / abs(dt)
        self.gap = z.new_zeros(())
        self.root = self._ratio(z.detach()).sqrt()
        return torch.cat([z, z], dim=-1)

    def step(self, t: Tensor, z: Tensor, dt: float) -> Tensor:
        """Take one step of the extended system from z ``(..., 2 D)``."""
        q, p, x, y = z.chunk(4, dim=-1)
        assert self.omega is not None  # set by start
        ratio = self.root.square()
        for weight in WEIGHTS:
            h = weight * dt
            x, p = self._kick(t, q, y, x, p, h / 2)
            q, y = self._kick(t, x, p, q, y, h / 2)
            c, s = cos(2 * self.omega * h), sin(2 * self.omega * h)
            q_mean, q_half = (q + x) / 2, (q - x) / 2
            p_mean, p_half = (p + y) / 2, (p - y) / 2
            q_half, p_half = c * q_half + s / ratio * p_half, c * p_half - s * ratio * q_half
            q, x = q_mean + q_half, q_mean - q_half
            p, y = p_mean + p_half, p_mean - p_half
            q, y = self._kick(t, x, p, q, y, h / 2)
            x, p = self._kick(t, q, y, x, p, h / 2)
        gap = torch.cat([(q - x) * self.root, (p - y) / self.root], dim=-1).detach().norm(dim=-1).amax()
        self.gap = torch.maximum(self.gap, gap)  # NaN propagates
        return torch.cat([q, p, x, y], dim=-1)

    def state(self, z: Tensor) -> Tensor:
        """Return the first copy, and report the largest distance between the copies so far."""
        self.report["copy_gap"] = float(self.gap.nan_to_num(nan=math.inf, posinf=math.inf))
        return z.chunk(2, dim=-1)[0]

    def _ratio(self, z: Tensor) -> Float[Tensor, " n"]:
        """Return the size of each momentum divided by that of its position, rounded to a power of 64."""
        t = torch.zeros((), dtype=torch.float64, device=z.device)
        rate = self.flow.field(t, z)
        size = natural_size(z, rate, self.flow.jacobian(t, z))
        q, p = size.flatten(0, -2).amax(0).double().chunk(2) if z.ndim > 1 else size.double().chunk(2)
        known = (q > 0) & (p > 0)
        exponent = torch.where(known, (p / q).log2() / 6, 0.0).round()
        return torch.exp2(6 * exponent).to(z.dtype)

    def _kick(self, t: Tensor, q: Tensor, p: Tensor, x: Tensor, y: Tensor, h: float) -> tuple[Tensor, Tensor]:
        """Move the conjugates (x, y) of (p, q) by Hamilton's equations at (q, p)."""
        dx, dy = self.flow.field(t, torch.cat([q, p], dim=-1)).chunk(2, dim=-1)
        return x + h * dx, y + h * dy
