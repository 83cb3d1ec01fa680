"""Reservoirs beside ReservoirPy: ``python docs/compare_reservoirs.py`` prints the table of the page on other packages.

Each model learns one orbit of the Lorenz system, and continues twenty others from 500 of their states. The echo-state network
of ReservoirPy has as many units as ours; its spectral radius, leak, input and bias scaling and ridge are the best of 60 random
settings on five further orbits, ours are the defaults.
"""

import time

import numpy as np
import torch
from reservoirpy.mat_gen import uniform
from reservoirpy.nodes import Reservoir, Ridge

import systems
from physlearn import Forecaster, metrics
from systems import Orbit

DT, PAST, LYAPUNOV = 0.02, 500, 0.9056
UNITS = 500  # the default of ours
SEEDS = range(3)
LOW = np.log([0.1, 0.2, 0.05, 0.01, 1e-12])  # spectral radius, leak, input scaling, bias scaling, ridge
HIGH = np.log([1.5, 1.0, 2.0, 2.0, 1e-4])
SETTINGS = np.exp(np.random.default_rng(0).uniform(LOW, HIGH, (60, 5))).tolist()


def orbits(n, states, seed):
    """Return orbits of the Lorenz system."""
    lorenz = systems.get("lorenz")
    t = torch.arange(states, dtype=torch.float64) * DT
    orbit = lorenz.orbit(lorenz.orbit(lorenz.sample(n, seed=seed), torch.tensor([0.0, 20.0])).z[:, -1], t)
    return Orbit(t, orbit.z)


def lyapunov_times(forecast, rest):
    """Return the median of the valid time of the forecasts, in Lyapunov times."""
    return LYAPUNOV * float(metrics.valid_prediction_time(forecast, rest).median())


def ours(name, train, test, seed):
    """Return the valid time of a model of ours with its defaults."""
    f = Forecaster(name, seed=seed).fit(train, progress=False)
    past, rest = test[..., :PAST], test[..., PAST - 1 :]
    return lyapunov_times(f.forecast(past, rest.t, progress=False), rest)


def theirs(train, test, seed, radius, leak, scaling, bias, ridge):
    """Return the valid time of ReservoirPy's echo-state network."""
    x = train.z[0].numpy()
    mean, spread = x.mean(0), x.std(0)
    x = (x - mean) / spread
    units = Reservoir(UNITS, sr=radius, lr=leak, input_scaling=scaling, bias=uniform(low=-bias, high=bias), seed=seed)
    network = units >> Ridge(ridge=ridge)
    network.fit(x[:-1], x[1:], warmup=100)
    forecasts = []
    for own in test.z.numpy():
        network.reset()
        state = network.run((own[:PAST] - mean) / spread)[-1]
        steps = [own[PAST - 1], state * spread + mean]
        for _ in range(len(own) - PAST - 1):
            state = network(state)
            steps.append(state * spread + mean)
        forecasts.append(steps)
    rest = test[..., PAST - 1 :]
    return lyapunov_times(Orbit(rest.t, torch.from_numpy(np.array(forecasts))), rest)


def main():
    """Print the table, row by row."""
    train, choosing, test = orbits(1, 5000, 0), orbits(5, 1500, 1), orbits(20, 1500, 2)
    print("| model | valid time, in Lyapunov times, by seed | seconds in all |\n|---|---|---|")
    for name in ("echo-state", "next-generation-reservoir"):
        start = time.perf_counter()
        found = [ours(name, train, test, seed) for seed in SEEDS]
        print(f"| `{name}` | {', '.join(f'{x:.1f}' for x in found)} | {time.perf_counter() - start:.0f} |", flush=True)
    start = time.perf_counter()
    best = max(SETTINGS, key=lambda setting: theirs(train, choosing, 100, *setting))
    found = [theirs(train, test, seed, *best) for seed in SEEDS]
    told = ", ".join(f"{x:.2g}" for x in best)
    print(f"| ReservoirPy ({told}) | {', '.join(f'{x:.1f}' for x in found)} | {time.perf_counter() - start:.0f} |")


if __name__ == "__main__":
    main()
