"""The gradient of an outer step by differentiation of inner loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.metalearning import gradient
from physlearn.metalearning.inner import Curves, InnerLoop, Networks, draw_batches, draw_rates
from physlearn.metalearning.settings import MetaLearning
from physlearn.training import Pairs


@dataclass(frozen=True)
class Estimate:
    """The objective and its gradients with respect to the curves and the inner learning rate, for each of M meta-seeds."""

    objective: Float[Tensor, " M"]
    curves: Float[Tensor, "M types cells 4"]
    rate: Float[Tensor, " M"]


class ByGradient:
    """Train K networks for each of M meta-seeds at the same time, and differentiate their losses by their activations.

    Every random number of a meta-seed comes from its own generator, so its results do not depend on the other meta-seeds.
    """

    def __init__(self, inner: InnerLoop, held_out: Pairs, settings: MetaLearning, generators: list[torch.Generator]) -> None:
        self.inner, self.held_out, self.settings, self.generators = inner, held_out, settings, generators
        self.networks: Networks | None = None  # networks that continue to train in the next outer step
        self.lives: Tensor | None = None
        steps = settings.inner_steps
        counted = torch.zeros(steps + 1, dtype=inner.pairs.z.dtype, device=inner.pairs.z.device)
        first = steps - max(1, round(settings.tail * steps))
        counted[first:steps] = 1 / (steps - first)
        if settings.variant == "final-step":
            counted = torch.zeros_like(counted)
            counted[-1] = 1
        self.counted = counted

    def estimate(self, curves: Float[Tensor, "M types cells 4"], rate: Float[Tensor, " M"]) -> Estimate:
        """Estimate the gradient of one outer step; ``rate`` is the inner learning rate, if it is learned."""
        each = self.settings.networks
        start = self._start(rate)
        all_curves: Curves = curves.detach().repeat_interleave(each, 0)
        problem = gradient.Problem(
            inner=self.inner,
            start=start,
            curves=all_curves,
            batches=self._batches(len(self.inner.pairs), self.settings.inner_steps),
            counted=self.counted,
            logarithm=self.settings.logarithm,
            held_out=self.held_out if self.settings.held_out else None,
            held_out_batches=(
                self._batches(len(self.held_out), self.settings.inner_steps + 1) if self.settings.held_out else None
            ),
        )
        found = self._differentiate(problem)
        if self.settings.lifetime is not None:
            self.networks = found.networks
        return Estimate(
            objective=self._mean(found.objective),
            curves=self._mean(found.curves),
            rate=torch.zeros_like(rate) if found.learning_rate is None else self._sum(found.learning_rate).flatten() / each,
        )

    def state(self) -> dict[str, Any]:
        """Return the networks that continue to train in the next outer step."""
        n = self.networks
        kept = None if n is None else [n.weights, list(n.state), n.count, n.learning_rate]
        return {"networks": kept, "lives": self.lives}

    def resume(self, state: dict[str, Any]) -> None:
        """Restore a state."""
        device = self.inner.pairs.z.device
        self.lives = None if state["lives"] is None else state["lives"].to(device)
        if (kept := state["networks"]) is not None:
            weights, parts, count, rate = kept
            parts = tuple(part.to(device) for part in parts)
            self.networks = Networks(weights.to(device), parts, count.to(device), rate.to(device))

    def _differentiate(self, problem: gradient.Problem) -> gradient.MetaGradient:
        if self.settings.variant == "unrolled":
            return gradient.unrolled(problem)
        if self.settings.variant == "truncated":
            return gradient.truncated(problem, self.settings.window)
        return gradient.first_order(problem)

    def _mean(self, x: Float[Tensor, "MK ..."]) -> Float[Tensor, "M ..."]:
        return x.unflatten(0, (-1, self.settings.networks)).mean(1)

    def _sum(self, x: Float[Tensor, "MK ..."]) -> Float[Tensor, "M ..."]:
        return x.unflatten(0, (-1, self.settings.networks)).sum(1)

    def _batches(self, pairs: int, steps: int) -> Tensor:
        size = self.settings.batch_size
        drawn = [draw_batches(pairs, self.settings.networks, steps, size, generator) for generator in self.generators]
        return torch.cat(drawn).to(self.inner.pairs.z.device)

    def _start(self, rate: Float[Tensor, " M"]) -> Networks:
        """Return new networks, or the networks of the last outer step with those past their lifetime replaced."""
        fresh = self.inner.start(*self._draw(rate))
        if self.settings.lifetime is None:
            return fresh
        if self.networks is None or self.lives is None:
            self.lives = self._draw_lives()
            return fresh
        over = (self.networks.count >= self.lives) | ~self.networks.weights.isfinite().all(1, keepdim=True)
        self.lives = torch.where(over, self._draw_lives(), self.lives)
        return _replaced(self.networks, fresh, over)

    def _draw(self, rate: Float[Tensor, " M"]) -> tuple[Float[Tensor, "MK P"], Float[Tensor, "MK 1"]]:
        each, dtype, device = self.settings.networks, rate.dtype, rate.device
        weights = [self.inner.layout.draw(each, generator, dtype) for generator in self.generators]
        if self.settings.learn_inner_rate:
            rates = rate.detach().repeat_interleave(each).unsqueeze(1)
        else:
            low, high = self.settings.rates
            rates = torch.cat([draw_rates(low, high, each, generator) for generator in self.generators]).to(rate)
        return torch.cat(weights).to(device), rates

    def _draw_lives(self) -> Tensor:
        assert self.settings.lifetime is not None
        drawn = [draw_rates(*self.settings.lifetime, self.settings.networks, generator) for generator in self.generators]
        return torch.cat(drawn).round().long().to(self.inner.pairs.z.device)


def _replaced(networks: Networks, fresh: Networks, where: Bool[Tensor, "S 1"]) -> Networks:
    return Networks(
        torch.where(where, fresh.weights, networks.weights),
        tuple(torch.where(where, new, old) for new, old in zip(fresh.state, networks.state, strict=True)),
        torch.where(where, fresh.count, networks.count),
        torch.where(where, fresh.learning_rate, networks.learning_rate),
    )
