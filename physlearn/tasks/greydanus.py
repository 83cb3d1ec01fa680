"""The tasks of Greydanus et al.: a spring, a simulated and a recorded pendulum, two bodies, and three bodies.

References
----------
S. Greydanus, M. Dzamba and J. Yosinski, Hamiltonian Neural Networks, NeurIPS 2019, arXiv:1906.01563, and the code published
with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from math import cos, pi, sin
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn import metrics
from physlearn.tasks.registry import register
from physlearn.tasks.simulated import SHARES, check_settings, seed_of
from physlearn.tasks.task import PARTS, Forecasting, Task
from physlearn.training import Training, split_time
from systems import HamiltonianSystem, InputError, Orbit
from systems.hamiltonian import ThreeBody, TwoBody
from systems.oscillators import HarmonicOscillator, Pendulum
from systems.recorded_pendulum import read_recorded_pendulum
from systems.sampling import generator

NOISE = 0.1  # standard deviation of the noise added to the states, but not the rates, of the spring and the pendulum
FAR = 1_000_000  # offset of the seeds of the noise
ROLLED_OUT = 15  # number of orbits that are forecast
INTEGRATORS = ("euler", "implicit-midpoint")
RECORDING = "schmidt_lipson_real_pend_h_1.txt"
FOLDER = "PHYSLEARN_DATA"  # the environment variable that names the folder of recordings
LEARNED = (0.3, 0.1, 0.1, 0.4, 0.1)  # fractions of the time before the test, for the other parts

Sample = Callable[[int, int], Tensor]  # takes a number of states and a seed


@register("spring")
def spring(orbits: int = 25, seed: int = 0) -> Task:
    """Return the task of a mass on a spring, H = q^2 + p^2, with noise: radius 0.1 to 1, 30 states over 0 <= t <= 3."""
    system = HarmonicOscillator(frequency=2.0, mass=0.5)
    return _oscillation("spring", "a mass on a spring, with noise", system, (0.1, 1.0), 30, orbits, seed)


@register("pendulum")
def pendulum(orbits: int = 25, seed: int = 0) -> Task:
    """Return the task of a pendulum, H = p^2 + 3 (1 - cos q), with noise: radius 1.3 to 2.3, 45 states over 0 <= t <= 3."""
    system = Pendulum(gravity=3.0, inertia=0.5)
    return _oscillation("pendulum", "a pendulum, with noise", system, (1.3, 2.3), 45, orbits, seed)


@register("two-body")
def two_body(orbits: int = 800, seed: int = 0) -> Task:
    """Return the task of two bodies on nearly circular orbits, with 50 states over 0 <= t <= 20.

    The test orbits are a fifth of all training and test orbits.
    """
    system = TwoBody()
    t, long = _times(20.0, 50), _times(20.0, 500)
    sample: Sample = lambda n, seed: system.sample(n, seed=seed)  # noqa: E731
    return _task("two-body", "two bodies on nearly circular orbits", system, sample, sample, t, long, orbits, seed)


@register("three-body")
def three_body(orbits: int = 4000, seed: int = 0) -> Task:
    """Return the task of three bodies near a rotating triangle, with 20 states over 0 <= t <= 5.

    The test orbits are a fifth of all training and test orbits.
    """
    system = ThreeBody()
    t, long = _times(5.0, 20), _times(3.0, 500)
    return _task("three-body", "three bodies near a turning triangle", system, triangle, triangle, t, long, orbits, seed)


@register("real-pendulum")
def real_pendulum(
    data: str | os.PathLike[str] | None = None, rates: Literal["differences", "derived"] = "differences"
) -> Task:
    """Return the task of a measured pendulum; the test is the last fifth of the time, the other parts are earlier blocks.

    Parameters
    ----------
    data
        Path of the recording; defaults to the file schmidt_lipson_real_pend_h_1.txt in the folder that the environment
        variable PHYSLEARN_DATA names.
    rates
        As for `systems.recorded_pendulum`.

    Raises
    ------
    InputError
        If there is no recording.
    """
    learned, test = recorded(data, rates)
    blocks = [*split_time(learned, LEARNED, gap=_window(learned)), test]
    parts = dict(zip(PARTS, blocks, strict=True))
    return Task(
        name="real-pendulum",
        title="a measured pendulum, by a network of the Hamiltonian",
        model="hnn",
        data=parts.__getitem__,
        forecasting=lambda: Forecasting(replace(test, z=test.z[None], rate=None), INTEGRATORS, _real_energy),
        training=Training(epochs=200, batch_size=100, learning_rate=1e-2),
        learning={"variant": "two-stage"},
    )


def recorded(
    data: str | os.PathLike[str] | None = None, rates: Literal["differences", "derived"] = "differences"
) -> list[Orbit]:
    """Return the first 80 % and the last 20 % of the rows of the measured pendulum."""
    if data is None:
        folder = os.environ.get(FOLDER)
        if not folder:
            raise InputError(f"the real pendulum needs a recording: give data, or set {FOLDER} to the folder of {RECORDING}")
        data = Path(folder) / RECORDING
    recording = read_recorded_pendulum(data, rates)
    return split_time(recording, (0.8, 0.2), gap=_window(recording) if rates == "derived" else 0)


def triangle(n: int, seed: int) -> Float[Tensor, "n 12"]:
    """Return states of three bodies at the corners of a rotating equilateral triangle around the origin, with perturbations.

    The distance of the first corner is uniform from 0.9 to 1.2, and its direction is that of a random point in a square. Each
    velocity component is changed by up to 20 %; without this, the triangle would rotate for ever.
    """
    random = generator(n, seed)
    first = _ring(n, 0.9, 1.2, random)
    corners = torch.stack([_turned(first, 2 * pi / 3 * k) for k in range(3)], dim=-2)
    radius = first.norm(dim=-1)[:, None, None]
    # at distance r from the centre, two forces 1 / (3 r^2), 60 degrees apart, keep each body on a circle
    momenta = _turned(corners, pi / 2) / radius**1.5 / 3**0.25
    momenta *= 1 + 0.2 * (2 * torch.rand(n, 3, 2, generator=random, dtype=torch.float64) - 1)
    return torch.cat([corners.flatten(1), momenta.flatten(1)], dim=-1)


def _oscillation(
    name: str, what: str, system: HamiltonianSystem, radii: tuple[float, float], samples: int, orbits: int, seed: int
) -> Task:
    def sample(n: int, seed: int) -> Tensor:
        return _ring(n, *radii, generator(n, seed))

    task = _task(name, what, system, sample, _starts, _times(3.0, samples), _times(20.0, 100), orbits, seed, NOISE, 1.0)
    return replace(task, training=Training(epochs=200, batch_size=100, learning_rate=1e-2))


def _task(
    name: str,
    what: str,
    system: HamiltonianSystem,
    sample: Sample,
    starts: Sample,
    t: Tensor,
    long: Tensor,
    orbits: int,
    seed: int,
    noise: float = 0.0,
    tested: float = 0.25,
) -> Task:
    """Return the task of a simulated system.

    ``sample`` draws the initial states of the parts, with output times t, and ``starts`` those of the forecasts, with output
    times ``long``. ``tested`` is the number of test orbits per training orbit.
    """
    check_settings(orbits, seed)

    def of_part(part: str) -> Orbit:
        share = tested if part == "test" else SHARES[part]
        first = seed_of(part, seed)
        orbit = system.orbit(sample(max(1, round(share * orbits)), first), t)
        deviates = torch.randn(orbit.z.shape, generator=torch.Generator().manual_seed(FAR + first), dtype=torch.float64)
        return replace(orbit, z=orbit.z + noise * deviates)

    def forecasting() -> Forecasting:
        z0 = starts(ROLLED_OUT, seed_of("test", seed))
        return Forecasting(system.orbit(z0, long), INTEGRATORS, system.hamiltonian, metrics.truth_horizon(system, z0, long))

    return Task(
        name=name,
        title=f"{what}, by a network of the Hamiltonian",
        model="hnn",
        data=of_part,
        forecasting=forecasting,
        learning={"variant": "two-stage"},
    )


def _starts(n: int, seed: int) -> Float[Tensor, "n 2"]:
    """Return states with q and p uniform from 0.2 to 1, with random signs."""
    size, sign = torch.rand(2, n, 2, generator=generator(n, seed), dtype=torch.float64)
    return (0.2 + 0.8 * size) * (sign - 0.5).sign()


def _ring(n: int, low: float, high: float, random: torch.Generator) -> Float[Tensor, "n 2"]:
    """Return points at uniform distances in the given range, in the directions of random points in [-1, 1]^2."""
    point = 2 * torch.rand(n, 2, generator=random, dtype=torch.float64) - 1
    radius = low + (high - low) * torch.rand(n, 1, generator=random, dtype=torch.float64)
    return radius * point / point.norm(dim=-1, keepdim=True)


def _turned(x: Float[Tensor, "*batch 2"], angle: float) -> Float[Tensor, "*batch 2"]:
    c, s = cos(angle), sin(angle)
    return torch.cat([c * x[..., :1] - s * x[..., 1:], s * x[..., :1] + c * x[..., 1:]], dim=-1)


def _times(end: float, samples: int) -> Float[Tensor, " T"]:
    return torch.linspace(0, end, samples, dtype=torch.float64)


def _window(recording: Orbit) -> int:
    """Return the window of the filter that computed the rates, in rows; 1 without a filter."""
    return recording.provenance.get("filter", {"window": 1})["window"]


def _real_energy(z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
    """Return twice the energy that Greydanus et al. fitted to the recorded pendulum; half of it generates the motion."""
    return z[..., 1].square() + 2.4 * (1 - z[..., 0].cos())
