"""LearnedActivations: what meta-learning leaves, to use in any network."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

import pandas as pd
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from physlearn import schema, tensor_file
from physlearn._version import __version__
from physlearn.activations import named
from physlearn.activations.mixture import Mixture
from physlearn.activations.spline import Kind
from physlearn.activations.table import Table
from systems import InputError
from systems.floats import floats, takes_arrays


@dataclass(frozen=True, eq=False)
class LearnedActivations:
    """The activation functions of several types of neurons, captured on a grid.

    values: ``(types, points)`` on the equally spaced grid over ``interval``. base: the function that they began as. task: the
    name of what they were learned on. kind: how they are interpolated. settings: everything else that decided them. losses: a
    row an outer step. snapshots, snapshot_steps: ``(steps, types, points)`` and the outer steps at which they were taken.

    >>> x = torch.linspace(-10, 10, 100)
    >>> learned = LearnedActivations(torch.stack([x.sin(), x.tanh()]), base="sine", task="by hand")
    >>> network_ready = learned.mix
    >>> learned.curves(torch.tensor([0.0, 1.0])).shape
    torch.Size([2, 2])
    """

    values: Float[Tensor, "types points"]
    base: str
    task: str
    interval: tuple[float, float] = (-10.0, 10.0)
    kind: Kind = "cubic"
    settings: Mapping[str, Any] = field(default_factory=dict)
    losses: pd.DataFrame = field(default_factory=pd.DataFrame)
    snapshots: Float[Tensor, "steps types points"] | None = None
    snapshot_steps: Sequence[int] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", floats(self.values, "values"))
        if self.snapshots is not None:
            object.__setattr__(self, "snapshots", floats(self.snapshots, "snapshots"))
        if self.values.ndim != 2 or not len(self.values) or not self.values.isfinite().all() or self.values.is_complex():
            raise InputError("learned activations need finite values (types, points), of one type at least")
        Table(self.values, self.interval, self.kind)
        shape = (len(self.snapshot_steps), *self.values.shape)
        if self.snapshots is not None and self.snapshots.shape != shape:
            raise InputError(f"the snapshots of these activations have the shape {shape}, not {tuple(self.snapshots.shape)}")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def types(self) -> list[Table]:
        """Each type as an activation of its own, for a network of nothing else."""
        return [Table(values.clone(), self.interval, self.kind, f"type {k + 1}") for k, values in enumerate(self.values)]

    @property
    def mix(self) -> Mixture:
        """All types in every layer, in equal shares."""
        return Mixture(self.types)

    def interpolated(self, kind: Kind) -> LearnedActivations:
        """The same, interpolated in another way: ``"linear"`` as in the paper's classifiers, ``"quadratic"``, ``"cubic"``."""
        return LearnedActivations(**{**self.__dict__, "kind": kind})

    def without_history(self) -> LearnedActivations:
        """The curves with all settings that decided them, but no losses and no snapshots: a file of a few kB.

        >>> sine = LearnedActivations(torch.linspace(-10, 10, 100).sin()[None], "sine", "by hand", snapshot_steps=[5],
        ...                           snapshots=torch.zeros(1, 1, 100))
        >>> sine.without_history().snapshots is None
        True
        """
        return replace(self, losses=pd.DataFrame(), snapshots=None, snapshot_steps=())

    @takes_arrays("x")
    def curves(self, x: Float[Tensor, " n"]) -> Float[Tensor, "types n"]:
        """The functions at x."""
        x = x if x.is_floating_point() else x.to(self.values.dtype)
        return torch.stack([table.to(x.device, x.dtype).value(x) for table in self.types])

    @property
    def grid(self) -> Float[Tensor, " points"]:
        """Where the values were captured."""
        return torch.linspace(*self.interval, self.values.shape[-1], dtype=self.values.dtype)

    @property
    def history(self) -> xr.DataArray:
        """The curves over outer steps, with the dimensions ``outer_step``, ``type``, ``a``."""
        snapshots = self.values[None] if self.snapshots is None else self.snapshots
        steps = list(self.snapshot_steps) or [0]
        coordinates = {"outer_step": steps, "type": [table.name for table in self.types], "a": self.grid.numpy()}
        return xr.DataArray(snapshots.numpy(), coordinates, ("outer_step", "type", "a"), name="activation")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write values and history (safetensors) with every setting and the versions (JSON in the header) to one file."""
        settings = {
            "base": self.base,
            "task": self.task,
            "interval": list(self.interval),
            "kind": self.kind,
            "settings": dict(self.settings),
            "losses": self.losses.reset_index(drop=True).to_dict("list"),
            "snapshot_steps": list(self.snapshot_steps),
            "versions": {"python": platform.python_version(), "physlearn": __version__, "torch": version("torch")},
        }
        tensors = {"values": self.values}
        if self.snapshots is not None:
            tensors["snapshots"] = self.snapshots
        tensor_file.write(path, "learned activations", settings, tensors)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LearnedActivations:
        """Read what ``save`` wrote, or what any other program with the same file did.

        Raises FileNotFoundError, or InputError for a file that is truncated, changed, or holds something else.
        """
        settings, tensors = tensor_file.read(path, "learned activations")
        with tensor_file.understood(path):
            named.find(schema.text(settings["base"], "base"))
            low, high = (
                schema.number(end, "each end of the interval") for end in schema.listed(settings["interval"], "interval", 2)
            )
            steps = schema.listed(settings["snapshot_steps"], "snapshot_steps")
            return cls(
                values=tensors["values"],
                base=settings["base"],
                task=schema.name(settings["task"], "task"),
                interval=(low, high),
                kind=settings["kind"],
                settings=schema.mapped(settings["settings"], "settings"),
                losses=pd.DataFrame(schema.columns(settings["losses"], "losses", texts=("stage",))).rename_axis("outer_step"),
                snapshots=tensors.get("snapshots"),
                snapshot_steps=[schema.whole(step, "each snapshot's step", 0, 10**12) for step in steps],
            )

    def __repr__(self) -> str:
        low, high = self.interval
        how = self.settings.get("variant", "given")
        return (
            f"LearnedActivations({len(self)} types from {self.base} on {self.task}, {how}; {self.kind} on [{low:g}, {high:g}] "
            f"at {self.values.shape[-1]} points)"
        )
