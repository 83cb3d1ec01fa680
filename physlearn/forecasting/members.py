"""Forecasts of a trained model, or of an ensemble, whose forecasts have bands."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.forecasting.bands import BandedOrbit
from physlearn.forecasting.beforehand import described
from physlearn.forecasting.calibration import Calibration, calibrated
from physlearn.forecasting.channels import started, states_only
from physlearn.forecasting.continued_flow import ContinuedFlow
from physlearn.forecasting.past import last_time
from physlearn.models.informed import Prior
from physlearn.models.physical import PhysicalModel
from systems import InputError, Orbit
from systems.autograd_mode import unrecorded
from systems.deprecation import keyword_only, renamed
from systems.floats import floats, takes_arrays
from systems.states import check_states, check_times

FINER = 2  # by which the steps of calibrated forecasts are shorter than those that are accurate enough


class Members(ContinuedFlow):
    """Base class of `Forecaster`: the forecasts of its model, or of an ensemble.

    Parameters
    ----------
    name, dtype, device
        As in `ContinuedFlow`.
    """

    def __init__(self, name: str, dtype: torch.dtype, device: torch.device) -> None:
        super().__init__(name, dtype, device)
        self.members: list[PhysicalModel] = []  # of an ensemble; the first is the model itself
        self.calibration: Calibration | None = None
        self.loss, self.loss_method = "", ""
        self.noise: dict[str, float] = {}
        self.prior = Prior()

    @keyword_only("method")
    @renamed(integrator="method")
    @takes_arrays("z0", "t")
    @unrecorded
    def forecast(
        self,
        z0: Float[Tensor, "*batch D"] | Orbit,
        t: Float[Tensor, " T"],
        *,
        parameters: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        method: str | None = None,
        dt: float | None = None,
        substeps: int | None = None,
        **options: Any,
    ) -> Orbit:
        """Return the forecast orbits from z0 at t[0], or those that continue measured orbits.

        Parameters
        ----------
        z0 : shape ``(..., D)``, or Orbit of shape ``(..., M)``
            Initial states, in the units of the data, or the measured past, which ends at t[0] or before. A flow starts from
            the last state of the past in which all coordinates were measured; with ``delays``, it needs as much of the past as
            these span. A model with memory uses the last stretch at the step of the training orbits. Forecasts have the dtype
            and device of the states.
        t : shape ``(T,)`` or ``(..., T)``
            Output times, increasing or decreasing; those of all orbits, or those of each. The choice of times does not change
            the forecast. A model with memory forecasts forward, and is interpolated between its steps.
        parameters
            If the forecaster has parameters, the value of each: a number, or one per orbit.
        inputs
            If it has inputs, each as a function of time, an Orbit or a pair (times, values) that is interpolated linearly,
            values at the times t, or a number. Values may have one row per orbit.
        method
            Name of the integration method, one of ``physlearn.integrators.names()``; defaults to the ``default_method`` of
            the model.
        dt
            Longest integration step. Defaults to the median step of the training orbits (``step``), or a shorter step if that
            would cause a noticeable error.
        substeps
            Number of steps from each time to the next, instead of ``dt``.
        **options
            Other options of `~physlearn.integrators.integrate`.

        Returns
        -------
        Orbit
            States at the output times; ``provenance["integrator"]`` has the steps, how they were chosen, and their error.

        Raises
        ------
        InputError
            Before ``fit``, or if an argument is invalid.
        ConvergenceError
            If an implicit step has no solution.

        Warns
        -----
        AccuracyWarning
            If the steps are too long, as in `~physlearn.integrators.integrate`, or if given values exceed those trained with.
        """
        t = t if isinstance(t, Tensor) else floats(t, "times")
        if not isinstance(z0, Orbit):
            z0 = floats(z0, "initial states")
        if not t.numel() or not t.ndim:
            check_times(t)
        if isinstance(z0, Tensor) and not z0.ndim:
            check_states(z0, self.coordinates)
        if self.memory == 1 and isinstance(z0, Tensor):
            z0 = Orbit(t[..., :1], z0.unsqueeze(-2), coordinates=self.coordinates, periods=self.periods)
        if self.delays is not None and isinstance(z0, Tensor) and z0.shape[-1:] != (len(self.coordinates),):
            raise InputError(
                f"the forecaster has delays: give an Orbit of {', '.join(self.delays.coordinates)} that ends where the "
                f"forecast begins, and is at least {self.delays.span:.6g} long, instead of one state"
            )
        if self.memory and not isinstance(z0, Orbit):
            raise InputError(
                f"the model {self.name} continues a measured past: give an Orbit of at least {self.memory} states at steps of "
                f"{self.step:g}, which ends where the forecast begins, instead of one state"
            )
        options |= {"method": method, "dt": dt, "substeps": substeps}
        orbits = self._forecasts(z0, t, parameters, inputs, **options)
        return self._banded(orbits, z0) if self.members else orbits[0]

    def calibrate(self, orbits: Orbit | Sequence[Orbit]) -> Self:
        """Calibrate the bands of an ensemble on held-out orbits, which are forecast from their first states.

        The integration steps of these forecasts are half as long as would be needed. Later forecasts take the same, by
        default, so that they have the same errors however many orbits are forecast at once.

        Parameters
        ----------
        orbits
            Orbits that were not used in the training, as long as the forecasts to come; better a hundred than ten. Each is
            forecast from the first time at which all of its coordinates were measured.

        Returns
        -------
        Forecaster
            The forecaster itself, whose later forecasts have calibrated bands.

        Raises
        ------
        InputError
            If the forecaster is no ensemble, or there are fewer than two orbits.
        """
        given = started(self.channels.runs(orbits))
        truth = states_only(given) if self.channels.names else given[0] if len(given) == 1 else Orbit.of(given)
        if not self.members:
            raise InputError("only an ensemble has bands to calibrate: create the forecaster with members=20, and fit it")
        if truth.shape[:-1].numel() < 2 or len(truth.shape) < 2:
            raise InputError("a calibration needs at least two held-out orbits, and better a hundred")
        self.calibration = None
        past, rest = self.parted(truth)
        values = {"parameters": None, "inputs": None, **self.channels.arguments_of_all(given, rest)}
        forecasts = self._forecasts(past, rest.t, **values, method=None, progress=False)
        steps = [one.provenance["integrator"]["dt"] for one in forecasts if "dt" in one.provenance.get("integrator", {})]
        step = min(steps, default=0.0) / FINER
        if step:
            forecasts = self._forecasts(past, rest.t, **values, method=None, progress=False, step=step)
        self.calibration = calibrated(self._banded(forecasts, past), rest, step=step)
        return self

    def _forecasts(
        self,
        z0: Tensor | Orbit,
        t: Tensor,
        parameters: Mapping[str, Any] | None,
        inputs: Mapping[str, Any] | None,
        method: str | None,
        step: float | None = None,
        **options: Any,
    ) -> list[Orbit]:
        """Return the forecasts of all members with a default step, that of the calibration if there is one; see `forecast`."""
        values = self._values(parameters, inputs, batch=z0.shape[:-1], t=t)
        if step is None and self.calibration is not None:
            step = float(self.calibration.step)
        own: Any = copy.copy(self) if step else self
        own.step = step or self.step
        flows = (own, *(own._flow_of(one) for one in self.members[1:]))  # the first member is the forecaster's own model
        return [self._forecast(flow, values, z0, t, method, **options) for flow in flows]

    def _forecast(self, flow: ContinuedFlow, *args: Any, **options: Any) -> Orbit:
        orbit = (flow._continuation if isinstance(args[1], Orbit) else flow._orbit)(*args, **options)
        learned = {"loss": self.loss} | ({"method": self.loss_method} if self.loss_method else {}) | described(self.prior)
        return replace(orbit, provenance={**orbit.provenance, **({"learned": learned} if self.loss else {})})

    def _flow_of(self, member: PhysicalModel) -> ContinuedFlow:
        """Return the forecaster with the weights of a member."""
        other = copy.copy(self)
        other._model, other._copies, other._compiled = member, {}, None
        return other

    def _banded(self, orbits: Sequence[Orbit], past: Tensor | Orbit) -> BandedOrbit:
        """Return the forecast of the first member with the forecasts of all, which start where their past ends."""
        noise = torch.tensor([self.noise.get(name, 0.0) for name in self.coordinates], dtype=torch.float64)
        parts: dict[str, Any] = {
            name: getattr(orbits[0], name) for name in ("t", "z", "coordinates", "provenance", "periods", "units")
        }
        members: Tensor = torch.stack([one.z for one in orbits])
        t = parts["t"].double()
        start = last_time(past, self.coordinates).unsqueeze(-1) if isinstance(past, Orbit) else t[..., :1]
        return BandedOrbit(
            **parts,
            members=members,
            noise=noise.nan_to_num(nan=0.0),
            calibration=self.calibration,
            elapsed=(t - start.to(t)).abs().expand(members.shape[1:-1]),
        )
