"""LearnedActivations: the result of meta-learning, for use in any network."""

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
from systems.brief import Brief, brief
from systems.floats import floats, takes_arrays

ENTRIES = ("base", "task", "interval", "kind", "settings", "losses", "snapshot_steps", "versions")  # of a file


@dataclass(frozen=True, eq=False)
class LearnedActivations(Brief):
    """The activation functions of several types of neurons, captured on a grid.

    Parameters
    ----------
    values : shape ``(types, points)``
        Values of the functions on the equally spaced grid over ``interval``; real and finite.
    base
        Name of the function from which learning started.
    task
        Name of the task on which they were learned.
    interval
        Ends of the grid; (-10, 10) by default.
    kind
        Interpolation: ``"linear"``, ``"quadratic"`` or ``"cubic"`` (the default).
    settings
        All other settings of the learning.
    losses
        Losses, one row per outer step.
    snapshots : shape ``(steps, types, points)``
        Values during the learning, or None.
    snapshot_steps
        Outer steps at which the snapshots were taken.

    Raises
    ------
    InputError
        If the values or the snapshots are not of the shapes above, or the values are not finite.

    Examples
    --------
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
            raise InputError("learned activations need finite, real values of shape (types, points), with at least one type")
        Table(self.values, self.interval, self.kind)
        shape = (len(self.snapshot_steps), *self.values.shape)
        if self.snapshots is not None and self.snapshots.shape != shape:
            raise InputError(f"the snapshots of these activations need the shape {shape}, not {tuple(self.snapshots.shape)}")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def types(self) -> list[Table]:
        """Each type as an activation of its own, for a network that has only this type."""
        return [Table(values.clone(), self.interval, self.kind, f"type {k + 1}") for k, values in enumerate(self.values)]

    @property
    def mix(self) -> Mixture:
        """All types in every layer, in equal shares."""
        return Mixture(self.types)

    def interpolated(self, kind: Kind) -> LearnedActivations:
        """Return the same activations with another interpolation.

        Parameters
        ----------
        kind
            ``"linear"``, as in the paper's classifiers, ``"quadratic"`` or ``"cubic"``.

        Returns
        -------
        LearnedActivations
            A copy with this interpolation.
        """
        return LearnedActivations(**{**self.__dict__, "kind": kind})

    def without_history(self) -> LearnedActivations:
        """Return the curves and all settings, without losses and snapshots; saved, they take a few kB.

        Returns
        -------
        LearnedActivations
            A copy without history.

        Examples
        --------
        >>> sine = LearnedActivations(torch.linspace(-10, 10, 100).sin()[None], "sine", "by hand", snapshot_steps=[5],
        ...                           snapshots=torch.zeros(1, 1, 100))
        >>> sine.without_history().snapshots is None
        True
        """
        return replace(self, losses=pd.DataFrame(), snapshots=None, snapshot_steps=())

    @takes_arrays("x")
    def curves(self, x: Float[Tensor, " n"]) -> Float[Tensor, "types n"]:
        """Evaluate the functions.

        Parameters
        ----------
        x : shape ``(n,)``
            Pre-activations.

        Returns
        -------
        Tensor, shape ``(types, n)``
            Values of the functions at x.
        """
        x = x if x.is_floating_point() else x.to(self.values.dtype)
        return torch.stack([table.to(x.device, x.dtype).value(x) for table in self.types])

    @property
    def grid(self) -> Float[Tensor, " points"]:
        """The points at which the values were captured."""
        return torch.linspace(*self.interval, self.values.shape[-1], dtype=self.values.dtype)

    @property
    def history(self) -> xr.DataArray:
        """The curves over the outer steps, with the dimensions ``outer_step``, ``type`` and ``a``."""
        snapshots = self.values[None] if self.snapshots is None else self.snapshots
        steps = list(self.snapshot_steps) or [0]
        coordinates = {"outer_step": steps, "type": [table.name for table in self.types], "a": self.grid.numpy()}
        return xr.DataArray(snapshots.numpy(), coordinates, ("outer_step", "type", "a"), name="activation")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the values, the history, all settings and the versions of the software to one safetensors file.

        Parameters
        ----------
        path
            File to write; the settings and the versions are JSON in its header.
        """
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
        """Read a file that `save` wrote.

        Parameters
        ----------
        path
            File to read.

        Returns
        -------
        LearnedActivations
            The activations in the file.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        InputError
            If the file is truncated, was changed, or holds something else.
        """
        settings, tensors = tensor_file.read(path, "learned activations")
        with tensor_file.understood(path):
            schema.closed(settings, "settings", ENTRIES)
            schema.closed(dict.fromkeys(tensors), "tensors", ("values", "snapshots"))
            if not all(tensor.is_floating_point() for tensor in tensors.values()):
                raise InputError("the values of learned activations must be floating-point numbers: write the file again")
            for part in schema.text(settings["base"], "base").split("+"):
                named.find(part)
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
        return self._headline()

    def _headline(self) -> str:
        low, high = self.interval
        how = self.settings.get("variant", "given")
        return (
            f"LearnedActivations({len(self)} types from {self.base} on {self.task}, {how}; {self.kind} on [{low:g}, {high:g}] "
            f"at {self.values.shape[-1]} points)"
        )

    def _rows(self) -> dict[str, str]:
        """Return the settings and the range of each type, for notebooks."""
        types = {f"type {i + 1}": brief(curve) for i, curve in enumerate(self.values)}
        return types | {name: brief(value) for name, value in self.settings.items() if value is not None}
