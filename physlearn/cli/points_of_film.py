"""``physlearn track`` with markers that are given: their places, rather than the angles of pendulums."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import typer

from physlearn import plotting
from physlearn.cli import pictured
from physlearn.cli.answer import answer, progress
from physlearn.forecasting import files
from systems import InputError
from systems.film import track_points
from systems.film.overlay import overlay as overlaid

KINDS: dict[str, Any] = {
    "origin": (2, "640,100"),
    "time": (2, "2,10"),
    "region": (4, "0,0,640,480"),
}  # numbers, and an example


def places(
    context: typer.Context,
    film: Path,
    points: list[str] | None,
    template: list[str] | None,
    out: Path,
    plot: Path | None,
    report: Path | None,
    overlay: Path | None,
    as_json: bool,
    texts: Mapping[str, str | None],
    **options: Any,
) -> None:
    """Track the markers, write their places as CSV or netCDF, and the film with them drawn on it, and print a summary.

    ``texts`` are scale, origin, time and region as they were typed.
    """
    files.writable_files(out, plot, report, overlay, inputs=[film, options.get("corrections")])
    found = track_points(
        film,
        [_numbers(one, "--points", 2, "640,360") for text in points or () for one in text.split(";")] or None,
        template=[_numbers(one, "--template", 4, "600,340,40,40") for text in template or () for one in text.split(";")]
        or None,
        scale=_scale(texts["scale"]),
        **_boxes(texts),
        progress=progress(as_json),
        **options,
    )
    (found.to_csv if out.suffix.lower() == ".csv" else found.save)(out)
    written = [out]
    if overlay is not None:
        overlaid(film, found, overlay, progress=progress(as_json))
        written.append(overlay)
    seen = [int((quality > 0).sum()) for quality in found.quality]
    summary: list[Any] = [
        {"marker": k, "frames": len(found.t), "seen": seen[k], "unit": found.axes.unit}
        | files.finite({"error": float(np.nanmedian(found.errors[k])) if seen[k] else math.nan})
        for k in range(len(found))
    ]
    title, *notes = str(found).splitlines()
    table = pd.DataFrame(summary).set_index("marker")
    drawn: Any = lambda: plotting.positions_plot(found)[0].figure  # noqa: E731
    written += pictured.write(context, plot, report, drawn, f"{film.name}: {title}", {"Markers": table}, notes)
    answer(summary, str(found), written, as_json)


def _boxes(texts: Mapping[str, str | None]) -> dict[str, Any]:
    return {name: _numbers(text, f"--{name}", *KINDS[name]) for name in KINDS if (text := texts[name]) is not None}


def _numbers(text: str, option: str, count: int, example: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) != count:
        raise InputError(f"{option} takes {count} numbers, such as {example}, not {text!r}")
    return found


def _scale(text: str | None) -> Any:
    """Return metres per pixel, or two pixels and their distance."""
    if text is None:
        return None
    parts = text.split(";")
    if len(parts) == 1:
        return _numbers(text, "--scale", 1, "0.002")[0]
    if len(parts) != 3:
        raise InputError(
            f"--scale takes metres per pixel, or two pixels and metres, such as 100,400;300,400;1.0, not {text!r}"
        )
    ends = [_numbers(part, "--scale", 2, "100,400;300,400;1.0") for part in parts[:2]]
    return (*ends, _numbers(parts[2], "--scale", 1, "100,400;300,400;1.0")[0])
