"""The gradient of an outer step by evolution strategies, from trainings with perturbed activations and without derivatives.

The estimate is of the true objective for any number of inner steps, and its memory does not grow with that number.
Source: antithetic evolution strategies with common random numbers, as in Salimans et al., arXiv:1703.03864.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.activations import SubNetwork
from physlearn.metalearning.examination import PAIRS
from physlearn.metalearning.inner import Curves, draw_batches, draw_rates
from physlearn.metalearning.neurons import Neurons, SplineGrid
from physlearn.metalearning.settings import MetaLearning
from physlearn.metalearning.trainer import Trainer
from physlearn.training import Pairs


@dataclass(frozen=True)
class Evolved:
    """The estimate for one meta-seed.

    ``objective`` is the mean over all perturbations, ``gradients`` are with respect to the weights or the bumps, and
    ``left_out`` is the number of pairs that were excluded because a training diverged.
    """

    objective: float
    gradients: dict[str, Tensor]
    left_out: int


class ByEvolution:
    """Estimator of the gradient of the objective from pairs of opposite perturbations, for each of M meta-seeds."""

    def __init__(
        self,
        trainer: Trainer,
        held_out: Pairs,
        settings: MetaLearning,
        generators: list[torch.Generator],
        grid: SplineGrid,
    ) -> None:
        self.held_out = held_out.first(PAIRS) if settings.held_out else None
        self.inner, self.settings, self.generators, self.grid = trainer.inner, settings, generators, grid
        self.trainer = trainer
        self.windows = [_steps_of(window, settings.inner_steps) for window in settings.windows]

    def estimate(self, neurons: list[Neurons]) -> list[Evolved]:
        """Estimate the gradient of one outer step."""
        drawn = [self._perturbed(n, generator) for n, generator in zip(neurons, self.generators, strict=True)]
        curves = torch.cat([perturbed for perturbed, _ in drawn])
        objective = self._objective(curves).unflatten(0, (len(neurons), 2, self.settings.pairs))
        return [self._gradient(noise, values) for (_, noise), values in zip(drawn, objective, strict=True)]

    def state(self) -> dict[str, Any]:
        """Return an empty state, because nothing persists from step to step."""
        return {}

    def resume(self, state: dict[str, Any]) -> None:
        """Do nothing, because the state is empty."""

    def _gradient(self, noise: dict[str, Float[Tensor, "pairs ..."]], objective: Float[Tensor, "2 pairs"]) -> Evolved:
        up, down = objective
        sound = up.isfinite() & down.isfinite()
        slopes = torch.where(sound, (up - down) / (2 * self.settings.sigma), 0.0)
        weight = slopes / sound.sum()  # NaN if no pair remains, and then the gradient is NaN too
        gradients = {name: torch.tensordot(weight, e, 1) for name, e in noise.items()}
        mean = float(objective[:, sound].mean()) if sound.any() else float("nan")
        return Evolved(mean, gradients, int((~sound).sum()))

    def _perturbed(self, neurons: Neurons, generator: torch.Generator) -> tuple[Curves, dict[str, Tensor]]:
        """Return the curves of all perturbations, first the positive ones, and the perturbations in units of sigma."""
        x, pairs, sigma = self.grid.x, self.settings.pairs, self.settings.sigma

        def noise(like: Tensor) -> Tensor:
            return torch.randn(pairs, *like.shape, generator=generator, dtype=torch.float64).to(like)

        with torch.no_grad():
            if self.settings.space == "curves":
                e = noise(neurons.bumps)
                change = neurons.symmetric(sigma * e @ neurons.shapes(x))
                base = neurons.curves(x)
                return self.grid.coefficients(torch.cat([base + change, base - change])), {"bumps": e}
            parts = dict(neurons.sub_networks.named_parameters())
            e_parts = {name: noise(part) for name, part in parts.items()}
            weights = {
                name: torch.cat([part + sigma * e_parts[name], part - sigma * e_parts[name]]) for name, part in parts.items()
            }
            many = SubNetwork(neurons.sub_networks.base, weights)
            values = many.value(x.expand(2 * pairs, len(neurons.bumps), -1)) + neurons.bumps @ neurons.shapes(x)
            return self.grid.coefficients(neurons.symmetric(values)), {
                f"sub_networks.{name}": e for name, e in e_parts.items()
            }

    def _objective(self, curves: Curves) -> Float[Tensor, " S"]:
        """Return the objective of each training; both members of a pair have the same initial weights, rates and batches."""
        pairs, steps, dtype = self.settings.pairs, self.settings.inner_steps, curves.dtype
        weights, rates, batches = [], [], []
        low, high = self.settings.rates
        for generator in self.generators:
            w = self.inner.layout.draw(pairs, generator, dtype)
            rate = draw_rates(low, high, pairs, generator)
            b = draw_batches(len(self.inner.pairs), pairs, steps, self.settings.batch_size, generator)
            weights += [w, w]
            rates += [rate, rate]
            batches += [b, b]
        start = torch.cat(weights).to(curves), torch.cat(rates).to(curves), torch.cat(batches).to(curves.device)
        mix = self._log_loss(curves, *start)
        if self.settings.reward == 0:
            return mix
        pure = torch.stack(
            [self._log_loss(curves[:, k : k + 1].expand_as(curves).contiguous(), *start) for k in range(self.settings.types)]
        )
        return mix + self.settings.reward * torch.logsumexp(-pure, 0)

    def _log_loss(self, curves: Curves, weights: Tensor, rates: Tensor, batches: Tensor) -> Float[Tensor, " S"]:
        losses, trained = self.trainer.train(curves, weights, rates, batches)
        if self.held_out is not None:
            return self.inner.losses_on(trained, curves, self.held_out).log()
        return torch.stack([losses[:, a:b].mean(1).log() for a, b in self.windows]).mean(0)


def _steps_of(window: tuple[float, float], steps: int) -> tuple[int, int]:
    """Return the first step of a window and the one after its last; a window has at least one step."""
    first = min(round(window[0] * steps), steps - 1)
    return first, max(round(window[1] * steps), first + 1)
