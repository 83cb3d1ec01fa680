"""A model that was trained in standardised units, as a flow in the units of its data."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.model import Model
from physlearn.models.units import Units
from systems.autograd_mode import elsewhere
from systems.periodic import shortest

if TYPE_CHECKING:
    from systems.compiled.field import Field

PARTS = {  # coordinates that each takes (followed by the given values, if it depends on them), and the unit of its result
    "vector_field": ("all", "all"),
    "hamiltonian": ("all", "energy"),
    "energy": ("all", "energy"),
    "potential": ("positions", "energy"),
    "kinetic": ("momenta", "energy"),
    "velocity": ("momenta", "positions"),
    "force": ("positions", "momenta"),
    "drive": ("all", "momenta"),
}


class PhysicalModel(Model):
    """The model ``inner``, whose states and rates are in ``units``, as a flow in the units of the data.

    Offsets and units are converted in float64, whatever the types of states and weights are, so that the momentum of a planet
    in kg m / s does not overflow in float32, and small changes of a large coordinate keep their digits. States must have the
    dtype of the weights. The Hamiltonian, force and other parts exist if ``inner`` has them.

    Parameters
    ----------
    inner
        Model in standardised units.
    units
        Units of the inner model.
    """

    def __init__(self, inner: Model, units: Units) -> None:
        super().__init__()
        self.inner = inner
        self.units = units
        self._drifts = bool(units.drift.any())  # known beforehand, because torch.export cannot branch on values
        self._changes: dict[str, tuple[Tensor, Tensor, Tensor, Tensor | None]] = {}

    @property
    def name(self) -> str:  # type: ignore[override]
        """Name of the inner model."""
        return self.inner.name

    @property
    def default_method(self) -> str:  # type: ignore[override]
        """Default integration method of the inner model."""
        return self.inner.default_method

    @property
    def separable(self) -> bool:  # type: ignore[override]
        """Whether the Hamiltonian is T(p) + V(q)."""
        return self.inner.separable

    def standardize(self, z: Float[Tensor, "n D"], target: Float[Tensor, "n D"]) -> None:
        """Take the scales of the inner model from data in the units of the data."""
        self.inner.standardize(*self.units.standardize(z, target))

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return dz/dt in the units of the data."""
        return self.part("vector_field", z, t)

    def part(self, name: str, x: Float[Tensor, "*batch n"], t: Float[Tensor, ""] | float | None = None) -> Tensor:
        """Return the Hamiltonian, force or another part of the inner model in the units of the data.

        The time t is given for the vector field alone.
        """
        inverse, origin, factor, drift = self._change(name)
        u = torch.addcmul(origin, x.to(origin.dtype), inverse).to(x.dtype)
        inner = getattr(self._modules["inner"], name)
        y = (inner(u) if t is None else inner(t, u)).to(factor.dtype)
        return (y * factor if drift is None else torch.addcmul(drift, y, factor)).to(x.dtype)

    def compiled_field(self) -> Field:
        """Return the flow for compiled solvers: traced, if the inner model is a baseline, or else folded."""
        if not self.inner.baseline:
            return super().compiled_field()
        from systems.compiled.traced import field_of_function

        return field_of_function(self.vector_field, self.units.dim).field

    def turns(
        self, z: Float[Tensor, "*batch D"], periods: Mapping[str, float], coordinates: Sequence[str]
    ) -> Float[Tensor, "*batch D"]:
        """Return the whole periods by which angles are away from the centre of the training data; 0 for other coordinates."""
        if not periods or not z.is_floating_point() or z.shape[-1] != self.units.dim:
            return torch.zeros_like(z)
        away = z - self.units.center[: self.units.dim].to(z)
        return away - shortest(away, periods, coordinates)

    def copied_to(self, device: torch.device, dtype: torch.dtype) -> PhysicalModel:
        """Return a copy on another device, with weights of another dtype, through which later calls can differentiate.

        The caller may be in inference mode, or in a function that ``torch.func`` transforms.
        """
        return elsewhere(lambda: copy.deepcopy(self).to(device, dtype))

    def _change(self, name: str) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Return the constants (inverse, origin, factor, drift): u = origin + x * inverse, result = drift + y * factor."""
        if name not in self._changes:
            given, unit = PARTS[name]
            chosen, units = self._columns(given), self.units
            with torch.inference_mode(False):  # later calls may differentiate through the cached constants
                inverse = 1 / units.scale[chosen]
                factor = units.energy if unit == "energy" else units.rates[self._columns(unit, given=False)]
                drift = units.drift if self._drifts else None
                self._changes[name] = inverse, -units.center[chosen] * inverse, factor, drift
        return self._changes[name]

    def __getattr__(self, name: str) -> Any:
        """Return the parts of the inner model in the units of the data, if it has them."""
        if name in PARTS and hasattr(self._modules["inner"], name):
            return partial(self.part, name)
        if name == "conservative" and hasattr(self.inner, name):
            return self._of(self.inner.conservative)  # type: ignore[arg-type]
        return super().__getattr__(name)

    def _of(self, inner: Model) -> PhysicalModel:
        """Return a part of the inner model, which is a flow by itself, in the units of the data."""
        return PhysicalModel(inner, self.units)

    def _columns(self, which: str, *, given: bool = True) -> list[int]:
        """Return the indices of coordinates, and of the given values, on which everything but the momenta depends."""
        dim = self.units.dim
        first, last = {"all": (0, dim), "positions": (0, dim // 2), "momenta": (dim // 2, dim)}[which]
        extra = range(dim, len(self.units.scale)) if given and which != "momenta" else ()
        return [*range(first, last), *extra]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> PhysicalModel:
        super()._apply(fn, recurse)
        self.units = self.units.to(fn(torch.empty(0, device=self.units.center.device)).device)
        self._changes = {}
        return self
