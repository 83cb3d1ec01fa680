"""What happened to one meta-seed over the outer steps, and its best curves so far."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import pandas as pd
from jaxtyping import Float
from torch import Tensor

from physlearn.metalearning.neurons import Neurons
from physlearn.metalearning.settings import MetaLearning


class Record:
    """Losses of every outer step, curves of some, and the curves with the best smoothed held-out loss.

    The held-out loss of one outer step is that of a handful of networks, and lucky ones would be taken for good curves: it is
    averaged over the last ``smoothing`` steps, and belongs to the curves in the middle of them.
    """

    def __init__(self, settings: MetaLearning) -> None:
        self.settings = settings
        self.rows: list[dict[str, float]] = []
        self.snapshots: list[Tensor] = []
        self.snapshot_steps: list[int] = []
        self.best = math.inf
        self.best_step = -1
        self.best_neurons: dict[str, Tensor] | None = None
        self._recent: deque[tuple[int, dict[str, Tensor]]] = deque(maxlen=max(1, settings.smoothing // 2))
        self._every = max(1, settings.outer_steps // settings.snapshots)

    def before(self, step: int, neurons: Neurons, curves: Float[Tensor, "types points"]) -> None:
        """Take note of what a step begins with."""
        self._recent.append((step, {name: tensor.clone() for name, tensor in neurons.state_dict().items()}))
        if step % self._every == 0 or step == self.settings.outer_steps - 1:
            self.snapshots.append(curves)
            self.snapshot_steps.append(step)

    def after(self, objective: float, held_out: float, norm: float, left_out: int = 0) -> None:
        """Take note of what the step found; a gradient that is not finite counts as skipped."""
        row = {"objective": objective, "held_out": held_out, "gradient": norm, "skipped": float(not math.isfinite(norm)),
               "left_out": float(left_out)}  # fmt: skip
        window = [r["held_out"] for r in self.rows[-self.settings.smoothing + 1 :]] if self.settings.smoothing > 1 else []
        row["smoothed"] = sum([*window, held_out]) / (len(window) + 1)
        self.rows.append(row)
        enough = len(self.rows) >= min(self.settings.smoothing, self.settings.outer_steps)
        if enough and row["smoothed"] < self.best:
            self.best = row["smoothed"]
            self.best_step, self.best_neurons = self._recent[0]

    @property
    def skipped(self) -> int:
        """How many outer steps had a gradient that was not finite."""
        return int(sum(row["skipped"] for row in self.rows))

    @property
    def latest(self) -> str:
        """The smoothed held-out loss, for a progress bar."""
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"log loss {self.rows[-1]['smoothed']:.3f}{skipped}" if self.rows else ""

    def losses(self) -> pd.DataFrame:
        """A row an outer step."""
        return pd.DataFrame(self.rows).rename_axis("outer_step")

    def state(self) -> dict[str, Any]:
        """Everything, to go on from."""
        return {
            "rows": self.rows,
            "snapshots": self.snapshots,
            "snapshot_steps": self.snapshot_steps,
            "best": self.best,
            "best_step": self.best_step,
            "best_neurons": self.best_neurons,
            "recent": [[step, weights] for step, weights in self._recent],
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.rows, self.snapshots, self.snapshot_steps = state["rows"], state["snapshots"], state["snapshot_steps"]
        self.best, self.best_step, self.best_neurons = state["best"], state["best_step"], state["best_neurons"]
        self._recent.clear()
        self._recent.extend((step, weights) for step, weights in state["recent"])
