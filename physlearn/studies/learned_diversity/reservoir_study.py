"""Does a mix of two functions make a better reservoir? Echo-state networks of many kinds on the Lorenz attractor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

import systems
from physlearn import Forecaster, metrics
from physlearn.activations.learned import LearnedActivations
from physlearn.activations.mixture import Mixture
from physlearn.activations.table import INTERVAL, POINTS
from physlearn.metalearning.pool import DICTIONARY, Pool, pool_of
from physlearn.models.memory import LOST, score
from physlearn.studies.learned_diversity.figures import Request
from systems import InputError, Orbit

SYSTEM, STEP, LYAPUNOV = "lorenz", 0.02, 0.9056  # the largest exponent, per unit of time
SEARCHED, SCORED = 8000, 9000  # first seeds of the searches, and of the runs that score
PAST = 300  # states from which a forecast continues
HELD = 250  # steps of the forecasts that choose
DISTURBED = 1e-3  # error of the past, in units of the spread, in the scores of disturbed forecasts
PAIR, SINGLE = "learned pair", "learned single"
NAMED = ("tanh", "sine", "gaussian", "sigmoid")
NAMED_PAIRS = ("square+tanh", "identity+tanh", "sine+tanh", "gaussian+tanh")
NOISE = (0.0, 0.01)


@dataclass(frozen=True)
class Size:
    """How much is computed.

    Parameters
    ----------
    searches, runs
        Number of searches, and of runs that score.
    candidates
        Combinations that each search tries, with one reservoir each.
    finalists, reservoirs
        Combinations that go on, and further reservoirs with which they are tried.
    few, many
        Units of the reservoirs that search, and of those that are scored.
    short, long
        States from which they learn.
    tested
        Orbits that are forecast in each run.
    """

    searches: int = 2
    runs: int = 8
    candidates: int = 40
    finalists: int = 4
    reservoirs: int = 3
    few: int = 100
    many: int = 300
    short: int = 1000
    long: int = 2000
    tested: int = 20


SIZE = {True: Size(1, 2, 6, 2, 1, 30, 40, 500, 600, 4), False: Size()}


def orbits(n: int, states: int, seed: int, noise: float = 0.0) -> Orbit:
    """Return orbits on the attractor, measured with an error of ``noise`` spreads."""
    system = systems.get(SYSTEM)
    start = system.orbit(system.sample(n, seed=seed), torch.tensor([0.0, 20.0])).z[:, -1]
    orbit = system.orbit(start, torch.arange(states, dtype=torch.float64) * STEP)
    draw = torch.randn(orbit.z.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return Orbit(orbit.t, orbit.z + noise * orbit.z.flatten(0, 1).std(0) * draw)


def learned(units: str | Mixture, train: Orbit, number: int, seed: int) -> Forecaster | None:
    """Return an echo-state network, or None if such a reservoir does not forget how it started."""
    f = Forecaster("echo-state", activation=units, seed=seed, units=number)
    try:
        f.fit(train, progress=False)
    except InputError:
        return None
    return f if f.memory <= PAST else None


def searched(request: Request, noise: float, types: int, k: int) -> LearnedActivations:
    """Return the single function, or the pair, that a search finds; both try the same number of reservoirs.

    The pool consists of named functions and draws of Gaussian processes. The search for a pair spends half of its effort on
    single functions, and then joins the best with each other and with others.
    """
    size, seed = SIZE[request.quick], SEARCHED + 10 * k
    x = torch.linspace(*INTERVAL, POINTS, dtype=torch.float64)
    pool = pool_of(x, max(size.candidates - len(DICTIONARY), 1), torch.Generator().manual_seed(seed))
    train, held = orbits(1, size.short, seed, noise), orbits(size.tested, PAST + HELD, seed + 1)

    def tried(members: tuple[int, ...], reservoir: int) -> float:
        key = {"noise": noise, "search": seed, "members": pool.name(members), "reservoir": reservoir, **vars(size)}

        def make() -> pd.DataFrame:
            return pd.DataFrame({"error": [_error(combined(pool, members).mix, train, held, size.few, reservoir)]})

        table = request.results.table("reservoir-trial", key, make)
        return float(table["error"].iloc[0])

    return _found(pool, types, size, seed, tried)


def _found(
    pool: Pool, types: int, size: Size, seed: int, tried: Callable[[tuple[int, ...], int], float]
) -> LearnedActivations:
    """Return the combination with the least mean error over several reservoirs, of those with the least error of one."""
    singles = [(i,) for i in range(len(pool.names))]
    own = singles[: size.candidates if types == 1 else size.candidates // 2]
    errors: dict[tuple[int, ...], float] = {members: tried(members, seed) for members in own}
    if types == 2:
        best = [i for (i,) in sorted(errors, key=lambda one: errors[one])]
        pairs = sorted(combinations(range(len(best)), 2), key=lambda ranks: (sum(ranks), ranks))
        chosen = [(best[a], best[b]) for a, b in pairs][: size.candidates - len(own)]
        errors = {members: tried(members, seed) for members in chosen}
    finalists = sorted(errors, key=lambda one: errors[one])[: size.finalists]
    means = {members: float(np.mean([tried(members, seed + 1 + i) for i in range(size.reservoirs)])) for members in finalists}
    members = min(means, key=lambda one: means[one])
    return combined(pool, members, seed=seed, found=pool.name(members))


def combined(pool: Pool, members: Sequence[int], **settings: object) -> LearnedActivations:
    """Return the functions of a combination."""
    return LearnedActivations(pool.values[list(members)], base="zero", task="reservoir", settings=settings)


def _error(units: str | Mixture, train: Orbit, held: Orbit, number: int, seed: int) -> float:
    """Return the mean logarithm of the relative errors of held-out forecasts."""
    f = learned(units, train, number, seed)
    if f is None:
        return float(np.log10(LOST))
    size = held.z.flatten(0, 1).std(0)
    return float(score(_continued(f, held.z, held.t).z[:, 1:] / size, held.z[:, PAST:] / size))


def _continued(f: Forecaster, z: Float[Tensor, "n T D"], t: Float[Tensor, " T"]) -> Orbit:
    return f.forecast(Orbit(t[:PAST], z[:, :PAST]), t[PAST - 1 :], progress=False)


def scores(request: Request, noise: float) -> pd.DataFrame:
    """Return the mean valid time of every variant in every run, each with its own data and reservoir."""
    size = SIZE[request.quick]
    found: dict[str, LearnedActivations] = {}
    for k in range(size.searches):
        found |= {f"{SINGLE} {k + 1}": searched(request, noise, 1, k), f"{PAIR} {k + 1}": searched(request, noise, 2, k)}
    variants: dict[str, str | Mixture] = {name: name for name in (*NAMED, *NAMED_PAIRS)}
    variants |= {name: one.mix for name, one in found.items()}
    told = {name: one.settings["found"] for name, one in found.items()}
    rows = []
    for k in range(size.runs):
        seed = SCORED + 10 * k
        for name, units in variants.items():
            key = {"noise": noise, "run": seed, "units": name, "found": told.get(name), **vars(size)}
            row = request.results.table("reservoir-score", key, partial(_score, units, noise, size, seed))
            rows.append(row.assign(run=k, variant=name, noise=noise, found=told.get(name, name)))
    return pd.concat(rows, ignore_index=True)


def _score(units: str | Mixture, noise: float, size: Size, seed: int) -> pd.DataFrame:
    """Return the mean valid time of a run, in Lyapunov times, from the exact and from a disturbed past."""
    truth = orbits(size.tested, PAST + 1200, seed + 1)
    f = learned(units, orbits(1, size.long, seed, noise), size.many, seed)
    times = {}
    draw = torch.randn(truth.z.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    for name, disturbance in (("valid_time", 0.0), ("disturbed", DISTURBED)):
        given = truth.z + disturbance * truth.z.flatten(0, 1).std(0) * draw
        rest = truth[..., PAST - 1 :]
        times[name] = 0.0
        if f is not None:
            forecast = _continued(f, given, truth.t)
            times[name] = LYAPUNOV * float(metrics.valid_prediction_time(forecast, rest).mean())
    return pd.DataFrame([times])
