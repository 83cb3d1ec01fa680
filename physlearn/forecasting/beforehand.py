"""Prior knowledge of a flow: the arguments ``known`` and ``symmetry`` of a forecaster, and their form in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn import schema
from physlearn.flow import Flow
from physlearn.models.group import MOST, Group
from physlearn.models.informed import Prior
from systems import InputError, Orbit, System
from systems.registry import SYSTEMS

LARGEST = 1000  # coordinates of a symmetry in a file


@dataclass(frozen=True, eq=False)
class Beforehand:
    """What a forecaster is told about the flow before it learns.

    Parameters
    ----------
    known : Flow, optional
        A known part of the flow.
    symmetry : Group or bool
        Symmetries, or whether those of the system of the training orbits are used.
    """

    known: Flow | None = None
    symmetry: Group | bool = False

    @classmethod
    def of(cls, known: object, symmetry: object) -> Beforehand:
        """Return the checked arguments. Raises InputError for anything else."""
        if known is not None and not (isinstance(known, Flow | System) or callable(known)):
            raise InputError(f"known must be a system or a function f(t, z), not {known!r:.80}")
        flow = None if known is None else Flow.of(known)
        if isinstance(known, System) and not known.autonomous:
            raise InputError(f"the known part {known.name} depends on time, which a learned flow must not: leave it out")
        chosen = bool(symmetry) if isinstance(symmetry, bool | np.bool_) or symmetry is None else Group.generated(symmetry)
        return cls(flow, chosen)

    def prior(self, orbits: Sequence[Orbit]) -> Prior:
        """Return what is known of the flow of these orbits.

        Raises InputError if their symmetries are asked for, but no registered system is in their provenance, or it has none.
        """
        if isinstance(self.symmetry, Group):
            return Prior(self.known, self.symmetry)
        if not self.symmetry:
            return Prior(self.known)
        name = next((orbit.provenance["system"] for orbit in orbits if "system" in orbit.provenance), None)
        if name not in SYSTEMS.names():
            raise InputError(
                f"symmetry=True takes the symmetries that a system declares, but these are orbits of {name or 'none'}: give "
                "matrices, such as symmetry=[-numpy.eye(2)]"
            )
        system = SYSTEMS.get(name)
        if tuple(system.coordinates) != orbits[0].coordinates:
            raise InputError(
                f"the symmetries of {name} are those of {', '.join(system.coordinates)}, but the orbits have "
                f"{', '.join(orbits[0].coordinates)}: give matrices"
            )
        return Prior(self.known, Group.of_system(system))

    @property
    def told(self) -> dict[str, str]:
        """The arguments as a repr shows them."""
        found = {} if self.known is None else {"known": self.known.name}
        if self.symmetry is not False:
            found["symmetry"] = "True" if self.symmetry is True else f"{len(self.symmetry)} matrices"
        return found


def described(prior: Prior) -> dict[str, Any]:
    """Return what is known as JSON-ready values, for files and provenance; nothing if nothing is known."""
    found: dict[str, Any] = {}
    if (known := prior.known) is not None:
        system = known.source
        if isinstance(system, System) and system.name in SYSTEMS.names() and SYSTEMS.get(system.name) is type(system):
            found["known"] = {"system": system.name, "parameters": system.parameters}
        else:
            found["known"] = {"function": known.name}
    if prior.group is not None:
        found["symmetry"] = prior.group.plain
    return found


def restored(settings: Mapping[str, Any], known: System | Callable[..., Any] | None) -> dict[str, Any]:
    """Return the arguments of the Forecaster in a file, of which those of earlier versions have none.

    Raises InputError if the file needs a function, which it does not hold, or ``known`` is given but not needed.
    """
    kept = schema.closed(settings.get("prior", {}), "prior", ("known", "symmetry"))
    part = schema.mapped(kept.get("known", {}), "known part")
    schema.closed(part, "known part", ("system", "parameters") if "system" in part else ("function",))
    if "system" in part:
        own = SYSTEMS.build(schema.text(part["system"], "system"), schema.mapped(part.get("parameters", {}), "parameters"))
        known = own if known is None else known
    elif part and known is None:
        name = schema.text(part.get("function"), "function")
        raise InputError(f"the file adds the function {name}, which it does not hold: give it, load(path, known={name})")
    elif not part and known is not None:
        raise InputError("the forecaster in this file has no known part: leave known out")
    rows = schema.listed(kept.get("symmetry", []), "symmetry", MOST)
    return {"known": known, "symmetry": Group.listed([_pair(row) for row in rows]) if rows else False}


def _pair(row: object) -> tuple[list[list[float]], int]:
    matrix, sign = (*schema.listed(row, "each symmetry", 2), None, None)[:2]
    lines = [
        schema.listed(line, "each row of a symmetry", LARGEST) for line in schema.listed(matrix, "each symmetry", LARGEST)
    ]
    numbers = [[schema.number(x, "each element of a symmetry") for x in line] for line in lines]
    return numbers, schema.whole(sign, "each sign of a symmetry", -1, 1)
