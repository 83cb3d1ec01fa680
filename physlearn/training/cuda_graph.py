"""CUDA graphs: the GPU records a step once and replays it, which saves launching its hundred operations one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

WARM_UP = 3  # steps before the capture, which torch requires


class Captured:
    """A captured step that changes tensors in place; a call repeats its operations in the same order.

    Parameters
    ----------
    step
        Function that returns one tensor.
    changed
        All tensors that the step changes; the capture leaves their values as they were.

    References
    ----------
    https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
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
        """Replay the step and return its result, which the next call overwrites."""
        self.graph.replay()
        return self.result
