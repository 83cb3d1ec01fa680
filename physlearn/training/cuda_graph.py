"""Steps that a GPU keeps as a graph and replays, instead of being told of each of their hundred operations anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

WARM_UP = 3  # steps before the capture, as torch asks for


class Captured:
    """A step that changes tensors in place, captured with them; calling it does the same operations in the same order.

    step: gives one tensor. changed: all that it changes, which is as before when it has been captured.

    Source: https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs.
    """

    def __init__(self, step: Callable[[], Tensor], changed: Sequence[Tensor]) -> None:
        before = [x.detach().clone() for x in changed]
        self.graph = torch.cuda.CUDAGraph()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        with torch.cuda.graph(self.graph):
            self.result = step()
        with torch.no_grad():
            for x, kept in zip(changed, before, strict=True):
                x.copy_(kept)

    def __call__(self) -> Tensor:
        """The result of one more step, until the next overwrites it."""
        self.graph.replay()
        return self.result
