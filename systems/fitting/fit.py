"""Fit the parameters of a system to measured orbits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from systems.autograd_mode import unrecorded
from systems.data_like import Data
from systems.errors import InputError, IntegrationError
from systems.fitting.attempts import from_rates, problem, shot
from systems.fitting.data import check_pauses, measured, runs_of
from systems.fitting.least_squares import Covariance, covariance
from systems.fitting.outcome import result
from systems.fitting.result import Fit
from systems.fitting.unknowns import unknowns
from systems.scalars import whole
from systems.system import System

Method = Literal["shooting", "derivative", "weak"]


@unrecorded
def fit(
    system: System,
    orbits: Data,
    parameters: Sequence[str] | str | None = None,
    *,
    method: Method = "shooting",
    noise: float | Mapping[str, float] | None = None,
    initial: Literal["free", "measured"] = "free",
    each: Sequence[str] | str = (),
    bounds: Mapping[str, tuple[float, float]] | None = None,
    segments: int | None = None,
) -> Fit:
    r"""Fit parameters of a system to measured orbits, with standard errors.

    The default method, multiple shooting, minimises

    .. math:: \sum_{\text{runs}} \sum_{j, i} \frac{(z_i(t_j; z_0, \theta) - \hat z_{ij})^2}{\sigma_i^2}

    over the parameters theta and the initial state z_0 of each run, where :math:`\hat z_{ij}` are the measured values. An
    orbit is divided into segments with initial states of their own, whose jumps weigh more and more until the segments join.
    Long and chaotic orbits therefore converge, and a start far away rarely ends at a wrong minimum. Derivatives are exact:
    the sensitivity equations are integrated with the orbit. A first guess comes from smoothed rates, so that the parameters
    of ``system`` need not be near. Coordinates that were never measured are found together with the parameters.

    Parameters
    ----------
    system : System
        The system, a dataclass. Its parameters are where the search begins, if the guess from rates fails.
    orbits : Orbit or data
        Measured orbits, or what ``Orbit.of`` takes: runs of any lengths, at any times, with NaN for values that were not
        measured. Coordinates are found by name; some may be missing. Angles count modulo their period. Runs without any
        measured value are left out.
    parameters : sequence of str, optional
        Names of the parameters to fit. Defaults to all that are declared as ``float``.
    method : {"shooting", "derivative", "weak"}, default "shooting"
        ``"shooting"`` compares orbits with the data, which makes the best use of them. ``"derivative"`` compares the field
        with smoothed rates, and ``"weak"`` its integrals with test functions; both are fast, but noise in the states biases
        them, which their errors do not include. Their fitted orbits begin anew, from a smoothed state, in each segment.
    noise : float or mapping of str to float, optional
        Standard deviation of the noise of all measured coordinates, or of each. By default, it is estimated for each
        coordinate from the residuals.
    initial : {"free", "measured"}, default "free"
        Whether the initial states are fitted, or equal to the first measured states, taken as exact.
    each : sequence of str, optional
        Parameters with a value of their own in each run, which are called ``name[0]``, ``name[1]`` and so on. Others are
        common to all runs.
    bounds : mapping of str to (float, float), optional
        Lowest and highest value of parameters.
    segments : int, optional
        Number of segments of each run; 1 is ordinary shooting. By default, a segment lasts about a third of an oscillation.

    Returns
    -------
    Fit
        Fitted system, parameters, standard errors, noise, orbits and residuals. The errors hold for independent normal noise.
        A parameter that the data do not determine has an infinite error.

    Warns
    -----
    AccuracyWarning
        If parameters are not determined, if the fit does not converge, if a parameter ends at a bound, or if the residuals are
        not white noise. It is one warning with all figures.

    Raises
    ------
    InputError
        If names or settings are unknown, if the data do not fit the system, if there are not more measured values than
        unknowns, or if the provenance of the runs names several systems, or several values of a parameter that is not in
        ``each``.
    IntegrationError
        If orbits cannot be computed from any guess.

    References
    ----------
    Bock, *Recent advances in parameter identification techniques for O.D.E.*, in Deuflhard and Hairer (eds.), Numerical
    Treatment of Inverse Problems in Differential and Integral Equations, Birkhäuser (1983).
    Ramsay and Hooker, *Dynamic Data Analysis*, Springer (2017), chapters 6 to 8.

    Examples
    --------
    >>> import systems, torch
    >>> t = torch.linspace(0, 20, 201, dtype=torch.float64)
    >>> truth = systems.get("van-der-pol", mu=1.5).orbit([1.0, 0.0], t)
    >>> noise = 0.05 * torch.randn(201, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    >>> x = systems.Orbit(t, (truth.z[:, 0] + noise).unsqueeze(-1), coordinates=("x",))  # v was not measured
    >>> found = systems.fit(systems.get("van-der-pol"), x)
    >>> print(found)
    van-der-pol: mu = 1.49682 +- 0.0033 (noise: x 0.05)
    """
    if not isinstance(system, System):
        raise InputError(
            f"a fit needs a system with parameters, not {system!r:.40}; pass one, such as systems.get('pendulum')"
        )
    for name, value, known in (("method", method, Method.__args__), ("initial", initial, ("free", "measured"))):  # type: ignore[attr-defined]
        if value not in known:
            raise InputError(f"{name} must be one of {', '.join(known)}, not {value!r}")
    if segments is not None and whole("segments", segments) < 1:
        raise InputError(f"segments must be at least 1, not {segments}")
    own = (each,) if isinstance(each, str) else tuple(each)
    orbit = measured(system, orbits, own)
    runs = runs_of(system, orbit)
    unknown = unknowns(system, len(runs), parameters, own, bounds)
    given = problem(system, runs, unknown, noise, initial == "measured", segments)
    taken = len(unknown.start) + (0 if initial == "measured" else len(runs) * system.dim)
    values = int(orbit.measured.sum())
    if values <= taken:
        raise InputError(
            f"{values} measured values do not determine {taken} unknowns (parameters and initial states); measure more, or "
            "fit fewer parameters"
        )
    try:
        joined, of_values = (shot(given), None) if method == "shooting" else from_rates(given, method == "weak")
    except IntegrationError as error:
        check_pauses(runs, error)
        raise
    at_bound = (joined.solution.values <= unknown.low) | (joined.solution.values >= unknown.high)
    if of_values is None:
        found = covariance(joined.fit, joined.solution, ~at_bound)
    else:
        found = Covariance(of_values, np.full_like(joined.solution.states, np.nan), [])
    return result(system, joined, found, at_bound, orbit, method, noise is not None, values - taken)
