"""Periodic orbits, their Floquet multipliers and their stability."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from math import inf, isfinite
from typing import Literal

import pandas as pd
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from physlearn.chaos.periodic_orbits import levenberg
from physlearn.chaos.periodic_orbits.closed_loop import ClosedLoop
from physlearn.chaos.periodic_orbits.floquet import multipliers
from physlearn.chaos.periodic_orbits.near_return import near_return
from physlearn.chaos.periodic_orbits.shooting import Shooter, is_multiple
from physlearn.flow import FlowLike
from systems import AccuracyWarning, InputError, IntegrationError, Orbit
from systems.autograd_mode import unrecorded
from systems.brief import Brief
from systems.errors import outside
from systems.floats import floats, takes_arrays

TOLERANCE = 1e-9  # largest gap between segments, in units of the orbit's spread
AT_REST = 1e-6  # spread of an orbit, relative to the first guess, below which it is an equilibrium
SHORTER = (2, 3, 5, 7)  # parts of the period after which the orbit may already be closed
CLOSED = 1e-6
NEUTRAL = 1e-5  # distance from the unit circle; multipliers in a Jordan block have the root of the rounding error
FAINT = 1e-11  # contraction in a segment that is not resolved, relative to the largest growth

Fixed = Literal["energy", "period"]


@dataclass(frozen=True, repr=False)
class PeriodicOrbit(Brief):
    """A periodic orbit and the growth of small deviations from it.

    Parameters
    ----------
    z : shape ``(D,)``
        A state on the orbit; that at t = 0 if the field depends on time.
    period
        Period, the shortest one.
    multipliers : shape ``(D,)``
        Floquet multipliers: the factors by which deviations grow in a period, largest modulus first. Those that belong to
        shifts along the orbit and to conserved quantities are 1.
    exponents : shape ``(D,)``
        Growth rates, the logarithms of the moduli divided by the period [1 / time]. They are finite also where a multiplier is
        too small for a number.
    monodromy : shape ``(D, D)``
        Derivative of the state after a period by the state at its start.
    residual
        Largest gap between the segments of the orbit, in units of the spread of each coordinate.
    conservative
        Whether the flow has a conserved energy.
    energy
        The energy, or None if the flow has none.
    orbit
        One period, at about 500 equal steps.
    loop
        The equations that were solved.
    unknowns
        Their solution.
    """

    z: Float[Tensor, " D"]
    period: float
    multipliers: Complex[Tensor, " D"]
    exponents: Float[Tensor, " D"]
    monodromy: Float[Tensor, "D D"]
    residual: float
    conservative: bool
    energy: float | None
    orbit: Orbit
    loop: ClosedLoop = field(repr=False, compare=False)
    unknowns: Float[Tensor, " n"] = field(repr=False, compare=False)

    def to_frame(self) -> pd.DataFrame:
        """Return the Floquet multipliers as a table.

        Returns
        -------
        DataFrame
            One row per multiplier: real and imaginary part, modulus and growth rate.
        """
        mu = self.multipliers
        return pd.DataFrame(
            {"real": mu.real.numpy(), "imaginary": mu.imag.numpy(), "modulus": mu.abs().numpy(), "growth rate": self.exponents}
        ).rename_axis("multiplier")

    @property
    def stable(self) -> bool:
        """Whether no deviation grows: no modulus exceeds 1 by more than 1e-5, to which double multipliers are known."""
        return bool((self.others.abs() <= 1 + NEUTRAL).all())

    @property
    def others(self) -> Complex[Tensor, " m"]:
        """The multipliers without the trivial ones: that of shifts along the orbit and, with an energy, one more."""
        trivial = 0 if self.loop.shooter.driven else 2 if self.conservative else 1
        near = (self.multipliers - 1).abs().argsort(stable=True)
        return self.multipliers[near[trivial:].sort().values]


@takes_arrays("z0")
@unrecorded
def periodic_orbit(
    flow: FlowLike,
    z0: Float[Tensor, " D"],
    *,
    period: float | None = None,
    fix: Fixed | None = None,
    transient: float = 0.0,
    tolerance: float = TOLERANCE,
) -> PeriodicOrbit:
    r"""Find a periodic orbit near an initial state by multiple shooting, and its Floquet multipliers.

    .. math:: \Phi_{T/S}(z_i) = z_{i+1}, \quad z_S = z_0, \qquad M = D\Phi_T(z_0), \quad M v = \mu v

    The equations of the S segments are solved by the Levenberg-Marquardt method, with tangent maps that are integrated by
    DOP853 together with the states. The method needs no condition for the phase, and it also applies where orbits form
    families, as conserved quantities and symmetries imply: it finds a solution near the first guess.

    Parameters
    ----------
    flow
        A system, a trained model or Forecaster, or a function ``f(t, z)``.
    z0 : shape ``(D,)``
        A state near the orbit; the state at t = 0 if the field depends on time.
    period
        First guess of the period. By default it is the time of the first near return of the orbit to z0. If the field depends
        on time, the period is not a guess, and must be a multiple of the field's own; by default it is that one.
    fix
        What the orbit shares with the guess, as periodic orbits of a conservative flow form families: ``"energy"`` for the
        energy of z0, which is the default if the flow conserves an energy, or ``"period"`` for the given period.
    transient
        Time to integrate before the search, so that the orbit reaches an attractor; defaults to 0.
    tolerance
        Largest gap between segments, in units of the spread of each coordinate.

    Returns
    -------
    PeriodicOrbit
        The orbit, in float64.

    Raises
    ------
    InputError
        For invalid arguments, or if no periodic orbit is found near the state.

    Warns
    -----
    AccuracyWarning
        If deviations shrink too fast to be resolved, so that the smallest multipliers are only upper bounds.

    References
    ----------
    Seydel, *Practical Bifurcation and Stability Analysis*, chapter 7; Parker and Chua, *Practical Numerical Algorithms for
    Chaotic Systems*, chapter 5.

    Examples
    --------
    >>> import systems
    >>> cycle = periodic_orbit(systems.get("van-der-pol", mu=1.0), [2.0, 0.0])
    >>> print(f"{cycle.period:.8f}", cycle.stable)
    6.66328686 True
    """
    z0 = floats(z0, "z0")
    if z0.ndim != 1:
        raise InputError(f"z0 must be one state, not of shape {tuple(z0.shape)}; call the function for each state")
    if fix not in (None, "energy", "period"):
        raise InputError(f"fix must be 'energy', 'period' or None, not {fix!r}")
    if not 0 <= transient < inf:
        raise InputError(f"transient must be a finite time of at least 0, not {transient}")
    if not 0 < tolerance < 1:
        raise InputError(f"tolerance must lie between 0 and 1, not {tolerance}")
    if period is not None and not (isfinite(period) and period > 0):
        raise InputError(f"period must be a positive number, not {period}")
    if fix == "period" and period is None:
        raise InputError("fix='period' needs the period; give it")
    shooter = Shooter.of(flow, z0)
    z = shooter.rollout.z[0].cpu()
    if transient:
        z = shooter.along(z[None], z.new_zeros(1), torch.tensor([0.0, transient], dtype=torch.float64))[0, -1]
    guess = _period_of_drive(shooter, period) if shooter.driven else near_return(shooter, z) if period is None else period
    loop, x = ClosedLoop.of(shooter, z, guess)
    conservative = loop.conserves(x)
    if fix == "energy" and not conservative:
        raise InputError(f"fix='energy' needs a flow that conserves an energy, which {shooter.flow.name} does not")
    if shooter.driven or fix == "period":
        loop = replace(loop, period=guess)
        x = loop.packed(loop.states_from(z, guess), guess)
    elif conservative:
        loop = replace(loop, energy=loop.levels(z)[0])
    return _shortest(solved(loop, x, conservative, tolerance), tolerance)


def solved(loop: ClosedLoop, x: Float[Tensor, " n"], conservative: bool, tolerance: float) -> PeriodicOrbit:
    """Solve the equations of an orbit from a first guess. Raises InputError if there is no solution near it."""
    found = levenberg.solve(loop, x, tolerance)
    _, period = loop.unpacked(found.x)
    if not found.residual <= tolerance or not period > 0:
        raise InputError(
            f"no periodic orbit was found near this state: gaps of {found.residual:.2g} of the orbit's spread remain after "
            f"{found.steps} steps, at the period {period:.6g}; choose a state nearer to the orbit, or another period"
        )
    return described(loop, found.x, conservative, found.residual)


def described(loop: ClosedLoop, x: Float[Tensor, " n"], conservative: bool, residual: float) -> PeriodicOrbit:
    """Return the result for a solution of the equations. Raises InputError if it is an equilibrium."""
    states, period = loop.unpacked(x)
    t, path = loop.orbit(x)
    if not loop.shooter.driven and float(((path - path[0]) / loop.size).abs().max()) < AT_REST:
        where = [round(value, 6) for value in states[0].tolist()]
        raise InputError(
            f"the search ended at the equilibrium {where}; choose a state nearer to the periodic orbit, or a transient"
        )
    maps = loop.carried(states, period)[1]
    scaled = maps / loop.size[:, None] * loop.size  # the multipliers do not depend on units, but their rounding does
    sizes = torch.linalg.svdvals(scaled)
    if float((sizes[:, -1] / sizes[:, 0]).min()) < FAINT:
        warnings.warn(
            "deviations shrink too fast along this orbit to be resolved; its smallest multipliers are only upper bounds",
            AccuracyWarning,
            stacklevel=outside(),
        )
    logarithms, values = multipliers(scaled)
    monodromy = torch.eye(len(loop.size), dtype=maps.dtype)
    for one in maps:
        monodromy = one @ monodromy
    flow = loop.shooter.flow
    return PeriodicOrbit(
        z=states[0].clone(),
        period=period,
        multipliers=values,
        exponents=logarithms / period,
        monodromy=monodromy,
        residual=residual,
        conservative=conservative,
        energy=float(flow.hamiltonian(states[0])) if conservative and flow.hamiltonian is not None else None,
        orbit=Orbit(
            t,
            path,
            rate=loop.shooter.rates(t, path),
            coordinates=loop.shooter.names,
            provenance={"flow": flow.name, "period": period, "residual": residual},
            periods=flow.periods,
        ),
        loop=loop,
        unknowns=x,
    )


def _period_of_drive(shooter: Shooter, period: float | None) -> float:
    """Return the period of an orbit of a driven flow, which is that of the drive or a multiple of it."""
    drive = shooter.flow.period
    if drive is None:
        if period is None:
            raise InputError(f"the field of {shooter.flow.name} depends on time with an unknown period; give the period")
        return period
    if period is None:
        return drive
    if not is_multiple(period, drive):
        raise InputError(f"period {period:g} is not a multiple of the period {drive:g} of the field; give a multiple")
    return round(period / drive) * drive


def _shortest(found: PeriodicOrbit, tolerance: float) -> PeriodicOrbit:
    """Return the orbit with its shortest period."""
    loop = found.loop
    for parts in SHORTER:
        part = found.period / parts
        drive = loop.shooter.flow.period
        if loop.shooter.driven and (drive is None or not is_multiple(part, drive)):
            continue
        since = torch.tensor([0.0, part], dtype=torch.float64)
        turned = found.loop.turns / parts
        after = loop.shooter.along(found.z[None], torch.zeros(1, dtype=torch.float64), since)[0, -1] - turned
        if float(((after - found.z) / loop.size).abs().max()) > CLOSED:
            continue
        shorter = replace(loop, turns=turned, unit=part, period=None if loop.free else part)
        x = shorter.packed(shorter.states_from(found.z, part), part)
        try:
            return _shortest(solved(shorter, x, found.conservative, tolerance), tolerance)
        except (InputError, IntegrationError):  # it only comes near
            continue
    return found
