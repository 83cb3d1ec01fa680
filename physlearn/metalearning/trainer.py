"""Train networks on the fastest applicable engine when only their losses are needed."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.metalearning.graph_training import Replay
from physlearn.metalearning.inner import Curves, InnerLoop
from physlearn.models import Learner
from physlearn.models.network import Network
from physlearn.training import fused, fused_engine


class Trainer:
    """Train stacks of networks from given weights on given batches, as the inner loop does, but without derivatives.

    ``model`` is a single network of the inner loop. On the CPU, compiled loops train fully connected networks. On a
    GPU, one step is captured per shape of stack and replayed.
    """

    def __init__(self, inner: InnerLoop, model: Learner) -> None:
        self.inner, self.model = inner, model
        self.replays: dict[tuple[torch.Size, torch.Size, int], Replay] = {}
        networks = fused_engine.networks_of(model)
        plain = len(networks) == 1 and isinstance(networks[0], Network)
        applies = plain and fused_engine.applies([model], inner.pairs)
        self.fit = fused_engine.Fit.each(model, inner.pairs, inner.reduction)[0] if applies else None

    def train(
        self, curves: Curves, weights: Float[Tensor, "S P"], rates: Float[Tensor, "S 1"], batches: Int[Tensor, "S steps B"]
    ) -> tuple[Float[Tensor, "S steps"], Float[Tensor, "S P"]]:
        """Return the loss of each network before each step, NaN after it has diverged, and its final weights."""
        if self.fit is not None:
            return self._fused(self.fit, curves, weights, rates, batches)
        if weights.is_cuda:
            return self._replay(curves, weights, rates, batches).train(curves, weights, rates, batches)
        networks = self.inner.start(weights, rates)
        losses = []
        for batch in batches.unbind(1):
            networks, loss = self.inner.step(networks.detached(), curves, batch)
            losses.append(loss.detach())
        return torch.stack(losses, dim=1), networks.weights.detach()

    def _replay(self, curves: Tensor, weights: Tensor, rates: Tensor, batches: Tensor) -> Replay:
        shapes = curves.shape, weights.shape, batches.shape[-1]
        if shapes not in self.replays:
            self.replays[shapes] = Replay(self.inner, curves, weights, rates, batches[:, 0])
        return self.replays[shapes]

    def _fused(
        self, fit: fused_engine.Fit, curves: Tensor, weights: Tensor, rates: Tensor, batches: Tensor
    ) -> tuple[Tensor, Tensor]:
        networks, steps, batch = batches.shape
        network = fused_engine.networks_of(self.model)[0]
        parameters = fused_engine.split(weights, network, gradient=fit.problem.kind == "gradient")
        types = [fused.TABLE + k for k in range(curves.shape[1])]
        everyone = fused_engine.types_of_neurons(network, types, networks)
        functions = fused_engine.functions_of_curves(curves, self.inner.grid, everyone)
        rows = np.ascontiguousarray(batches.flatten(1).numpy().astype(np.int32))
        losses = np.empty((networks, steps), np.float32)
        state, name = fused.State.fresh(parameters), cast(fused.Rule, self.inner.optimizer.name)
        over_time = rates.expand(-1, steps) if self.inner.falling is None else rates * self.inner.falling[:steps]
        falling = np.ascontiguousarray(over_time.to(rates.dtype).numpy())
        threads = torch.get_num_threads()
        fused.advance(fit.problem, parameters, state, name, functions, rows, batch, falling, losses, threads=threads)
        losses = (losses[..., None] + fit.left(rows, batch)).sum(-1)
        return torch.from_numpy(losses).to(weights), fused_engine.joined(parameters)
