"""The names of the engines that integrate flows."""

from typing import Literal

from systems.errors import InputError

Engine = Literal["auto", "compiled", "torch"]
ENGINES: tuple[str, ...] = Engine.__args__  # type: ignore[attr-defined]


def check_engine(engine: str) -> None:
    """Raise InputError unless there is an engine of this name."""
    if engine not in ENGINES:
        raise InputError(f"there is no engine {engine!r}; choose one of {', '.join(ENGINES)}")
