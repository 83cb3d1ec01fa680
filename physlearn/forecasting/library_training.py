"""The training of models that are linear in their coefficients, on rates or on measured states."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from physlearn.forecasting.smoothed import Smoothed
from physlearn.models.degree_selection import Triangle
from physlearn.models.library_model import LibraryModel
from physlearn.models.linear_field import LinearField
from physlearn.models.polynomials import PolynomialModel, told_degree
from physlearn.models.sparse import SparseModel, told_terms
from physlearn.models.units import Units
from physlearn.training import Pairs
from physlearn.training.from_states import States, degree_of, shot, sparse_shot
from physlearn.training.library_shooting import Shot, covariance
from systems import AccuracyWarning, InputError
from systems.errors import outside
from systems.fitting.diagnostics import misfit

MOST_SHOT = 300  # coefficients that are fitted by shooting
RIDGE = 1e-10  # of the fit to smoothed rates, with which shooting begins


@dataclass(frozen=True)
class LibraryTraining:
    """The training of a model of polynomials or of few terms.

    Parameters
    ----------
    model : LibraryModel
        The model, which receives the coefficients.
    units : Units
        Its units.
    pairs, held_out : Pairs
        States and rates, which may be those of splines, in these units; ``held_out`` may be None.
    """

    model: LibraryModel
    units: Units
    pairs: Pairs
    held_out: Pairs | None

    def to_rates(self, *, weighted: bool) -> None:
        """Fit the rates."""
        held = None if self.held_out is None else (self.held_out.z, self.held_out.rate)
        self.model.solve(self.pairs.z, self.pairs.rate, weighted=weighted, held=held)

    def to_states(self, data: Smoothed, validation: Smoothed | None, seed: int) -> list[float]:
        """Fit measured states, beginning with a fit to the rates of splines, and return their noise in the units of the data.

        Raises InputError if there are too few states for the coefficients, or too many coefficients.
        """
        states = self._states(data)
        if isinstance(self.model, PolynomialModel):
            model = self.model
            equations = int(data.measured[0].dim * len(self.pairs))
            degrees = [d for d in model.degrees(equations) if d == model.degree or self._count(d) <= MOST_SHOT]
            degrees = degrees or [model.lowest()]
            starts = self._starts(degrees, degrees[0])
            degree, start = next((d, s) for d, s in starts.items())
            if len(starts) > 1:
                candidates = {d: (self._field(d), one) for d, one in starts.items()}
                degree, start = degree_of(candidates, states, None if validation is None else self._states(validation))
            fit = shot(self._field(degree), states, start)
            moving = self.units.moving.repeat(len(start) // self.model.dim) > 0
            chosen = list(range(len(start))) if model.is_hamiltonian() else torch.where(moving)[0].tolist()
            self._adopt(fit, degree, chosen, told_degree(degree, list(starts)))
        else:
            assert isinstance(self.model, SparseModel)
            degree = self.model.highest
            starts = self._starts(list(range(self.model.lowest(), degree + 1)), degree)
            candidates = {d: (self._field(d), one) for d, one in starts.items()}
            fit, selection = sparse_shot(candidates, states, seed)
            self._adopt(fit, degree, selection.chosen, told_terms(len(selection.chosen), self._count(degree)))
            self._check(fit)
        return (fit.noise * self.units.scale).tolist()

    def _adopt(self, fit: Shot, degree: int, chosen: list[int], told: str) -> None:
        if not fit.converged:
            warnings.warn(
                f"the fit of the model {self.model.name} to the states did not converge, so its forecasts may be poor: give a "
                "lower degree, more states, or states that are closer together",
                AccuracyWarning,
                stacklevel=outside(),
            )
        values, spread = fit.coefficients, covariance(fit.equations().matrix.sum(0))
        if len(chosen) < len(values):
            values, spread = values[chosen], spread[chosen][:, chosen]
        steps = fit.segments.t.shape[1] - 1
        how = f"; shooting over at most {steps} step{'s' * (steps > 1)}"
        self.model.adopt(self.model.library(degree), chosen, values, spread.nan_to_num(posinf=1e300), told + how)

    def _check(self, fit: Shot) -> None:
        """Warn if the residuals are not white noise, so that the intervals of the coefficients are too narrow."""
        seen, residual = fit.segments.z, fit.residual
        rows = [one.where(~z.isnan(), torch.nan).numpy() for one, z in zip(residual, seen, strict=True)]
        ones = torch.ones(len(fit.noise)).double().numpy()
        sentence = misfit(rows, fit.noise.numpy(), ones, self.pairs.coordinates, False, fit.freedom)
        if sentence:
            warnings.warn(sentence, AccuracyWarning, stacklevel=outside())

    def _states(self, data: Smoothed) -> States:
        return States(data.measured, data.orbits, self.units, data.per_turn)

    def _field(self, degree: int) -> LinearField:
        units = self.units
        return self.model.field(degree, units.drift * units.time / units.scale, units.moving)

    def _count(self, degree: int) -> int:
        """Return the number of coefficients."""
        count = self.model.products(degree)
        return count - 1 if self.model.is_hamiltonian() else count * self.model.dim

    def _starts(self, degrees: list[int], least: int) -> dict[int, Tensor]:
        """Return the coefficients of each degree that fit the rates best.

        Raises InputError if the coefficients of the highest degree are too many, or if the measured values are too few for
        those of the degree ``least``.
        """
        model, z, rate, highest = self.model, self.pairs.z, self.pairs.rate, degrees[-1]
        if (count := self._count(highest)) > MOST_SHOT:
            raise InputError(
                f"the model {model.name} has {count} coefficients of degree {highest}, but at most {MOST_SHOT} can be fitted "
                "to states: give a lower degree, or loss='derivative'"
            )
        if (values := len(self.pairs) * model.dim) <= (count := self._count(least)):
            raise InputError(
                f"{values} measured values are too few for the {count} coefficients of the model {model.name}: give more "
                "states, or a lower degree"
            )
        if model.is_hamiltonian():
            field = model.field(highest)
            triangle = Triangle.of(lambda states: field.design(states).flatten(0, 1), z, rate.reshape(-1, 1))
        else:
            triangle = Triangle.of(model.library(highest).values, z, rate)
        columns = triangle.right.shape[1]
        return {d: triangle.solutions(self._count(d) // columns, (RIDGE,))[0][0].flatten() for d in degrees}
