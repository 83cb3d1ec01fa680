"""Learned activations that ship with the package, under the name of the task on which they were learned.

``physlearn learn TASK --no-history`` writes the files in this folder; see
`~physlearn.activations.learned.LearnedActivations.without_history`.
"""

from __future__ import annotations

from pathlib import Path

from physlearn.activations.learned import LearnedActivations
from systems import UnknownNameError

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the names of all shipped activations.

    Returns
    -------
    list of str
        The names, sorted; ``activations.get("learned:NAME")`` returns the activation of that name.
    """
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def load(name: str) -> LearnedActivations:
    """Return the activations that were learned for a task.

    Parameters
    ----------
    name
        Name of the task.

    Returns
    -------
    LearnedActivations
        The activations with all settings and without their history, read from the file at each call.

    Raises
    ------
    UnknownNameError
        If no activations are shipped for the task (a KeyError); the message lists the available names.

    Examples
    --------
    >>> len(load("henon-heiles-hnn"))
    2
    """
    if name not in names():
        raise UnknownNameError.of("no learned activations are shipped for", name, names())
    return LearnedActivations.load(FOLDER / f"{name}.safetensors")
