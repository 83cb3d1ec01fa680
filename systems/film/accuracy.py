"""Measure the accuracy of tracking: rendered clocks with all kinds of defects against their known angles.

``python -m systems.film.accuracy`` prints a table with one row per kind of defects.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pandas
import torch
from tqdm.auto import tqdm

from systems.errors import InputError
from systems.film.rendering.clock_film import COLOURS, Film
from systems.film.rendering.clock_rendering import render
from systems.film.rendering.defects import Defects
from systems.film.rendering.truth import Truth
from systems.film.tracking.oscillation import oscillation
from systems.film.tracking.result import Tracking
from systems.film.tracking.tracker import track
from systems.orbit import Orbit
from systems.pendulum_clock import PendulumClock

SIZE = (1280, 720)
IN_A_FILM = (1, 1, 1, 2, 3)  # numbers of clocks side by side to draw from: most films show one
NEAR = 12.0  # pixels, the radius of a marker: a pendulum farther away on average is another one
ALONE = {**asdict(Defects.moderate()), "rolling_shutter": 0.5}  # strength of each defect by itself
KINDS = {
    "clean": Defects(),
    **{field.name: Defects(**{field.name: ALONE[field.name]}) for field in fields(Defects)},
    "moderate": Defects.moderate(),
}


@dataclass(frozen=True)
class Row:
    """How well one clock was tracked; the errors of a clock that was lost are NaN.

    Attributes
    ----------
    kind : str
        Kind of defects.
    film, clock : int
        Numbers of the film, and of the clock in it.
    rms : float
        RMS error of the angle [degrees], over the frames that have an angle and do not repeat the previous one.
    period : float
        Relative error of the period, against the same fit to the true angles at the true times.
    frames : int
        Number of frames that show both markers and are no repetition.
    frames_lost : int
        Number of these frames without an angle.
    lost : bool
        Whether the clock was not found.
    milliseconds : float
        Time of tracking per frame of the film.
    """

    kind: str
    film: int
    clock: int
    rms: float
    period: float
    frames: int
    frames_lost: int
    lost: bool
    milliseconds: float


def accuracy(
    clocks: int = 20,
    defects: Defects | None = None,
    duration: float = 20.0,
    seed: int = 0,
    progress: bool = False,
) -> pandas.DataFrame:
    """Film random clocks with given defects, track them without any hints, and compare with the truth.

    Periods are from 0.9 to 2.1 s and amplitudes from 0.04 to 0.11 rad; the escapement, the colours, the length of the rod and
    the case are random too, and a film shows one to three clocks. One film at a time is on the disk.

    Parameters
    ----------
    clocks : default 20
        Number of clocks.
    defects : optional
        Defects of the films, by default none.
    duration : default 20
        Duration of each film [s].
    seed : default 0
        Random seed; the same seed gives the same clocks, whatever the defects.
    progress : default False
        Whether to show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row per clock, with the columns of `Row`.

    Raises
    ------
    InputError
        If the number of clocks or the duration is not positive.
    """
    return pandas.DataFrame([asdict(row) for row in measure("given", defects or Defects(), clocks, duration, seed, progress)])


def measure(
    kind: str, defects: Defects, clocks: int = 20, duration: float = 20.0, seed: int = 0, progress: bool = False
) -> Iterator[Row]:
    """Yield the rows of `accuracy`, each as soon as it is known.

    Parameters
    ----------
    kind
        Name of the kind of defects.
    defects, clocks, duration, seed, progress
        As for `accuracy`.

    Yields
    ------
    Row
        One row per clock.

    Raises
    ------
    InputError
        If the number of clocks or the duration is not positive.
    """
    if clocks < 1:
        raise InputError(f"clocks must be at least 1, not {clocks}")
    if not (math.isfinite(duration) and duration > 0):
        raise InputError(f"duration of a film must be a positive number of seconds, not {duration}")
    with (
        tempfile.TemporaryDirectory() as folder,
        tqdm(total=clocks, disable=not progress, desc=kind, unit="clock") as bar,
    ):
        path, film, done = Path(folder) / "clocks.mp4", 0, 0
        while done < clocks:
            truth = _film(path, defects, clocks - done, duration, [seed, film])
            start = time.perf_counter()
            try:
                tracked = track(path)
            except InputError:
                tracked = None
            milliseconds = 1000 * (time.perf_counter() - start) / len(truth)
            path.unlink()
            for clock in range(len(truth.theta)):
                yield Row(kind, film, clock, *_compare(truth, clock, tracked), milliseconds)
                bar.update()
            film, done = film + 1, done + len(truth.theta)


def summary(table: pandas.DataFrame) -> pandas.DataFrame:
    """Summarize the rows of `accuracy` by kind of defects.

    Parameters
    ----------
    table
        Rows of any number of kinds.

    Returns
    -------
    pandas.DataFrame
        One row per kind: medians and greatest values of the clocks that were not lost.
    """
    seen = table[~table["lost"]].assign(period=table["period"].abs()).groupby("kind", sort=False)
    every = table.groupby("kind", sort=False)
    return pandas.DataFrame(
        {
            "clocks": every.size(),
            "lost": every["lost"].sum(),
            "rms, median": seen["rms"].median(),
            "rms, greatest": seen["rms"].max(),
            "period, median": seen["period"].median(),
            "period, greatest": seen["period"].max(),
            "frames lost": every["frames_lost"].sum() / every["frames"].sum(),
            "milliseconds": every["milliseconds"].median(),
        }
    ).reindex(table["kind"].unique())


def markdown(summarised: pandas.DataFrame) -> str:
    """Format a summary as a Markdown table, without the times, which depend on the machine.

    Parameters
    ----------
    summarised
        A table that `summary` returned.
    """
    lines = [
        "| defects | clocks | lost | rms error, median [deg] | greatest | period's error, median | greatest | frames lost |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind, row in summarised.iterrows():
        angle = f"{row['rms, median']:.4f} | {row['rms, greatest']:.4f}"
        period = f"{row['period, median']:.1e} | {row['period, greatest']:.1e}"
        counts = f"{row['clocks']:.0f} | {row['lost']:.0f}"
        lines.append(f"| {kind} | {counts} | {angle} | {period} | {row['frames lost']:.1%} |")
    return "\n".join(lines)


def _film(path: Path, defects: Defects, most: int, duration: float, seed: list[int]) -> Truth:
    """Render a film of one to three random clocks; the truth always has an axis of clocks."""
    rng = np.random.default_rng(seed)
    number = min(int(rng.choice(IN_A_FILM)), most)
    colours = [str(name) for name in rng.permutation(list(COLOURS))]
    film = Film(
        size=SIZE,
        rod=SIZE[1] * rng.uniform(0.4, 0.55),
        case=bool(rng.integers(2)),
        markers=tuple((colours[2 * k], colours[2 * k + 1]) for k in range(3)),
    )
    t = torch.linspace(0, duration, math.ceil(4 * film.fps * duration) + 1, dtype=torch.float64)
    orbits = [_orbit(rng, t) for _ in range(number)]
    orbit = Orbit(
        t=t,
        z=torch.stack([one.z for one in orbits]),
        rate=torch.stack([one.rate for one in orbits if one.rate is not None]),
        coordinates=orbits[0].coordinates,
    )
    return render(orbit, path, film, defects, seed=int(rng.integers(2**31)))


def _orbit(rng: np.random.Generator, t: torch.Tensor) -> Orbit:
    """Return the orbit of a random clock that starts near its limit cycle."""
    amplitude, frequency = rng.uniform(0.04, 0.11), 2 * math.pi / rng.uniform(0.9, 2.1)
    gamma, quality = amplitude * rng.uniform(0.2, 0.4), rng.uniform(80, 400)
    kappa = math.pi * amplitude**2 / (4 * gamma * quality)  # maintains that amplitude
    clock = PendulumClock(gamma=gamma, Q=quality, kappa=kappa, frequency=frequency)
    start, phase = amplitude * rng.uniform(0.9, 1.1), rng.uniform(0, 2 * math.pi)
    return clock.orbit(torch.tensor([start * math.cos(phase), -start * frequency * math.sin(phase)], dtype=torch.float64), t)


def _compare(truth: Truth, clock: int, tracked: Tracking | None) -> tuple[float, float, int, int, bool]:
    """Return the errors of angle and period, frames, frames lost, and whether the clock was lost."""
    fresh = ~truth.duplicate
    shown = fresh & truth.upper_visible[clock] & truth.lower_visible[clock]
    pendulum = _found(truth, clock, tracked)
    if tracked is None or pendulum is None:
        return math.nan, math.nan, int(shown.sum()), int(shown.sum()), True
    theta = tracked.table.loc[tracked.table["pendulum"] == pendulum, "theta"].to_numpy()
    told = np.isfinite(theta) & fresh
    rms = math.degrees(math.sqrt(np.mean((theta - truth.theta[clock])[told] ** 2)))
    true = oscillation(truth.exposed[fresh], truth.theta[clock][fresh]).period
    return rms, tracked.report[pendulum].period / true - 1, int(shown.sum()), int((shown & ~told).sum()), False


def _found(truth: Truth, clock: int, tracked: Tracking | None) -> int | None:
    """Return which of the tracked pendulums is the clock, by where its bob was seen, or None."""
    if tracked is None:
        return None
    lower = tracked.markers[tracked.markers["end"] == "lower"]
    away = []
    for pendulum in range(len(tracked.report)):
        places = lower.loc[lower["pendulum"] == pendulum, ["x", "y"]].to_numpy()
        away.append(float(np.nanmedian(np.hypot(*(places - truth.lower[clock]).T))))
    nearest = int(np.argmin(away))
    return nearest if away[nearest] < NEAR else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Parameters
    ----------
    arguments : optional
        Its arguments, by default those of the process.
    """
    parser = argparse.ArgumentParser(prog="python -m systems.film.accuracy", description=__doc__)
    parser.add_argument("--kinds", default=",".join(KINDS), help="Kinds of defects, separated by commas; by default all.")
    parser.add_argument("--clocks", type=int, default=20, help="Number of clocks per kind.")
    parser.add_argument("--duration", type=float, default=20.0, help="Duration of a film, in seconds.")
    parser.add_argument("--seed", type=int, default=0, help="Random seed.")
    parser.add_argument("--out", type=Path, help="CSV file for the rows of all clocks, written as they come.")
    given = parser.parse_args(arguments)
    kinds = given.kinds.split(",")
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        parser.error(f"no kind of defects is named {unknown[0]!r}; there are {', '.join(KINDS)}")
    rows: list[Row] = []
    try:
        with ExitStack() as stack:
            writer = None
            if given.out is not None:
                file = stack.enter_context(given.out.open("w", newline=""))
                writer = csv.DictWriter(file, [field.name for field in fields(Row)])
                writer.writeheader()
            for kind in kinds:
                for row in measure(kind, KINDS[kind], given.clocks, given.duration, given.seed, sys.stderr.isatty()):
                    rows.append(row)
                    if writer is not None:
                        writer.writerow(asdict(row))
                        file.flush()
    except (InputError, OSError) as error:
        parser.error(str(error))
    print(markdown(summary(pandas.DataFrame([asdict(row) for row in rows]))))


if __name__ == "__main__":
    main()
