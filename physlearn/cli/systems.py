"""``physlearn systems``."""

from __future__ import annotations

import inspect
import json
from typing import Any

import typer

from physlearn.cli.interruption import importing
from physlearn.cli.options import AsJson


def systems(as_json: AsJson = False) -> None:
    """List the systems with their coordinates and parameters."""
    with importing():
        from systems import get, names
    rows: list[dict[str, Any]] = []
    for name in names():
        system = get(name)
        summary = (inspect.getdoc(type(system)) or "").splitlines()[0]
        rows.append({"name": name, "coordinates": system.coordinates, "parameters": system.parameters, "summary": summary})
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        parameters = ", ".join(f"{k}={v:g}" for k, v in row["parameters"].items())
        typer.echo(f"{row['name']:<20} ({', '.join(row['coordinates'])})  {parameters}\n    {row['summary']}")
