"""Frequency map analysis: the frequencies of quasi-periodic orbits, and how they drift on chaotic ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite, pi

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.resolution import resolve
from physlearn.chaos.rollout import Rollout
from physlearn.chaos.signals.spectral_lines import Lines, fundamental
from physlearn.flow import FlowLike
from physlearn.metrics.match import evenly_spaced
from systems import InputError, Orbit
from systems.autograd_mode import unrecorded
from systems.floats import takes_arrays
from systems.scalars import whole
from systems.size import check_memory

FEWEST = 32  # values of a signal
EVERY = 4  # steps between two values of a signal
POWER = 2  # of the window; the error due to distant lines falls as the sixth power of the time
LEAST = 1e-16  # change of a frequency that rounding allows
FAINT = 1e-8  # amplitude of a degree of freedom, relative to the largest, that does not count

Coordinates = str | int | tuple[str | int, str | int]


def frequencies(
    signal: Orbit | Tensor | np.ndarray | Sequence[complex],
    n: int = 5,
    *,
    t: Tensor | np.ndarray | Sequence[float] | None = None,
    coordinate: Coordinates | None = None,
    window: int = POWER,
) -> pd.DataFrame:
    r"""Decompose quasi-periodic signals into lines by Laskar's numerical analysis of fundamental frequencies.

    .. math:: f(t) = \sum_k a_k\, e^{i (\omega_k t + \varphi_k)}

    The largest line of the signal, weighted by the Hann window to a power p, is located to rounding and removed, and so on.
    The lines are then refined together until they no longer change, each without the others. The error due to lines that are
    not found falls with the duration T as T^-(2p+2), where those of a Fourier transform have an error of 1/T.

    Parameters
    ----------
    signal
        An orbit, or an array ``(..., T)`` of real or complex numbers. For one degree of freedom, q + i p is suitable; its main
        frequency is negative, because q + i p turns clockwise.
    n
        Largest number of lines of each signal.
    t : shape ``(T,)``, optional
        Times of an array, which must be equally spaced up to rounding. Orbits have their own. Seconds since the epoch can be
        used, but the phases at t = 0, so long before, are then lost; subtract the first time to get them there.
    coordinate
        Name or index of the coordinate of an orbit, or a pair of these for a complex signal. An orbit with two coordinates has
        the pair as its default, and an orbit with one coordinate that one.
    window
        Power p of the Hann window, from 1 to 10. A higher power reduces the error due to distant lines, but two lines must be
        farther apart, by about p + 1 turns over the whole time.

    Returns
    -------
    DataFrame
        One row per line, largest first: ``orbit`` (index in the flattened batch, if there is one), ``frequency`` [radian /
        time], ``amplitude`` and ``phase`` [radian] at t = 0. A real signal is the sum of its ``amplitude cos(frequency t +
        phase)``, with frequencies of at least 0. There are fewer than n lines if the others are below rounding, or if a line
        is closer than 2 pi / T to another one, as in chaotic signals.

    Raises
    ------
    InputError
        If times are uneven, if values are not finite or too few, or for invalid arguments.

    References
    ----------
    Laskar, Physica D 67, 257 (1993); Laskar, in *Hamiltonian Systems with Three or More Degrees of Freedom* (1999), p. 134.

    Examples
    --------
    >>> t = np.arange(1000) * 0.1
    >>> found = frequencies(np.exp(1j * t) + 0.3 * np.exp(-2.5j * t), n=2, t=t)
    >>> found.round(9)
       frequency  amplitude  phase
    0        1.0        1.0    0.0
    1       -2.5        0.3   -0.0
    """
    n, window = whole("n", n), whole("window", window)
    if n < 1:
        raise InputError(f"n must be at least 1, not {n}")
    if not 1 <= window <= 10:
        raise InputError(f"window must be a power from 1 to 10, not {window}")
    values, times = _of_orbit(signal, coordinate, t) if isinstance(signal, Orbit) else _of_array(signal, coordinate, t)
    dt = _step(times)
    if not np.isfinite(values).all():
        raise InputError("the signal must be finite, but some values are NaN or infinite; cut the orbit before them")
    middle = (times[0] + times[-1]) / 2
    tables = []
    for number, one in enumerate(values.reshape(-1, len(times))):
        lines = Lines(one, dt, window)
        if np.abs(one).max() > 0:
            lines.find(n)
        found = np.array(lines.frequencies)
        doubled = np.where(found > 0, 2.0, 1.0) if lines.real else 1.0
        size = np.abs(lines.amplitudes) * doubled
        phase = (np.angle(lines.amplitudes) - found * middle + pi) % (2 * pi) - pi
        order = np.argsort(-size, kind="stable")
        table = pd.DataFrame({"frequency": found[order], "amplitude": size[order], "phase": phase[order]})
        if values.ndim > 1:
            table.insert(0, "orbit", number)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


@takes_arrays("z0")
@unrecorded
def frequency_drift(
    flow: FlowLike,
    z0: Float[Tensor, "*batch D"],
    time: float,
    *,
    dt: float | None = None,
    method: str | None = None,
) -> Float[Tensor, "*batch"]:
    r"""Compute how much the fundamental frequencies change from the first to the second half of the time.

    .. math:: \log_{10} \max_i \left| 1 - \omega_i^{(2)} / \omega_i^{(1)} \right|

    The frequency of a degree of freedom is that of the largest line of q + i p beside its mean, with both in units of the
    orbit's spread; of exp(i q) for an angle that rotates; and of each coordinate if the flow has no Hamiltonian. On a regular
    orbit the index is limited by the accuracy of the analysis: it falls with time, to between -5 and -12 after some hundred
    periods. On a chaotic orbit the frequencies drift, and the index stays between -4 and 0.

    Parameters
    ----------
    flow, z0
        As in `megno`.
    time
        Total time, of both halves; it should contain many periods.
    dt, method
        As in `megno`.

    Returns
    -------
    Tensor, shape ``(...)``
        The index, at least -16; NaN for orbits that escape.

    Raises
    ------
    InputError
        For invalid arguments, if the time is too short, or if the orbits do not fit in memory.

    Warns
    -----
    UserWarning
        If some orbits are not resolved even with the smaller steps.

    References
    ----------
    Laskar, Icarus 88, 266 (1990); Laskar, Physica D 67, 257 (1993).

    Examples
    --------
    >>> import systems
    >>> swing = systems.get("pendulum")
    >>> bool(frequency_drift(swing, torch.tensor([1.0, 0.0]).double(), time=200.0) < -6)
    True
    """
    rollout = Rollout.of(flow, z0, time, dt, method)
    count = rollout.steps // (2 * EVERY)
    if count < FEWEST:
        raise InputError(f"time {time:g} has only {count} values in each half, but {FEWEST} are needed; choose a longer time")
    n, dim = rollout.z.shape
    check_memory(6.0 * n * dim * 2 * count, f"{n} orbits of {2 * count} states")
    resolution = resolve(rollout)
    found = torch.full((n,), torch.nan, dtype=torch.float64)
    for rows, group in resolution.groups(rollout):
        if not len(rows):
            continue
        stride = EVERY * group.steps // rollout.steps
        sampled = replace(group, dt=group.dt * stride, steps=2 * count)
        path = sampled.path(group.z, 0, 2 * count - 1, parts=stride).transpose(0, 1).double().cpu().numpy()
        scale = resolution.scale[rows].double().cpu().numpy()
        drifts = [_drift(states, size, group, sampled.dt) for states, size in zip(path, scale, strict=True)]
        found[rows.cpu()] = torch.tensor(drifts, dtype=torch.float64)
    resolution.warn(rollout, "their frequencies may be artefacts of the integrator")
    return rollout.rounded(found.to(rollout.z).reshape(rollout.batch))


def _drift(states: np.ndarray, scale: np.ndarray, rollout: Rollout, dt: float) -> float:
    """Return the index of one orbit, whose states ``(T, D)`` are dt apart."""
    if not np.isfinite(states).all():
        return np.nan
    half = len(states) // 2
    changes = []
    for signal in _signals(states, scale, rollout):
        first, size = fundamental(signal[:half], dt, POWER)
        second, _ = fundamental(signal[half:], dt, POWER, near=first)
        changes.append((size, abs(second - first) / abs(first) if first else 0.0))
    largest = max(size for size, _ in changes)
    return float(np.log10(max(LEAST, *(change for size, change in changes if size >= FAINT * largest))))


def _signals(states: np.ndarray, scale: np.ndarray, rollout: Rollout) -> list[np.ndarray]:
    """Return the signals of each degree of freedom of an orbit."""
    turning = rollout.turning
    dim = states.shape[1]
    paired = rollout.flow.hamiltonian is not None and dim % 2 == 0
    signals = []
    for i in range(dim // 2 if paired else dim):
        if isfinite(turning[i]) and abs(states[-1, i] - states[0, i]) > turning[i]:
            signals.append(np.exp(2j * pi * states[:, i] / turning[i]))
        elif paired:
            signals.append(states[:, i] / scale[i] + 1j * states[:, i + dim // 2] / scale[i + dim // 2])
        else:
            signals.append(states[:, i] / scale[i])
    return signals


def _of_orbit(orbit: Orbit, coordinate: Coordinates | None, t: object) -> tuple[np.ndarray, np.ndarray]:
    """Return the signals of orbits and their times."""
    if t is not None:
        raise InputError("an orbit has its own times; leave t out")
    if coordinate is None:
        if orbit.dim > 2:
            names = ", ".join(orbit.coordinates)
            raise InputError(f"name a coordinate of {names}, or a pair of position and momentum for a complex signal")
        coordinate = (0, 1) if orbit.dim == 2 else 0
    chosen = coordinate if isinstance(coordinate, tuple) else (coordinate,)
    if len(chosen) > 2:
        raise InputError(f"coordinate must be one coordinate or a pair, not {coordinate!r}")
    z = orbit.z.detach().double().cpu().numpy()
    parts = []
    for one in chosen:
        values, name = z[..., orbit.index(one)], orbit.coordinates[orbit.index(one)]
        turn = orbit.periods.get(name)
        if turn is not None and (np.abs(values[..., -1] - values[..., 0]) > turn).any():
            raise InputError(f"the angle {name} rotates, so it has no lines; pass exp(i {name}) as an array with its times")
        parts.append(values)
    return parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1], orbit.t.double().cpu().numpy()


def _of_array(signal: object, coordinate: Coordinates | None, t: object) -> tuple[np.ndarray, np.ndarray]:
    """Return signals and their times as arrays."""
    if coordinate is not None:
        raise InputError("coordinate applies to orbits; an array is the signal itself")
    if t is None:
        raise InputError("an array needs its times; give t")
    try:
        values, times = (np.asarray(x.detach().cpu() if isinstance(x, Tensor) else x) for x in (signal, t))
        values = values.astype(complex if np.iscomplexobj(values) else float)
        times = times.astype(float)
    except (TypeError, ValueError) as error:
        raise InputError(f"the signal and its times must be arrays of numbers ({error})") from error
    if times.ndim != 1 or values.ndim < 1 or values.shape[-1] != len(times):
        raise InputError(
            f"the signal has shape {values.shape} and the times {times.shape}; their last axes must be equally long"
        )
    return values, times


def _step(times: np.ndarray) -> float:
    """Return the step of equally spaced times."""
    if len(times) < FEWEST:
        raise InputError(f"a signal needs at least {FEWEST} values to be analysed, not {len(times)}")
    dt = float(times[-1] - times[0]) / (len(times) - 1)
    if not (np.isfinite(times).all() and dt > 0 and evenly_spaced(torch.tensor(times))):
        raise InputError(
            "frequencies need equally spaced, increasing times; integrate the orbit at equal steps, with times in float64"
        )
    return dt
