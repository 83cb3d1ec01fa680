"""``physlearn explore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from physlearn.cli.interruption import importing
from physlearn.cli.options import MOST, Hidden, Seed


def explore(
    name: Annotated[str, Argument(metavar="SYSTEM", help="Name of the system to show first.")] = "pendulum",
    port: Annotated[int, Option(help="Port on 127.0.0.1 that serves the page; 0 picks a free one.")] = 5006,
    browser: Annotated[bool, Option(help="Open a browser.")] = True,
    models: Annotated[Path | None, Option(help="Folder that keeps trained models for the next time.")] = None,
    orbits: Annotated[
        int | None, Option(help="Number of training orbits per model. Default: {orbits of exploration}.", max=MOST)
    ] = None,
    epochs: Annotated[
        int | None, Option(help="Number of passes over the training data. Default: {epochs of exploration}.", max=MOST)
    ] = None,
    hidden: Hidden = "100",
    seed: Seed = 0,
) -> None:
    """Explore true and learned orbits on a local web page.

    The page is served on this machine alone; Ctrl-C ends it.
    """
    with importing():
        from physlearn import explorer
        from physlearn.cli import values
        from physlearn.forecasting import files
    given: dict[str, Any] = {"orbits": orbits, "epochs": epochs}
    given = {setting: value for setting, value in given.items() if value is not None}
    learning = explorer.Learning(hidden=values.widths(hidden), seed=seed, **given)
    explorer.serve(name, port=port, show=browser, learning=learning, folder=models and files.writable(models))
