"""The history of one meta-seed over the outer steps, and its best curves so far."""

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
    """The losses of every outer step, the curves of some steps, and the curves with the best loss in the examinations.

    An examination trains only a few networks, and selecting by a single one would favour curves that suit just these networks.
    The log loss is therefore averaged over ``smoothing`` successive examinations and assigned to the middle one.
    """

    def __init__(self, settings: MetaLearning) -> None:
        self.settings = settings
        self.rows: list[dict[str, float]] = []
        self.snapshots: list[Tensor] = []
        self.snapshot_steps: list[int] = []
        self.held_out: list[float] = []
        self.best = math.inf
        self.best_step = -1
        self.best_neurons: dict[str, Tensor] | None = None
        examinations = 1 + math.ceil((settings.outer_steps - 1) / settings.examine_every)
        self.smoothing = min(settings.smoothing, examinations)
        self._recent: deque[tuple[int, dict[str, Tensor]]] = deque(maxlen=(self.smoothing + 1) // 2)
        self._every = max(1, settings.outer_steps // settings.snapshots)

    def before(self, step: int, curves: Float[Tensor, "types points"]) -> None:
        """Record the curves at the start of a step."""
        if step % self._every == 0 or step == self.settings.outer_steps - 1:
            self.snapshots.append(curves)
            self.snapshot_steps.append(step)

    def examined(self, step: int, neurons: Neurons, log_loss: float) -> None:
        """Record an examination."""
        self._recent.append((step, {name: tensor.clone() for name, tensor in neurons.state_dict().items()}))
        self.held_out.append(log_loss)
        if len(self.held_out) >= self.smoothing and self.smoothed < self.best:
            self.best = self.smoothed
            self.best_step, self.best_neurons = self._recent[0]

    @property
    def smoothed(self) -> float:
        """The log loss averaged over the last examinations."""
        last = self.held_out[-self.smoothing :]
        return sum(last) / len(last)

    def after(self, objective: float, norm: float, left_out: int = 0) -> None:
        """Record the result of a step; a step whose gradient is not finite counts as skipped."""
        self.rows.append(
            {
                "objective": objective,
                "held_out": self.held_out[-1],
                "smoothed": self.smoothed,
                "gradient": norm,
                "skipped": float(not math.isfinite(norm)),
                "left_out": float(left_out),
            }
        )

    @property
    def skipped(self) -> int:
        """The number of outer steps whose gradient was not finite."""
        return int(sum(row["skipped"] for row in self.rows))

    @property
    def latest(self) -> str:
        """The smoothed held-out loss, as text for a progress bar."""
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"log loss {self.rows[-1]['smoothed']:.3f}{skipped}" if self.rows else ""

    def losses(self) -> pd.DataFrame:
        """Return the losses, one row per outer step."""
        return pd.DataFrame(self.rows).rename_axis("outer_step")

    def state(self) -> dict[str, Any]:
        """Return the state from which `resume` continues."""
        return {
            "rows": self.rows,
            "snapshots": self.snapshots,
            "snapshot_steps": self.snapshot_steps,
            "held_out": self.held_out,
            "best": self.best,
            "best_step": self.best_step,
            "best_neurons": self.best_neurons,
            "recent": [[step, weights] for step, weights in self._recent],
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Restore a state."""
        self.rows, self.snapshots, self.snapshot_steps = state["rows"], state["snapshots"], state["snapshot_steps"]
        self.held_out = state["held_out"]
        self.best, self.best_step, self.best_neurons = state["best"], state["best_step"], state["best_neurons"]
        self._recent.clear()
        self._recent.extend((step, weights) for step, weights in state["recent"])
