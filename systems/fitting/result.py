"""The result of a fit: parameters with errors, orbits and residuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jaxtyping import Float
from torch import Tensor

from systems.brief import Told
from systems.errors import InputError
from systems.orbit import Orbit
from systems.system import System

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, eq=False, repr=False)
class Fit(Told):
    """Parameters of a system that were fitted to measured orbits; see `systems.fit`.

    Parameters
    ----------
    system : System
        The system with the fitted parameters. If some have values of their own in each run, this is the system of the first.
    systems : tuple of System
        The system of each run.
    parameters : mapping of str to float
        Fitted values, named ``name``, or ``name[run]`` for values of their own.
    errors : mapping of str to float
        Standard errors: infinite where the data do not determine the parameter, and NaN at a bound.
    covariance : pandas.DataFrame
        Covariance of the parameters.
    noise : mapping of str to float
        Standard deviation of the noise of each measured coordinate, in its unit.
    initial, initial_errors : shape ``(D,)`` or ``(R, D)``
        Initial states of one run or of R runs, at the first time of each, and their standard errors.
    orbit : Orbit
        Fitted states at the measured times.
    residuals : shape ``(T, D)`` or ``(R, T, D)``
        Measured minus fitted states, NaN where nothing was measured.
    degrees_of_freedom : int
        Number of measured values minus the number of unknowns.
    converged : bool
        Whether the fit converged.
    method : str
        Method of the fit.
    known_noise : bool
        Whether the noise was given, rather than estimated from the residuals.
    """

    system: System
    systems: tuple[System, ...]
    parameters: Mapping[str, float]
    errors: Mapping[str, float]
    covariance: pandas.DataFrame
    noise: Mapping[str, float]
    initial: Float[Tensor, "*batch D"]
    initial_errors: Float[Tensor, "*batch D"]
    orbit: Orbit
    residuals: Float[Tensor, "*batch T D"]
    degrees_of_freedom: int
    converged: bool
    method: str
    known_noise: bool

    def summary(self, level: float = 0.95) -> pandas.DataFrame:
        """Return a table of the parameters.

        Parameters
        ----------
        level : float, default 0.95
            Level of the confidence intervals.

        Returns
        -------
        pandas.DataFrame
            One row per parameter, with the columns ``value``, ``error`` (the standard error), ``low`` and ``high`` (the ends
            of its confidence interval). If the noise was estimated, the interval is Student's.

        Raises
        ------
        InputError
            Unless 0 < level < 1.
        """
        import pandas

        width = self._width(level)
        rows: list[dict[str, Any]] = [
            {"value": value, "error": error, "low": value - width * error, "high": value + width * error}
            for value, error in zip(self.parameters.values(), self.errors.values(), strict=True)
        ]
        index = pandas.Index(list(self.parameters), name="parameter")
        return pandas.DataFrame(rows, index=index, columns=["value", "error", "low", "high"])

    def _width(self, level: float) -> float:
        from scipy.stats import norm, t

        if not 0 < level < 1:
            raise InputError(f"the level of a confidence interval must be between 0 and 1, not {level}")
        share = (1 + level) / 2
        return float(norm.ppf(share) if self.known_noise else t.ppf(share, self.degrees_of_freedom))

    def __str__(self) -> str:
        title = self.system.name or type(self.system).__name__
        values = [f"{name} = {value:.6g} +- {self.errors[name]:.2g}" for name, value in self.parameters.items()]
        noise = ", ".join(f"{name} {value:.2g}" for name, value in self.noise.items())
        end = "" if self.converged else "; the fit did not converge"
        return f"{title}: {', '.join(values) or 'no parameters'} (noise: {noise}{end})"
