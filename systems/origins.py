"""Whether orbits come from one system with the same parameters, as far as their provenance says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from systems.json_ready import json_ready


class Difference(NamedTuple):
    """Two values of a parameter of a system, whose name may be unknown, or two systems if ``parameter`` is None."""

    system: str | None
    parameter: str | None
    values: tuple[Any, Any]


def differences(provenances: Sequence[Mapping[str, Any]]) -> Iterator[Difference]:
    """Yield the differences between the systems, and then between the parameters, that provenances name.

    What a provenance does not name differs from nothing.

    >>> list(differences([{"system": "van-der-pol", "parameters": {"mu": mu}} for mu in (1.0, 2.0)]))
    [Difference(system='van-der-pol', parameter='mu', values=(1.0, 2.0))]
    """
    names = [one["system"] for one in provenances if one.get("system") is not None]
    yield from (Difference(None, None, (names[0], name)) for name in names if name != names[0])
    known: dict[str, Any] = {}
    for told in provenances:
        parameters = told.get("parameters")
        for name, value in parameters.items() if isinstance(parameters, Mapping) else ():
            first = known.setdefault(name, value)
            if json_ready(first) != json_ready(value):
                yield Difference(names[0] if names else None, name, (first, value))
