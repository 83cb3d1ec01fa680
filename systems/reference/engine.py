"""The names of the engines that integrate flows."""

from typing import Literal

from systems.errors import InputError

Engine = Literal["auto", "compiled", "taylor", "torch"]
ENGINES: tuple[str, ...] = Engine.__args__  # type: ignore[attr-defined]
OTHERS = {"compiled": "'torch' or 'auto'", "taylor": "'auto'"}


def check_engine(engine: str, unfit: str | None = None) -> None:
    """Raise InputError if there is no such engine, or if ``unfit`` says why compiled code or Taylor series do not apply."""
    if engine not in ENGINES:
        raise InputError(f"there is no engine {engine!r}; choose one of {', '.join(ENGINES)}")
    if engine in OTHERS and unfit is not None:
        raise InputError(f"engine={engine!r} does not apply, because {unfit}; use engine={OTHERS[engine]}")
