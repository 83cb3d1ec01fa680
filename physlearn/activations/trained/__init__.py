"""Activations whose coefficients train jointly with the weights of the network."""

from __future__ import annotations

from collections.abc import Callable

from physlearn.activations.named import TRAINED
from physlearn.activations.trained.combination import Combination
from physlearn.activations.trained.fourier import Fourier
from physlearn.activations.trained.rational import Rational
from physlearn.activations.trained.trained import PER_NEURON, Trained
from systems import UnknownNameError

__all__ = ["Combination", "Fourier", "Rational", "Trained", "names"]

KINDS: dict[str, Callable[..., Trained]] = {cls.kind: cls for cls in (Combination, Fourier, Rational)}


def names() -> list[str]:
    """Return the names of the trained activations, such as ``"trained:combination-per-neuron"``.

    Returns
    -------
    list of str
        The names.
    """
    return [f"{TRAINED}{kind}{end}" for kind in KINDS for end in ("", PER_NEURON)]


def named(name: str) -> Trained:
    """Return a new trained activation by its name. Raises UnknownNameError, which lists the names."""
    if name not in names():
        raise UnknownNameError.of("no activation that trains with a network is called", name, names())
    kind = name.removeprefix(TRAINED)
    return KINDS[kind.removesuffix(PER_NEURON)](per_neuron=kind.endswith(PER_NEURON))
