"""MemoryModel: the base class of models that continue a measured past, one sampling step after another."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple, NoReturn

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.model import Model
from systems import InputError

WINDOWS = 24  # forecasts of held-out stretches by which settings are compared
HORIZON = 250  # longest of these forecasts, in steps
EXACT = 1e-8  # relative error below which forecasts count as equally good
LOST = 10.0  # relative error of a forecast that diverges


class Stretch(NamedTuple):
    """States at equal steps, without holes, in units in which they are of order one.

    Parameters
    ----------
    z : shape ``(T, D)``, float64
        The states.
    given : shape ``(T - 1, k)``, float64
        What is given for each step, such as parameters, and inputs at its beginning and its end.
    """

    z: Float[Tensor, "T D"]
    given: Float[Tensor, "S k"]


class MemoryModel(Model):
    """Base class of models that continue a measured past, one sampling step after another.

    Such a model is a map from the past to the next state. It is no vector field, so that ``integrate``, ``hamiltonian`` and
    the functions of `physlearn.chaos` do not apply. It computes in float64 on the CPU, whatever the dtype of the forecaster.

    The constructor is that of a baseline or of a network (see `Model`), but the tensors are created by ``learn``, or by the
    file that is loaded, so that no file can describe more numbers than it holds.

    Parameters
    ----------
    *args, **kwargs
        Passed to ``torch.nn.Module``.
    """

    default_method: ClassVar[str] = ""
    takes_angles: ClassVar[bool] = False
    takes_given: ClassVar[bool] = True
    continues: ClassVar[bool] = True

    @property
    @abstractmethod
    def memory(self) -> int:
        """The number of consecutive states that a forecast needs."""

    @property
    @abstractmethod
    def n_given(self) -> int:
        """The number of values that are given for each step."""

    @abstractmethod
    def choose(self, runs: Sequence[Stretch], held: Sequence[Stretch], *, progress: bool = True) -> str:
        """Choose the settings that are not given, by forecasts of held-out stretches.

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

        Raises
        ------
        InputError
            If the stretches are too short or too few.
        """

    @abstractmethod
    def learn(self, runs: Sequence[Stretch]) -> None:
        """Fit the model, with the settings that are given or were chosen.

        Parameters
        ----------
        runs
            Stretches to learn from.

        Raises
        ------
        InputError
            If the stretches are too short or too few.
        """

    @abstractmethod
    def continued(
        self, past: Float[Tensor, "n M D"], steps: int, given: Float[Tensor, "n S k"] | None = None
    ) -> Float[Tensor, "n steps D"]:
        """Return the states that follow.

        Parameters
        ----------
        past : shape ``(n, M, D)``
            At least ``memory`` states, at equal steps.
        steps
            Number of steps.
        given : shape ``(n, M - 1 + steps, k)``, optional
            What is given for each step of the past and of the forecast.

        Returns
        -------
        Tensor, shape ``(n, steps, D)``
            The states. They are not finite where a forecast diverges.
        """

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Do nothing, because ``learn`` takes what it needs from the data.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            Not used.
        """

    def vector_field(self, t: Tensor | float, z: Tensor) -> NoReturn:
        """Raise InputError, because a map from the past to the next state has no vector field.

        Parameters
        ----------
        t, z
            Not used.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            f"the model {self.name} has no vector field, because it continues a measured past step by step: use "
            "f.forecast(past, t), or a model such as nn"
        )

    @classmethod
    def fewest_numbers(cls, dim: int, hidden: Sequence[int], angles: int, **options: Any) -> int:
        """Return the number of coordinates, because the file itself determines the sizes.

        Parameters
        ----------
        dim
            Number of coordinates.
        hidden, angles, **options
            Not used.

        Returns
        -------
        int
            A lower bound on the number of coefficients.
        """
        return dim

    def check_file(self) -> None:
        """Raise InputError unless the tensors from a file fit together."""

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        for name in self._buffers:
            if prefix + name in state_dict:
                self._buffers[name] = torch.zeros_like(state_dict[prefix + name], dtype=torch.float64)
        super()._load_from_state_dict(state_dict, prefix, *args)
        self.check_file()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> MemoryModel:
        super()._apply(lambda x: x.detach().cpu().double() if x.is_floating_point() else x.cpu(), recurse)
        return self


class Windows(NamedTuple):
    """Pieces of held-out stretches of equal length, whose beginnings are the past of a forecast.

    Parameters
    ----------
    z : shape ``(n, L, D)``
        States.
    given : shape ``(n, L - 1, k)``
        What is given for each step.
    """

    z: Float[Tensor, "n L D"]
    given: Float[Tensor, "n S k"]

    @classmethod
    def of(cls, held: Sequence[Stretch], memory: int) -> Windows:
        """Return windows for models that need at most ``memory`` states.

        At most `WINDOWS` pieces, of equal length, begin at evenly spaced places of the stretches that are at least half as
        long as the longest. Raises InputError if no stretch is long enough.
        """
        longest = max(len(one.z) for one in held)
        if longest < memory + 1:
            raise InputError(
                f"the held-out runs have at most {longest} states at equal steps, but {memory + 1} are needed to compare "
                "settings by forecasts: give longer runs for validation, or all settings"
            )
        chosen = [one for one in held if len(one.z) >= max(longest // 2, memory + 1)]
        length = min(memory + HORIZON, *(len(one.z) for one in chosen))
        places = [(one, start) for one in chosen for start in range(len(one.z) - length + 1)]
        picked = [places[round(i)] for i in torch.linspace(0, len(places) - 1, min(WINDOWS, len(places))).tolist()]
        return cls(
            torch.stack([one.z[start : start + length] for one, start in picked]),
            torch.stack([one.given[start : start + length - 1] for one, start in picked]),
        )

    def steps(self, memory: int) -> int:
        """Return the number of steps that follow the first ``memory`` states."""
        return self.z.shape[1] - memory


def score(forecast: Float[Tensor, "*batch n steps D"], truth: Float[Tensor, "n steps D"]) -> Float[Tensor, "*batch"]:
    """Return the mean decimal logarithm of the relative errors of forecasts, over all windows and steps; smaller is better.

    In a chaotic system, where errors grow exponentially, it decreases linearly with the time for which forecasts are valid.
    """
    error = (forecast - truth).square().mean(-1).sqrt().nan_to_num(nan=LOST, posinf=LOST)
    return error.clamp(EXACT, LOST).log10().mean((-2, -1))


def beginning(runs: Sequence[Stretch], most: int) -> list[Stretch]:
    """Return the first runs, the last of which may be shortened, with at most so many steps."""
    found, left = [], most
    for run in runs:
        if left > 1:
            found.append(Stretch(run.z[: left + 1], run.given[:left]))
            left -= len(found[-1].z) - 1
    return found
