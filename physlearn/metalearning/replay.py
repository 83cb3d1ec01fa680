"""A training step that a GPU keeps as a graph and replays, instead of being told of each of its hundred operations anew."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.metalearning.inner import Curves, InnerLoop, Networks

WARM_UP = 3  # steps before the capture, as torch asks for


class Replay:
    """Trains stacks of one shape by one captured step; the same operations in the same order as `InnerLoop.step`.

    Source: https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs.
    """

    def __init__(
        self, inner: InnerLoop, curves: Curves, weights: Float[Tensor, "S P"], rates: Float[Tensor, "S 1"], batch: Tensor
    ) -> None:
        self.inner = inner
        self.curves, self.rates, self.batch = curves.clone(), rates.clone(), batch.clone()
        self.networks = inner.start(weights.clone(), self.rates)
        self.graph = torch.cuda.CUDAGraph()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self._step()
        torch.cuda.current_stream().wait_stream(stream)
        with torch.cuda.graph(self.graph):
            self.losses = self._step()

    def train(
        self, curves: Curves, weights: Float[Tensor, "S P"], rates: Float[Tensor, "S 1"], batches: Int[Tensor, "S steps B"]
    ) -> tuple[Float[Tensor, "S steps"], Float[Tensor, "S P"]]:
        """The losses before each step, and the weights in the end."""
        self.curves.copy_(curves)
        self.rates.copy_(rates)
        self._write(self.inner.start(weights, rates))
        losses = torch.empty(batches.shape[:2], dtype=weights.dtype, device=weights.device)
        for t, batch in enumerate(batches.unbind(1)):
            self.batch.copy_(batch)
            self.graph.replay()
            losses[:, t] = self.losses
        return losses, self.networks.weights.detach().clone()

    def _step(self) -> Float[Tensor, " S"]:
        """One step in place."""
        networks, losses = self.inner.step(self.networks, self.curves, self.batch)
        self._write(networks.detached())
        return losses.detach()

    def _write(self, networks: Networks) -> None:
        for old, new in zip((self.networks.weights, *self.networks.state), (networks.weights, *networks.state), strict=True):
            old.copy_(new)
        self.networks.count.copy_(networks.count)
