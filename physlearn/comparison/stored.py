"""Checks of the files of a comparison: tables of limited size with the expected columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype
from pyarrow import parquet

from physlearn import schema
from systems import InputError

LARGEST = 50_000_000  # cells of a table: 400 MB; a thousand networks of each of twenty variants have a million
LONGEST = 100_000_000  # bytes of a manifest, which may hold the settings of many learned activations
WHOLE = ("meta_seed", "replicate", "step")
FORMAT = 2  # of a manifest; one that does not state it has format 1, in which version 0.1.0 wrote no checksums
OWN = "manifest"  # the name of its own checksum among those of the tables


def manifest(path: Path) -> dict[str, Any]:
    """Return the contents of a manifest that has the entries of a comparison. Raises InputError for anything else."""
    if path.stat().st_size > LONGEST:
        raise InputError(f"{path} has more than {LONGEST} bytes, which is too many for a manifest")
    content = schema.mapped(json.loads(path.read_text()), "manifest")
    if (newer := schema.whole(content.get("format", 1), "format", 1, 10**9)) > FORMAT:
        raise InputError(f"{path} has format {newer}, but this version of physlearn reads {FORMAT}; update physlearn")
    settings = schema.mapped(content["settings"], "settings")
    schema.name(settings["task"], "task")
    schema.text(content["title"], "title")
    schema.text(content["reference"], "reference")
    schema.number(content["seconds"], "seconds")
    training = schema.mapped(settings["training"], "training")
    for name, value in (("epochs", training["epochs"]), ("batch_size", training["batch_size"])):
        schema.whole(value, name, 1, 10**12)
    schema.whole(settings["replicates"], "replicates", 1, 10**9)
    if settings["rates"] is not None:
        schema.listed(settings["rates"], "rates")
        schema.whole(settings["tuning_replicates"], "tuning_replicates", 1, 10**9)
    return content


def table(path: Path, needed: Sequence[str]) -> pd.DataFrame:
    """Return a table that has the needed columns, all numeric except ``variant``. Raises InputError for anything else."""
    with open(path, "rb") as opened:
        file = parquet.ParquetFile(opened)
        cells = file.metadata.num_rows * max(file.metadata.num_columns, 1)
        if not 0 < cells <= LARGEST:
            raise InputError(f"{path} has {cells} cells, but the table of a comparison has 1 to {LARGEST}")
        frame = file.read().to_pandas()
    schema.names([str(column) for column in frame.columns], f"columns of {path.name}")
    if missing := [name for name in needed if name not in frame]:
        raise InputError(f"{path} has no column {missing[0]}, but needs {', '.join(needed)}")
    for name in frame:
        _check_column(frame[name], f"{path}, column {name}")
    return frame


def check(content: Mapping[str, Any], results: pd.DataFrame, curves: pd.DataFrame) -> None:
    """Raise InputError if the parts do not belong to one comparison."""
    variants = set(results["variant"])
    if content["reference"] not in variants:
        raise InputError(f"its reference {content['reference']!r} is not one of its variants, {', '.join(sorted(variants))}")
    if other := set(curves["variant"]) - variants:
        raise InputError(f"its learning curves contain {min(other)!r}, which is not one of its variants")


def _check_column(column: pd.Series, what: str) -> None:
    if column.name == "variant":
        for value in column.unique():
            if not schema.text(value, what):
                raise InputError(f"{what} contains a variant without a name")
    elif column.name in WHOLE:
        if not is_integer_dtype(column):
            raise InputError(f"{what} must contain whole numbers")
    elif column.name == "diverged":
        if not is_bool_dtype(column):
            raise InputError(f"{what} must contain booleans")
    elif not is_numeric_dtype(column) or is_bool_dtype(column) or column.dtype.kind == "c":
        raise InputError(f"{what} must contain numbers")


def checksum(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def sealed(content: Mapping[str, Any], tables: Mapping[str, str]) -> str:
    """Return the text of a manifest with the checksums of the tables and of all that it says itself."""
    plain = json.loads(json.dumps(content, default=str, allow_nan=False))
    return json.dumps({**plain, "sha256": {**tables, OWN: _digest(plain)}}, indent=1) + "\n"


def check_seals(content: Mapping[str, Any], folder: Path, tables: Collection[str]) -> None:
    """Raise InputError unless a manifest and the tables beside it have their checksums."""
    found = schema.mapped(content.get("sha256", {}), "checksums")
    current = content.get("format", 1) == FORMAT
    if set(found) != {*tables, OWN} and (current or set(found) not in (set(), set(tables))):
        raise InputError(f"the manifest needs checksums of itself and of {' and '.join(tables)}; run the comparison again")
    told = {key: value for key, value in content.items() if key != "sha256"}
    if OWN in found and found[OWN] != _digest(told):
        raise InputError("the manifest was changed after it was written; run the comparison again")
    if changed := [name for name in tables if name in found and checksum(folder / name) != found[name]]:
        raise InputError(f"{folder / changed[0]} does not belong to the manifest beside it; run the comparison again")


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def seals(manifest: Path) -> dict[str, str]:
    """Return the checksums in a manifest, or none if it does not exist or comes from an older version."""
    return dict(json.loads(manifest.read_text()).get("sha256", {})) if manifest.is_file() else {}
