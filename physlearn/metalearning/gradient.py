r"""The gradient of the objective of the inner loop with respect to the activations, in several variants.

Each of S networks follows its own path :math:`\theta_t`, and has its own objective and gradient,

.. math:: J = \sum_t c_t\, \ell\bigl(L(\theta_t; \sigma)\bigr)

where the weights c_t select the steps that count (all steps, or the tail of the loop), and l is the identity or the logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.metalearning.inner import Curves, InnerLoop, Networks
from physlearn.training.pairs import Pairs


@dataclass(frozen=True)
class Problem:
    """An inner loop with its initial networks and batches, and the objective that the outer loop minimises.

    ``counted`` holds the weights c_t of the losses before each step and of the loss after the last. ``held_out`` and
    ``held_out_batches`` are other pairs and one batch of them per loss that counts. By default, the losses are those on the
    training batches (after the last step, on the last batch again).
    """

    inner: InnerLoop
    start: Networks
    curves: Curves
    batches: Int[Tensor, "S steps B"]
    counted: Float[Tensor, " steps+1"]
    logarithm: bool = False
    held_out: Pairs | None = None
    held_out_batches: Int[Tensor, "S steps+1 B"] | None = None

    @property
    def steps(self) -> int:
        """The number of inner steps."""
        return self.batches.shape[1]

    def counts(self, t: int) -> bool:
        """Return whether the loss at step t is part of the objective."""
        return bool(self.counted[t] != 0)

    def share(
        self, t: int, weights: Float[Tensor, "S P"], curves: Curves, losses: Tensor | None = None
    ) -> Float[Tensor, " S"]:
        """Return the term of step t. ``losses`` are those on the training batch, if they are known."""
        if self.held_out is not None and self.held_out_batches is not None:
            losses = self.inner.losses(weights, curves, self.held_out_batches[:, t], self.held_out)
        elif losses is None:
            losses = self.inner.losses(weights, curves, self.batches[:, min(t, self.steps - 1)])
        return self.counted[t] * (losses.log() if self.logarithm else losses)


@dataclass(frozen=True)
class MetaGradient:
    """The objective, its gradients, and the final networks.

    ``curves`` and ``learning_rate`` are gradients (None if not available), ``losses`` are those on the training batches before
    each step, and ``networks`` are the networks after the last step.
    """

    objective: Float[Tensor, " S"]
    curves: Curves
    learning_rate: Float[Tensor, "S 1"] | None
    losses: Float[Tensor, "S steps"]
    networks: Networks


def unrolled(problem: Problem, segments: int | None = None) -> MetaGradient:
    """Return the gradient through the whole inner loop, to second order, as in Algorithm 1.

    The loop first runs without a graph and stores the networks at the start of about sqrt(steps) segments. Then each segment,
    from the last to the first, is run again with a graph, and the gradient is propagated from its end to its start. The memory
    grows with the square root of the number of steps, at the cost of a second run of the loop. ``segments=1`` stores
    everything instead.
    """
    return _by_segments(problem, ceil(problem.steps / (segments or max(1, round(sqrt(problem.steps))))), carry=True)


def truncated(problem: Problem, window: int) -> MetaGradient:
    """Return the gradient through windows of ``window`` steps; each loss depends on the weights at the start of its window."""
    return _by_segments(problem, window, carry=False)


def first_order(problem: Problem) -> MetaGradient:
    """Return the gradient of the losses with respect to the activations, with the path of the weights held fixed."""
    inner, networks = problem.inner, problem.start.detached()
    total, gradient, losses = torch.zeros_like(networks.weights[:, 0]), torch.zeros_like(problem.curves), []
    for t in range(problem.steps + 1):
        weights, curves = networks.weights.requires_grad_(), problem.curves.detach().requires_grad_()
        counts = problem.counts(t)
        own = counts and problem.held_out is None
        if t < problem.steps:
            with torch.enable_grad():
                loss = inner.losses(weights, curves if own else curves.detach(), problem.batches[:, t])
                by_weights, *by_curves = torch.autograd.grad(loss.sum(), [weights, curves] if own else [weights])
            losses.append(loss.detach())
            networks = inner.advance(networks, by_weights)
        if not counts:
            continue
        if own and t < problem.steps:
            share = problem.share(t, weights, curves, losses[-1])
            slope = problem.counted[t] / losses[-1] if problem.logarithm else problem.counted[t].expand_as(losses[-1])
            part = slope.view(-1, 1, 1, 1) * by_curves[0]
        else:
            with torch.enable_grad():
                share = problem.share(t, weights.detach(), curves)
                (part,) = torch.autograd.grad(share.sum(), curves)
        gradient += part
        total += share.detach()
    return MetaGradient(total, gradient, None, torch.stack(losses, dim=1), networks.detached())


def _by_segments(problem: Problem, length: int, *, carry: bool) -> MetaGradient:
    steps, inner = problem.steps, problem.inner
    bounds = list(pairwise([*range(0, steps, length), steps]))
    kept = [problem.start.detached()]
    for a, b in bounds[:-1]:
        networks = kept[-1]
        for t in range(a, b):
            networks, _ = inner.step(networks, problem.curves, problem.batches[:, t])
        kept.append(networks.detached())
    total = torch.zeros_like(problem.start.weights[:, 0])
    gradient, by_rate = torch.zeros_like(problem.curves), torch.zeros_like(problem.start.learning_rate)
    losses: list[Tensor] = []
    carried: list[Tensor] = []  # gradient with respect to the weights and the optimiser's state at the end of the segment
    end = None
    for (a, b), start in zip(reversed(bounds), reversed(kept), strict=True):
        begin, curves = start.leaves(), problem.curves.detach().requires_grad_()
        networks, shares, seen = begin, [], []
        for t in range(a, b):
            before = networks.weights
            networks, loss = inner.step(networks, curves, problem.batches[:, t], create_graph=True)
            seen.append(loss.detach())
            if problem.counts(t):
                shares.append(problem.share(t, before, curves, loss))
        if end is None:
            end = networks.detached()
            if problem.counts(b):
                shares.append(problem.share(b, networks.weights, curves))
        losses = seen + losses
        outputs, slopes = [], []
        if shares:
            outputs = [torch.stack(shares).sum(0)]
            slopes = [torch.ones_like(outputs[0])]
            total += outputs[0].detach()
        if carried:
            outputs += [networks.weights, *networks.state]
            slopes += carried
        if not outputs:
            continue
        leaves = [curves, begin.learning_rate, begin.weights, *begin.state]
        parts = torch.autograd.grad(outputs, leaves, slopes, materialize_grads=True)
        gradient += parts[0]
        by_rate += parts[1]
        carried = list(parts[2:]) if carry else []
    assert end is not None
    return MetaGradient(total, gradient, by_rate, torch.stack(losses, dim=1), end)
