"""Warn of a training that ends far from its data."""

from __future__ import annotations

import warnings

import pandas as pd

from systems import AccuracyWarning

WORTHLESS = 10.0  # times the loss of a constant rate: with new weights, models begin at 1 to 9


def warn_of_misfit(name: str, history: pd.DataFrame) -> None:
    """Warn where the weights that a training keeps do far worse than a constant rate.

    Parameters
    ----------
    name
        Name of the model.
    history
        One row per epoch, of a weighted training: its loss is 1 for the mean of the rates. With a column ``validation``, the
        weights of its smallest value are kept, otherwise the last ones.

    Warns
    -----
    AccuracyWarning
        If the training loss of that epoch is above 10.
    """
    kept = int(history["validation"].argmin()) if "validation" in history else -1
    loss = float(history["training"].iloc[kept])
    if loss > WORTHLESS:
        warnings.warn(
            f"the trained model {name} has a training loss of {loss:.3g}, where a constant rate has 1, so that its forecasts "
            "are worthless: a momentum may not be mass times velocity, the motion may not have a Hamiltonian of this kind, or "
            "epochs may be too few; check the data, take another model, or train longer",
            AccuracyWarning,
            stacklevel=3,
        )
