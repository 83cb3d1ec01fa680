"""Write reference/api.md: every public name with its arguments and what it returns, as the code has them."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

TABLE = Path(__file__).parent / "reference" / "api.md"
INTERNAL = {"physlearn.training.fused"}  # the compiled loops have names only for each other
MODULES = {"systems.testing": ["check_system", "system_checks"]}  # public names of modules that are not packages
HEAD = """# The API at a glance

Every public name, its arguments in order, and what it returns. Arguments after `*` are given by name. The flow, the states
and the times come first; `t` is a tensor of times, `time` a duration, `dt` a step, and `method` the name of what integrates a
flow.
States, times and data may be tensors, NumPy arrays or lists. This page is written by `python docs/api_table.py`.
"""


def main() -> None:
    """Write the table."""
    TABLE.write_text(table())


def table() -> str:
    """Return the page in Markdown."""
    public = dict(_packages())
    homes: dict[int, str] = {}
    for package in sorted(public, key=lambda name: name.count(".")):
        homes |= {id(thing): f"{package}.{name}" for name, thing in public[package].items()}
    sections = [HEAD]
    for package, names in public.items():
        rows = [row for name, thing in names.items() for row in _rows(f"{package}.{name}", thing, homes)]
        sections.append(f"## {package}\n\n| name | arguments | returns |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(sections)


def _packages() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the public packages with what they export, apart from modules."""
    for root in ("systems", "physlearn"):
        parts = pkgutil.walk_packages(import_module(root).__path__, f"{root}.")
        inner = [part.name for part in parts if (part.ispkg and part.name not in INTERNAL) or part.name in MODULES]
        for package in (root, *sorted(inner)):
            module = import_module(package)
            names = MODULES.get(package) or getattr(module, "__all__", ())
            things = {name: getattr(module, name) for name in sorted(names, key=str.lower)}
            if things := {name: thing for name, thing in things.items() if not inspect.ismodule(thing)}:
                yield package, things


def _rows(name: str, thing: Any, homes: Mapping[int, str]) -> Iterator[str]:
    short = name.rsplit(".", 1)[1]
    if name != (home := homes[id(thing)]):
        yield _row(short, f"see `{home}`")
    elif inspect.isclass(thing):
        yield _row(short, "an exception" if issubclass(thing, Exception) else _code(_arguments(thing)), _code(short))
        for part, member in _methods(thing, homes):
            if not part.startswith("_") and isinstance(member, FunctionType | classmethod | staticmethod):
                yield _row(f"{short}.{part}", *_call(getattr(thing, part), bound=inspect.isfunction(member)))
    elif callable(thing):
        yield _row(short, *_call(thing))
    else:
        yield _row(short, "a constant", _code(type(thing).__name__))


def _methods(cls: type, homes: Mapping[int, str]) -> Iterator[tuple[str, Any]]:
    """Yield the members of a class and those that it inherits from classes of ours that are not in the table themselves."""
    seen: set[str] = set()
    listed = [base for base in cls.__mro__[1:] if id(base) in homes]
    for base in cls.__mro__:
        ours = base.__module__.split(".")[0] in ("systems", "physlearn")
        if ours and not any(issubclass(other, base) for other in listed):
            yield from ((part, member) for part, member in vars(base).items() if part not in seen)
        seen |= vars(base).keys()


def _call(function: Any, bound: bool = False) -> tuple[str, str]:
    returned = inspect.signature(function).return_annotation
    if returned is inspect.Signature.empty:
        return _code(_arguments(function, bound)), ""
    text = returned if isinstance(returned, str) else inspect.formatannotation(returned)
    return _code(_arguments(function, bound)), _code(text)


def _arguments(function: Any, bound: bool = False) -> str:
    """Return the arguments with their defaults, without annotations."""
    signature = inspect.signature(function)
    parameters = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    bare = signature.replace(parameters=parameters[1:] if bound else parameters, return_annotation=inspect.Signature.empty)
    return str(bare)[1:-1].replace("mappingproxy({})", "{}").replace("<factory>", "...")


def _code(text: str) -> str:
    return f"`{text}`".replace("|", r"\|") if text else ""


def _row(name: str, arguments: str, returned: str = "") -> str:
    return f"| `{name}` | {arguments} | {returned} |"


if __name__ == "__main__":
    main()
