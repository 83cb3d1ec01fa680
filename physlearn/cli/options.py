"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from physlearn.cli.output import output
from physlearn.cli.registered import completing

MOST = 10**9  # of anything that is counted
FARTHEST = 2**62  # of seeds, from which further ones are counted

Activation = Annotated[
    str,
    Option(
        help="Activation function: {activations}, a mixture such as sine+tanh, learned:TASK, or trained:combination.",
        autocompletion=completing("activations"),
    ),
]
AsJson = Annotated[bool, Option("--json", help="Print JSON instead of text.")]
Data = Annotated[Path | None, Option(help="CSV file of recorded angles, for tasks that learn from a recording.")]
Device = Annotated[str, Option(help="Device to compute on: cpu or cuda.")]
Epochs = Annotated[int, Option(help="Number of passes over the training data.", max=MOST)]
FocalLength = Annotated[
    float | None,
    Option(help="Focal length of the film's camera in picture diagonals (35 mm equivalent / 43.3). Default: a phone's."),
]
Folder = Annotated[Path, Option("--out", help="Folder to write to.")]
Hidden = Annotated[str, Option(help="Widths of the hidden layers, such as 100 or 64,64.")]
KeepAll = Annotated[
    bool, Option("--keep-all", help="Write all models, orbits and tables as well, besides the report and the picture.")
]
Markers = Annotated[
    str | None,
    Option(
        help="Markers on the pendulums: colours, such as red,blue, or pixels of the first frame, such as "
        "310,40;305,400. Default: whatever swings."
    ),
]
Pendulums = Annotated[int | None, Option(help="Number of pendulums. Default: as many as are found.")]
Plot = Annotated[Path | None, output("Picture to write: .png, .svg or .pdf.", ".png", ".svg", ".pdf")]
ReportFile = Annotated[
    Path | None,
    output("Report to write: one .html page with results, pictures, settings and versions.", ".html", name="--report"),
]
Scheduler = Annotated[str | None, Option(help="Address of a dask scheduler whose workers share the work.")]
Seed = Annotated[int, Option(help="Random seed.", min=-FARTHEST, max=FARTHEST)]
SystemName = Annotated[
    str,
    Argument(metavar="SYSTEM", help="Name of a system; `physlearn systems` lists them.", autocompletion=completing("systems")),
]
SystemOrMap = Annotated[
    str,
    Argument(metavar="SYSTEM", help="Name of a system, or of a map: {maps}.", autocompletion=completing("systems", "maps")),
]
SystemSettings = Annotated[list[str] | None, Option("--set", help="Parameter of the system, such as mu=1.5; repeatable.")]
TableFile = Annotated[Path, output("Table to write: .csv or .parquet.", ".csv", ".parquet")]
TaskEpochs = Annotated[int | None, Option(help="Number of passes over the training data. Default: the task's.", max=MOST)]
TaskName = Annotated[str, Argument(metavar="TASK", help="Name of a task: {tasks}.", autocompletion=completing("tasks"))]
TaskSettings = Annotated[
    list[str] | None, Option("--set", help="Setting of the task, such as orbits=50 or mu=1.5; repeatable.")
]
TrainingOrbits = Annotated[int | None, Option(help="Number of training orbits.", max=MOST)]
Workers = Annotated[int, Option("--workers", help="Number of processes that share the work.", max=1024)]
