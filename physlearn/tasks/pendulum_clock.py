"""A task on a wall-hanging pendulum clock, which is nearly Hamiltonian (figure 7 of the paper)."""

from __future__ import annotations

import os
from dataclasses import replace

import systems
from physlearn.forecasting.recorded import fit_pendulum
from physlearn.tasks.registry import register
from physlearn.tasks.simulated import forecasting_of, orbits_of
from physlearn.tasks.task import PARTS, Forecasting, Task
from physlearn.training import split_time
from systems import InputError, Orbit

FRACTIONS = (0.3, 0.08, 0.08, 0.3, 0.08, 0.16)
"""Fractions of the time of a recording, in the order of the parts."""


@register("pendulum-clock-hnn")
def pendulum_clock(data: str | os.PathLike[str] | None = None, orbits: int | None = None, seed: int | None = None) -> Task:
    """Return a task in which a Hamiltonian network learns the swing of a clock's pendulum.

    Parameters
    ----------
    data
        Recording of angles (CSV), from which the rates are derived. The parts are blocks of time, separated by gaps of the
        window of the filter. Without a recording, a clock with an escapement is simulated.
    orbits
        Number of simulated orbits in each training part; defaults to 40.
    seed
        Random seed of the simulation; defaults to 0.

    Returns
    -------
    Task
        The task ``"pendulum-clock-hnn"``.

    Raises
    ------
    InputError
        If ``orbits`` or ``seed`` is given with a recording, or the recording has no stretch that is long enough.
    """
    methods = ("euler", "implicit-midpoint")
    if data is not None:
        if orbits is not None or seed is not None:
            raise InputError("orbits and seed apply to a simulated clock only: leave them out, or leave data out")
        blocks = _blocks(data)
        test = blocks["test"]
        return Task(
            name="pendulum-clock-hnn",
            title="a pendulum clock's recorded swing, by a network of the Hamiltonian",
            model="hnn",
            learning={"variant": "two-stage"},
            data=blocks.__getitem__,
            forecasting=lambda: Forecasting(
                Orbit(test.t, test.z.unsqueeze(0), coordinates=test.coordinates, periods=test.periods),
                methods,
                fit_pendulum(blocks["training"])[1],
            ),
        )
    system = systems.get("pendulum-clock")
    orbits, seed = 40 if orbits is None else orbits, seed or 0

    def forecasting() -> Forecasting:
        made = forecasting_of(system, methods, orbits=8, time=60.0, dt=0.2, seed=seed, sample={})()
        return replace(made, energy=lambda z: z[..., 1].square() / 2 + 1 - z[..., 0].cos())

    return Task(
        name="pendulum-clock-hnn",
        title="a pendulum clock's simulated swing, by a network of the Hamiltonian",
        model="hnn",
        learning={"variant": "two-stage"},
        data=orbits_of(system, orbits, samples=250, dt=0.2, seed=seed, sample={}),
        forecasting=forecasting,
    )


def _blocks(data: str | os.PathLike[str]) -> dict[str, Orbit]:
    recordings = Orbit.from_csv(data, rates="derived")
    if not recordings:
        raise InputError(f"{data} has no stretch without gaps that is long enough: give a longer recording")
    recording = max(recordings, key=lambda orbit: len(orbit.t))
    blocks = split_time(recording, FRACTIONS, gap=recording.provenance["filter"]["window"])
    return dict(zip(PARTS, blocks, strict=True))
