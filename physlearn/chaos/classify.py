"""Which orbits are chaotic, and how many of an energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from math import sqrt

import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.chaos.classes import CLASSES, Classification
from physlearn.chaos.follow import check_threshold, classify_rollout, planar
from physlearn.chaos.resolution import Resolution, resolve
from physlearn.chaos.rollout import Rollout
from physlearn.flow import FlowLike
from systems import InputError, System
from systems.autograd_mode import unrecorded
from systems.deprecation import keyword_only
from systems.floats import takes_arrays

# Of the alignment index, to which regular orbits do not fall: a lower one takes longer to be reached by orbits that stick to
# islands. At 3000 units of time it divides Henon-Heiles orbits as their exponents do, at 0.003.
THRESHOLD = 1e-4


@keyword_only("dt", "threshold")
@takes_arrays("z0")
@unrecorded
def classify(
    flow: FlowLike,
    z0: Float[Tensor, "*batch D"],
    time: float | None = None,
    *,
    dt: float | None = None,
    threshold: float = THRESHOLD,
    seed: int = 0,
    method: str | None = None,
) -> Classification:
    """Classify orbits as regular, chaotic, undecided or escaped.

    An orbit is chaotic where its deviations align and grow exponentially while it keeps coming back: where the smallest
    alignment index falls below the threshold, while a deviation grows by the square root of 1/threshold, or by 20 over half,
    within the last half, third, quarter or eighth of the time so far, in either half of which it grows by at least a quarter
    of that (as a logarithm), and beyond the growth of the orbit's own extent. Its least and its greatest length have to grow
    by 0.4 of that, too, from the part before this window to its last half, and in each part a coordinate that the deviation
    lies along has to turn round twice. A power of the time, as on regular orbits, grows by less; the growth of a transient,
    or at the passage of a saddle, does not go on.
    Deviations are measured in units of the orbit's own spread, coordinate by coordinate.

    It is undecided where the figures do not allow a verdict: the energy errs by more than 0.003 of the largest
    ``|p dq/dt|`` even in steps of an eighth (without a Hamiltonian: a step and two half steps differ by more than 0.003 of the
    spread), or the deviations grow, but not for long enough or not while the orbit keeps coming back. All other orbits are
    regular as far as the time shows; those that stick to islands for long need a longer one. An autonomous flow of one or two
    coordinates has no chaos, and is not followed; neither is an orbit that stands still (regular if the flow is known to be
    autonomous, as a system is, and undecided for a plain function, which may depend on time).

    Parameters
    ----------
    flow
        A system, a trained model or Forecaster, or a function ``f(t, z)``.
    z0 : shape ``(..., D)``
        Initial states, best in float64: in float32 rounding keeps the index above 1e-6.
    time
        How long orbits are followed at most; by default 1000 time scales of the flow (1/rate of its fastest linear motion,
        rounded to 1, 2 or 5 times a power of ten).
    dt
        Step; by default 0.05 time scales. Orbits that it does not resolve are followed in steps of an eighth.
    threshold
        Of the smallest alignment index.
    seed
        Random seed of the deviations.
    method
        As of `lyapunov_exponents`.

    Returns
    -------
    Classification
        The class of each orbit with the figures behind it.

    Raises
    ------
    InputError
        For wrong arguments.

    References
    ----------
    Skokos, J. Phys. A 34, 10029 (2001), for the index.

    Examples
    --------
    >>> import systems
    >>> pendulum = systems.get("pendulum")
    >>> classify(pendulum, pendulum.sample(3, seed=0)).counts()
    {'regular': 3, 'chaotic': 0, 'undecided': 0, 'escaped': 0}
    """
    rollout = Rollout.of(flow, z0, time, dt, method)
    check_threshold(threshold, rollout.z.dtype)
    found = classify_rollout(rollout, Resolution.unknown(rollout) if planar(rollout) else resolve(rollout), threshold, seed)
    return shaped(found, rollout.batch)


@keyword_only("dt", "threshold")
def is_chaotic(
    flow: FlowLike,
    z0: Float[Tensor, "*batch D"],
    time: float | None = None,
    *,
    dt: float | None = None,
    threshold: float = THRESHOLD,
    seed: int = 0,
    method: str | None = None,
) -> Bool[Tensor, "*batch"]:
    """Tell which orbits are established to be chaotic, by `classify` with the same arguments.

    False stands for orbits that are regular, undecided or escaped: `classify` tells them apart.

    Returns
    -------
    Tensor, shape ``(...)``
        True for chaotic orbits.

    Raises
    ------
    InputError
        For wrong arguments.
    """
    return classify(flow, z0, time, dt=dt, threshold=threshold, seed=seed, method=method).chaotic


@unrecorded
def chaotic_fraction(
    system: System,
    energies: Sequence[float],
    n: int = 100,
    *,
    seed: int = 0,
    time: float | None = None,
    dt: float | None = None,
    threshold: float = THRESHOLD,
    flow: FlowLike | None = None,
    method: str | None = None,
) -> pd.DataFrame:
    r"""Estimate the fraction of chaotic orbits at each energy.

    .. math:: \sigma = \sqrt{f (1 - f) / N}

    with N the orbits that are regular or chaotic: the others are left out of the fraction, which is NaN where all are.

    Parameters
    ----------
    system
        Draws n states of each energy, ``system.sample(n, seed=seed, energy=energy)``.
    energies
        At least one.
    n
        Number of orbits per energy.
    time
        How long orbits are followed; by default 3000 time scales of the flow (see `classify`). Some orbits stick to
        islands for thousands of them before they show that they are chaotic.
    dt
        Step; by default 0.1 time scales.
    flow
        What moves the states, the system itself by default; a trained model, to see how much of the chaos it has learned.
    threshold, seed, method
        As of `classify`.

    Returns
    -------
    DataFrame
        One row per energy: energy, fraction, error, chaotic, undecided, escaped and n.

    Raises
    ------
    InputError
        For wrong arguments.
    """
    energies = [float(energy) for energy in energies]
    if not energies:
        raise InputError("chaotic_fraction needs at least one energy")
    z0 = torch.cat([system.sample(n, seed=seed, energy=energy) for energy in energies])  # type: ignore[call-arg]
    rollout = Rollout.of(system if flow is None else flow, z0, time, dt, method, scales=3000.0, step=0.1)
    check_threshold(threshold, rollout.z.dtype)
    found = classify_rollout(rollout, resolve(rollout), threshold, seed)
    rows = []
    for energy, codes in zip(energies, found.code.split(n), strict=True):
        counts = {name: int((codes == number).sum()) for number, name in enumerate(CLASSES)}
        known = counts["regular"] + counts["chaotic"]
        fraction = counts["chaotic"] / known if known else float("nan")
        error = sqrt(fraction * (1 - fraction) / known) if known else float("nan")
        told = {name: counts[name] for name in ("chaotic", "undecided", "escaped")}
        rows.append({"energy": energy, "fraction": fraction, "error": error, **told, "n": n})
    return pd.DataFrame(rows)


def shaped(found: Classification, batch: torch.Size) -> Classification:
    """The classification of a flat batch, in its own shape."""
    tensors = {f.name: getattr(found, f.name).reshape(batch) for f in fields(found) if f.name != "time"}
    return replace(found, **tensors)
