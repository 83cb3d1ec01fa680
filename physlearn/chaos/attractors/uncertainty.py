"""The uncertainty exponent: how well the outcome of an orbit can be foretold from its initial state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.attractors.long_run import UNDECIDED
from systems import InputError
from systems.brief import Brief
from systems.floats import takes_arrays

FEWEST = 3  # distances, and uncertain states at each of two of them
SWEEPS = 100  # most steps of Fisher's scoring
CERTAIN = 1 - 1e-9  # a probability that is fitted stays below one


@dataclass(frozen=True, repr=False)
class UncertaintyExponent(Brief):
    """The exponent alpha of f = c epsilon^alpha, the fraction f of states that are uncertain at the distance epsilon.

    Parameters
    ----------
    value
        The exponent. The boundary has the dimension D - alpha in a space of D dimensions.
    error
        Its standard error, from the numbers of uncertain states, and enlarged if the fractions scatter by more.
    table
        One row per distance: ``epsilon``, the number of ``states`` and of those that are ``uncertain``, their ``fraction``,
        the ``fit``, and the number of states that were ``left_out`` because a label was undecided.
    """

    value: float
    error: float
    table: pd.DataFrame


@takes_arrays("z0")
def uncertainty_exponent(
    label: Callable[[Tensor], Tensor],
    z0: Float[Tensor, "n D"],
    distances: Sequence[float],
    *,
    coordinate: int = 0,
) -> UncertaintyExponent:
    r"""Estimate the uncertainty exponent of the boundary between basins.

    .. math:: f(\varepsilon) \propto \varepsilon^\alpha, \qquad \alpha = D - d

    A state is uncertain if the states at the distance epsilon on either side of it have another label. A smooth boundary has
    the exponent 1. For a fractal boundary of dimension d it is smaller, so that a better known initial state improves the
    forecast but little. The initial states are divided among the distances, which makes their fractions independent. The
    exponent is fitted by maximum likelihood.

    Parameters
    ----------
    label
        Function that returns a whole number for each of some states ``(m, D)``. It is called once with all states, as in
        ``lambda z: basins(flow, z, time).label``.
    z0 : shape ``(n, D)``
        Random states in the region of interest.
    distances
        Distances epsilon, at least three.
    coordinate
        Index of the coordinate that is displaced.

    Returns
    -------
    UncertaintyExponent
        The exponent, its standard error, and the fractions.

    Raises
    ------
    InputError
        For invalid arguments, or if fewer than two distances have three uncertain states.

    References
    ----------
    Grebogi, McDonald, Ott, Yorke, Phys. Lett. A 99, 415 (1983).

    Examples
    --------
    >>> from systems.sampling import box
    >>> found = uncertainty_exponent(lambda z: z[:, 0] > 0.3, box(9000, [(0.0, 1.0)], seed=0), [0.01, 0.03, 0.1])
    >>> abs(found.value - 1) < 3 * found.error
    True
    """
    z0 = torch.as_tensor(z0)
    if z0.ndim != 2 or not len(z0):
        raise InputError(f"initial states must have shape (n, D), not {tuple(z0.shape)}")
    epsilon = np.asarray(distances, dtype=float)
    if epsilon.ndim != 1 or len(np.unique(epsilon)) < FEWEST or not ((epsilon > 0) & np.isfinite(epsilon)).all():
        raise InputError(f"distances must be at least {FEWEST} different positive numbers, not {distances!r}")
    if not 0 <= coordinate < z0.shape[1]:
        raise InputError(f"coordinate must be an index from 0 to {z0.shape[1] - 1}, not {coordinate}")
    own = torch.from_numpy(epsilon)[torch.arange(len(z0)) % len(epsilon)].to(z0)
    displaced = z0.repeat(3, 1, 1)
    displaced[1, :, coordinate] += own
    displaced[2, :, coordinate] -= own
    labels = torch.as_tensor(label(displaced.flatten(0, 1)))
    if labels.shape != (3 * len(z0),):
        raise InputError(f"label must return one number per state, shape ({3 * len(z0)},), not {tuple(labels.shape)}")
    labels = labels.reshape(3, -1).cpu()
    uncertain = (labels[1:] != labels[0]).any(0)
    known = (labels != UNDECIDED).all(0) if labels.dtype != torch.bool else torch.ones_like(uncertain)
    rows = []
    for number, distance in enumerate(epsilon):
        some = torch.arange(len(z0)) % len(epsilon) == number
        n, k = int((some & known).sum()), int((some & known & uncertain).sum())
        rows.append({"epsilon": distance, "states": n, "uncertain": k, "left_out": int((some & ~known).sum())})
    table = pd.DataFrame(rows).sort_values("epsilon", ignore_index=True)
    counts, totals = table["uncertain"].to_numpy(), table["states"].to_numpy()
    if (counts >= FEWEST).sum() < 2 or not totals.all():
        raise InputError(
            f"there are {counts.tolist()} uncertain states at the distances {table['epsilon'].tolist()}, which are too few "
            "for an exponent; give more initial states or larger distances"
        )
    value, constant, error = _fit(np.log(table["epsilon"].to_numpy()), counts, totals)
    fit = np.minimum(np.exp(constant + value * np.log(table["epsilon"])), 1.0)
    return UncertaintyExponent(value, error, table.assign(fraction=counts / totals, fit=fit))


def _fit(x: np.ndarray, counts: np.ndarray, totals: np.ndarray) -> tuple[float, float, float]:
    """Fit binomial counts of probability exp(c + alpha x) by Fisher's scoring; return alpha, c and the error of alpha."""
    design = np.stack([x, np.ones_like(x)], axis=1)
    solution = np.linalg.lstsq(design, np.log((counts + 0.5) / (totals + 1)), rcond=None)[0]
    for _ in range(SWEEPS):
        p = np.minimum(np.exp(design @ solution), CERTAIN)
        weight = totals * p / (1 - p)
        information = design.T @ (weight[:, None] * design)
        step = np.linalg.solve(information, design.T @ ((counts - totals * p) / (1 - p)))
        solution = solution + step * min(1.0, 1.0 / (np.abs(step).max() or inf))
        if np.abs(step).max() < 1e-12:
            break
    scatter = float(((counts - totals * p) ** 2 / (totals * p * (1 - p))).sum()) / max(1, len(x) - 2)
    return float(solution[0]), float(solution[1]), sqrt(np.linalg.inv(information)[0, 0] * max(1.0, scatter))
