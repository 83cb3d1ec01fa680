"""Conversion of orbits from and to tables of pandas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from systems.errors import InputError
from systems.joined_orbits import check_joinable
from systems.orbit_attributes import attributes_of, told_by
from systems.recording.csv_columns import RUNS, listed, name_and_unit
from systems.recording.moments import TIME_OF_DAY, seconds_of
from systems.recording.restarts import restarts
from systems.recording.runs import Run, joined, tensor
from systems.states import check_times

if TYPE_CHECKING:
    from systems.orbit_file import Content

TIMES = ("t", "time", "timestamp", "datetime", "date", "seconds")
UNITS_OF_TIME = ("s", "ms", "us", "µs", "ns", "min", "h", "d")  # the only column with such a unit has the times
LONG = ("coordinate", "variable"), "value"  # the columns of a long table besides those of times and runs
RATE = "d_"  # what precedes the name of a coordinate in the name of its rate


def content(data: Any, t: Any, coordinates: Sequence[str] | None, rate: Any, run: str | None) -> dict[str, Any]:
    """Return the parts of an orbit from a table, several tables, or columns by name; see `systems.Orbit.of`."""
    if isinstance(data, Mapping) and all(hasattr(value, "columns") for value in data.values()) and data:
        data = list(data.values())
    data = list(map(_table, data)) if isinstance(data, list | tuple) else _table(data)
    tables = [data] if isinstance(data, pd.DataFrame) else data
    if isinstance(t, list | tuple) and len(t) == len(tables) and not isinstance(data, pd.DataFrame):
        times = list(t)
    else:
        times = [t] * len(tables)
    runs: list[Run] = []
    found: list[tuple[tuple[str, ...], dict[str, str]]] = []
    several = not isinstance(data, pd.DataFrame)
    for table, own in zip(tables, times, strict=True):
        parts, names, units, grouped = _runs(table, own, coordinates, rate, run)
        runs += parts
        several = several or grouped
        found.append((names, units))
    if any(one[0] != found[0][0] for one in found):
        other = next(names for names, _ in found if names != found[0][0])
        raise InputError(f"all tables must have the same coordinates, not {listed(found[0][0])} and {listed(other)}")
    if any(one[1] != found[0][1] for one in found):
        raise InputError(f"all tables must have the same units, not {[units for _, units in found]}")
    if not runs:
        raise InputError("the table has no rows; give at least one")
    names, units = found[0]
    own = [its["provenance"] for table in tables if (its := told_by(table.attrs))]
    check_joinable(own)
    told: dict[str, Any] = {"coordinates": names, "units": units}  # not the periods, which may be out of date
    if own:
        told["provenance"] = own[0]
    if several:
        return {**joined(runs), **told}
    return {"t": runs[0].t, "z": runs[0].z, "rate": runs[0].rate, **told}


def frame_of(orbit: Content) -> pd.DataFrame:
    """Return an orbit as a table; see `systems.Orbit.to_pandas`."""
    _check_names(orbit)
    tables = []
    batch = orbit.z.shape[:-2]
    names = [(f"{name} [{orbit.units[name]}]" if name in orbit.units else name) for name in ("t", *orbit.coordinates)]
    times = orbit.t.expand(orbit.z.shape[:-1]).reshape(-1, orbit.z.shape[-2])
    flat = [None if x is None else x.detach().cpu().double().reshape(-1, *x.shape[-2:]).numpy() for x in (orbit.z, orbit.rate)]
    z, rate = flat
    assert z is not None
    for number in range(len(z)):
        columns = {names[0]: times[number].detach().cpu().double().numpy()}
        columns |= {name: z[number, :, i] for i, name in enumerate(names[1:])}
        if rate is not None:
            columns |= {RATE + name: rate[number, :, i] for i, name in enumerate(orbit.coordinates)}
        measured = ~np.isnan(z[number]).all(axis=-1)
        tables.append(pd.DataFrame(columns)[measured])
        if batch:
            tables[-1].insert(0, "run", number)
    if tables:
        table = pd.concat(tables, ignore_index=True)
    else:
        table = pd.DataFrame(columns=["run", *names, *([] if rate is None else [RATE + name for name in orbit.coordinates])])
    table.attrs = dict(attributes_of(orbit))
    return table


def _check_names(orbit: Content) -> None:
    """Raise InputError for names of coordinates that would have another purpose in a table, such as ``t``."""
    rates = {RATE + name for name in orbit.coordinates}
    usual = {"t", *RUNS, *rates, *(LONG[0] if LONG[1] in orbit.coordinates else ())}
    for name in orbit.coordinates:
        if name in rates or name.lower() in usual or name_and_unit(name) != (name, ""):
            raise InputError(
                f"a column {name!r} would not be read as a coordinate, because names such as t, run, d_NAME and NAME [UNIT] "
                "have another purpose in a table; rename the coordinate"
            )


def _table(data: Any) -> pd.DataFrame:
    """Return columns by name, or a series, as a table, with a column for each level of an index of several."""
    if isinstance(data, Mapping):
        return _of_columns(data)
    if isinstance(data, pd.Series):
        data = data.to_frame("z0" if data.name is None else data.name)
    if data.columns.nlevels > 1:
        raise InputError(
            "the columns of the table have names of several levels; give each a single name, such as by table.columns = [...]"
        )
    return data.reset_index() if data.index.nlevels > 1 and None not in data.index.names else data


def _of_columns(data: Mapping[str, Any]) -> pd.DataFrame:
    columns = {
        name: np.asarray(values.detach().cpu() if hasattr(values, "detach") else values) for name, values in data.items()
    }
    lengths = {name: values.shape for name, values in columns.items()}
    if len(set(lengths.values())) > 1 or any(len(shape) != 1 for shape in lengths.values()):
        raise InputError(f"columns must be lists of one length, but their shapes are {lengths}")
    return pd.DataFrame(columns)


def _array(values: Any) -> np.ndarray:
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def _runs(
    table: pd.DataFrame, t: Any, coordinates: Sequence[str] | None, rate: Any, run: str | None
) -> tuple[list[Run], tuple[str, ...], dict[str, str], bool]:
    """Return the runs of a table, the names and units of its coordinates, and whether a column tells runs apart."""
    split = {column: name_and_unit(str(column)) for column in table.columns}
    units = {name: unit for name, unit in split.values() if unit}
    table = table.rename(columns={column: name for column, (name, _) in split.items()})
    if table.columns.has_duplicates:
        raise InputError(f"the table has several columns named {table.columns[table.columns.duplicated()][0]!r}; rename one")
    table, time, dated = _with_times(table, t, units)
    group = _column(table, run, RUNS, "run")
    if group is not None and run is None and group in (coordinates or ()):
        group = None
    table = _widened(table, time, group, units)
    names = _coordinates(table, coordinates, {time, group}, rate)
    rates = _rates(table, names, rate)
    if time != "t" and time in units:
        units["t"] = units.pop(time)
    if dated:
        units["t"] = "s"
    units = {name: unit for name, unit in units.items() if name in (*names, "t")}
    if group is None:
        parts = [table.iloc[rows] for rows in restarts(table[time].to_numpy())]
    else:
        parts = [part for _, part in table.groupby(group, sort=False, dropna=False)]
    return [_run(part, time, names, rates) for part in parts if len(part)], names, units, group is not None or len(parts) > 1


def _run(table: pd.DataFrame, time: str, names: Sequence[str], rates: Sequence[str] | None) -> Run:
    t = tensor(table[time].to_numpy())
    if (lost := t.isnan()).any():
        raise InputError(f"row {int(lost.nonzero()[0]) + 1} of a run has no time; leave it out, or give its time")
    try:
        check_times(t)
    except InputError as error:
        raise InputError(
            f"the column {time!r}: {error}; sort the rows, keep one of several with the same time, or name the column that "
            "tells runs apart by run"
        ) from error
    z = tensor(table[list(names)].to_numpy(dtype=np.float64, na_value=np.nan))
    return Run(t, z, None if rates is None else tensor(table[list(rates)].to_numpy(dtype=np.float64, na_value=np.nan)))


def _with_times(table: pd.DataFrame, t: Any, units: Mapping[str, str]) -> tuple[pd.DataFrame, str, bool]:
    """Return the table with a column of times as numbers, its name, and whether they were dates, which become seconds."""
    if t is not None and not isinstance(t, str):
        values = _array(t)
        if values.shape != (len(table),):
            raise InputError(f"a table of {len(table)} rows needs as many times, not an array of shape {values.shape}")
        table, time = table.assign(t=values), "t"
    else:
        named = table.index.name is not None or not isinstance(table.index, pd.RangeIndex)
        found = _column(table, t, TIMES, "t") if t is not None else _usual_times(table, units)
        if found is None and named and (pd.api.types.is_any_real_numeric_dtype(table.index) or _dated(table.index)):
            table, found = table.assign(t=table.index.to_numpy()), "t"
        if found is None:
            raise InputError(
                f"the table has no column of times among {listed(map(str, table.columns))}; give the "
                "name of the column that has the times"
            )
        time = found
    column = table[time]
    if _dated(column):
        first = column.iloc[0] if len(column) else None
        moved = pd.to_timedelta(column if pd.api.types.is_timedelta64_dtype(column) else column - first)
        return table.assign(**{time: moved.to_numpy() / np.timedelta64(1, "s")}), time, True
    if not pd.api.types.is_any_real_numeric_dtype(column):
        texts = [str(value) for value in column]
        day = next((str(name) for name in table.columns if str(name).lower() == "date" and name != time), None)
        if day is not None and all(TIME_OF_DAY.fullmatch(text.strip()) for text in texts):
            texts = [f"{date} {text}" for date, text in zip(table[day], texts, strict=True)]
            table = table.drop(columns=day)
        return table.assign(**{time: seconds_of(texts, time)}), time, True
    return table.assign(**{time: column.to_numpy(dtype=np.float64, na_value=np.nan)}), time, False


def _usual_times(table: pd.DataFrame, units: Mapping[str, str]) -> str | None:
    """Return the column of times: the one with a usual name, or else the only one in a unit of time, or else T."""
    if (exact := next((name for name in TIMES if name in table.columns), None)) is not None:
        return exact
    compatible = table[[name for name in table.columns if units.get(str(name), "s") in UNITS_OF_TIME]]
    if (found := _column(compatible, None, TIMES[1:], "t")) is not None:
        return found
    timed = [name for name, unit in units.items() if unit in UNITS_OF_TIME and name in table.columns]
    return timed[0] if len(timed) == 1 else _column(compatible, None, TIMES[:1], "t")


def _dated(values: Any) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_timedelta64_dtype(values))


def _column(table: pd.DataFrame, given: str | None, usual: Sequence[str], what: str) -> str | None:
    """Return the column of that name, or one with a usual name, whatever its case."""
    if given is not None:
        given = given if given in table.columns else name_and_unit(given)[0]
        if given not in table.columns:
            raise InputError(f"{what}={given!r} names no column of the table, which has {listed(map(str, table.columns))}")
        return given
    return next((str(name) for wanted in usual for name in table.columns if str(name).lower() == wanted), None)


def _widened(table: pd.DataFrame, time: str, group: str | None, units: dict[str, str]) -> pd.DataFrame:
    """Return a long table, which has one row per coordinate and time, as a wide one, and add the units in its names."""
    names, value = LONG
    label = next((name for name in names if name in table.columns), None)
    if label is None or value not in table.columns:
        return table
    if table[label].isna().any():
        raise InputError(f"a row of the column {label!r} does not name a coordinate; name it, or leave the row out")
    split = {name: name_and_unit(str(name)) for name in table[label].unique()}
    units |= {name: unit for name, unit in split.values() if unit}
    table = table.assign(**{label: table[label].map({old: name for old, (name, _) in split.items()})})
    index = [time] if group is None else [group, time]
    if taken := [name for name, _ in split.values() if name in index]:
        raise InputError(f"the column {label!r} names a coordinate {taken[0]!r}, like the column of another kind; rename it")
    if (twice := table.duplicated([*index, label])).any():
        row = table[twice].iloc[0]
        raise InputError(f"the table has two values of {row[label]!r} at the time {row[time]:g}; keep one of them")
    order = list(dict.fromkeys(table[label]))
    return table.pivot(index=index, columns=label, values=value)[order].reset_index()


def _coordinates(table: pd.DataFrame, given: Sequence[str] | None, others: set[str | None], rate: Any) -> tuple[str, ...]:
    rates = rate if isinstance(rate, list | tuple) and all(isinstance(name, str) for name in rate) else ()
    left = [str(name) for name in table.columns if name not in {*others, *rates}]
    usual = {RATE + name for name in left}
    names = [name for name in left if name not in usual] if given is None else list(map(str, given))
    if missing := [name for name in names if name not in table.columns]:
        raise InputError(f"the table has no column {missing[0]!r}, only {listed(map(str, table.columns))}")
    if not names:
        raise InputError("the table has no column besides that of times; give at least one coordinate")
    for name in names:
        if not pd.api.types.is_any_real_numeric_dtype(table[name]):
            wrong = next((value for value in table[name] if not isinstance(value, Real)), table[name].dtype)
            raise InputError(
                f"the column {name!r} contains {wrong!r:.40} instead of numbers; convert it, or select the coordinates"
            )
    return tuple(names)


def _rates(table: pd.DataFrame, names: Sequence[str], rate: Any) -> list[str] | None:
    if rate is None:
        usual = [RATE + name for name in names]
        return usual if all(name in table.columns for name in usual) else None
    if isinstance(rate, str) or not all(isinstance(name, str) for name in rate) or len(rate) != len(names):
        raise InputError(f"rate must name one column for each of the coordinates {listed(names)}, not {rate!r:.80}")
    if missing := [name for name in rate if name not in table.columns]:
        raise InputError(f"the table has no column {missing[0]!r}, only {listed(map(str, table.columns))}")
    return list(rate)
