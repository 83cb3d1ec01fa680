"""Print how well points are tracked: rendered films of seven systems with their truth, by size, defects and way of marking.

``python docs/points_table.py --out docs/study/points.csv`` prints the table of how-to/film-anything.md from known results.
With a new file, it renders 252 films and tracks each in three ways, which takes about 20 minutes on one core. Each film's
results are added to the file as soon as they are known; a run that is stopped resumes from it, and its films are so ordered
that any first part of them is a fair sample.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import torch

import systems
from systems import AccuracyWarning, InputError, Orbit
from systems.film import Defects, render_system, track_points
from systems.film.rendering.clock_film import COLOURS
from systems.film.rendering.system_rendering import MarkersTruth

SIZES = {"320 x 180": (320, 180), "1280 x 720": (1280, 720)}
DEFECTS = {
    "clean": Defects(),
    "compressed": Defects(noise=2, exposure=0.3, compression=24),
    "moderate": replace(Defects.moderate(), rotation=0.0),
}
AMPLITUDES = (0.2, 0.6, 1.0)  # of the largest motions, such as 75 degrees for the pendulum
SEEDS = {"320 x 180": (0, 1, 2), "1280 x 720": (0,)}  # where the size of a film does not matter, it is small
WAYS = ("points", "template", "colours")
DURATION = 5.0
FAR = 5.0  # pixels from the marker: a sight of something else


def orbit_of(system: str, amplitude: float, seed: int) -> Orbit:
    """Return one orbit of a system at a part of its largest amplitude."""
    t = torch.linspace(0, DURATION, 2001, dtype=torch.float64)
    a, w = amplitude, 1 + 0.3 * seed  # another seed moves at another rate
    turn = 0.1 * t
    x, y = a * torch.cos(3 * w * t), 0.1 * a * torch.sin(3 * w * t)
    if system == "pendulum":
        return systems.get("pendulum", gravity=16.0 * w).orbit([1.31 * a, 0.0], t)
    if system == "double-pendulum":
        return systems.get("double-pendulum", gravity=20.0 * w).orbit([1.9 * a, 2.3 * a, 0.0, 0.0], t)
    if system == "spring":
        return Orbit(t, 0.25 * a * torch.cos(6 * w * t)[:, None], coordinates=("q",))
    if system == "elastic-pendulum":
        moved = [0.3 * a, -1 + 0.1 * a, 0.0, 0.0]
        return systems.get("elastic-pendulum", stiffness=40.0 * w, gravity=10.0 * w).orbit(moved, t)
    if system == "metronome":
        return Orbit(t, 0.6 * a * torch.sin(5 * w * t)[:, None], coordinates=("theta",))
    if system == "cart":
        return Orbit(t, x[:, None], coordinates=("x",))
    above = torch.stack([x * turn.cos() - y * turn.sin(), x * turn.sin() + y * turn.cos()], -1)
    return Orbit(t, above, coordinates=("x", "y"))


SYSTEMS = ("pendulum", "double-pendulum", "spring", "elastic-pendulum", "metronome", "cart", "foucault")
Film = tuple[str, str, str, float, int]  # system, size, defects, amplitude, seed


def films() -> list[Film]:
    """Return all films, in an order of which any first part is a fair sample."""
    every = [
        (system, size, kind, amplitude, seed)
        for system, size, kind, amplitude in product(SYSTEMS, SIZES, DEFECTS, AMPLITUDES)
        for seed in SEEDS[size]
    ]
    return [every[k] for k in np.random.default_rng(0).permutation(len(every))]


def main() -> None:
    """Measure the films that the results do not contain yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, help="Number of films, by default all.")
    parser.add_argument("--out", type=Path, default=Path("points.csv"), help="CSV file of the results so far.")
    given = parser.parse_args()
    done = 0
    if given.out.is_file():
        done = int(pandas.read_csv(given.out)["film"].max()) + 1
    with tempfile.TemporaryDirectory() as folder:
        for number, film in list(enumerate(films()))[done : given.films]:
            rows = pandas.DataFrame(measured(number, film, Path(folder) / "film.mp4"))
            rows.to_csv(given.out, mode="a", header=number == 0, index=False)
    print(markdown(pandas.read_csv(given.out)))


def measured(number: int, film: Film, path: Path) -> list[dict[str, Any]]:
    """Render a film, track it in each way, and return one row per way and marker."""
    system, size, kind, amplitude, seed = film
    orbit = orbit_of(system, amplitude, seed)
    truth = render_system(system, orbit, path, size=SIZES[size], defects=DEFECTS[kind], seed=number)
    same = {"film": number, "system": system, "size": size, "defects": kind, "amplitude": amplitude, "seed": seed}
    return [{**same, "way": way, **row} for way in WAYS for row in tracked(path, truth, way, SIZES[size][1])]


def tracked(path: Path, truth: MarkersTruth, way: str, height: int) -> list[dict[str, Any]]:
    """Return for each marker how often it is lost, its errors and the parts within 1 and 2 of them, and the speed."""
    places = list(zip(truth.x[:, 0], truth.y[:, 0], strict=True))
    half = max(6, height // 50)
    boxes = [(x - half, y - half, 2 * half + 1, 2 * half + 1) for x, y in places]
    marked: dict[str, Any] = {"points": places, "template": boxes, "colours": list(COLOURS)[: len(places)]}
    begin = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            found = track_points(path, **{way: marked[way]})
    except InputError:
        return [{"marker": k, "refused": True} for k in range(len(places))]
    speed = len(truth) / (time.process_time() - begin)
    results = []
    for k in range(len(places)):
        shown = truth.visible[k] & ~truth.duplicate
        seen = shown & np.isfinite(found.x[k])
        miss = np.stack([found.x[k] - truth.x[k], found.y[k] - truth.y[k]])
        normal = np.abs(miss[:, seen]) / found.errors[k][seen]
        results.append(
            {
                "marker": k,
                "refused": False,
                "lost": (shown & ~seen).sum() / shown.sum(),
                "square": (miss[:, seen] ** 2).mean(),
                "stated": np.median(found.errors[k][seen]),
                "one": (normal < 1).mean(),
                "two": (normal < 2).mean(),
                "far": (np.hypot(*miss[:, ~truth.duplicate]) > FAR).sum(),
                "speed": speed,
            }
        )
    return results


def markdown(rows: pandas.DataFrame) -> str:
    """Return the table: means over the markers, and medians of the stated errors and of the speed."""
    names = "size", "defects", "given by", "films", "markers", "refused", "lost", "rms error [px]", "stated"
    lines = [f"| {' | '.join((*names, 'in 1 sigma', 'in 2 sigma', 'far off', 'speed'))} |", "|---" * 13 + "|"]
    for (size, kind, way), own in rows.groupby(["size", "defects", "way"], sort=False):
        mean, median = own.mean(numeric_only=True), own.median(numeric_only=True)
        counts = f"{own['film'].nunique()} | {len(own)} | {own['refused'].sum()}"
        errors = f"{mean['lost']:.1%} | {np.sqrt(mean['square']):.3f} | {median['stated']:.3f}"
        held = f"{mean['one']:.0%} | {mean['two']:.0%} | {own['far'].sum():.0f} | {median['speed']:.0f}"
        lines.append(f"| {size} | {kind} | {way} | {counts} | {errors} | {held} |")
    order = {f"| {size} | {kind} | {way} |": k for k, (size, kind, way) in enumerate(product(SIZES, DEFECTS, WAYS))}
    body = sorted(lines[2:], key=lambda line: order[" | ".join(line.split(" | ")[:3]) + " |"])
    return "\n".join([*lines[:2], *body])


if __name__ == "__main__":
    main()
