"""The choice of a model by how well it forecasts validation orbits."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from tqdm.auto import tqdm

from physlearn import models
from physlearn.forecasting.contender import DISSIPATIVE, LINEUP
from physlearn.forecasting.smoothed import Measured
from physlearn.models.options import suited
from physlearn.training import split_time
from systems import InputError, IntegrationError, Orbit

if TYPE_CHECKING:
    from physlearn.forecasting.forecaster import Forecaster

HELD = 0.2  # part of the orbits, or of the only one, that is held out if there are no validation orbits
FAILED = 10.0  # error, in spreads of the true orbit, at which errors are cut off


def choose_best(
    template: Forecaster, orbits: Orbit | Sequence[Orbit], validation: Orbit | Sequence[Orbit] | None, how: Mapping[str, Any]
) -> tuple[Forecaster, pd.DataFrame]:
    """Train every model of the line-up that applies, and return the best one, with a table of all.

    The best has the largest score, to two digits; among equals, it has the smallest error.

    Parameters
    ----------
    template
        Forecaster with the settings of all.
    orbits, validation
        Training and validation orbits. Without the latter, a fifth of the orbits is held out, or the end of the only one.
    how
        Settings of `Forecaster.fit`.

    Returns
    -------
    forecaster, table
        The table has one row per model, the best first: ``score`` (`Forecaster.score`), ``error`` (median over the orbits of
        the error of the forecast in units of the spread of the true orbit), ``seconds`` of the training, and ``failure``, why
        a model could not be trained.

    Raises
    ------
    InputError
        If no model can be trained.
    """
    if validation is None:
        orbits, validation = _held_out(orbits)
    states = len(template.channels.runs(orbits)[0].coordinates)
    found: dict[str, Forecaster] = {}
    rows = []
    names = [name for name in line_up() if states % 2 == 0 or not models.find(name).needs_momenta()]
    for name in tqdm(names, disable=not how["progress"], desc="models", leave=False):
        start, row = time.perf_counter(), {"model": name, "score": 0.0, "error": torch.inf, "failure": ""}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the best is chosen; how bad the others are does not matter
                forecaster = _configured(template, name).fit(orbits, validation, **how)
                row |= judged(forecaster, validation)
            found[name] = forecaster
        except (InputError, IntegrationError) as error:
            row["failure"] = str(error)
        rows.append(row | {"seconds": time.perf_counter() - start})
    if not found:
        raise InputError(f"no model could be trained; the model {rows[0]['model']} said: {rows[0]['failure']}")
    table = pd.DataFrame(rows).set_index("model")[["score", "error", "seconds", "failure"]]
    order = sorted(table.index, key=lambda name: (name not in found, -round(table.score[name], 2), table.error[name]))
    return found[order[0]], table.loc[order]


def line_up() -> list[str]:
    """Return the names of the models that are compared."""
    return list(dict.fromkeys(contender.model for contender in (*LINEUP, *DISSIPATIVE)))


def _configured(template: Forecaster, name: str) -> Forecaster:
    """Return a new forecaster of a model with the settings of the template that it has."""
    found: Forecaster = type(template)(**suited(name, template.get_params() | {"model": name}))
    return found


def judged(forecaster: Forecaster, validation: Orbit | Sequence[Orbit]) -> dict[str, float]:
    """Return the mean score of a forecaster on validation orbits, and the median error of its forecasts."""
    parts, errors = zip(*forecaster.forecast_each(validation), strict=True)
    off = torch.stack(errors).double().nan_to_num(nan=FAILED).clamp(max=FAILED)
    return {"score": float(torch.stack(parts).double().mean()), "error": float(off.median())}


def _held_out(orbits: Orbit | Sequence[Orbit]) -> tuple[Sequence[Orbit], Sequence[Orbit]]:
    """Return training orbits, and validation orbits from the same runs."""
    runs = [one for orbit in Measured.of(orbits).orbits for one in orbit.separate()]
    if len(runs) == 1:
        return tuple(split_time(runs[0], [1 - HELD, HELD]))  # type: ignore[return-value]
    last = len(runs) - max(1, round(HELD * len(runs)))
    return runs[:last], runs[last:]
