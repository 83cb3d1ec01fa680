"""The outer loop of Algorithm 1: sub-networks descend the gradient of the losses of inner loops."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import torch
from jaxtyping import Float
from torch import Tensor, nn
from tqdm.auto import tqdm

from physlearn.metalearning.by_evolution import ByEvolution
from physlearn.metalearning.by_gradient import ByGradient
from physlearn.metalearning.examination import Examination
from physlearn.metalearning.inner import InnerLoop
from physlearn.metalearning.neurons import Neurons, SplineGrid
from physlearn.metalearning.record import Record
from physlearn.metalearning.settings import LAST_RATE, MetaLearning, outer_class
from physlearn.metalearning.trainer import Trainer
from physlearn.tasks import Task
from physlearn.threads import suited_to
from physlearn.training import optimizers
from physlearn.training.train_settings import cosine


class OuterLoop:
    """Adapt the neuron types of M meta-seeds at the same time, each independently of the others.

    ``neurons`` has one member per meta-seed, which is changed in place, and ``records`` holds the history of each.
    """

    def __init__(
        self, task: Task, settings: MetaLearning, seeds: Sequence[int], neurons: Sequence[Neurons] | None = None
    ) -> None:
        self.settings = settings
        dtype, device = task.dtype, torch.device(task.device)
        self.neurons = list(neurons or [Neurons(settings, seed, dtype, device) for seed in seeds])
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.grid = SplineGrid(settings.points, settings.interval, dtype, device)
        pairs = task.pairs("meta-training")
        model = task.network("sine")
        model.standardize(pairs.z, pairs.target)
        optimizer = optimizers.find(settings.inner_optimizer)
        falling = None
        if settings.schedule == "cosine":
            steps = settings.inner_steps
            falling = torch.tensor([cosine(step, steps) for step in range(steps)], dtype=dtype, device=device)
        inner = InnerLoop(
            model, pairs, self.grid.grid, optimizer, task.training.reduction, falling=falling, compiled=settings.compiled
        )
        trainer, held_out = Trainer(inner, model), task.pairs("meta-validation")
        self.by: ByGradient | ByEvolution
        if settings.variant == "evolution":
            networks = 2 * settings.pairs
            self.by = ByEvolution(trainer, held_out, settings, self.generators, self.grid)
        else:
            networks = settings.networks
            self.by = ByGradient(inner, held_out, settings, self.generators)
        self.work = len(seeds) * networks * min(settings.batch_size, len(pairs)) * max(task.hidden)
        self.examination = Examination(trainer, held_out, settings, seeds)
        self.optimizers = [self._optimizer(n) for n in self.neurons]
        self.records = [Record(settings) for _ in seeds]
        self.step_count = 0

    def _optimizer(self, neurons: Neurons) -> torch.optim.Optimizer:
        cls = outer_class(self.settings.outer_optimizer)
        return cls(self.learned(neurons), lr=self.settings.outer_learning_rate, **dict(self.settings.outer_options))  # type: ignore[call-arg]

    def learned(self, neurons: Neurons) -> list[nn.Parameter]:
        """Return the parameters that the outer loop changes."""
        if self.settings.variant == "evolution":
            return [neurons.bumps] if self.settings.space == "curves" else list(neurons.sub_networks.parameters())
        rate = [neurons.log_rate] if self.settings.learn_inner_rate else []
        return [*neurons.sub_networks.parameters(), *rate]

    @property
    def done(self) -> bool:
        """Whether all outer steps have been taken."""
        return self.step_count >= self.settings.outer_steps

    def run(self, bar: tqdm[NoReturn], every: int = 0, save: Callable[[], None] | None = None) -> None:
        """Take the remaining steps; call ``save()`` after every ``every`` steps and after the last."""
        while not self.done:
            with suited_to(self.work):
                self.step()
            bar.update()
            bar.set_postfix_str(", ".join(record.latest for record in self.records[:3]))
            if every and save is not None and (self.step_count % every == 0 or self.done):
                save()

    def step(self) -> None:
        """Take one outer step of all meta-seeds."""
        values = torch.stack([neurons.curves(self.grid.x) for neurons in self.neurons])
        for record, curves in zip(self.records, values.detach(), strict=True):
            record.before(self.step_count, curves)
        coefficients = self.grid.coefficients(values)
        if self.step_count % self.settings.examine_every == 0 or self.step_count == self.settings.outer_steps - 1:
            log_losses = self.examination.log_loss(coefficients).tolist()
            for record, neurons, log_loss in zip(self.records, self.neurons, log_losses, strict=True):
                record.examined(self.step_count, neurons, log_loss)
        if isinstance(self.by, ByEvolution):
            self._evolve(self.by)
        else:
            self._descend(self.by, coefficients)
        self.step_count += 1

    def _descend(self, by: ByGradient, coefficients: Float[Tensor, "M types cells 4"]) -> None:
        found = by.estimate(coefficients, torch.stack([n.log_rate.exp() for n in self.neurons]))
        for k, (neurons, record) in enumerate(zip(self.neurons, self.records, strict=True)):
            learned = self.learned(neurons)
            sub = list(neurons.sub_networks.parameters())
            gradients = list(torch.autograd.grad(coefficients[k], sub, found.curves[k], retain_graph=True))
            if len(learned) > len(sub):
                gradients.append(found.rate[k] * neurons.log_rate.detach().exp())
            norm = self._move(neurons, k, learned, gradients)
            record.after(float(found.objective[k]), norm)

    def _evolve(self, by: ByEvolution) -> None:
        for k, (neurons, record, found) in enumerate(zip(self.neurons, self.records, by.estimate(self.neurons), strict=True)):
            gradients = [found.gradients[name] for name, p in neurons.named_parameters() if name in found.gradients]
            norm = self._move(neurons, k, self.learned(neurons), gradients)
            record.after(found.objective, norm, found.left_out)

    def _move(self, neurons: Neurons, k: int, learned: list[nn.Parameter], gradients: list[Tensor]) -> float:
        """Take a step along the clipped gradient, unless it is not finite, and return the norm of the gradient."""
        norm = float(torch.stack([gradient.double().norm() for gradient in gradients]).norm())
        if not math.isfinite(norm):
            return norm
        optimizer = self.optimizers[k]
        for group in optimizer.param_groups:
            group["lr"] = self.settings.outer_learning_rate * self._schedule()
        shorter = min(1.0, self.settings.longest / (norm + 1e-12))
        for parameter, gradient in zip(learned, gradients, strict=True):
            parameter.grad = gradient * shorter
        optimizer.step()
        return norm

    def _schedule(self) -> float:
        """Return the outer learning rate at this step, relative to its maximum."""
        s, t = self.settings, self.step_count
        rising = min(1.0, (t + 1) / max(1, min(s.warm_up, s.outer_steps // 2)))
        falling = LAST_RATE + (1 - LAST_RATE) * cosine(t, s.outer_steps) if s.decay else 1.0
        return rising * falling

    def keep_best(self) -> None:
        """Restore the weights with the lowest loss in the examinations."""
        for neurons, record in zip(self.neurons, self.records, strict=True):
            if record.best_neurons is not None:
                neurons.load_state_dict(record.best_neurons)

    def state(self) -> dict[str, Any]:
        """Return the state from which `resume` continues: tensors and numbers in dictionaries and lists."""
        return {
            "step_count": self.step_count,
            "neurons": [neurons.state_dict() for neurons in self.neurons],
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "generators": [generator.get_state() for generator in self.generators],
            "records": [record.state() for record in self.records],
            "by": self.by.state(),
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Restore a state."""
        self.step_count = state["step_count"]
        for k in range(len(self.neurons)):
            self.neurons[k].load_state_dict(state["neurons"][k])
            self.optimizers[k].load_state_dict(state["optimizers"][k])
            self.generators[k].set_state(state["generators"][k])
            self.records[k].resume(state["records"][k])
        self.by.resume(state["by"])
