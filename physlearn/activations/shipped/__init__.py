"""Learned activations that come with the package: those of a task, under the task's name.

The files beside this one are of `LearnedActivations.without_history`, as ``physlearn learn TASK --no-history`` writes them.
"""

from __future__ import annotations

from pathlib import Path

from physlearn.activations.learned import LearnedActivations
from systems import UnknownNameError

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The names of all shipped ones, sorted; ``activations.get`` knows each as ``"learned:NAME"``."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def load(name: str) -> LearnedActivations:
    """What was learned for the task of that name, with every setting and without its history, read anew at each call.

    Raises UnknownNameError (a KeyError), listing the names there are.

    >>> len(load("henon-heiles-hnn"))
    2
    """
    if name not in names():
        raise UnknownNameError(f"no activations are shipped as learned for {name!r}; there are those for {', '.join(names())}")
    return LearnedActivations.load(FOLDER / f"{name}.safetensors")
