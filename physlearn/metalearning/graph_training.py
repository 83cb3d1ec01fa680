"""Train on a GPU by replaying a captured step of the inner loop."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.metalearning.inner import Curves, InnerLoop, Networks
from physlearn.training.cuda_graph import Captured


class Replay:
    """Train stacks of one shape by a captured step, which has the same operations in the same order as `InnerLoop.step`."""

    def __init__(
        self, inner: InnerLoop, curves: Curves, weights: Float[Tensor, "S P"], rates: Float[Tensor, "S 1"], batch: Tensor
    ) -> None:
        self.inner = inner
        self.curves, self.rates, self.batch = curves.clone(), rates.clone(), batch.clone()
        self.networks = inner.start(weights.clone(), self.rates)
        self.step = Captured(self._step, (self.networks.weights, *self.networks.state, self.networks.count))

    def train(
        self, curves: Curves, weights: Float[Tensor, "S P"], rates: Float[Tensor, "S 1"], batches: Int[Tensor, "S steps B"]
    ) -> tuple[Float[Tensor, "S steps"], Float[Tensor, "S P"]]:
        """Return the losses before each step and the final weights."""
        self.curves.copy_(curves)
        self.rates.copy_(rates)
        self._write(self.inner.start(weights, rates))
        losses = torch.empty(batches.shape[:2], dtype=weights.dtype, device=weights.device)
        for t, batch in enumerate(batches.unbind(1)):
            self.batch.copy_(batch)
            losses[:, t] = self.step()
        return losses, self.networks.weights.detach().clone()

    def _step(self) -> Float[Tensor, " S"]:
        """Take one step in place, and return the losses before it."""
        networks, losses = self.inner.step(self.networks, self.curves, self.batch)
        self._write(networks.detached())
        return losses.detach()

    def _write(self, networks: Networks) -> None:
        for old, new in zip((self.networks.weights, *self.networks.state), (networks.weights, *networks.state), strict=True):
            old.copy_(new)
        self.networks.count.copy_(networks.count)
