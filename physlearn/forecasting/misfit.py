"""A warning about trained models that fit their data badly."""

from __future__ import annotations

import warnings

import pandas as pd

from physlearn.training.flow_fit import last_horizon
from systems import AccuracyWarning

UNEXPLAINED = 0.5  # part of the square of the motion between measured states
WORTHLESS = 10.0  # relative to the loss of a constant rate; untrained models have 1 to 9


def warn_of_misfit(name: str, history: pd.DataFrame, *, of_states: bool = False) -> None:
    """Warn if the trained weights fit the data far worse than a constant rate, or explain little of the measured motion.

    Parameters
    ----------
    name
        Name of the model.
    history
        History of a weighted training, one row per epoch; the loss of a constant rate is 1. With a column ``validation``, the
        weights with its smallest value are kept, otherwise the last ones. With a column ``horizon``, only rows of the last
        horizon count.
    of_states
        Whether it is the history of a loss of states, in which a state that stays where it is has 1.

    Warns
    -----
    AccuracyWarning
        If the training loss of that epoch is above 10, or above 0.5 for a loss of states.
    """
    history = last_horizon(history)
    kept = int(history["validation"].argmin()) if "validation" in history else -1
    loss = float(history["training"].iloc[kept])
    if of_states:
        if loss > UNEXPLAINED:
            warnings.warn(
                f"the trained model {name} leaves {loss:.0%} of the motion between measured states unexplained: a "
                "coordinate or an input that determines the motion may be missing, or the noise may be as large as the "
                "motion; give more coordinates, or states that are further apart",
                AccuracyWarning,
                stacklevel=3,
            )
    elif loss > WORTHLESS:
        warnings.warn(
            f"the trained model {name} has a training loss of {loss:.3g}, where a constant rate has 1, so its forecasts are "
            "useless: a momentum may not be mass times velocity, the motion may not have a Hamiltonian of this kind, or there "
            "may be too few epochs; check the data, use another model, or train longer",
            AccuracyWarning,
            stacklevel=3,
        )
