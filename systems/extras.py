"""Optional dependencies, which are imported where they are used. Errors name the extra that installs them."""

from importlib import import_module
from types import ModuleType

from systems.errors import InputError

DISTRIBUTION = "physlearn-orbits"
"""Name of the distribution that installs both packages, `physlearn` and `systems`."""

_PROJECTS = {"av": "PyAV", "cv2": "OpenCV", "distributed": "dask", "optuna": "Optuna"}


class MissingExtraError(InputError, ImportError):
    """Raised when a package that belongs to an extra is not installed. The message says how to install it."""


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Import a module that belongs to an extra.

    Parameters
    ----------
    module : str
        Module to import, such as ``"av"`` or ``"optuna.distributions"``.
    extra : str
        Extra of this distribution that installs the module.
    purpose : str
        What needs the module, as the subject of a sentence, such as ``"reading films"``.

    Returns
    -------
    ModuleType
        The imported module. For a dotted name, it is the last submodule.

    Raises
    ------
    MissingExtraError
        If the module is not installed. A module that is installed but fails to load raises its own error.

    Examples
    --------
    >>> require("json", "film", "reading films").__name__
    'json'
    >>> require("no_such_module", "film", "reading films")
    Traceback (most recent call last):
    systems.extras.MissingExtraError: reading films needs no_such_module: run pip install 'physlearn-orbits[film]'
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.split(".")[0]
        raise MissingExtraError(
            f"{purpose} needs {_PROJECTS.get(package, package)}: run pip install '{DISTRIBUTION}[{extra}]'"
        ) from error
