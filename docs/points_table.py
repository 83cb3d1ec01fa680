"""Print how well points are tracked: rendered films of five systems with their truth, by size, defects and way of marking.

``python docs/points_table.py`` prints the table of how-to/film-anything.md; it takes about ten minutes on one core.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import systems
from systems import AccuracyWarning, InputError, Orbit
from systems.film import Defects, render_system, track_points

SIZES = ((320, 180), (1280, 720))
DEFECTS = {
    "clean": Defects(),
    "compressed": Defects(noise=2, exposure=0.3, compression=24),
    "moderate": replace(Defects.moderate(), rotation=0.0),
}
DURATION = 5.0
FAR = 5.0  # pixels from the marker: a sight of something else


def orbits() -> dict[str, Orbit]:
    """Return one orbit of each system, of which the pendulum swings to 75 degrees."""
    t = torch.linspace(0, DURATION, 2001, dtype=torch.float64)
    plane = torch.stack([torch.cos(3 * t), 0.1 * torch.sin(3 * t)], dim=-1)
    turn = torch.stack([torch.cos(0.1 * t), torch.sin(0.1 * t)], dim=-1)
    above = torch.stack(
        [plane[:, 0] * turn[:, 0] - plane[:, 1] * turn[:, 1], plane[:, 0] * turn[:, 1] + plane[:, 1] * turn[:, 0]], -1
    )
    return {
        "pendulum": systems.get("pendulum", gravity=16.0).orbit([1.31, 0.0], t),
        "double-pendulum": systems.get("double-pendulum", gravity=20.0).orbit([1.9, 2.3, 0.0, 0.0], t),
        "spring": Orbit(t, 0.25 * torch.cos(6 * t)[:, None], coordinates=("q",)),
        "elastic-pendulum": systems.get("elastic-pendulum", stiffness=40.0, gravity=10.0).orbit([0.3, -0.9, 0.0, 0.0], t),
        "foucault": Orbit(t, above, coordinates=("x", "y")),
    }


def main() -> None:
    """Print the table."""
    print(
        "| size | defects | given by | markers | lost | rms error [px] | stated | in 1 sigma | in 2 sigma | far off | speed |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    known = orbits()
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            for kind, defects in DEFECTS.items():
                rows: dict[str, list[tuple[float, ...]]] = {"points": [], "template": []}
                for number, (system, orbit) in enumerate(known.items()):
                    path = Path(folder) / "film.mp4"
                    truth = render_system(system, orbit, path, size=size, defects=defects, seed=number)
                    for way, found in rows.items():
                        found.extend(measured(path, truth, way, size[1]))
                for way, found in rows.items():
                    print(row(size, kind, way, found), flush=True)


def measured(path: Path, truth, way: str, height: int) -> list[tuple[float, ...]]:  # type: ignore[no-untyped-def]
    """Return lost and shown frames, squared error, stated error, parts within 1 and 2 sigma, far sights, speed, per marker."""
    places = list(zip(truth.x[:, 0], truth.y[:, 0], strict=True))
    half = max(6, height // 50)
    boxes = [(x - half, y - half, 2 * half + 1, 2 * half + 1) for x, y in places]
    begin = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            found = track_points(path, places if way == "points" else None, template=boxes if way == "template" else None)
    except InputError as error:
        print(f"refused: {error}")
        return []
    speed = len(truth) / (time.process_time() - begin)
    results = []
    for k in range(len(places)):
        shown = truth.visible[k] & ~truth.duplicate
        seen = shown & np.isfinite(found.x[k])
        miss = np.stack([found.x[k] - truth.x[k], found.y[k] - truth.y[k]])[:, seen]
        normal = np.abs(miss) / found.errors[k][seen]
        far = np.isfinite(found.x[k]) & ~truth.duplicate
        off = np.hypot(found.x[k] - truth.x[k], found.y[k] - truth.y[k])[far] > FAR
        parts = (normal < 1).mean(), (normal < 2).mean()
        results.append(
            ((shown & ~seen).sum() / shown.sum(), (miss**2).mean(), np.median(found.errors[k][seen]), *parts, off.sum(), speed)
        )
    return results


def row(size: tuple[int, int], kind: str, way: str, found: list[tuple[float, ...]]) -> str:
    """Return a row of the table: means over the markers, and medians of the stated errors and of the speed."""
    lost, square, stated, one, two, far, speed = np.array(found).T
    numbers = (
        f"{lost.mean():.1%} | {np.sqrt(square.mean()):.3f} | {np.median(stated):.3f} | {one.mean():.0%} | {two.mean():.0%}"
    )
    return f"| {size[0]} x {size[1]} | {kind} | {way} | {len(found)} | {numbers} | {far.sum():.0f} | {np.median(speed):.0f} |"


if __name__ == "__main__":
    main()
