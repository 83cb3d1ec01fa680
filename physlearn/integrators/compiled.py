"""The compiled forms of the methods, and what they do with the compiled field of a flow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm.auto import tqdm

from physlearn.flow import Flow
from physlearn.integrators.euler import Euler
from physlearn.integrators.fixed_point import ROUNDING
from physlearn.integrators.gauss_legendre import GaussLegendre, GaussLegendre4, GaussLegendre6, ImplicitMidpoint
from physlearn.integrators.implicit import Implicit
from physlearn.integrators.integrator import Integrator, Sample, samples_of
from physlearn.integrators.iteration import Iteration
from physlearn.integrators.leapfrog import Leapfrog, Yoshida4, Yoshida6
from physlearn.integrators.rk4 import RungeKutta4
from physlearn.integrators.symplectic_euler import SymplecticEuler
from physlearn.integrators.tao import WEIGHTS, Tao4
from systems.compiled import stepping, tangent
from systems.compiled.field import ParametrizedField

EPSILON = float(np.finfo(float).eps)


def _leapfrog(integrator: Leapfrog) -> stepping.Method:
    return stepping.Explicit("COMPOSED", integrator.weights, separable=True)


def _symplectic_euler(integrator: SymplecticEuler) -> stepping.Method:
    if integrator.flow.velocity is not None:
        return stepping.Explicit("SYMPLECTIC_EULER", separable=True)
    return stepping.Implicit(((1.0,),), (1.0,), (0.0,), _tolerance(integrator), momenta=True)


def _gauss_legendre(integrator: GaussLegendre) -> stepping.Method:
    return stepping.Implicit(integrator.a, integrator.b, integrator.c, _tolerance(integrator))


def _tolerance(integrator: Implicit) -> float:
    return ROUNDING * EPSILON if integrator.tolerance is None else integrator.tolerance


def _tao(integrator: Tao4) -> stepping.Method:
    assert integrator.omega is not None  # start has set it
    return stepping.Tao(WEIGHTS, integrator.omega, integrator.root.square().numpy())


# The keys are these very classes: a subclass may take other steps.
FORMS: dict[type[Integrator], Callable[..., stepping.Method]] = {
    Euler: lambda integrator: stepping.Explicit("EULER"),
    RungeKutta4: lambda integrator: stepping.Explicit("RK4"),
    SymplecticEuler: _symplectic_euler,
    Leapfrog: _leapfrog,
    Yoshida4: _leapfrog,
    Yoshida6: _leapfrog,
    ImplicitMidpoint: _gauss_legendre,
    GaussLegendre4: _gauss_legendre,
    GaussLegendre6: _gauss_legendre,
    Tao4: _tao,
    Iteration: lambda integrator: stepping.Explicit("MAP"),
}


def has_form(integrator: Integrator) -> bool:
    """Return whether there is a compiled form of a method for its flow."""
    return type(integrator) in FORMS


@dataclass(frozen=True)
class Compiled:
    """The compiled field of a flow, and what methods do with it."""

    field: ParametrizedField

    def flow(self, flow: Flow) -> Flow:
        """Return the flow with its compiled field and Jacobian, which are faster but cannot be differentiated."""
        return replace(flow, field=self._field, derivative=self._jacobian)

    def tangent(self, k: int) -> Compiled:
        """Return the compiled field of a state and k deviation vectors; see `systems.compiled.field.Field.tangent`."""
        return Compiled(self.field.tangent(k))

    def solve(
        self,
        integrator: Integrator,
        z0: Float[Tensor, "*batch D"],
        t: Float[Tensor, " T"],
        counts: Sequence[int],
        progress: bool,
        early: bool = False,
    ) -> Float[Tensor, "*batch T D"] | None:
        """Do what `Integrator.solve` does, in compiled code.

        Parameters
        ----------
        integrator
            The method and the flow.
        z0, t, counts, progress
            As for `Integrator.solve`; the states are in float64.
        early
            Whether to raise an error at once where torch does not find the solution of an implicit step either, instead of
            letting torch repeat all steps before.

        Returns
        -------
        Tensor, shape ``(..., T, D)``, or None
            The states; None if an implicit step did not converge and this is an error, so that torch must tell which and why.
            Otherwise, torch integrates such orbits, and finds the solution after all or leaves them at NaN.

        Raises
        ------
        ConvergenceError
            If ``early`` is True and an implicit step does not converge.
        """
        period, times = integrator.flow.period, t.double().numpy()
        first = float(times[0])
        clock = first if period is None else first % period
        samples_wanted = samples_of(z0.numel() // z0.shape[-1])
        grid = stepping.Grid(times - first, np.array(counts, dtype=np.int64), clock, period, samples_wanted)
        with tqdm(total=len(counts), disable=not progress, desc=integrator.name, delay=1, leave=False) as bar:
            z, samples = self._integrated(integrator, z0, grid, bar.update)
        if isinstance(integrator, Implicit) and (lost := np.isnan(z[:, -1]).any(-1)).any():
            if integrator.failure == "raise":
                if early:
                    self._tried_again(integrator, samples, grid)
                return None
            again = type(integrator)(integrator.flow, tolerance=integrator.tolerance, failure="nan")
            z[lost] = again.solve(z0.detach().reshape(-1, z0.shape[-1])[lost], t, counts, progress=False).numpy()
            samples[lost] = torch.stack([sample.z for sample in again.samples], dim=1).numpy()
            integrator.report.update(again.report)
        kept = torch.from_numpy(samples).reshape(*z0.shape[:-1], -1, z0.shape[-1]).unbind(-2)
        integrator.samples = [Sample(now, dt, state) for (now, dt), state in zip(grid.sampled(), kept, strict=True)]
        return torch.from_numpy(z).reshape(*z0.shape[:-1], len(t), z0.shape[-1])

    @staticmethod
    def _tried_again(integrator: Implicit, samples: np.ndarray, grid: stepping.Grid) -> None:
        """Let torch take the steps among which one did not converge; raise ConvergenceError if it does not there either."""
        lost = np.isnan(samples).any(-1)
        first = int(lost.any(0).argmax())  # 0, as the initial states are known, if no sample follows the failure
        now, dt = grid.sampled()[first - 1]
        again = type(integrator)(integrator.flow, tolerance=integrator.tolerance)
        z = torch.from_numpy(samples[lost[:, first] if first else slice(None), first - 1])
        again.solve(z, torch.tensor([now, now + dt * grid.apart], dtype=torch.float64), grid.apart, progress=False)

    def stepped(
        self, integrator: Integrator, t: float, z: Float[Tensor, "*batch D"], lengths: Sequence[float]
    ) -> Float[Tensor, "*batch D"]:
        """Return the states after steps of given lengths; NaN for orbits with a step that does not converge."""
        since = np.concatenate([[0.0], np.cumsum(lengths)])
        grid = stepping.Grid(since, np.ones(len(lengths), dtype=np.int64), t, integrator.flow.period, 1)
        found = self._integrated(integrator, z, grid)[0]
        return torch.from_numpy(found[:, -1].copy()).reshape(z.shape)

    def path(
        self, integrator: Integrator, z: Float[Tensor, "n D"], t: float, dt: float, counts: Sequence[int]
    ) -> Float[Tensor, "c n D"]:
        """Return the states z at the time t, and those after each number of steps in ``counts``, by an explicit method."""
        since = dt * np.concatenate([[0], np.cumsum(counts)])
        lengths = np.full(len(counts), dt)
        grid = stepping.Grid(since, np.array(counts, dtype=np.int64), t, None, 1, lengths)
        found, _ = stepping.integrate(FORMS[type(integrator)](integrator), self.field, z.numpy(), grid)
        return torch.from_numpy(found).transpose(0, 1)

    def carried(
        self,
        integrator: Integrator,
        z: Float[Tensor, "n D"],
        w: Float[Tensor, "n k D"],
        scale: Float[Tensor, "n D"],
        dt: float,
        counts: Int[np.ndarray, " R"],
        owners: Int[np.ndarray, " R"],
        *,
        orthogonal: bool,
        first: int = 0,
        recorded: bool = False,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Move states and deviation vectors through stretches of steps; see `systems.compiled.tangent.carry`."""
        method = FORMS[type(integrator)](integrator)
        assert isinstance(method, stepping.Explicit)  # deviation vectors are moved by explicit methods only
        stretches = dt, counts, owners, orthogonal, first
        found = tangent.carry(method, self.field, z.numpy(), w.numpy(), scale.numpy(), *stretches, recorded)
        z, w, growth, path, upper = (torch.from_numpy(np.ascontiguousarray(part)) for part in found)
        return z, w, growth, path, upper

    def _integrated(
        self,
        integrator: Integrator,
        z0: Float[Tensor, "*batch D"],
        grid: stepping.Grid,
        tick: Callable[[int], object] = lambda done: None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Integrate, and let the method report what it does after steps in torch; return the states and the sampled ones."""
        integrator.start(z0, float(np.diff(grid.since)[0] / grid.counts[0]))
        method = FORMS[type(integrator)](integrator)
        flat = z0.detach().reshape(-1, z0.shape[-1]).numpy()
        found = stepping.integrate(method, self.field, flat, grid, tick)
        if isinstance(integrator, Tao4):
            assert isinstance(method, stepping.Tao)
            integrator.gap = z0.new_tensor(method.distance)
            integrator.state(torch.cat([z0, z0], dim=-1))
        return found

    def _field(self, t: Tensor, z: Tensor) -> Tensor:
        return torch.from_numpy(self.field(float(t), z.reshape(-1, z.shape[-1]).numpy())).reshape(z.shape)

    def _jacobian(self, t: Tensor, z: Tensor) -> Tensor:
        found = torch.from_numpy(self.field.jacobian(float(t), z.reshape(-1, z.shape[-1]).numpy()))
        return found.reshape(*z.shape, z.shape[-1]).nan_to_num(0.0, 0.0, 0.0)
