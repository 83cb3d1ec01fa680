"""How far a run of fixed steps can be trusted, from a sample of its steps and orbits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.flow import Flow
from physlearn.integrators.integrator import Integrator, Sample
from physlearn.integrators.steps import CHOSEN, UNRESOLVED, Steps
from systems.reference.time_scale import fastest_rate, known_jacobian

ORBITS = 8
TWICE = 6  # sampled steps that are taken again, once whole and once in two parts
PARTS = (0.382, 0.618)  # of the step: halves of it would meet a fast drive at the same phases as the step itself
TIMES = 16  # samples of a field that may depend on time, which has to be asked for them one by one
ROUNDING = 64  # machine epsilons
ENERGY = 0.1  # of twice the kinetic energy, by which the energy may drift
STEP = {2: 0.01}  # error of a step, in sizes of the coordinates, by the order of the method
STEP_OF_HIGH_ORDER = 3e-3
GROSS = 10  # times these errors: only then is the caller warned of a step that the caller chose


@dataclass(frozen=True)
class Accuracy:
    """Estimated errors of a run.

    step_error: the largest error of a sampled step, beside two half steps, relative to the size of the coordinate along the
    orbit. resolution: the longest sampled step in units of the flow's fastest time scale there. energy_drift: the largest
    change of the energy, relative to twice the kinetic energy (the largest sum of the terms p dq/dt); None for a flow without
    an energy.
    """

    step_error: float
    resolution: float
    energy_drift: float | None
    shorter: float  # at most half of the steps taken: it would resolve the flow, and keep the error of a step

    def better_than(self, other: Accuracy) -> bool:
        """Whether a step errs less, and the energy, if it drifts too far, drifts by clearly less."""
        drift, before = self.energy_drift or 0.0, other.energy_drift or 0.0
        return self.step_error < other.step_error and (drift <= ENERGY or drift < before / 2)

    def describe(self) -> dict[str, Any]:
        """As JSON-ready values for an orbit's provenance."""
        return {"step_error": self.step_error, "resolution": self.resolution, "energy_drift": self.energy_drift}

    def __str__(self) -> str:
        energy = "" if self.energy_drift is None else f", the energy drifts by {self.energy_drift:.2g} of 2 T"
        return f"a step errs by about {self.step_error:.2g} of the size of a coordinate{energy}"


def tolerance(method: type[Integrator]) -> float:
    """The error of a step above which steps that were chosen by default are made shorter."""
    return STEP.get(method.order, STEP_OF_HIGH_ORDER)


def too_long(accuracy: Accuracy, method: type[Integrator], steps: Steps) -> bool:
    """Whether the steps are too long: by default ones that leave a noticeable error, else ones that leave a gross error.

    Methods of order 1 are there to show what their steps do: their errors are estimated, and their steps are left alone.
    """
    if method.order == 1:
        return False
    factor = 1 if steps.by_default else GROSS
    drifts = accuracy.energy_drift is not None and accuracy.energy_drift > ENERGY
    unresolved = steps.chosen_by == "flow" and accuracy.resolution > UNRESOLVED
    return drifts or unresolved or accuracy.step_error > factor * tolerance(method)


def estimate(flow: Flow, make: Callable[[], Integrator], samples: list[Sample]) -> Accuracy:
    """Estimate the errors of a run from the samples that it kept.

    Parameters
    ----------
    flow
        What was integrated.
    make
        Returns the method anew, with its options.
    samples
        Beginnings of steps.

    Returns
    -------
    Accuracy
        Errors over the sampled orbits and steps whose states are finite.
    """
    with torch.no_grad():
        return _Sampled(flow, make, samples).accuracy()


class _Sampled:
    """Sampled states Z ``(..., n, K, D)`` of up to eight orbits, at the beginnings of K steps."""

    def __init__(self, flow: Flow, make: Callable[[], Integrator], samples: list[Sample]) -> None:
        self.flow, self.make = flow, make
        if not flow.autonomous and len(samples) > TIMES:
            samples = [samples[round(i * (len(samples) - 1) / (TIMES - 1))] for i in range(TIMES)]
        self.samples = samples
        z = torch.stack([_some_orbits(sample.z.detach()) for sample in samples], dim=-2)
        z = z.unsqueeze(0) if z.ndim == 2 else z
        self.finite: Bool[Tensor, "*batch n K"] = torch.isfinite(z).all(-1)
        # in place of states that are not, those of an orbit that is finite throughout, or else the first ones
        whole = self.finite.all(-1).flatten()
        sound = z.flatten(0, -3)[int(whole.int().argmax())] if whole.any() else z[..., :1, :]
        self.z = torch.where(self.finite.unsqueeze(-1), z, sound)
        self.h = z.new_tensor([abs(sample.dt) for sample in samples])

    def accuracy(self) -> Accuracy:
        matrix, rate = self._at_all(self._jacobian), self._at_all(self.flow.field)
        method = self.make()
        rates = fastest_rate(matrix, method.damping).to(self.z.dtype)
        turn = torch.where(self.finite, rates * self.h, 0.0)
        size = self._size(rate, fastest_rate(matrix).to(self.z.dtype))
        # of the coordinates themselves, and of terms of their rates that may cancel
        terms = self.h[:, None] * (matrix.abs() @ self.z.abs().unsqueeze(-1)).squeeze(-1)
        noise = ROUNDING * torch.finfo(self.z.dtype).eps * (self.z.abs() + terms).amax(-2)
        error, length = self._step_error(method, turn, size, noise)
        resolution = float(turn.max())
        shorter = self.h.max().item() / 2
        if resolution > 0:
            shorter = min(shorter, CHOSEN / float(torch.where(self.finite, rates, 0.0).max()))
        if error > 0:
            shorter = min(shorter, length * (tolerance(type(method)) / error) ** (1 / (method.order + 1)) / 2)
        return Accuracy(error, resolution, self._energy_drift(rate), shorter)

    def _jacobian(self, t: Tensor, z: Tensor) -> Tensor:
        return known_jacobian(lambda z: self.flow.field(t, z), z)

    def _at_all(self, f: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """f(t, z) at all samples, at once where the time does not matter; orbits stay on one axis, as stacked models need."""
        clock = [torch.tensor(sample.t, dtype=torch.float64, device=self.z.device) for sample in self.samples]
        if self.flow.autonomous:
            found = f(clock[0], self.z.flatten(-3, -2))
            return found.reshape(*self.z.shape[:-1], *found.shape[self.z.ndim - 2 :])
        return torch.stack([f(t, z) for t, z in zip(clock, self.z.unbind(-2), strict=True)], dim=self.z.ndim - 2)

    def _size(self, rate: Tensor, fastest: Tensor) -> Float[Tensor, "*batch n D"]:
        """The size of each coordinate along its orbit: its range, or as far as it comes in one time scale."""
        span = self.z.amax(-2) - self.z.amin(-2)
        most = fastest.amax(-1, keepdim=True)
        reach = torch.where(most > 0, rate.abs().amax(-2) / most, torch.inf)
        return torch.maximum(span, torch.minimum(self.z.abs().amax(-2), reach))

    def _step_error(self, method: Integrator, turn: Tensor, size: Tensor, noise: Tensor) -> tuple[float, float]:
        """The largest error of a step, and how long that step was."""
        count = len(self.samples)
        worst = int(turn.flatten(0, -2).amax(0).argmax())
        chosen = {worst, 0, *(round(i * (count - 1) / (TWICE - 1)) for i in range(TWICE))}
        largest, length = 0.0, float(self.h.max())
        scale = 1 / (1 - sum(part ** (method.order + 1) for part in PARTS))
        for k in sorted(chosen):
            z, sample = self.z[..., k, :], self.samples[k]
            error = scale * (self._stepped(sample, z, (1.0,)) - self._stepped(sample, z, PARTS)).abs()
            relative = torch.where((error > noise) & (size > 0), error / size, 0.0)
            relative = torch.where(self.finite[..., k, None] & torch.isfinite(relative), relative, 0.0)
            if float(relative.max()) > largest:
                largest, length = float(relative.max()), abs(sample.dt)
        return largest, length

    def _stepped(self, sample: Sample, z: Tensor, parts: tuple[float, ...]) -> Tensor:
        method, t = self.make(), sample.t
        carried = method.start(z, sample.dt * parts[0])
        for part in parts:
            carried = method.step(torch.tensor(t, dtype=torch.float64, device=z.device), carried, part * sample.dt)
            t += part * sample.dt
        return method.state(carried)

    def _energy_drift(self, rate: Tensor) -> float | None:
        if self.flow.hamiltonian is None or self.z.shape[-1] % 2:
            return None
        energy = self.flow.hamiltonian(self.z.flatten(-3, -2)).reshape(self.z.shape[:-1])
        dq, p = rate.chunk(2, dim=-1)[0], self.z.chunk(2, dim=-1)[1]
        twice = (p * dq).abs().sum(-1).amax(-1, keepdim=True)
        change = (energy - energy[..., :1]).abs()
        noise = ROUNDING * torch.finfo(self.z.dtype).eps * energy.abs().amax(-1, keepdim=True)
        drift = torch.where(self.finite & (change > noise) & (twice > 0), change / twice, 0.0)
        return float(torch.where(torch.isfinite(drift), drift, 0.0).max())


def _some_orbits(z: Float[Tensor, "*batch D"]) -> Tensor:
    """Up to eight orbits, evenly from the last axis of the batch; the others may tell models of a stack apart."""
    if z.ndim < 2 or z.shape[-2] <= ORBITS:
        return z
    return z[..., torch.linspace(0, z.shape[-2] - 1, ORBITS).round().long().to(z.device), :]
