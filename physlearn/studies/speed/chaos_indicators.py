"""Speed of Lyapunov exponents and alignment indices, beside other packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from physlearn import chaos
from physlearn.studies.speed import peers
from physlearn.studies.speed.beside import OURS, Call, Contender, Row, compared, simple
from systems.extras import require
from systems.hamiltonian import HenonHeiles

SIZES = (1, 100)
TIME, DT = 300.0, 0.05  # of Yoshida's method of order 4
TAYLOR = 1e-9  # tolerance of heyoka, whose energy error is then about that of Yoshida's method
APART = 10.0  # time between two renormalisations by heyoka
CHAOTIC = 1e-4  # below this alignment index


def rows(quick: bool) -> Iterator[Row]:
    """Yield the time units per second of all orbits of Henon-Heiles at E = 1/12, one row per indicator and package.

    The error of an exponent is the median over the orbits of the difference from that of physlearn, which starts from other
    deviation vectors. The error of the index is the share of orbits on which the two disagree whether it is below 1e-4.
    """
    time = TIME / 6 if quick else TIME
    for size in SIZES:
        yield from _compared(size, time)


def _compared(size: int, time: float) -> Iterator[Row]:
    system = HenonHeiles()
    z0 = system.sample(size, energy=1 / 12)
    z = z0.numpy()

    def exponents() -> np.ndarray:
        found: np.ndarray = chaos.lyapunov_exponents(system, z0, time, dt=DT, method="yoshida-4")[:, 0].numpy()
        return found

    def indices() -> np.ndarray:
        found: np.ndarray = chaos.sali(system, z0, time, dt=DT, method="yoshida-4").numpy()
        return found

    def pynamicalsys(name: str) -> Call:
        one = require("pynamicalsys", "bench", peers.PURPOSE).HamiltonianSystem(model="henon heiles")
        one.integrator("svy4", time_step=DT)
        if name == "sali":  # to the end, as the others
            return lambda: np.array([one.SALI(s[:2], s[2:], time, threshold=0.0)[1] for s in z])
        return lambda: np.array([one.lyapunov(s[:2], s[2:], time, num_exponents=1) for s in z])

    exponent, index = exponents(), indices()
    measures: dict[str, tuple[Call, Callable[[np.ndarray], float], int]] = {
        "lyapunov": (exponents, lambda found: float(np.median(np.abs(found - exponent))), 1),
        "sali": (indices, lambda found: float(np.mean((found < CHAOTIC) != (index < CHAOTIC))), 2),
    }
    for name, (ours, distance, vectors) in measures.items():
        contenders = [
            Contender(OURS, simple(ours)),
            Contender("pynamicalsys", lambda distance, error, name=name: pynamicalsys(name)),  # type: ignore[misc]
            Contender("heyoka", lambda distance, error, k=vectors: _by_heyoka(z, time, k)),  # type: ignore[misc]
        ]
        case = {"what": "chaos indicators", "case": f"henon-heiles, {name}", "size": size}
        yield from compared(contenders, distance, size * time, **case)


def _by_heyoka(z: np.ndarray, time: float, k: int) -> Call:
    """Return the exponents (with one vector) or the alignment indices (with two), by the variational equations."""
    hy, (n, dim) = peers.heyoka(), z.shape
    system = peers.heyoka_system(peers.henon_heiles, dim)
    whole = list(system)
    for j in range(k):
        vector = hy.make_vars(*(f"w{j}{i}" for i in range(dim)))
        for (_, rate), change in zip(system, vector, strict=True):
            slope: Any = sum(hy.diff(rate, variable) * w for (variable, _), w in zip(system, vector, strict=True))
            whole.append((change, slope))
    flow = peers.heyoka_flow(whole, n, TAYLOR)
    start = np.random.default_rng(0).normal(size=(n, k, dim))

    def call() -> np.ndarray:
        state, growth = np.concatenate([z, start.reshape(n, -1)], axis=1), np.zeros((n, k))
        for _ in range(round(time / APART)):
            w = state[:, dim:].reshape(n, k, dim)  # a view
            w /= np.linalg.norm(w, axis=-1, keepdims=True)
            state = flow(state, APART)
            growth += np.log(np.linalg.norm(state[:, dim:].reshape(n, k, dim), axis=-1))
        if k == 1:
            exponents: np.ndarray = growth[:, 0] / time
            return exponents
        w = state[:, dim:].reshape(n, k, dim)
        w = w / np.linalg.norm(w, axis=-1, keepdims=True)
        indices: np.ndarray = np.minimum(
            np.linalg.norm(w[:, 0] + w[:, 1], axis=-1), np.linalg.norm(w[:, 0] - w[:, 1], axis=-1)
        )
        return indices

    return call
