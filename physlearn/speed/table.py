"""The table of how fast a machine is."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm.auto import tqdm

from physlearn.forecasting.report import writable
from physlearn.speed import inner_loops, meta_gradient, orbits, replicates
from systems.atomic import atomically

Row = dict[str, Any]
UNITS = {
    "training": ("networks", "network-steps/s", "one by one on the CPU"),
    "evolution": ("networks", "network-steps/s", "the CPU"),
    "meta-gradient": ("inner steps", "inner steps/s", "the CPU"),
    "orbits": ("orbits", "orbit-steps/s", "the CPU"),
}


def measure(out: Path, device: str = "cpu", *, quick: bool = False, progress: bool = True) -> pd.DataFrame:
    """Measure the CPU, and beside it the device, in one run; writes ``speed.csv``, a row as it comes, and ``speed.md``.

    Columns: what, case, how, device, on (its name), size (networks, inner steps or orbits), rate (of steps of all of them
    together, a second), ratio (to one by one on the CPU, or to the CPU at the same size), memory [MB] of a meta-gradient.
    quick: the smallest sizes, to see that it works.
    """
    devices = ["cpu"] if torch.device(device).type == "cpu" else ["cpu", device]
    file, rows = writable(out) / "speed.csv", []
    for row in tqdm(_rows(devices, quick), "measuring", disable=not progress, unit="row"):
        rows.append({**row, "on": _named(row["device"])})
        with atomically(file) as temporary:
            pd.DataFrame(rows).to_csv(temporary, index=False)
    table = pd.DataFrame(rows)
    with atomically(file.with_suffix(".md")) as temporary:
        temporary.write_text(markdown(table) + "\n")
    return table


def _rows(devices: Sequence[str], quick: bool) -> Iterator[Row]:
    sizes = (1, 10) if quick else (1, 10, 100, 1_000, 10_000)
    pools = (4,) if quick else (48, 480, 4_800)
    depths = (10,) if quick else (100, 400, 1_600)
    parts: list[Callable[[], Iterator[Row]]] = [
        lambda: replicates.rows(devices, sizes, 2 if quick else 20),
        lambda: inner_loops.rows(devices, pools, 5 if quick else 50),
        lambda: meta_gradient.rows(devices, depths, 2 if quick else 16, meta_gradient.TASKS[: 1 if quick else None]),
        lambda: orbits.rows(devices, sizes if quick else (*sizes, 100_000)),
    ]
    return chain.from_iterable(part() for part in parts)


def markdown(table: pd.DataFrame) -> str:
    """The table in Markdown, a part a kind of work."""
    lines = [f"{', '.join(table['on'].unique())}; torch {torch.__version__}, {os.cpu_count()} cores."]
    for what, (size, rate, rival) in UNITS.items():
        lines += [
            "",
            f"| {what} | how | on | {size} | {rate} | ratio to {rival} | memory [MB] |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in table[table["what"] == what].to_dict("records"):
            memory = row.get("memory")
            kept = "" if memory is None or pd.isna(memory) else f"{memory:.0f}"
            cells = [
                row["case"],
                row["how"],
                row["device"],
                f"{row['size']:,}",
                f"{row['rate']:.3g}",
                f"{row['ratio']:.2f}",
                kept,
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _named(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else f"CPU ({platform.machine()})"
