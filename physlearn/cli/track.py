"""``physlearn track``."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from physlearn.cli.answer import answer, progress
from physlearn.cli.interruption import importing
from physlearn.cli.options import AsJson, FocalLength, Markers, Pendulums, Plot, ReportFile
from physlearn.cli.output import output


def track(
    context: typer.Context,
    film: Annotated[Path, Argument(metavar="FILM", help="Film of one pendulum or of several.")],
    markers: Markers = None,
    pendulums: Pendulums = None,
    focal_length: FocalLength = None,
    points: Annotated[
        list[str] | None,
        Option(
            help="Pixel on a marker of any kind, such as 640,360, whose place is tracked; repeatable. Pendulums are left out."
        ),
    ] = None,
    colours: Annotated[
        str | None, Option(help="Colours of markers of any kind, such as red,blue, instead of --points.")
    ] = None,
    template: Annotated[
        list[str] | None, Option(help="Box x,y,width,height around a marker of any kind, instead of --points; repeatable.")
    ] = None,
    frame: Annotated[
        int | None, Option(help="Number of the frame for --points and --template. Default: the first.", min=0)
    ] = None,
    scale: Annotated[
        str | None, Option(help="Metres per pixel, or two pixels and metres, such as 100,400;300,400;1.0. Default: pixels.")
    ] = None,
    origin: Annotated[str | None, Option(help="Pixel of the origin of places, such as 640,100.")] = None,
    angle: Annotated[float, Option(help="Direction of the x axis of places, counter-clockwise, in degrees.")] = 0.0,
    time: Annotated[str | None, Option(help="First and last time of places, in seconds, such as 2,10. Default: all.")] = None,
    region: Annotated[str | None, Option(help="Box x,y,width,height in which the markers stay. Default: the frame.")] = None,
    corrections: Annotated[
        Path | None, Option(help="CSV file of places that you clicked, with the columns frame, marker, x and y.")
    ] = None,
    fps: Annotated[float | None, Option(help="Frame rate of a folder of pictures, which have no times of their own.")] = None,
    out: Annotated[
        Path | None,
        output(
            "CSV file to write; for pendulums, a netCDF file is written beside it. For places, .csv or .nc. "
            "Default: angles.csv, or positions.csv.",
            ".csv",
            ".nc",
        ),
    ] = None,
    plot: Plot = None,
    report: ReportFile = None,
    overlay: Annotated[
        Path | None, output("Copy of the film to write, .mp4, with the tracked pendulums or markers drawn on it.", ".mp4")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Track the pendulums in a film, or any markers.

    The result is the angle of each pendulum, its angular velocity and acceleration with their errors, and its period,
    amplitude and decay. With --points, --colours or --template, it is the place of each marker in each frame, with its error.
    """
    with importing():
        import pandas as pd

        from physlearn.cli import pictured, values
        from physlearn.forecasting import files, picture
        from systems import InputError
        from systems import film as films
        from systems.ending import check_ending
    if points or colours or template:
        from physlearn.cli.points_of_film import places

        if markers is not None:
            raise InputError("--markers is for pendulums; leave it out, or leave out --points, --colours and --template")
        texts = {"scale": scale, "origin": origin, "time": time, "region": region}
        own: dict[str, Any] = {"frame": frame, "angle": angle, "corrections": corrections, "fps": fps, "colours": colours}
        files_written = out or Path("positions.csv"), plot, report, overlay
        places(context, film, points, template, *files_written, as_json, texts, **own)
        return
    out = out or Path("angles.csv")
    check_ending(out, [".csv"], "--out")
    files.writable_files(out, out.with_suffix(".nc"), plot, report, overlay, inputs=[film])
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
    table = pd.DataFrame([asdict(one) for one in tracked.report]).rename_axis("pendulum").T
    title, *notes = str(tracked).splitlines()
    drawn = partial(picture.of_tracking, tracked)
    written += pictured.write(context, plot, report, drawn, f"{film.name}: {title}", {"Pendulums": table}, notes)
    if overlay is not None:
        films.overlay.overlay(film, tracked, overlay, progress=progress(as_json))
        written.append(overlay)
    answer([asdict(one) for one in tracked.report], str(tracked), written, as_json)
