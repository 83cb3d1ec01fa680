"""Speed of adaptive orbits at equal accuracy, beside other packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

import systems
from physlearn.studies.speed import peers
from physlearn.studies.speed.beside import OURS, Call, Contender, Row, by_tolerance, compared, simple
from systems.extras import MissingExtraError

TOLERANCE = 1e-12  # relative and absolute
TORCH_SHARE = 0.02  # share of the time that torch integrates, because it is slow
SIZES = {1: 1.0, 100: 1.0, 10_000: 0.25}  # numbers of orbits, and the share of the time that they are integrated
MOST_OF_OTHERS = 100  # orbits of gala and diffrax, which take longer
COMPARED = 100  # orbits at most whose error is measured


@dataclass(frozen=True)
class Case:
    """A system, the equations that peers take, the time, and the name of gala's potential."""

    name: str
    equations: peers.Equations
    time: float
    gala: str | None = None


CASES = (
    Case("henon-heiles", peers.henon_heiles, 200.0, "henon-heiles"),
    Case("double-pendulum", peers.double_pendulum, 50.0),  # its rates cost much more than those of the others
    Case("lorenz", peers.lorenz, 10.0),  # later, all digits are lost
    Case("van-der-pol", peers.van_der_pol, 200.0),
    Case("kepler", peers.kepler, 200.0, "kepler"),
)


def rows(quick: bool) -> Iterator[Row]:
    """Yield the time units per second of all orbits, one row per case and package.

    The peers and Taylor series take the largest tolerance with which their error is not larger than that of the compiled
    DOP853. The error is the median over at most 100 orbits of the largest deviation of a coordinate from a reference at the
    end of the time. The reference is integrated in extended precision; without heyoka, it is physlearn's own orbit with the
    finest tolerances. Ten thousand orbits are integrated for a quarter of the time, and only by compiled code and by heyoka.
    """
    for case in CASES[: 1 if quick else None]:
        for size, share in list(SIZES.items())[: 2 if quick else None]:
            yield from _compared(case, size, share * (case.time / 10 if quick else case.time))


def _compared(case: Case, size: int, time: float) -> Iterator[Row]:
    system = systems.get(case.name)
    options: dict[str, Any] = {"energy": 1 / 12} if case.name == "henon-heiles" else {}
    z0 = system.sample(size, **options)
    z, dim = z0.numpy(), z0.shape[1]

    def ours(time: float, **options: Any) -> Call:
        t = torch.tensor([0.0, time], dtype=torch.float64)
        return lambda: system.orbit(z0, t, **options).z[:, -1].numpy()

    some = slice(None, None, -(-size // COMPARED))
    try:
        true = peers.heyoka_reference(case.equations, z[some], time)
    except MissingExtraError:
        true = ours(time)()[some]

    def distance(found: np.ndarray) -> float:
        return float(np.median(np.abs(found[some] - true).max(1)))

    def taylor(tolerance: float) -> Call:
        peers.heyoka()  # a package that is missing is told here
        return ours(time, engine="taylor", rtol=tolerance, atol=0.0)

    def heyoka(tolerance: float) -> Call:
        return partial(peers.heyoka_flow(peers.heyoka_system(case.equations, dim), size, tolerance), z, time)

    def diffrax() -> Callable[[float], Call]:
        return peers.diffrax(case.equations, z, time)

    tolerances = {"rtol": TOLERANCE, "atol": TOLERANCE}
    contenders = [Contender(OURS, simple(ours(time, **tolerances)))]
    if size == 1:
        torch_ = simple(ours(time * TORCH_SHARE, engine="torch", **tolerances))
        contenders.append(Contender(f"{OURS}, torch", torch_, TORCH_SHARE))
    contenders.append(Contender(f"{OURS}, taylor", by_tolerance(taylor)))
    contenders.append(Contender("heyoka", by_tolerance(heyoka)))
    if size <= MOST_OF_OTHERS and case.gala is not None:
        contenders.append(Contender("gala", by_tolerance(partial(peers.gala, case.gala, z, time))))
    if size <= MOST_OF_OTHERS:
        contenders.append(Contender("diffrax", lambda distance, error: by_tolerance(diffrax())(distance, error)))
    yield from compared(contenders, distance, size * time, what="adaptive orbits", case=case.name, size=size)
