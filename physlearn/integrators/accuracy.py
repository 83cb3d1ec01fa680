"""Estimate the accuracy of a fixed-step integration from a sample of its steps and orbits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.flow import Flow
from physlearn.integrators.compiled import Compiled
from physlearn.integrators.integrator import Integrator, Sample
from physlearn.integrators.steps import CHOSEN, UNRESOLVED, Steps
from systems.reference.time_scale import fastest_rate

ORBITS = 8
TWICE = 6  # number of sampled steps that are repeated, once whole and once in two parts
PARTS = (0.382, 0.618)  # parts of a repeated step; two halves would meet a fast drive at the same phases as the step itself
TIMES = 16  # most samples of a time-dependent field, which must be evaluated one by one
ROUNDING = 64  # machine epsilons
# largest acceptable energy drift, relative to twice the kinetic energy: of steps that divide the time between outputs by the
# time scale of the flow, and of all others
ENERGY_OF_DIVIDED_STEPS, ENERGY = 0.01, 0.1
STEP = {2: 0.01}  # largest acceptable error of a step, in sizes of the coordinates, by the order of the method
STEP_OF_HIGH_ORDER = 3e-3
STEP_OF_FIRST_ORDER = 0.1
GROSS = 10  # factor by which the error of a step chosen by the caller must exceed these limits to raise a warning


@dataclass(frozen=True)
class Accuracy:
    """Estimated errors of an integration.

    Parameters
    ----------
    step_error
        Largest error of a sampled step, compared with two shorter steps, relative to the size of the coordinate along the
        orbit.
    resolution
        Longest sampled step in units of the flow's fastest time scale there.
    energy_drift
        Largest change of the energy, relative to twice the kinetic energy (the sum of the terms p dq/dt): its largest value
        along the orbit, or twice its mean if this is smaller, as on an eccentric ellipse. None for a flow without a
        Hamiltonian.
    shorter
        A step that would resolve the flow and keep the step error small, at most half of the longest step.
    """

    step_error: float
    resolution: float
    energy_drift: float | None
    shorter: float

    def better_than(self, other: Accuracy) -> bool:
        """Return whether the step error is smaller, and an energy drift that is too large has clearly decreased."""
        drift, before = self.energy_drift or 0.0, other.energy_drift or 0.0
        return self.step_error < other.step_error and (drift <= ENERGY or drift < before / 2)

    def describe(self) -> dict[str, Any]:
        """Return the errors as JSON-ready values for an orbit's provenance."""
        return {"step_error": self.step_error, "resolution": self.resolution, "energy_drift": self.energy_drift}

    def __str__(self) -> str:
        energy = "" if self.energy_drift is None else f", and the energy drifts by {self.energy_drift:.2g} of 2 T"
        return f"the error of a step is about {self.step_error:.2g} of the size of a coordinate{energy}"


def tolerance(method: type[Integrator]) -> float:
    """Return the step error above which default steps are shortened."""
    return STEP.get(method.order, STEP_OF_HIGH_ORDER)


def too_long(accuracy: Accuracy, method: type[Integrator], steps: Steps) -> bool:
    """Return whether the steps are too long.

    Default steps are too long if they cause a noticeable error, and steps chosen by the caller if they cause a gross error.
    Those of a first-order method, which serves to show the effect of its steps, are too long only if they divide the time
    between outputs and the error is gross.
    """
    divided = steps.chosen_by == "flow" and max(steps.counts, default=1) > 1
    if method.order == 1:
        return divided and accuracy.step_error > STEP_OF_FIRST_ORDER
    factor = 1 if steps.by_default else GROSS
    drift = accuracy.energy_drift
    drifts = drift is not None and drift > (ENERGY_OF_DIVIDED_STEPS if divided else ENERGY)
    unresolved = steps.chosen_by == "flow" and accuracy.resolution > UNRESOLVED
    return drifts or unresolved or accuracy.step_error > factor * tolerance(method)


def estimate(flow: Flow, make: Callable[[], Integrator], samples: list[Sample], compiled: Compiled | None = None) -> Accuracy:
    """Estimate the errors of an integration from the samples that it stored.

    Parameters
    ----------
    flow
        The flow that was integrated.
    make
        A function that returns a new integrator with the same options.
    samples
        Starting points of some steps.
    compiled
        The compiled field, if it was integrated.

    Returns
    -------
    Accuracy
        Errors over those sampled orbits and steps whose states are finite.
    """
    with torch.no_grad():
        return _Sampled(flow, make, samples, compiled).accuracy()


class _Sampled:
    """Sampled states ``(..., n, K, D)`` of up to eight orbits at the start of K steps."""

    def __init__(self, flow: Flow, make: Callable[[], Integrator], samples: list[Sample], compiled: Compiled | None) -> None:
        self.flow, self.make, self.compiled = flow, make, compiled
        if not flow.autonomous and len(samples) > TIMES:
            samples = [samples[round(i * (len(samples) - 1) / (TIMES - 1))] for i in range(TIMES)]
        self.samples = samples
        z = torch.stack([_some_orbits(sample.z.detach()) for sample in samples], dim=-2)
        z = z.unsqueeze(0) if z.ndim == 2 else z
        self.finite: Bool[Tensor, "*batch n K"] = torch.isfinite(z).all(-1)
        # replace states that are not finite by those of an orbit that is finite throughout, or else by the first ones
        whole = self.finite.all(-1).flatten()
        sound = z.flatten(0, -3)[int(whole.int().argmax())] if whole.any() else z[..., :1, :]
        self.z = torch.where(self.finite.unsqueeze(-1), z, sound)
        self.h = z.new_tensor([abs(sample.dt) for sample in samples])

    def accuracy(self) -> Accuracy:
        """Estimate the errors, and a step that would avoid them."""
        matrix, rate = self._at_all(self.flow.jacobian), self._at_all(self.flow.field)
        method = self.make()
        rates = fastest_rate(matrix, method.damping).to(self.z.dtype)
        turn = torch.where(self.finite, rates * self.h, 0.0)
        size = self._size(rate, fastest_rate(matrix).to(self.z.dtype))
        # the rounding of the coordinates themselves, and of terms in their rates that may cancel
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

    def _at_all(self, f: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Evaluate f(t, z) at all samples, in one call for an autonomous flow; stacked models need orbits on one axis."""
        clock = [torch.tensor(sample.t, dtype=torch.float64, device=self.z.device) for sample in self.samples]
        if self.flow.autonomous:
            found = f(clock[0], self.z.flatten(-3, -2))
            return found.reshape(*self.z.shape[:-1], *found.shape[self.z.ndim - 2 :])
        return torch.stack([f(t, z) for t, z in zip(clock, self.z.unbind(-2), strict=True)], dim=self.z.ndim - 2)

    def _size(self, rate: Tensor, fastest: Tensor) -> Float[Tensor, "*batch n D"]:
        """Return the size of each coordinate along its orbit: its range, or the distance moved in one time scale."""
        span = self.z.amax(-2) - self.z.amin(-2)
        most = fastest.amax(-1, keepdim=True)
        reach = torch.where(most > 0, rate.abs().amax(-2) / most, torch.inf)
        return torch.maximum(span, torch.minimum(self.z.abs().amax(-2), reach))

    def _step_error(self, method: Integrator, turn: Tensor, size: Tensor, noise: Tensor) -> tuple[float, float]:
        """Return the largest error of a step, and the length of that step."""
        count = len(self.samples)
        worst = int(turn.flatten(0, -2).amax(0).argmax())
        chosen = {worst, 0, *(round(i * (count - 1) / (TWICE - 1)) for i in range(TWICE))}
        largest, length = 0.0, float(self.h.max())
        scale = 1 / (1 - sum(part ** (method.order + 1) for part in PARTS))
        for among in self._alike(sorted(chosen)):
            z, first = self.z[..., among, :], self.samples[among[0]]
            error = scale * (self._stepped(first, z, (1.0,)) - self._stepped(first, z, PARTS)).abs()
            size_, noise_ = size.unsqueeze(-2), noise.unsqueeze(-2)
            relative = torch.where((error > noise_) & (size_ > 0), error / size_, 0.0)
            relative = torch.where(self.finite[..., among, None] & torch.isfinite(relative), relative, 0.0)
            if float(relative.max()) > largest:
                largest, length = float(relative.max()), abs(first.dt)
        return largest, length

    def _alike(self, chosen: list[int]) -> list[list[int]]:
        """Divide samples into groups that one call can step: in compiled code, all whose steps are equal up to rounding."""
        if self.compiled is None or not self.flow.autonomous:
            return [[k] for k in chosen]
        groups: dict[str, list[int]] = {}
        for k in chosen:
            groups.setdefault(f"{self.samples[k].dt:.9e}", []).append(k)
        return list(groups.values())

    def _stepped(self, sample: Sample, z: Tensor, parts: tuple[float, ...]) -> Tensor:
        """Return the states after a step from z that is divided into parts, of the length and time of a sample's step."""
        method, t = self.make(), sample.t
        if self.compiled is not None:
            return self.compiled.stepped(method, t, z, [part * sample.dt for part in parts])
        z, shape = z.flatten(-3, -2), z.shape
        carried = method.start(z, sample.dt * parts[0])
        for part in parts:
            carried = method.step(torch.tensor(t, dtype=torch.float64, device=z.device), carried, part * sample.dt)
            t += part * sample.dt
        return method.state(carried).reshape(shape)

    def _energy_drift(self, rate: Tensor) -> float | None:
        if self.flow.hamiltonian is None or self.z.shape[-1] % 2:
            return None
        energy = self.flow.hamiltonian(self.z.flatten(-3, -2)).reshape(self.z.shape[:-1])
        dq, p = rate.chunk(2, dim=-1)[0], self.z.chunk(2, dim=-1)[1]
        weight = torch.where(self.finite, self.h, 0.0)  # a sample stands for as many steps as the others, each of its length
        terms = (p * dq).abs().sum(-1)
        mean = (weight * terms).sum(-1, keepdim=True) / weight.sum(-1, keepdim=True)
        twice = torch.minimum(terms.amax(-1, keepdim=True), 2 * mean)
        change = (energy - energy[..., :1]).abs()
        noise = ROUNDING * torch.finfo(self.z.dtype).eps * energy.abs().amax(-1, keepdim=True)
        drift = torch.where(self.finite & (change > noise) & (twice > 0), change / twice, 0.0)
        return float(torch.where(torch.isfinite(drift), drift, 0.0).max())


def _some_orbits(z: Float[Tensor, "*batch D"]) -> Tensor:
    """Select up to eight orbits evenly from the last batch axis; the other axes may belong to a stack of models."""
    if z.ndim < 2 or z.shape[-2] <= ORBITS:
        return z
    return z[..., torch.linspace(0, z.shape[-2] - 1, ORBITS).round().long().to(z.device), :]
