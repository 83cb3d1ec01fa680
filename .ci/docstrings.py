"""Validate the docstrings of all public names against the numpydoc standard, and print what is missing."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType

from numpydoc.validate import validate

PACKAGES = (
    "systems",
    "systems.sampling",
    "systems.testing",
    "systems.film",
    "physlearn",
    *(
        f"physlearn.{name}"
        for name in (
            "activations",
            "analysis",
            "chaos",
            "comparison",
            "explorer",
            "forecasting",
            "integrators",
            "jobs",
            "metalearning",
            "metrics",
            "models",
            "plotting",
            "tasks",
            "training",
        )
    ),
)
CHECKS = {  # of the codes in numpydoc.validate; the others are matters of taste
    "GL08",  # there is no docstring
    "SS01",  # no summary
    "SS04",  # a summary with leading spaces
    "PR01",  # parameters that are not documented
    "PR02",  # unknown parameters
    "PR03",  # parameters in another order
    "PR07",  # a parameter without a description
    "RT01",  # nothing said about what is returned
    "RT03",  # a return value without a description
    "YD01",  # nothing said about what is yielded
}


def public() -> Iterator[str]:
    """Yield the dotted names of the public functions, classes and methods, each once."""
    seen = set()
    for package in PACKAGES:
        try:
            module = importlib.import_module(package)
        except ModuleNotFoundError:
            continue
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if isinstance(value, ModuleType) or not callable(value) or id(value) in seen:
                continue
            if not getattr(value, "__module__", "").startswith(("systems", "physlearn")):
                continue
            seen.add(id(value))
            yield f"{package}.{name}"
            if inspect.isclass(value):
                yield from (
                    f"{package}.{name}.{method}"
                    for method, member in vars(value).items()
                    if not method.startswith("_")
                    and (inspect.isfunction(member) or isinstance(member, (classmethod, staticmethod)))
                )


def complaints(name: str) -> list[str]:
    """Return what the docstring of a public name lacks."""
    return [f"{code} {text}" for code, text in validate(name)["errors"] if code in CHECKS]


def main(prefixes: list[str]) -> int:
    """Print one line per complaint; the exit status is 1 if there is one."""
    found = 0
    for name in public():
        if not prefixes or name.startswith(tuple(prefixes)):
            for complaint in complaints(name):
                found += 1
                print(f"{name}: {complaint}")
    print(f"{found} complaints")
    return int(found > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
