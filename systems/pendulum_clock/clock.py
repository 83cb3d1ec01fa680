"""The pendulum clock."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, radians, sqrt
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from systems.autograd_mode import outside_inference
from systems.deprecation import renamed
from systems.errors import InputError
from systems.orbit import Orbit, check_times
from systems.pendulum_clock.escapement import follow
from systems.reference.solvers import SMALLEST_RTOL, Solver
from systems.registry import register
from systems.sampling import annulus
from systems.system import Symmetry, System, check_states

EVENT_SOLVERS = ("DOP853", "RK45", "Radau", "BDF", "LSODA")


@register("pendulum-clock")
@dataclass(frozen=True)
class PendulumClock(System):
    r"""A pendulum clock with a dead-beat escapement, which pushes the pendulum along near the middle of each swing.

    .. math:: \ddot\theta + \frac{\omega_0}{Q} \dot\theta + \omega_0^2 \sin\theta
        = \omega_0^2 \kappa \, \mathrm{sign}(\dot\theta) \quad\text{while } |\theta| < \gamma \text{ and the latch is set}

    The state is ``z = (theta, omega)``, theta in radians and omega, its velocity, in radians per unit of time. The unit of
    time is that of 1 / ``frequency``: small free swings last 2 pi / frequency, so 1 is the pendulum's own unit and
    ``2 * pi / 2.027`` makes a clock of 2.027 s in seconds. ``gamma`` is in radians; ``kappa`` is the angle at which the
    push of the escapement would hold the pendulum, that is the torque over m g l.

    The latch is set when the pendulum swings out past ``|theta| = gamma``, and released where it turns before: a swing that
    did not reach gamma gets no push on its way back. So rest is stable, and so is, beyond it, the swing of the amplitude
    at which the pushes make up for the damping. Whether the latch is set is not part of the state: `vector_field` takes it
    as set, `orbit` keeps account of it. States that turn over are no swings of a clock, and have no orbit here.
    """

    gamma: float = radians(1.2)
    Q: float = 200.0
    kappa: float = 1.62e-3
    frequency: float = 1.0
    coordinates: ClassVar = ("theta", "omega")
    periods: ClassVar = {"theta": 2 * pi}
    canonical: ClassVar[bool] = True  # of a pendulum whose moment of inertia is one
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: -z,)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in self.parameters.items():
            if not (value > 0 or (name == "kappa" and value == 0)):
                wanted = "zero or positive" if name == "kappa" else "positive"
                raise InputError(f"{name} of a pendulum clock must be {wanted}, not {value}")

    @property
    def amplitude(self) -> float:
        """That of the limit cycle, sqrt(4 gamma kappa Q / pi), for small swings; a clock for which it is below gamma stops.

        The work of the pushes in a cycle, 4 gamma kappa, makes up for the loss to damping there, pi A^2 / Q; deviations
        from it decay by 2 pi / Q a period.
        """
        return sqrt(4 * self.gamma * self.kappa * self.Q / pi)

    @property
    def period(self) -> float:
        """That of the limit cycle, 2 pi / frequency * (1 + A^2 / 16), for small swings: the pushes do not change it."""
        return 2 * pi / self.frequency * (1 + self.amplitude**2 / 16)

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """(omega, acceleration), the latch taken as set: right wherever the swing before passed gamma."""
        theta, omega = z.unbind(-1)
        off = torch.remainder(theta + pi, 2 * pi) - pi  # from the middle, however often it has turned
        return self._rate(z, self.kappa * omega.sign() * (off.abs() < self.gamma))

    def divergence(self, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """How fast phase-space area grows: -frequency / Q, wherever the push does not set in."""
        return torch.full_like(z[..., 0], -self.frequency / self.Q)

    @outside_inference
    @renamed(solver="method")
    def orbit(
        self,
        z0: Float[Tensor, "*batch 2"],
        t: Float[Tensor, " T"],
        *,
        method: Solver | None = None,
        rtol: float | None = None,
        atol: float | None = None,
        latched: bool = True,
    ) -> Orbit:
        """The orbits from z0 at t[0], in float64, followed from event to event on the CPU; t must increase.

        latched: whether the latch is set at the start of orbits that start between -gamma and gamma in motion. Those that
        start there at a turning point have it released, those that start beyond have it set, whatever ``latched`` is.
        method: a solver of SciPy's, by default DOP853. rtol, atol: as SciPy takes them, by default 1e-12 each.
        ``rate`` is what acted at each time, with the latch as it was.

        Raises InputError for states of the wrong dimension, not finite or turning over, and for times that do not increase:
        the latch remembers the swing before, so that there is no way back. IntegrationError for an orbit that cannot be
        followed.
        """
        z0 = torch.as_tensor(z0, dtype=torch.float64)
        t = torch.as_tensor(t, dtype=torch.float64, device=z0.device)
        check_times(t)
        check_states(z0, self.coordinates)
        if len(t) > 1 and t[0] > t[-1]:
            raise InputError("times must increase: the latch of a pendulum clock cannot be followed back in time")
        self._check_swings(z0)
        method = method or "DOP853"
        rtol, atol = (1e-12 if tolerance is None else tolerance for tolerance in (rtol, atol))
        if method not in EVENT_SOLVERS:
            raise InputError(
                f"a pendulum clock is followed by {', '.join(EVENT_SOLVERS)}, which find events, not by {method!r}"
            )
        elapsed = (t - t[0]).cpu().numpy() * self.frequency
        unit = z0.new_tensor([1.0, self.frequency])
        z, impulse = np.empty((z0[..., 0].numel(), len(t), 2)), np.empty((z0[..., 0].numel(), len(t)))
        for i, start in enumerate((z0 / unit).reshape(-1, 2).tolist()):
            z[i], impulse[i] = follow(self, start, elapsed, latched, method, max(rtol, SMALLEST_RTOL), atol)
        states = torch.from_numpy(z).reshape(*z0.shape[:-1], len(t), 2).to(z0.device) * unit
        return Orbit(
            t=t,
            z=states,
            rate=self._rate(states, torch.from_numpy(impulse).reshape(states.shape[:-1]).to(z0.device)),
            coordinates=self.coordinates,
            provenance={
                "system": self.name,
                "parameters": self.parameters,
                "solver": {"name": method, "rtol": rtol, "atol": atol},
                "latched": latched,
            },
            periods=self.periods,
        )

    def sample(self, n: int, *, seed: int = 0, amplitude: tuple[float, float] | None = None) -> Float[Tensor, "n 2"]:
        """N states in an annulus around the limit cycle, uniform in its area.

        amplitude: the radii of the annulus [rad], as far as omega / frequency is an angle; by default from halfway between
        gamma and the limit cycle's amplitude to as far beyond the latter.
        """
        if amplitude is None:
            if self.amplitude <= self.gamma:
                raise InputError(
                    f"this pendulum clock stops, since its amplitude {self.amplitude:.4g} is below gamma={self.gamma:.4g}; "
                    "choose a larger kappa or Q, or say amplitude=(low, high)"
                )
            width = (self.amplitude - self.gamma) / 2
            amplitude = self.amplitude - width, self.amplitude + width
        theta, omega = annulus(n, *amplitude, seed).unbind(-1)
        return torch.stack([theta, self.frequency * omega], dim=-1)

    def _check_swings(self, z: Float[Tensor, "*batch 2"]) -> None:
        theta, omega = z.reshape(-1, 2).unbind(-1)
        over = (theta.abs() >= pi) | ((omega / self.frequency).square() / 2 >= 1 + theta.cos())
        if over.any():
            first = [round(x, 6) for x in z.reshape(-1, 2)[over][0].tolist()]
            raise InputError(
                f"z0 = {first} is no swing of a pendulum clock: it turns over; "
                f"take |theta| < pi and |omega| < {2 * self.frequency:.4g} |cos(theta / 2)|"
            )

    def _rate(self, z: Float[Tensor, "*batch 2"], impulse: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch 2"]:
        theta, omega = z.unbind(-1)
        acceleration = self.frequency**2 * (impulse - theta.sin()) - self.frequency / self.Q * omega
        return torch.stack([omega, acceleration], dim=-1)
