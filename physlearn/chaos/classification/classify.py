"""Classify orbits as regular or chaotic, and estimate the chaotic fraction at an energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from math import sqrt

import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.chaos.classification.classes import CLASSES, Classification
from physlearn.chaos.classification.follow import check_threshold, classify_rollout, planar
from physlearn.chaos.resolution import Resolution, resolve
from physlearn.chaos.rollout import Rollout, check_length
from physlearn.flow import FlowLike
from systems import InputError, System
from systems.autograd_mode import unrecorded
from systems.deprecation import keyword_only
from systems.floats import takes_arrays

# Alignment index that regular orbits do not reach. Orbits that stick to islands take longer to reach a lower value. At a time
# of 3000, this threshold separates Henon-Heiles orbits in the same way as their exponents do at 0.003.
THRESHOLD = 1e-4
NOT_TAKEN = 1e18  # most steps of a flow in a plane, whose class is known without them


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

    An orbit is chaotic if its deviation vectors align and grow exponentially while the orbit keeps returning, and if this
    growth lasts and clearly exceeds its error. In detail, at some time

    * the smaller alignment index (see `sali`) is below the threshold;
    * within a window, the last half, third, quarter or eighth of the time so far, a deviation vector grows by the square root
      of 1/threshold (by 20 if the window is a half) beyond the growth of the orbit's own extent, with at least a quarter of
      this growth, as a logarithm, in each half of the window;
    * from the part before the window to its last half, the least and the greatest length of the vector both grow by at least
      0.4 of this growth;
    * in each of these three parts, a coordinate along which the vector points reverses its motion twice.

    With a Hamiltonian, the exponent must also exceed twice its standard error at that time. Without one, the orbit may still
    be on its way to an attractor, so it is followed to the end of the time. It is chaotic if the exponent over the whole time
    exceeds twice its standard error, and if the rate in the last quarter of the time is at least a quarter of the exponent.
    It is regular if its vector never grows by a factor of 20 in the second half of the time, and undecided otherwise.

    The power-law growth on regular orbits is slower, and the growth during a transient or near a saddle does not last. A
    transient that takes more than about four fifths of the time cannot be distinguished from chaos. Each coordinate of a
    deviation vector is measured in units of the orbit's own spread.

    An orbit is undecided if the energy error exceeds 0.003 of the largest ``|p dq/dt|`` even with steps of ``dt / 8`` (without
    a Hamiltonian: if a step and two half steps differ by more than 0.003 of the spread), or if the deviation vectors grow, but
    not for long enough or not while the orbit keeps returning. All other orbits are regular within the given time; orbits
    that stick to islands may need a longer time to show chaos. Orbits of an autonomous flow with one or two coordinates
    cannot be chaotic and are not followed. Orbits that do not move are not followed either: they are regular if the flow is
    known to be autonomous, as a system is, and undecided for a plain function, which may depend on time.

    Parameters
    ----------
    flow
        A system, a trained model or Forecaster, or a function ``f(t, z)``.
    z0 : shape ``(..., D)``
        Initial states. Compiled code follows states in float32 in float64; torch does not, and rounding then keeps the
        index above 1e-6.
    time
        Longest time for which orbits are followed; by default 1000 time scales of the flow (1/rate of its fastest linear
        motion, rounded to 1, 2 or 5 times a power of ten).
    dt
        Step; by default 0.05 time scales. Orbits that are not resolved by this step are integrated with steps of ``dt / 8``.
    threshold
        Value of the smaller alignment index below which an orbit may be chaotic.
    seed
        Random seed for the deviation vectors.
    method
        An explicit integrator, as in `lyapunov_exponents`.

    Returns
    -------
    Classification
        The class of each orbit, with the quantities that it is based on.

    Raises
    ------
    InputError
        For invalid arguments.

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
    rollout = Rollout.of(flow, z0, time, dt, method, most=NOT_TAKEN)
    if not planar(rollout):
        check_length(rollout.time, rollout.dt)
    check_threshold(threshold, rollout.z.dtype)
    found = classify_rollout(rollout, Resolution.unknown(rollout) if planar(rollout) else resolve(rollout), threshold, seed)
    return rollout.rounded(shaped(found, rollout.batch))


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
    """Return which orbits are chaotic according to `classify`.

    The result is False for regular, undecided and escaped orbits; `classify` distinguishes them.

    Parameters
    ----------
    flow, z0, time, dt, threshold, seed, method
        As in `classify`.

    Returns
    -------
    Tensor, shape ``(...)``
        True for chaotic orbits.

    Raises
    ------
    InputError
        For invalid arguments.
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

    where N is the number of orbits that are regular or chaotic. Undecided and escaped orbits do not enter the fraction, which
    is NaN if there are no others.

    Parameters
    ----------
    system
        The system from which n states per energy are drawn, by ``system.sample(n, seed=seed, energy=energy)``.
    energies
        Energies, at least one.
    n
        Number of orbits per energy.
    seed
        Random seed for the initial states and the deviation vectors.
    time
        Time for which orbits are followed; by default 3000 time scales of the flow (see `classify`). Some chaotic orbits stick
        to islands for thousands of time scales.
    dt
        Step; by default 0.1 time scales.
    threshold
        As in `classify`.
    flow
        The flow that moves the states; defaults to the system itself. Pass a trained model to see how much of the chaos it
        has learned.
    method
        As in `classify`.

    Returns
    -------
    DataFrame
        One row per energy: energy, fraction, error, chaotic, undecided, escaped and n.

    Raises
    ------
    InputError
        For invalid arguments.
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
    """Reshape the classification of a flattened batch to the batch's own shape."""
    tensors = {f.name: getattr(found, f.name).reshape(batch) for f in fields(found) if f.name != "time"}
    return replace(found, **tensors)
