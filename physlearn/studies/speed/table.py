"""The table of a machine's speed."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm.auto import tqdm

from physlearn.forecasting.environment import environment
from physlearn.forecasting.files import writable
from physlearn.jobs.lock import alone_in
from physlearn.jobs.store import Store, Values, name_of
from physlearn.source import digest_of_source
from physlearn.studies.speed import (
    adaptive_orbits,
    chaos_indicators,
    fixed_steps,
    inner_loops,
    meta_gradient,
    orbits,
    replicates,
    rollouts,
    training_steps,
)
from physlearn.studies.speed.beside import OURS, PEERS, on_one_core, versions
from physlearn.studies.speed.inner_loops import TASKS
from physlearn.studies.speed.replicates import ONE_BY_ONE
from systems.atomic import atomically

Row = dict[str, Any]
UNITS = {  # units of sizes and throughputs
    "training": ("networks", "network-steps / s"),
    "evolution": ("networks", "network-steps / s"),
    "meta-gradient": ("inner steps", "inner steps / s"),
    "orbits": ("orbits", "orbit-steps / s"),
    "adaptive orbits": ("orbits", "time units / s"),
    "fixed steps": ("orbits", "orbit-steps / s"),
    "chaos indicators": ("orbits", "time units / s"),
    "roll-outs": ("orbits", "orbit-steps / s"),
    "training steps": ("batch", "steps / s"),
}
BESIDE = (
    "adaptive orbits",
    "fixed steps",
    "chaos indicators",
    "roll-outs",
    "training steps",
)  # compared with other packages, not devices


def measure(out: Path, device: str = "cpu", *, quick: bool = False, progress: bool = True) -> pd.DataFrame:
    """Measure the speed of the CPU, and of another device for comparison; and orbits and training beside other packages.

    Other packages are those of the extra ``bench``. One that is not installed is left out, and the table says so.

    The rows of each kind of work are measured in one go and stored in the folder ``speed-rows``, from which a run that was
    stopped resumes. A run that was finished is not repeated: to measure again, use another folder. Rows from other devices,
    other versions of torch and of the other packages, or other code are not used.

    Parameters
    ----------
    out : Path
        The folder. Receives ``speed.csv``, after each kind of work, and ``speed.md``.
    device : str, default 'cpu'
        The device to compare with the CPU.
    quick : bool, default False
        Whether to measure only the smallest sizes, to check that everything works.
    progress : bool, default True
        Whether to show a progress bar.

    Returns
    -------
    DataFrame
        One row per measurement, with the columns what, case, how, device, on (name of the device), size (number of networks,
        inner steps, orbits or samples per step), throughput (steps or time units per second of all together), ratio (to one
        by one on the CPU, to the CPU at the same size, or to physlearn), memory (of a meta-gradient, in MB), and error (of
        orbits and losses beside other packages; see the modules of `physlearn.studies.speed`).
    """
    devices = ["cpu"] if torch.device(device).type == "cpu" else ["cpu", device]
    with alone_in(writable(out)):
        return _measured(out / "speed.csv", devices, quick, progress)


def _measured(file: Path, devices: Sequence[str], quick: bool, progress: bool) -> pd.DataFrame:
    """Measure what the store does not contain yet, and write the rows of each kind of work as they come."""
    store = Store(file.with_name("speed-rows"), Values())
    machine = {device: _named(device) for device in devices} | {"cores": os.cpu_count(), "torch": torch.__version__}
    peers = versions()
    rows: list[Row] = []
    bar = tqdm(_parts(devices, quick).items(), "measuring", disable=not progress, unit="part")
    for what, part in bar:

        def measure(part: Callable[[], Iterator[Row]] = part) -> dict[str, Any]:
            return {"rows": [{**row, "on": _named(row["device"])} for row in part()]}

        known: dict[str, Any] = {"code": digest_of_source(), "machine": machine, "what": what, "quick": quick}
        known |= {"peers": peers} if what in BESIDE else {}
        name = name_of(known, what.replace(" ", "-"), ".json")
        rows += store.get(name, environment(), measure)["rows"]
        with atomically(file) as temporary:
            pd.DataFrame(rows).to_csv(temporary, index=False)
    table = pd.DataFrame(rows)
    with atomically(file.with_suffix(".md")) as temporary:
        temporary.write_text(markdown(table) + "\n")
    return table


def _parts(devices: Sequence[str], quick: bool) -> dict[str, Callable[[], Iterator[Row]]]:
    """Return what measures each kind of work."""
    sizes = (1, 10) if quick else (1, 10, 100, 1_000, 10_000)
    pools = (4,) if quick else (48, 480, 4_800)
    depths = (10,) if quick else (100, 400, 1_600)
    return {
        "training": lambda: replicates.rows(devices, sizes, 2 if quick else 20),
        "evolution": lambda: inner_loops.rows(devices, pools, 5 if quick else 50),
        "meta-gradient": lambda: meta_gradient.rows(devices, depths, 2 if quick else 16, TASKS[: 1 if quick else None]),
        "orbits": lambda: orbits.rows(devices, sizes if quick else (*sizes, 100_000)),
        "adaptive orbits": lambda: on_one_core(adaptive_orbits.rows, quick),
        "fixed steps": lambda: on_one_core(fixed_steps.rows, quick),
        "chaos indicators": lambda: on_one_core(chaos_indicators.rows, quick),
        "roll-outs": lambda: on_one_core(rollouts.rows, quick),
        "training steps": lambda: on_one_core(training_steps.rows, quick),
    }


def markdown(table: pd.DataFrame) -> str:
    """Return the table in Markdown: one part per kind of work, one row per size, and one column per device or package.

    Parameters
    ----------
    table : DataFrame
        The table from `measure`.

    Returns
    -------
    str
        The text.
    """
    table = table.rename(columns={"rate": "throughput"})  # as tables of version 0.1.0 have it
    lines = [f"{', '.join(table['on'].unique())}; torch {torch.__version__}, {os.cpu_count()} cores."]
    if set(BESIDE) & set(table["what"]):
        lines += ["", _installed()]
    for what, part in table.groupby("what", sort=False):
        size, unit = UNITS[str(what)]
        across = "how" if what in BESIDE else "device"
        columns = [str(column) for column in part[across].unique()]
        if what in BESIDE:
            heads = [f"{what!s}: {unit} (relative to {OURS})", size, *columns]
        else:
            rival = "one by one" if what == "training" else "the CPU"
            heads = [str(what), size, *(f"{device}: {unit} (relative to {rival})" for device in columns)]
        lines += ["", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        for (case, how, number), rows in part.groupby(
            ["case", part["how"].where(part["how"] == ONE_BY_ONE, ""), "size"], sort=False
        ):
            by_column = rows.set_index(across)
            cells = [_cell(by_column.loc[column]) if column in by_column.index else "" for column in columns]
            lines.append(f"| {' | '.join([f'{case}, {how}' if how else str(case), f'{number:,}', *cells])} |")
    return "\n".join(lines)


def tables(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return one table per kind of work, by its name and the unit of its throughput, with one row per measurement."""
    return {
        f"{what} [{UNITS[str(what)][1]}]": part.drop(columns=["what", "on"]).dropna(axis=1, how="all").set_index("case")
        for what, part in table.groupby("what", sort=False)
    }


def _installed() -> str:
    found = versions()
    missing = [name for name in PEERS if name not in found]
    told = f"Other packages: {', '.join(f'{name} {number}' for name, number in found.items()) or 'none'}"
    return f"{told}; not installed: {', '.join(missing)}." if missing else f"{told}."


def _cell(row: Any) -> str:
    if pd.isna(row["throughput"]):
        return "not installed"
    memory = "" if pd.isna(row["memory"]) else f", {row['memory']:.0f} MB"
    error = f", error {row['error']:.0e}" if row.get("error", 0) > 0 else ""
    ratio = f"{row['ratio']:.2f}" if row["ratio"] >= 0.01 else f"{row['ratio']:.1g}"
    return f"{row['throughput']:,.0f} ({ratio}){memory}{error}"


def _named(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else f"CPU ({platform.machine()})"
