"""Everything that reads a file of the user's: how, a whole file to begin with, and what of it must not change in silence."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av  # noqa: F401 - a reader imports it late, which takes memory that a case would be blamed for
import numpy as np
import pandas as pd
import torch
from mutate import forged, mutated

from physlearn import Forecaster, LearnedActivations, tensor_file
from physlearn.comparison import Comparison
from physlearn.metalearning import checkpoint
from systems import Orbit
from systems.film import Positions, Tracking, Truth, from_markers
from systems.film.points.corrections import clicks_of
from systems.film.rendering import video
from systems.film.tracking.decode import FilmReader
from systems.recorded_pendulum import read_recorded_pendulum

SETTINGS = {"steps": 3}
KINDS = {"activations": "learned activations", "model": "forecaster", "checkpoint": checkpoint.KIND}


@dataclass(frozen=True)
class Reader:
    """read: the reader. told: what it found, for the digest. sealed: whether a changed file must be noticed."""

    read: Callable[[Path], Any]
    told: Callable[[Any], Any] = repr
    sealed: bool = False


def _orbit(orbit: Orbit) -> Any:
    parts = [None if part is None else (str(part.dtype), part.tolist()) for part in (orbit.t, orbit.z, orbit.rate)]
    return [parts, orbit.coordinates, orbit.provenance, orbit.periods, repr(orbit)]


def _model(model: Forecaster) -> Any:
    weights = {name: values.tolist() for name, values in model.model.state_dict().items()}
    return [weights, model.coordinates, model.hidden, str(model.training), repr(model)]


def _activations(learned: LearnedActivations) -> Any:
    return [learned.values.tolist(), learned.settings, learned.losses.to_dict("list"), learned.interval, repr(learned)]


def _tracking(tracked: Tracking) -> Any:
    orbits = [_orbit(orbit) for orbit in tracked.orbits]
    return [tracked.table.to_dict("list"), tracked.markers.to_dict("list"), orbits, tracked.report, tracked.provenance]


READERS = {
    "orbit": Reader(Orbit.load, _orbit, sealed=True),
    "old-orbit": Reader(Orbit.load, _orbit),
    "model": Reader(Forecaster.load, _model, sealed=True),
    "activations": Reader(LearnedActivations.load, _activations, sealed=True),
    "checkpoint": Reader(lambda path: checkpoint.load(path, SETTINGS), sealed=True),
    "comparison": Reader(Comparison.load, lambda found: found.title),
    "csv": Reader(Orbit.from_csv, len),
    "tracking": Reader(Tracking.load, _tracking, sealed=True),
    "truth": Reader(Truth.load, lambda truth: truth.to_frame().to_csv(index=False).splitlines()),
    "positions": Reader(Positions.load, lambda found: [found.to_pandas().to_dict("list"), found.axes], sealed=True),
    "clicks": Reader(lambda path: sorted(clicks_of(path, 2).items())),
    "pendulum": Reader(read_recorded_pendulum),
    "film": Reader(lambda path: sum(1 for _ in FilmReader(path).frames())),
}


def make(folder: Path) -> None:
    """Write a whole file of each kind, named as its reader."""
    generator = torch.Generator().manual_seed(0)
    t = torch.linspace(0, 2, 21, dtype=torch.float64)
    z = torch.randn(3, 21, 4, generator=generator, dtype=torch.float64)
    coordinates = ("x", "y", "p_x", "p_y")
    told = {"system": "by hand", "parameters": {"a": 1.5}, "list": [1, 2]}
    orbit = Orbit(t, z, -z, coordinates=coordinates, provenance=told, periods={"x": 6.28})
    orbit.save(folder / "orbit")
    orbit.to_xarray().to_netcdf(folder / "old-orbit", engine="h5netcdf")
    mix = LearnedActivations(
        torch.stack([torch.linspace(-10, 10, 100).sin()] * 2),
        *("sine", "by hand"),
        settings={"variant": "two-stage", "seed": 0},
        losses=pd.DataFrame({"smoothed": [1.0, 0.5]}),
    )
    mix.save(folder / "activations")
    Forecaster("hnn", hidden=(4, 3), activation=mix.mix).fit(orbit, epochs=1, progress=False).save(folder / "model")
    checkpoint.save(folder / "checkpoint", SETTINGS, {"step": 1, "weights": torch.ones(3), "more": [{"a": 1}]})
    _make_comparison(folder / "comparison")
    rows = "".join(f"{k / 30:.4f},{0.1 * np.cos(k / 5):.6f},{-0.6 * np.sin(k / 5):.6f}\n" for k in range(120))
    (folder / "csv").write_text(f"t,theta,omega\n{rows}")
    rows = "".join(f"1 {k / 30:.4f} {0.1 * np.cos(k / 5):.6f} {-0.6 * np.sin(k / 5):.6f}\n" for k in range(120))
    (folder / "pendulum").write_text(f"% trial t theta omega\n{rows}")
    _make_film_tables(folder)
    pictures = np.random.default_rng(0).integers(0, 255, (12, 48, 64, 3), dtype=np.uint8)
    video.write(folder / "film.mp4", iter(pictures), np.arange(12) * 2000, (64, 48), 30.0, 0.5)
    (folder / "film.mp4").rename(folder / "film")


def _make_film_tables(folder: Path) -> None:
    t = np.linspace(0, 4, 120)
    theta = 0.1 * np.cos(4 * t)
    ends = np.zeros((120, 2)), 300 * np.stack([np.sin(theta), np.cos(theta)], -1)
    from_markers(t, *ends).save_netcdf(folder / "tracking")
    seen = np.ones(120, bool)
    Truth(t, t, ~seen, theta, *ends, seen, seen).save(folder / "truth")
    places = np.stack([t, theta])
    Positions(t, places, places, places, places, np.arange(120), provenance={"film": "a.mp4"}).save(folder / "positions")
    (folder / "clicks").write_text("frame,marker,x,y\n" + "".join(f"{k},{k % 2},{k}.5,{k}\n" for k in range(20)))


def _make_comparison(folder: Path) -> None:
    folder.mkdir()
    keys = [(0, replicate, variant) for variant in ("mix", "sine") for replicate in range(4)]
    table = pd.DataFrame(keys, columns=["meta_seed", "replicate", "variant"])
    table = table.assign(loss=1.0, validation_loss=1.0, diverged=False, learning_rate=0.01)
    table.to_parquet(folder / "results.parquet")
    curves = pd.DataFrame({"meta_seed": 0, "variant": ["mix", "sine"], "step": [1, 1], "seconds": 0.5, "median": 1.0})
    curves.to_parquet(folder / "curves.parquet")
    settings = {"task": "van-der-pol", "training": {"epochs": 1, "batch_size": 10}, "replicates": 4, "rates": None, "seed": 0}
    manifest = {"title": "A title", "settings": settings, "reference": "mix", "seconds": 1.5}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def case(name: str, folder: Path, target: Path, chance: random.Random) -> bool:
    """Write a changed file of that kind. Returns whether its checksum was made right again, so that it may be read."""
    source = folder / name
    others = [path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()]
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
        file = target / chance.choice(sorted(path.name for path in source.iterdir()))
        if file.suffix == ".json" and chance.random() < 0.7:
            file.write_text(json.dumps(forged(json.loads(file.read_text()), chance)))
        else:
            file.write_bytes(mutated(file.read_bytes(), chance, others))
        return True
    if name in KINDS and chance.random() < 0.5:
        settings, tensors = tensor_file.read(source, KINDS[name])
        tensor_file.write(target, KINDS[name], forged(settings, chance), tensors)
        return True
    target.write_bytes(mutated(source.read_bytes(), chance, others))
    return False


def digest(name: str, found: Any) -> str:
    """Of all that a reader found; raises ValueError where it would write to the terminal."""
    told = READERS[name].told(found)
    if not str(told).isprintable():
        raise ValueError("what was read holds control characters")
    return hashlib.sha256(repr(told).encode()).hexdigest()
