"""Finished parts of a comparison: each is stored as soon as it is computed, so that a stopped comparison can resume."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from physlearn._version import __version__
from physlearn.activations import Activation
from physlearn.activations.description import content
from physlearn.jobs.store import Store, Values, name_of
from physlearn.source import digest_of_source
from physlearn.tasks import Task
from physlearn.tasks.task import Forecasting


@dataclass(frozen=True)
class Part:
    """The results for one variant and meta-seed: one row per network, the quartiles of their learning curves, and settings."""

    table: pd.DataFrame
    curves: pd.DataFrame
    settings: Mapping[str, Any]
    seconds: float


@dataclass(frozen=True)
class Finished:
    """The finished parts in a folder.

    ``common`` holds everything that determines all parts. The code that computes them counts as well.
    """

    folder: Path
    common: Mapping[str, Any]

    def get(self, activation: str | Activation, **own: Any) -> Part | None:
        """Return the part for an activation and these settings, or None if it is missing or damaged."""
        if (told := self._store.read(self._name(activation, own))) is None:
            return None
        return Part(_frame(told["table"]), _frame(told["curves"]), told["settings"], told["seconds"])

    def keep(self, part: Part, activation: str | Activation, **own: Any) -> None:
        """Write a part."""
        frames = {"table": _columns(part.table), "curves": _columns(part.curves)}
        result = {**frames, "settings": dict(part.settings), "seconds": part.seconds}
        self._store.write(self._name(activation, own), result, {**self.common, **own})

    @property
    def _store(self) -> Store[dict[str, Any]]:
        return Store(self.folder, Values())

    def _name(self, activation: str | Activation, own: Mapping[str, Any]) -> str:
        code = [__version__, digest_of_source()]
        return name_of({"code": code, **self.common, **own, "activation": content(activation)}, suffix=".json")


def decided_by(task: Task, forecasts: Forecasting | None) -> dict[str, Any]:
    """Return everything about a task that determines a comparison: its data, its device, and what is forecast."""
    told: dict[str, Any] = task.describe("training", "tuning", "validation", "test") | {"device": str(task.device)}
    if forecasts is not None:
        truth = forecasts.truth
        bytes_ = truth.t.cpu().numpy().tobytes() + truth.z.cpu().numpy().tobytes()
        told |= {"forecast": hashlib.sha256(bytes_).hexdigest(), "integrators": list(forecasts.methods)}
    return told


def _columns(frame: pd.DataFrame) -> dict[str, Any]:
    """Convert a table for JSON without rounding."""
    return {str(name): [str(column.dtype), column.tolist()] for name, column in frame.items()}


def _frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(values, dtype=dtype) for name, (dtype, values) in columns.items()})
