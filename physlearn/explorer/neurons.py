"""The activation with which models are trained, and its curves."""

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

NAMED = ("sine", "tanh", "softplus", "sigmoid", "silu", "gelu")  # smooth, for Hamiltonian networks


@dataclass(frozen=True, eq=False)
class Neurons:
    """An activation, under the name that the page shows.

    Parameters
    ----------
    name : str
        The name.
    activation : Activation
        The activation.
    """

    name: str
    activation: Activation

    @classmethod
    def named(cls, name: str) -> Neurons:
        """Return the activation of a name.

        Parameters
        ----------
        name : str
            A name such as ``"sine"`` or ``"learned:van-der-pol"``.

        Returns
        -------
        Neurons
            The activation.

        Raises
        ------
        UnknownNameError
            If there is no such activation.
        """
        return cls(name, activations.get(name))

    @classmethod
    def of_file(cls, name: str, data: bytes) -> Neurons:
        """Return the mix of activations in a file.

        The file is read as by `~physlearn.activations.learned.LearnedActivations.load`, and never unpickled.

        Parameters
        ----------
        name : str
            Name of the file on the user's machine.
        data : bytes
            Content of the file.

        Returns
        -------
        Neurons
            The mix, or the only type.

        Raises
        ------
        InputError
            If the file contains anything else.
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
        """Return the names that the page offers: smooth functions, followed by the learned activations that the package ships.

        Returns
        -------
        list of str
            The names.
        """
        return [*NAMED, *(f"{LEARNED}{name}" for name in shipped.names())]

    @property
    def digest(self) -> str:
        """A digest of the function that these neurons compute."""
        return digest(content(self.activation))

    @takes_arrays("a")
    def curves(self, a: Float[Tensor, " n"]) -> dict[str, Float[Tensor, " n"]]:
        """Evaluate each type of the activation.

        Parameters
        ----------
        a : Tensor, shape (n,)
            The pre-activations.

        Returns
        -------
        dict of str to Tensor, shape (n,)
            The values of each type under the name of the type, or of a single type under the name of the activation.
        """
        alone = self.activation
        types = list(alone.types) if isinstance(alone, Mixture) else [alone]
        with torch.no_grad():
            values = [kind.to(a.dtype).value(a) for kind in types]  # type: ignore[operator]
        names = [self.name] if len(types) == 1 else [f"type {k + 1}" for k in range(len(types))]
        return dict(zip(names, values, strict=True))
