"""Which coordinates are angles, by their units and names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import pi

import numpy as np
from torch import Tensor

from systems.errors import InputError
from systems.recording.unwrapping import seems_wrapped

TURN = {
    **dict.fromkeys(("rad", "radian", "radians"), 2 * pi),
    **dict.fromkeys(("deg", "degree", "degrees", "°"), 360.0),
    **dict.fromkeys(("turn", "turns", "rev"), 1.0),
    "mrad": 2000 * pi,
}
LENGTHS = ("m", "cm", "mm", "um", "µm", "nm", "km", "px", "pixel", "pixels")
ANGLE = re.compile(r"(?:theta|phi|psi|angle|[θϑφϕψ])(?![a-z])", re.IGNORECASE)
UNIT_IN_NAME = re.compile(r".*_(rad|deg|degrees|m|cm|mm|px)", re.IGNORECASE)


def unit_in(name: str) -> str:
    """Return the unit at the end of a name, as in theta_deg."""
    found = UNIT_IN_NAME.fullmatch(name)
    return found[1] if found else ""


def angle_periods(names: Sequence[str], units: Mapping[str, str]) -> dict[str, float]:
    """Return the periods of the coordinates whose unit is that of an angle, such as rad or deg."""
    told = {name: (units.get(name) or unit_in(name)).lower() for name in names}
    return {name: TURN[unit] for name, unit in told.items() if unit in TURN}


def refuse_jumps(z: Tensor, names: Sequence[str], periods: Mapping[str, float]) -> None:
    """Raise InputError if a coordinate that is named like an angle, but has no period, jumps by about a turn."""
    runs = z.detach().reshape(-1, *z.shape[-2:])
    for i, name in enumerate(names):
        if name in periods or not ANGLE.match(name) or unit_in(name).lower() in LENGTHS:
            continue
        for column in runs[..., i].cpu().double().numpy():
            x = column[np.isfinite(column)]
            for period in (2 * pi, 360.0):
                if len(x) and np.ptp(x) > period / 2 and seems_wrapped(x, period, [slice(0, len(x))]):
                    raise InputError(
                        f"{name} jumps by up to {np.ptp(x):.4g}, like an angle that is recorded modulo {period:.4g}; pass "
                        f"periods={{{name!r}: {period:.12g}}} if it is one, or periods={{}} if not"
                    )
