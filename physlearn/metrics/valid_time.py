"""Valid prediction time: how long a forecast stays near the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.metrics.match import common_periods, differences
from physlearn.metrics.measured import of_what_was_measured
from physlearn.metrics.spread import relative, resolution, spreads
from systems import InputError, Orbit, System
from systems.floats import takes_arrays
from systems.states import numbers

Scale = Mapping[str, float] | Sequence[float] | Float[Tensor, " D"]


@takes_arrays("horizon")
@of_what_was_measured()
def valid_prediction_time(
    forecast: Orbit,
    truth: Orbit,
    threshold: float = 0.4,
    *,
    horizon: Float[Tensor, "*batch"] | float | None = None,
    scale: Scale | None = None,
) -> Float[Tensor, "*batch"]:
    r"""Return the time from the start until the error of the forecast first exceeds the threshold.

    .. math:: e(t) = \sqrt{\frac1D \sum_i \left(\frac{\hat z_i(t) \ominus z_i(t)}{s_i}\right)^2} > \epsilon, \qquad
        s_i^2 = \min_c \, \langle (z_i \ominus c)^2 \rangle_t

    Each coordinate is measured in units of its own standard deviation :math:`s_i` along the true orbit, so that neither its
    unit nor its origin matters. The difference of two angles is the shortest one, modulo the period that either orbit
    declares. A constant forecast of the true mean has an average error of 1, and another orbit of the same kind has an error
    of about :math:`\sqrt 2`. If the coordinates have zero mean and the same spread,
    :math:`e = \|\hat z - z\| / \sqrt{\langle \|z\|^2 \rangle}`.

    A coordinate that is constant along the truth (to rounding) has no spread. It is measured in units of the root mean square
    of the other spreads, and is not counted in D. If the units differ, give its size in ``scale``. If the true orbit is at
    rest, a forecast is valid only to within rounding.

    Parameters
    ----------
    forecast, truth : shape ``(..., T, D)``
        Orbits at the same times, which may differ from orbit to orbit. States of the forecast that are not finite exceed the
        threshold. NaN in the truth was not measured, and does not count.
    threshold
        The tolerated error :math:`\epsilon`; defaults to 0.4.
    horizon
        Upper bound of the valid time, for each orbit or for all: the time up to which the truth itself is known.
    scale
        Sizes :math:`s_i` that replace the standard deviations: D numbers, or a mapping from some of the coordinates' names.

    Returns
    -------
    Tensor, shape ``(...)``
        Times in the unit of t. If the error never exceeds the threshold, the result is the length of the orbit, which is a
        lower bound.

    Raises
    ------
    InputError
        If the orbits do not match, or if the threshold or a scale is not positive.

    Notes
    -----
    Use it as the main number for forecasts of single orbits. On chaotic orbits, convert it by `lyapunov_times`; after it,
    compare statistics by `marginals` and `spectrum`.

    Examples
    --------
    >>> t = torch.linspace(0, 10, 11)
    >>> truth = Orbit(t, torch.tensor([1.0, -1.0]).repeat(6)[:11, None] + 100)
    >>> valid_prediction_time(Orbit(t, truth.z + 0.1 * t[:, None]), truth, threshold=0.45)
    tensor(5.)
    """
    if not threshold > 0:
        raise InputError(f"threshold must be positive, not {threshold}")
    within = distance(forecast, truth, scale=scale) <= threshold
    valid = (truth.t - truth.t[0]).abs()[_first(~within)]
    return valid if horizon is None else valid.minimum(torch.as_tensor(horizon).to(valid))


def distance(forecast: Orbit, truth: Orbit, *, scale: Scale | None = None) -> Float[Tensor, "*batch T"]:
    r"""Return the error e(t) that `valid_prediction_time` compares with its threshold.

    .. math:: e(t) = \sqrt{\frac1D \sum_i \left(\frac{\hat z_i(t) \ominus z_i(t)}{s_i}\right)^2}

    Parameters
    ----------
    forecast, truth, scale
        As in `valid_prediction_time`, which also defines the error.

    Returns
    -------
    Tensor, shape ``(..., T)``
        Errors in float64; infinite where the forecast is not finite.

    Raises
    ------
    InputError
        If the orbits do not match, or if a scale is not positive.

    Notes
    -----
    Use it to draw how a forecast departs from the truth; `valid_prediction_time` reduces this curve to one number.

    Examples
    --------
    >>> t = torch.linspace(0, 6.28, 101)
    >>> truth = Orbit(t, torch.stack([t.cos() + 5, -1e-9 * t.sin()], -1))
    >>> mean = Orbit(t, torch.tensor([5.0, 0.0]).expand(101, 2))
    >>> print(f"{distance(mean, truth).square().mean().sqrt():.2f}")
    1.00
    """
    difference = differences(forecast, truth)
    size = spreads(truth, common_periods(forecast, truth))
    if scale is not None:
        size = _declared(scale, truth, size)
    moving = size > 0
    count = moving.sum(-1, keepdim=True).clamp(min=1)
    largest = size.amax(-1, keepdim=True)
    unit = largest.where(largest > 0, 1.0)
    common = unit * ((size / unit).square().sum(-1, keepdim=True) / count).sqrt()
    errors = relative(difference, size.where(moving, common), resolution(truth))
    return errors.norm(dim=-1) / count.sqrt()


def _declared(scale: Scale, truth: Orbit, size: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
    """Replace the standard deviations by the sizes given in scale; raise InputError if these are invalid."""
    if not isinstance(scale, Mapping):
        values = numbers(scale, "the sizes in scale").reshape(-1).tolist()
        if len(values) != truth.dim:
            raise InputError(f"scale holds {len(values)} sizes, but there are {truth.dim} coordinates; give one for each")
        scale = dict(zip(truth.coordinates, values, strict=True))
    size = size.clone()
    for name, value in scale.items():
        if not (isinstance(value, Real) and 0 < value < torch.inf):
            raise InputError(f"the scale of {name} must be a positive number, not {value!r}")
        size[..., truth.index(name)] = value
    return size


def _first(off: Tensor) -> Tensor:
    """Return the index of the first True on the last axis, or of the last element if there is none."""
    return torch.where(off.any(-1), off.to(torch.uint8).argmax(-1), off.shape[-1] - 1)


@takes_arrays("z0", "t")
def truth_horizon(
    system: System, z0: Float[Tensor, "*batch D"], t: Float[Tensor, " T"], *, threshold: float = 0.01
) -> Float[Tensor, "*batch"]:
    r"""Return the time until two solvers with tight tolerances, DOP853 and LSODA, disagree by more than the threshold.

    .. math:: t_h = \min \{\, t : e(t) > \epsilon \,\}

    The disagreement is the error of `valid_prediction_time`, in units of the orbit's spread. On a chaotic orbit rounding
    errors grow exponentially, so that a valid prediction time beyond this horizon is meaningless.

    Parameters
    ----------
    system
        The system to integrate.
    z0 : shape ``(..., D)``
        States at ``t[0]``.
    t : shape ``(T,)``
        Times at which the solvers are compared.
    threshold
        Tolerated disagreement; defaults to 0.01.

    Returns
    -------
    Tensor, shape ``(...)``
        Horizons in the unit of t; the whole length of t if the solvers agree throughout.

    Raises
    ------
    InputError, IntegrationError
        As ``system.orbit`` does.

    Notes
    -----
    Use it before comparing forecasts of chaotic orbits, and pass it as the ``horizon`` of `valid_prediction_time`.

    Examples
    --------
    >>> import systems, torch
    >>> truth_horizon(systems.get("pendulum"), torch.tensor([1.0, 0.0]), torch.linspace(0, 10, 11))
    tensor(10., dtype=torch.float64)
    """
    first, second = (system.orbit(z0.cpu(), t.cpu(), method=method) for method in ("DOP853", "LSODA"))
    return valid_prediction_time(second, first, threshold)


@takes_arrays("valid", "exponent")
def lyapunov_times(
    valid: Float[Tensor, "*batch"], exponent: Float[Tensor, "*batch"], chaotic: Bool[Tensor, "*batch"] | None = None
) -> Float[Tensor, "*batch"]:
    r"""Convert valid prediction times to units of the Lyapunov time :math:`1/\lambda`.

    .. math:: \tau = \lambda\, t

    Parameters
    ----------
    valid : shape ``(...)``
        Times, as from `valid_prediction_time`.
    exponent
        Largest Lyapunov exponents of the true orbits [1 / time], one per orbit or one for all.
    chaotic : shape ``(...)``
        Which orbits are chaotic; defaults to those with a positive exponent. Over a finite time the exponent of a regular
        orbit is positive too, and falls only as ln(T)/T, so pass the result of an alignment index if orbits may be regular.

    Returns
    -------
    Tensor, shape ``(...)``
        Numbers of Lyapunov times; NaN for orbits that are not chaotic.

    Raises
    ------
    InputError
        If the shape of ``chaotic`` is not that of the times.

    Notes
    -----
    Use it for chaotic orbits, to compare forecasts of systems with different time scales.

    Examples
    --------
    >>> lyapunov_times(torch.tensor([50.0, 50.0]), torch.tensor([0.04, 0.0]))
    tensor([2., nan])
    """
    valid = torch.as_tensor(valid)
    exponent = torch.as_tensor(exponent).to(valid)
    chaotic = exponent > 0 if chaotic is None else torch.as_tensor(chaotic, device=valid.device)
    times = valid * exponent
    if chaotic.shape != exponent.shape and chaotic.shape != times.shape:
        raise InputError(f"chaotic must have the shape {tuple(times.shape)} of the times, not {tuple(chaotic.shape)}")
    return times.masked_fill(~chaotic.expand_as(times), torch.nan)
