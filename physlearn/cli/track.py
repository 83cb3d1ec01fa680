"""``physlearn track``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from physlearn.cli.answer import answer, progress
from physlearn.cli.interruption import importing
from physlearn.cli.options import AsJson, FocalLength, Plot


def track(
    film: Annotated[Path, Argument(metavar="FILM", help="Film of one pendulum or of several.")],
    markers: Annotated[
        str | None,
        Option(
            help="Markers on the pendulums: colours, such as red,blue, or pixels of the first frame, such as "
            "310,40;305,400. Default: whatever swings."
        ),
    ] = None,
    pendulums: Annotated[int | None, Option(help="Number of pendulums. Default: as many as are found.")] = None,
    focal_length: FocalLength = None,
    out: Annotated[Path, Option(help="CSV file to write; a netCDF file is written beside it.")] = Path("angles.csv"),
    plot: Plot = None,
    overlay: Annotated[
        Path | None, Option(help="Copy of the film to write, .mp4, with the tracked pendulums drawn on it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Track the pendulums in a film.

    The result is the angle of each pendulum, its angular velocity and acceleration with their errors, and its period,
    amplitude and decay.
    """
    with importing():
        from physlearn.cli import values
        from physlearn.forecasting import picture, report
        from systems import film as films
    report.writable_files(out, out.with_suffix(".nc"), plot, overlay, inputs=[film])
    if plot is not None:
        picture.check_format(plot)
    tracked = films.track(
        film,
        markers=values.markers(markers),
        pendulums=pendulums,
        focal_length=focal_length,
        progress=progress(as_json),
    )
    tracked.save_csv(out)
    tracked.save_netcdf(out.with_suffix(".nc"))
    written = [out, out.with_suffix(".nc")]
    if plot is not None:
        written.append(report.write_figure(plot, picture.of_tracking(tracked)))
    if overlay is not None:
        films.overlay.overlay(film, tracked, overlay, progress=progress(as_json))
        written.append(overlay)
    answer([asdict(one) for one in tracked.report], str(tracked), written, as_json)
