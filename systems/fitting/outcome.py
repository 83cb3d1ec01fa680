"""The result of a fit, from the solution of its equations."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from systems.fitting.diagnostics import misfit, undetermined, unfinished, warn
from systems.fitting.joining import Joined, estimated_noise, observed
from systems.fitting.least_squares import Covariance
from systems.fitting.motion import variant
from systems.fitting.result import Fit
from systems.orbit import Orbit
from systems.system import System

LARGEST_ERROR = 1e4  # of an initial state, relative to its size, beyond which the data do not determine it

Array = np.ndarray


def result(
    system: System,
    joined: Joined,
    found: Covariance,
    at_bound: Array,
    data: Orbit,
    method: str,
    known_noise: bool,
    freedom: int,
) -> Fit:
    """Return the result of a fit, and warn of all that makes it doubtful.

    Parameters
    ----------
    system : System
        The system whose parameters were fitted.
    joined : Joined
        The fitted orbits and parameters.
    found : Covariance
        Covariances, for the noise with which the equations were solved.
    at_bound : shape ``(N,)``
        Whether a parameter is at one of its bounds.
    data : Orbit
        The measured orbits.
    method : str
        Method of the fit.
    known_noise : bool
        Whether the noise was given.
    freedom : int
        Degrees of freedom.
    """
    import pandas

    fit, solution, unknown = joined.fit, joined.solution, joined.fit.unknown
    labels = list(unknown.labels)
    seen = observed(fit)
    noise = fit.noise if known_noise or method == "shooting" else estimated_noise(fit, solution.equations)
    of_values = found.values.copy()
    of_values[at_bound] = of_values[:, at_bound] = np.nan
    errors = np.sqrt(np.diag(of_values))
    first = np.array([fit.first(place) for place in range(len(fit.segments))])
    of_states = np.sqrt(found.states[first])
    of_states[of_states > LARGEST_ERROR * fit.size] = np.inf
    states = joined.states
    residuals = [run.shortest(run.z - state) for run, state in zip(fit.runs, states, strict=True)]
    bound = [label for label, at in zip(labels, at_bound, strict=True) if at]
    shooting = method == "shooting"
    warn(
        [
            undetermined(labels, found.undetermined),
            _initial(system, of_states),
            f"{' and '.join(bound)} ended at a bound, which is a value without a standard error" if bound else None,
            unfinished(joined) if shooting else None,
            misfit(residuals, noise, fit.size, system.coordinates, known_noise, freedom) if shooting else None,
        ]
    )
    single = len(data.shape) == 1
    variants = tuple(variant(system, unknown.names, solution.values[own]) for own in unknown.columns)
    return Fit(
        system=variants[0],
        systems=variants,
        parameters=dict(zip(labels, solution.values.tolist(), strict=True)),
        errors=dict(zip(labels, errors.tolist(), strict=True)),
        covariance=pandas.DataFrame(of_values, index=labels, columns=labels),
        noise={name: float(noise[i]) for i, name in enumerate(system.coordinates) if seen[i]},
        initial=_tensor(joined.initial, single),
        initial_errors=_tensor(of_states, single),
        orbit=_orbit(system, joined, states, data, single),
        residuals=_padded(residuals, single),
        degrees_of_freedom=freedom,
        converged=solution.converged,
        method=method,
        known_noise=known_noise,
    )


def _initial(system: System, errors: Array) -> str | None:
    lost = [name for name, error in zip(system.coordinates, errors.T, strict=True) if np.isinf(error).any()]
    return f"the data do not determine the initial {' and '.join(lost)}" if lost else None


def _orbit(system: System, joined: Joined, states: list[Array], data: Orbit, single: bool) -> Orbit:
    unknown = joined.fit.unknown
    told = {
        "fit": {"system": system.name, "parameters": dict(zip(unknown.labels, joined.solution.values.tolist(), strict=True))}
    }
    units = {name: unit for name, unit in data.units.items() if name in ("t", *system.coordinates)}
    orbits = [
        Orbit(torch.from_numpy(run.t), torch.from_numpy(z), None, system.coordinates, told, dict(system.periods), units)
        for run, z in zip(joined.fit.runs, states, strict=True)
    ]
    return orbits[0] if single else Orbit.of(orbits)


def _tensor(values: Array, single: bool) -> Tensor:
    return torch.from_numpy(values[0] if single else values)


def _padded(residuals: list[Array], single: bool) -> Tensor:
    if single:
        return torch.from_numpy(residuals[0])
    longest = max(len(one) for one in residuals)
    return torch.from_numpy(
        np.stack([np.pad(one, ((0, longest - len(one)), (0, 0)), constant_values=np.nan) for one in residuals])
    )
