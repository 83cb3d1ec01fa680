"""Measure whether the errors of tracking hold: how often the truth lies within one and two of the stated standard errors.

``python -m systems.film.coverage`` renders films of pendulums of known motion and prints a table with one row per size of the
film, kind of defects and number of visible ends.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas
from scipy.special import ellipj, ellipk
from tqdm.auto import tqdm

from systems.errors import InputError
from systems.film.rendering.clock_film import Film
from systems.film.rendering.clock_rendering import render
from systems.film.rendering.defects import Defects
from systems.film.tracking.arrays import Floats
from systems.film.tracking.result import Tracking
from systems.film.tracking.tracker import track

SIZES = ((320, 180), (1280, 720))
KINDS = {"clean": Defects(), "defective": Defects(noise=4, exposure=0.5, compression=24, uneven_light=0.4, shake=0.5, hand=1)}
AMPLITUDES = (5.0, 10.0, 20.0, 40.0, 60.0, 75.0)  # degrees
DURATION = 8.0  # seconds
MARKERS = {2: "red,blue", 1: "blue"}  # by the number of visible ends


@dataclass(frozen=True)
class Row:
    """How far one pendulum's values are from the truth.

    Attributes
    ----------
    size : str
        Width and height of the film [pixels].
    kind : str
        Kind of film, "clean" or "defective".
    ends : int
        Number of markers that were used.
    degrees : float
        Amplitude of the swing [degrees].
    amplitude : float
        Error of the amplitude, in standard errors; NaN if the film was refused.
    angle_1, angle_2, rate_1, rate_2 : float
        Parts of the angles and of the rates that are within one and two standard errors.
    rms : float
        RMS error of the angle [degrees].
    """

    size: str
    kind: str
    ends: int
    degrees: float
    amplitude: float
    angle_1: float
    angle_2: float
    rate_1: float
    rate_2: float
    rms: float


def measure(
    films: int = 2, sizes: Sequence[tuple[int, int]] = SIZES, seed: int = 0, *, progress: bool = False
) -> Iterator[Row]:
    """Yield one row per film and number of ends.

    Parameters
    ----------
    films : default 2
        Number of films per size, kind and amplitude.
    sizes : optional
        Sizes of the films [pixels].
    seed : default 0
        Random seed of periods, phases, places and defects.
    progress : default False
        Whether to show a progress bar.

    Yields
    ------
    Row
        Each row as soon as it is known.

    Raises
    ------
    InputError
        If the number of films is not positive.
    """
    if films < 1:
        raise InputError(f"films must be at least 1, not {films}")
    every = list(itertools.product(sizes, KINDS, AMPLITUDES, range(films)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        for number, (size, kind, degrees, _) in enumerate(tqdm(every, disable=not progress, unit="film")):
            rng = np.random.default_rng([seed, number])
            t, theta, rate = _pendulum(np.radians(degrees), rng)
            rod = size[1] * rng.uniform(0.6, 0.7)
            pivot = size[0] * rng.uniform(0.49, 0.51), size[1] * rng.uniform(0.1, 0.15)
            film = Film(size=size, pivot=pivot, rod=rod, bob=size[1] / 20, marker=size[1] / 40, case=False, hands=False)
            truth = render((t, theta), path, film, KINDS[kind], seed=int(rng.integers(2**31)))
            for ends, markers in MARKERS.items():
                try:
                    tracked = track(path, markers=markers)
                except InputError:
                    tracked = None
                exact = np.interp(truth.exposed, t, rate)
                errors = _errors(tracked, np.radians(degrees), truth.theta, exact)
                yield Row(f"{size[0]}x{size[1]}", kind, ends, degrees, *errors)


def summary(table: pandas.DataFrame) -> pandas.DataFrame:
    """Return the coverage by size, kind and number of ends.

    Parameters
    ----------
    table
        Rows of `measure`.

    Returns
    -------
    pandas.DataFrame
        One row per group: number of films, number refused, and parts within one and two standard errors.
    """
    seen = table["amplitude"].notna()
    off = table["amplitude"].abs()
    counted = table.assign(refused=~seen, amplitude_1=(off < 1).where(seen), amplitude_2=(off < 2).where(seen))
    groups = counted.groupby(["size", "kind", "ends"], sort=False)
    columns = ["amplitude_1", "amplitude_2", "angle_1", "angle_2", "rate_1", "rate_2"]
    means = counted[columns].astype(float).groupby([counted[name] for name in ("size", "kind", "ends")], sort=False).mean()
    return pandas.concat([groups.size().rename("films"), groups["refused"].sum(), means, groups["rms"].median()], axis=1)


def markdown(summarised: pandas.DataFrame) -> str:
    """Format a summary as a Markdown table.

    Parameters
    ----------
    summarised
        A table that `summary` returned.
    """
    lines = [
        "| size | film | ends | films | refused | amplitude, 1 and 2 sigma | angle | rate | rms error of the angle [deg] |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for group, row in summarised.iterrows():
        size, kind, ends = map(str, np.atleast_1d(np.array(group, object)))
        parts = " | ".join(f"{row[f'{name}_1']:.0%}, {row[f'{name}_2']:.0%}" for name in ("amplitude", "angle", "rate"))
        lines.append(f"| {size} | {kind} | {ends} | {row['films']:.0f} | {row['refused']:.0f} | {parts} | {row['rms']:.4f} |")
    return "\n".join(lines)


def _pendulum(amplitude: float, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Return times, angles and rates of a pendulum without damping, exactly, with a random period and phase."""
    omega, k = 2 * np.pi / rng.uniform(1.0, 1.8), np.sin(amplitude / 2)
    t = np.linspace(0, DURATION, 4000)
    sn, cn, _, _ = ellipj(omega * t + rng.uniform(0, 4) * ellipk(k**2), k**2)
    return t, 2 * np.arcsin(k * sn), 2 * k * omega * cn


def _errors(
    tracked: Tracking | None, amplitude: float, theta: Floats, rate: Floats
) -> tuple[float, float, float, float, float, float]:
    """Return the error of the amplitude, the parts of angles and rates within one and two errors, and the RMS error."""
    if tracked is None:
        return (float("nan"),) * 6
    table, report = tracked.table[tracked.table["pendulum"] == 0], tracked.report[0]
    parts = []
    for name, true in (("theta", theta), ("omega", rate)):
        off = ((table[name] - true) / table[f"{name}_error"]).abs().dropna()
        parts += [float((off < 1).mean()), float((off < 2).mean())]
    rms = float(np.degrees(np.sqrt(np.nanmean((table["theta"] - theta) ** 2))))
    return (report.amplitude - amplitude) / report.amplitude_error, parts[0], parts[1], parts[2], parts[3], rms


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Parameters
    ----------
    arguments : optional
        Its arguments, by default those of the process.
    """
    parser = argparse.ArgumentParser(prog="python -m systems.film.coverage", description=__doc__)
    parser.add_argument("--films", type=int, default=2, help="Number of films per size, kind and amplitude.")
    parser.add_argument("--small", action="store_true", help="Only films of 320 x 180 pixels.")
    parser.add_argument("--seed", type=int, default=0, help="Random seed.")
    parser.add_argument("--out", type=Path, help="CSV file for the rows.")
    given = parser.parse_args(arguments)
    try:
        rows = pandas.DataFrame(
            map(asdict, measure(given.films, SIZES[:1] if given.small else SIZES, given.seed, progress=True))
        )
        if given.out is not None:
            rows.to_csv(given.out, index=False)
    except (InputError, OSError) as error:
        parser.error(str(error))
    print(markdown(summary(rows)))


if __name__ == "__main__":
    main()
