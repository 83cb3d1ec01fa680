"""A task on any registered system: its field or its Hamiltonian, from orbits with exact or noisy rates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

import systems
from physlearn.tasks.registry import register
from physlearn.tasks.simulated import forecasting_of, orbits_of, seed_of
from physlearn.tasks.task import Task
from systems import HamiltonianSystem, InputError, Orbit, System
from systems.scalars import real, seeded, whole

FAR = 2_000_000  # offset of the seeds of the noise


@register("system")
def any_system(
    system: str | System = "pendulum",
    model: str | None = None,
    hidden: Sequence[int] = (100,),
    orbits: int = 200,
    samples: int = 50,
    dt: float = 0.1,
    noise: float = 0.0,
    seed: int = 0,
    forecast: int = 20,
) -> Task:
    """Return a task in which networks learn a system that is given by its name.

    Parameters
    ----------
    system
        Name of a registered system, or a system.
    model
        Model of the networks; by default ``"hnn"`` for Hamiltonian systems and ``"nn"`` for others.
    hidden
        Widths of the hidden layers.
    orbits, samples, dt
        Number of orbits in each training part, number of states of each, and the time between them.
    noise
        Standard deviation of the noise that is added to the states and rates of all parts but the test, relative to the
        spread of each coordinate and of each rate.
    seed
        Random seed of the initial states and of the noise.
    forecast
        Length of the orbits that are forecast, in lengths of the training orbits.

    Returns
    -------
    Task
        The task, whose name consists of those of the system and of the model.
    """
    found = systems.get(system) if isinstance(system, str) else system
    hamiltonian = isinstance(found, HamiltonianSystem)
    model = model or ("hnn" if hamiltonian else "nn")
    if (noise := real("noise", noise)) < 0:
        raise InputError(f"noise must be at least 0, not {noise:g}")
    clean = orbits_of(found, orbits, whole("samples", samples), real("dt", dt), seed, {})
    methods = ("implicit-midpoint",) if hamiltonian else ("rk4",)
    return Task(
        name=f"{found.name.replace(':', '-')}-{model}",  # it becomes the name of files
        title=f"{found.name}, by a network of {'the Hamiltonian' if model.startswith('hnn') else 'the vector field'}",
        model=model,
        hidden=tuple(hidden),
        data=clean if noise == 0 else _noisy(clean, noise, seed),
        forecasting=forecasting_of(
            found, methods, orbits=8, time=whole("forecast", forecast) * samples * dt, dt=dt, seed=seed, sample={}
        ),
        learning={"variant": "search"},
    )


@register("pendulum-four-neurons")
def four_neurons(orbits: int = 200, seed: int = 0) -> Task:
    """Return a task with too few neurons for one kind: a Hamiltonian network of four learns p^2/2 + 1 - cos(theta).

    Parameters
    ----------
    orbits
        Number of orbits in each training part.
    seed
        Random seed of the initial states.

    Returns
    -------
    Task
        The task ``"pendulum-four-neurons"``.
    """
    return replace(
        any_system("pendulum", hidden=(4,), orbits=orbits, seed=seed),
        name="pendulum-four-neurons",
        title="pendulum, by a network of the Hamiltonian with four neurons",
    )


def _noisy(clean: Callable[[str], Orbit], noise: float, seed: int) -> Callable[[str], Orbit]:
    def of_part(part: str) -> Orbit:
        orbit = clean(part)
        if part == "test":
            return orbit
        generator = seeded(FAR + seed_of(part, seed))

        def disturbed(x: torch.Tensor) -> torch.Tensor:
            return x + noise * x.std((0, 1)) * torch.randn(x.shape, generator=generator, dtype=x.dtype)

        assert orbit.rate is not None
        return replace(orbit, z=disturbed(orbit.z), rate=disturbed(orbit.rate))

    return of_part
