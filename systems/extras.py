"""Optional dependencies, and the sentence that says how to install the one that is missing."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

DISTRIBUTION = "physlearn-orbits"
PROJECTS = {"av": "PyAV", "cv2": "OpenCV"}  # modules whose projects go by another name


class MissingExtraError(ImportError):
    """An optional dependency is not installed. The message is one sentence that names the extra to install."""


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Import and return an optional dependency.

    Parameters
    ----------
    module
        Name of the module to import.
    extra
        The extra of this distribution that installs it.
    purpose
        What needs it, as the subject of a sentence, such as "reading films".

    Returns
    -------
    ModuleType
        The imported module.

    Raises
    ------
    MissingExtraError
        If the module is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        project = PROJECTS.get(module, module)
        raise MissingExtraError(f"{purpose} needs {project}: pip install '{DISTRIBUTION}[{extra}]'") from error
