"""A model that was trained in standard units, as a flow in the units of its data."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.model import Model
from physlearn.models.units import Units
from systems.autograd_mode import elsewhere
from systems.periodic import shortest

PARTS = {  # what goes into each, and the unit of what comes out
    "vector_field": ("all", "all"),
    "hamiltonian": ("all", "energy"),
    "potential": ("positions", "energy"),
    "kinetic": ("momenta", "energy"),
    "velocity": ("momenta", "positions"),
    "force": ("positions", "momenta"),
    "drive": ("all", "momenta"),
}


class PhysicalModel(Model):
    """The model ``inner``, whose states and rates are in ``units``, as one of states and rates in the units of the data.

    Offsets are removed and units are changed in float64, whatever the types of states and weights are: so a state of a
    planet in kg m / s does not overflow in float32, and one of a million and a bit loses no digits. States otherwise must
    have the dtype of the weights. It has a Hamiltonian, a force, ... where ``inner`` has.
    """

    def __init__(self, inner: Model, units: Units) -> None:
        super().__init__()
        self.inner = inner
        self.units = units
        self._changes: dict[str, tuple[Tensor, Tensor, Tensor, Tensor | None]] = {}

    @property
    def name(self) -> str:  # type: ignore[override]
        """That of the model."""
        return self.inner.name

    @property
    def default_method(self) -> str:  # type: ignore[override]
        """That of the model."""
        return self.inner.default_method

    @property
    def separable(self) -> bool:  # type: ignore[override]
        """Whether the Hamiltonian is T(p) + V(q)."""
        return self.inner.separable

    def standardize(self, z: Float[Tensor, "n D"], target: Float[Tensor, "n D"]) -> None:
        """Fit the scales of the inner model, in these units."""
        self.inner.standardize(*self.units.standardize(z, target))

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """dz/dt in the units of the data."""
        return self.part("vector_field", z, t)

    def part(self, name: str, x: Float[Tensor, "*batch n"], t: Float[Tensor, ""] | float | None = None) -> Tensor:
        """The hamiltonian, the force, ... of the inner model, in the units of the data; t: for a vector field."""
        inverse, origin, factor, drift = self._change(name)
        u = torch.addcmul(origin, x.to(origin.dtype), inverse).to(x.dtype)
        inner = getattr(self._modules["inner"], name)
        y = (inner(u) if t is None else inner(t, u)).to(factor.dtype)
        return (y * factor if drift is None else torch.addcmul(drift, y, factor)).to(x.dtype)

    def turns(
        self, z: Float[Tensor, "*batch D"], periods: Mapping[str, float], coordinates: Sequence[str]
    ) -> Float[Tensor, "*batch D"]:
        """Return the whole periods by which the angles of states are away from those of the training data; else zero."""
        if not periods or not z.is_floating_point() or z.shape[-1:] != self.units.center.shape:
            return torch.zeros_like(z)
        away = z - self.units.center.to(z)
        return away - shortest(away, periods, coordinates)

    def copied_to(self, device: torch.device, dtype: torch.dtype) -> PhysicalModel:
        """Return a copy on another device, with weights of another dtype, that later calls may differentiate through.

        The caller may be in inference mode, or inside of a function that ``torch.func`` transforms.
        """
        return elsewhere(lambda: copy.deepcopy(self).to(device, dtype))

    def _change(self, name: str) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """u = origin + x inverse, and what comes of it times a factor, plus a drift."""
        if name not in self._changes:
            given, unit = PARTS[name]
            chosen, units = self._slice(given), self.units
            with torch.inference_mode(False):  # what is kept may be differentiated through later
                inverse = 1 / units.scale[chosen]
                factor = units.energy if unit == "energy" else units.rates[self._slice(unit)]
                drift = units.drift if units.drift.any() else None
                self._changes[name] = inverse, -units.center[chosen] * inverse, factor, drift
        return self._changes[name]

    def __getattr__(self, name: str) -> Any:
        """The parts of the inner model that it has, in the units of the data."""
        if name in PARTS and hasattr(self._modules["inner"], name):
            return partial(self.part, name)
        if name == "conservative" and hasattr(self.inner, name):
            return PhysicalModel(self.inner.conservative, self.units)  # type: ignore[arg-type]
        return super().__getattr__(name)

    def _slice(self, which: str) -> slice:
        half = len(self.units.scale) // 2
        return {"all": slice(None), "positions": slice(half), "momenta": slice(half, None)}[which]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> PhysicalModel:
        super()._apply(fn, recurse)
        self.units = self.units.to(fn(torch.empty(0, device=self.units.center.device)).device)
        self._changes = {}
        return self
