"""Neurons: the activation that models are trained with, and its curves."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn import activations
from physlearn.activations import Activation, Mixture, shipped
from physlearn.activations.description import content
from physlearn.activations.learned import LearnedActivations
from physlearn.activations.named import LEARNED
from physlearn.jobs.digest import digest
from systems import InputError
from systems.floats import takes_arrays

NAMED = ("sine", "tanh", "softplus", "sigmoid", "silu", "gelu")  # smooth: a Hamiltonian network learns by their slope


@dataclass(frozen=True, eq=False)
class Neurons:
    """An activation under the name that the page calls it by."""

    name: str
    activation: Activation

    @classmethod
    def named(cls, name: str) -> Neurons:
        """Those of a name, as ``"sine"`` or ``"learned:van-der-pol"``. Raises UnknownNameError for any other."""
        return cls(name, activations.get(name))

    @classmethod
    def of_file(cls, name: str, data: bytes) -> Neurons:
        """The mix that a file of learned activations holds: read as `LearnedActivations.load` does, and never unpickled.

        name: what the file is called where it comes from. Raises InputError for a file that holds anything else.
        """
        name = Path(name.replace("\\", "/")).name or "file"
        with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
            file.write(data)
            file.flush()
            try:
                learned = LearnedActivations.load(file.name)
            except InputError as error:
                raise InputError(str(error).replace(file.name, name)) from error
        return cls(f"file:{name}", learned.mix if len(learned) > 1 else learned.types[0])

    @staticmethod
    def names() -> list[str]:
        """The names that the page offers: smooth functions, then what the package ships as learned."""
        return [*NAMED, *(f"{LEARNED}{name}" for name in shipped.names())]

    @property
    def digest(self) -> str:
        """A short name for all that these neurons compute."""
        return digest(content(self.activation))

    @takes_arrays("a")
    def curves(self, a: Float[Tensor, " n"]) -> dict[str, Float[Tensor, " n"]]:
        """What each type makes of its input: by the names of the types, or one curve by its own name."""
        alone = self.activation
        types = list(alone.types) if isinstance(alone, Mixture) else [alone]
        with torch.no_grad():
            values = [kind.to(a.dtype).value(a) for kind in types]  # type: ignore[operator]
        names = [self.name] if len(types) == 1 else [f"type {k + 1}" for k in range(len(types))]
        return dict(zip(names, values, strict=True))
