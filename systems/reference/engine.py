"""The names of the engines that integrate flows."""

from typing import Literal

from systems.errors import InputError

Engine = Literal["auto", "compiled", "torch"]
ENGINES: tuple[str, ...] = Engine.__args__  # type: ignore[attr-defined]


def check_engine(engine: str, unfit: str | None = None) -> None:
    """Raise InputError if there is no such engine, or if it is the compiled one and ``unfit`` says why that cannot be."""
    if engine not in ENGINES:
        raise InputError(f"there is no engine {engine!r}; choose one of {', '.join(ENGINES)}")
    if engine == "compiled" and unfit is not None:
        raise InputError(f"engine='compiled' does not apply, because {unfit}; use engine='torch' or 'auto'")
