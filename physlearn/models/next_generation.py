"""The next-generation reservoir: a polynomial of delayed states that predicts the next step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from physlearn.models.library import Library
from physlearn.models.memory import MemoryModel, Stretch, Windows, score
from physlearn.models.registry import register
from systems import InputError
from systems.scalars import seeded

DELAYS, SPACINGS = (1, 2, 4, 6), (1, 2, 4, 6)
NOISES = (0.0, 1e-6, 1e-5, 1e-4, 1e-3)  # relative to the spread of each coordinate
RIDGES = (1e-15, 1e-9)  # relative to the mean square of each monomial
LITTLE = 1e-5  # noise with which delays and spacings are compared
KEPT = 2  # pairs of these that are compared with all noises and ridges
MOST_DEGREE, MOST_TERMS = 8, 500  # of the polynomials that are tried by default
MOST_IN_FILES = 10**6  # of each setting
FEWEST_ROWS = 3  # steps per monomial
SEARCHED = 3000  # steps on which settings are compared
CLOSE = 0.05  # of a decimal order of magnitude, within which fewer delays and terms are preferred


class Settings(NamedTuple):
    """The settings of a next-generation reservoir, and the number of variables of its polynomial."""

    delays: int
    spacing: int
    degree: int
    variables: int
    noise: float
    ridge: float

    @property
    def memory(self) -> int:
        """The number of consecutive states that the polynomial needs."""
        return (self.delays - 1) * self.spacing + 1

    @property
    def monomials(self) -> Callable[[Float[Tensor, "*batch n"]], Float[Tensor, "*batch terms"]]:
        """The function that returns all monomials of the variables, those of a lower degree first."""
        return Library.complete(self.degree, self.variables).values

    @property
    def terms(self) -> int:
        """The number of monomials."""
        return Library.count(self.degree, self.variables)

    def __str__(self) -> str:
        apart = f", spacing={self.spacing}" if self.delays > 1 else ""
        return f"delays={self.delays}{apart}, degree={self.degree}, noise={self.noise:g} and ridge={self.ridge:g}"


@register
class NextGenerationReservoir(MemoryModel):
    r"""A polynomial of the last k states, fitted by ridge regression, that predicts the increment of the next step.

    .. math:: z_{n+1} = z_n + W \, \phi(z_n, z_{n-s}, \dots, z_{n-(k-1)s}), \qquad
        \min_W \langle |z_{n+1} - z_n - W \phi|^2 \rangle + \lambda |W|^2

    The features :math:`\phi` are all monomials up to the degree, each in units of its root mean square. With k = 1 the model
    is a polynomial map of the state, which forecasts from a state alone. With k > 1 the delayed states are nearly dependent,
    so that small errors could grow in directions in which no data lie. A little noise in the states from which the model
    learns, and from which it returns to the exact next state, prevents this. Settings that are not given are chosen by
    forecasts of held-out stretches.

    Parameters
    ----------
    dim
        Number D of coordinates.
    delays
        Number k of states.
    spacing
        Number s of steps between them.
    degree
        Largest degree.
    noise
        Standard deviation of the noise that is added, in units of the spread of each coordinate.
    ridge
        The penalty :math:`\lambda`.

    Raises
    ------
    InputError
        If a setting is not positive.

    Notes
    -----
    Use it when only some coordinates are measured, at equal steps, and for chaotic systems. It trains within seconds.

    References
    ----------
    Gauthier, Bollt, Griffith and Barbosa, Next generation reservoir computing, Nat. Commun. 12, 5564 (2021). Wikner et al.,
    Stabilizing machine learning prediction of dynamics, Neural Networks 170, 94 (2024), on the noise.
    """

    name = "next-generation-reservoir"
    baseline = True
    layered = False
    options: Mapping[str, Any] = dict.fromkeys(("delays", "spacing", "degree", "noise", "ridge"))  # type: ignore[misc]
    chosen: Tensor
    weights: Tensor

    def __init__(
        self,
        dim: int,
        delays: int | None = None,
        spacing: int | None = None,
        degree: int | None = None,
        noise: float | None = None,
        ridge: float | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.asked: dict[str, Any] = {"delays": delays, "spacing": spacing, "degree": degree, "noise": noise, "ridge": ridge}
        self.register_buffer("chosen", torch.zeros(0, dtype=torch.float64))
        self.register_buffer("weights", torch.zeros(0, dtype=torch.float64))

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Raise InputError unless delays, spacing and degree are whole numbers from 1, and noise and ridge are not negative.

        Parameters
        ----------
        options
            Values of all options; None is chosen by validation.

        Raises
        ------
        InputError
            If a value is invalid.
        """
        for option, value in options.items():
            real = option in ("noise", "ridge")
            allowed = (int, float) if real else (int,)
            low, what = (0, "a number of at least 0") if real else (1, "a whole number of at least 1")
            if value is not None and (isinstance(value, bool) or not isinstance(value, allowed) or value < low):
                raise InputError(f"{option} must be {what}, or None to choose it by validation, not {value!r}")

    @property
    def settings(self) -> Settings:
        """The settings that were given or chosen."""
        delays, spacing, degree, variables, noise, ridge = map(float, self.chosen)  # tolist fails in jvp of torch 2.4
        return Settings(int(delays), int(spacing), int(degree), int(variables), noise, ridge)

    @property
    def memory(self) -> int:
        """The number of consecutive states that a forecast needs."""
        return self.settings.memory

    @property
    def n_given(self) -> int:
        """The number of values that are given for each step."""
        return self.settings.variables - self.settings.delays * self.dim

    def choose(self, runs: Sequence[Stretch], held: Sequence[Stretch], *, progress: bool = True) -> str:
        """Choose the settings that are not given; see `MemoryModel.choose`.

        Parameters
        ----------
        runs, held
            Stretches to learn from, and other stretches.
        progress
            Whether to show a progress bar.

        Returns
        -------
        str
            What was chosen, and why.
        """
        candidates, asked = self._candidates(runs, held), self.asked
        if None not in asked.values():
            self._take(candidates[0]._replace(noise=asked["noise"], ridge=asked["ridge"]))
            return f"{self.settings} were given"
        noises, ridges = (
            [asked[name]] if asked[name] is not None else usual for name, usual in (("noise", NOISES), ("ridge", RIDGES))
        )
        windows, past = Windows.of(held, most := max(one.memory for one in candidates)), most
        found: dict[Settings, float] = {}

        def compare(largest: Settings, noise: float, ridges: Sequence[float]) -> float:
            fit = _Fit(runs, largest._replace(noise=noise), SEARCHED)
            for degree in range(1, largest.degree + 1) if asked["degree"] is None else (largest.degree,):
                tried = [largest._replace(degree=degree, noise=noise, ridge=ridge) for ridge in ridges]
                weights = torch.stack([fit.weights(one) for one in tried])
                forecasts = _iterated(weights, tried[0], windows.z[:, :past], windows.steps(past), windows.given)
                found.update(zip(tried, score(forecasts, windows.z[:, past:]).tolist(), strict=True))
            return min(error for one, error in found.items() if one[:2] == largest[:2])

        first = noises[0] if len(noises) == 1 else LITTLE
        with tqdm(total=len(candidates) + KEPT * len(noises), disable=not progress, desc="choosing", leave=False) as bar:
            order = []
            for one in candidates:
                order.append((compare(one, first, ridges[:1]), one))
                bar.update()
            order.sort()
            best = [one for _, one in order[:KEPT]] + [one for _, one in order[KEPT:] if one.delays == 1]
            for one, noise in product(best, noises):
                compare(one, noise, ridges)
                bar.update()
        least = min(found.values())
        self._take(min((one.delays, one.terms, error, one) for one, error in found.items() if error <= least + CLOSE)[-1])
        return f"{self.settings} forecast held-out data best, among {len(found)} settings"

    def learn(self, runs: Sequence[Stretch]) -> None:
        """Fit the polynomial; see `MemoryModel.learn`.

        Parameters
        ----------
        runs
            Stretches to learn from.
        """
        self.weights = _Fit(runs, self.settings).weights(self.settings)

    def continued(
        self, past: Float[Tensor, "n M D"], steps: int, given: Float[Tensor, "n S k"] | None = None
    ) -> Float[Tensor, "n steps D"]:
        """Return the states that follow; see `MemoryModel.continued`.

        Parameters
        ----------
        past : shape ``(n, M, D)``
            At least ``memory`` states, at equal steps.
        steps
            Number of steps.
        given : shape ``(n, M - 1 + steps, k)``, optional
            What is given for each step.

        Returns
        -------
        Tensor, shape ``(n, steps, D)``
            The states.
        """
        if given is None:
            given = past.new_zeros(len(past), past.shape[1] - 1 + steps, 0)
        return _iterated(self.weights.unsqueeze(0), self.settings, past, steps, given)[0]

    def check_file(self) -> None:
        """Raise InputError unless the weights from a file are those of the settings, and these those of the options."""
        rows = len(self.weights)
        numbers = self.chosen[:4]
        if not (
            len(self.chosen) == len(Settings._fields)
            and self.weights.shape == (rows, self.dim)
            and bool(((numbers == numbers.round()) & (numbers >= 1) & (numbers <= MOST_IN_FILES)).all())
            and self.settings.degree * self.settings.variables < MOST_IN_FILES
            and self.settings.variables >= self.settings.delays * self.dim
            and self.settings.terms == rows
            and all(value in (None, getattr(self.settings, name)) for name, value in self.asked.items())
        ):
            raise InputError(f"the settings of the model {self.name} do not fit its weights: write the file again")

    def _take(self, settings: Settings) -> None:
        self.chosen = torch.tensor(settings, dtype=torch.float64)

    def _candidates(self, runs: Sequence[Stretch], held: Sequence[Stretch]) -> list[Settings]:
        """Return the delays and spacings to compare, each with the largest degree that the data allow."""
        given = runs[0].given.shape[1]
        usual = min(sorted(len(one.z) for one in runs)[len(runs) // 2], max(len(one.z) for one in held))
        found = []
        for delays in DELAYS if self.asked["delays"] is None else (self.asked["delays"],):
            for spacing in (SPACINGS if delays > 1 else (1,)) if self.asked["spacing"] is None else (self.asked["spacing"],):
                one = Settings(delays, spacing, 1, delays * self.dim + given, 0.0, 0.0)
                rows = sum(max(len(run.z) - one.memory, 0) for run in runs)
                if self.asked["delays"] is None and 2 * one.memory > usual:
                    continue
                most = MOST_TERMS if rows > FEWEST_ROWS * MOST_TERMS else rows // FEWEST_ROWS
                degrees = [d for d in range(1, MOST_DEGREE + 1) if Library.count(d, one.variables) <= most]
                if self.asked["degree"] is not None:
                    degrees = [self.asked["degree"]] if Library.count(self.asked["degree"], one.variables) <= rows else []
                if degrees:
                    found.append(one._replace(degree=degrees[-1]))
        if not found:
            steps, longest = sum(len(run.z) - 1 for run in runs), max(len(run.z) for run in runs)
            raise InputError(
                f"{steps} steps in runs of at most {longest} states are too few for the model {self.name} with these "
                "settings: give more or longer runs, or a smaller degree or number of delays"
            )
        return found


class _Fit:
    """Least squares of the increments on all monomials of the settings, from which lower degrees and ridges follow.

    Parameters
    ----------
    runs
        Stretches to learn from.
    settings
        Delays, spacing, and the largest degree.
    most
        Largest number of steps to use, evenly spaced.
    """

    def __init__(self, runs: Sequence[Stretch], settings: Settings, most: int | None = None) -> None:
        parts = [_pairs(run, settings) for run in runs if len(run.z) > settings.memory]
        x, y = (torch.cat(columns) for columns in zip(*parts, strict=True))
        if most is not None and len(x) > most:
            chosen = torch.linspace(0, len(x) - 1, most).round().long()
            x, y = x[chosen], y[chosen]
        if settings.noise:
            noise = settings.noise * torch.randn(x.shape, generator=seeded(0), dtype=x.dtype)
            noise[:, settings.delays * y.shape[1] :] = 0.0  # what is given is exact
            x, y = x + noise, y - noise[:, : y.shape[1]]
        design = settings.monomials(x)
        size = design.square().mean(0).sqrt()
        self.size = torch.where(size > 0, size, 1.0)
        whole = torch.cat([design / self.size, y], dim=-1) / len(x) ** 0.5
        triangle = torch.linalg.qr(whole, mode="r").R  # the first columns of R are those of fewer monomials
        self.triangle, self.target = triangle[:, : len(size)], triangle[:, len(size) :]

    def weights(self, settings: Settings) -> Float[Tensor, "terms D"]:
        """Return the coefficients of the monomials for a degree and a ridge."""
        n = settings.terms
        u, s, v = torch.linalg.svd(self.triangle[:n, :n], full_matrices=False)
        shrunk = s / (s.square() + settings.ridge).clamp(min=torch.finfo(s.dtype).tiny)
        return v.T @ (shrunk.unsqueeze(-1) * (u.T @ self.target[:n])) / self.size[:n].unsqueeze(-1)


def _pairs(run: Stretch, settings: Settings) -> tuple[Float[Tensor, "m n"], Float[Tensor, "m D"]]:
    """Return the variables of each step of a stretch, and its increments."""
    first, last = settings.memory - 1, len(run.z) - 1
    delayed = [run.z[first - j * settings.spacing : last - j * settings.spacing] for j in range(settings.delays)]
    return torch.cat([*delayed, run.given[first:]], dim=-1), run.z[first + 1 :] - run.z[first:-1]


def _iterated(
    weights: Float[Tensor, "L terms D"],
    settings: Settings,
    past: Float[Tensor, "n M D"],
    steps: int,
    given: Float[Tensor, "n S k"],
) -> Float[Tensor, "L n steps D"]:
    """Return the states that follow the past, by each of several sets of weights."""
    monomials = settings.monomials
    states = list(past.expand(len(weights), *past.shape).unbind(2))
    for given_now in given[:, past.shape[1] - 1 :].unbind(1)[:steps]:
        delayed = [states[-1 - j * settings.spacing] for j in range(settings.delays)]
        x = torch.cat([*delayed, given_now.expand(len(weights), *given_now.shape)], dim=-1)
        states.append(states[-1] + monomials(x) @ weights)
    return torch.stack(states[past.shape[1] :], dim=2) if steps else past.new_zeros(len(weights), len(past), 0, past.shape[2])
