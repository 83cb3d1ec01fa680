"""The echo-state network: a random reservoir whose read-out, fitted by ridge regression, predicts the next step."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from physlearn import activations
from physlearn.activations import Activation
from physlearn.models.memory import MemoryModel, Stretch, Windows, beginning, score
from physlearn.models.readout import fitted, iterated
from physlearn.models.registry import register
from physlearn.models.reservoir import Driven, Reservoir
from systems import InputError
from systems.scalars import seeded

RADII, SCALES = (0.2, 0.5, 0.9), (0.1, 0.3, 1.0)
RIDGES = (1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14)  # relative to the mean square of the features
TRIED = 200  # units of the reservoirs by which spectral radius and input scale are compared
SEARCHED = 3000  # steps from which these learn
ASKED = ("spectral_radius", "input_scale", "ridge")  # options that are chosen if they are not given
LONGEST = 500  # steps within which a reservoir must forget


class Chosen(NamedTuple):
    """The settings that are chosen by validation, and the number of steps in which the reservoir forgets its first state."""

    radius: float
    scale: float
    ridge: float
    washout: int


@register
class EchoStateNetwork(MemoryModel):
    r"""A sparse random reservoir, of which only the read-out is learned, by ridge regression, to predict the next step.

    .. math:: r_n = (1 - \alpha) r_{n-1} + \alpha \, \sigma(W r_{n-1} + W_{in} z_n + b), \qquad
        z_{n+1} = z_n + W_{out} \, (1, \tilde r_n, z_n)

    Every second unit enters the read-out squared, which breaks the symmetry of odd activations. The spectral radius of W, the
    scale of W_in and the ridge are chosen by forecasts of held-out stretches, unless they are given. A forecast needs as many
    states of the past as the reservoir takes to forget how it started.

    Parameters
    ----------
    dim
        Number D of coordinates.
    hidden
        Not used; ``units`` is the size of the reservoir.
    activation
        Activation of the units. It should be bounded, as ``"sine"`` and ``"tanh"`` are.
    generator
        Random number generator of the connections.
    given
        Number of given values, which drive the reservoir as the state does.
    units
        Number of units.
    spectral_radius
        Largest absolute value of an eigenvalue of W; the smaller, the shorter is the memory.
    input_scale
        Largest weight in W_in, for coordinates in units of their spread.
    leak
        The rate :math:`\alpha`, more than 0 and at most 1.
    bias
        Largest absolute bias b.
    connections
        Number of connections that lead to each unit.
    ridge
        Penalty of the squared read-out weights, in units of the mean square of the features.

    Raises
    ------
    InputError
        If a setting is out of range.

    Notes
    -----
    Use it when only some coordinates are measured, at equal steps, and a polynomial of the past does not suffice.

    References
    ----------
    Jaeger, The "echo state" approach to analysing and training recurrent neural networks, GMD Report 148 (2001). Pathak, Lu,
    Hunt, Girvan and Ott, Chaos 27, 121102 (2017), on the squared units.
    """

    name = "echo-state"
    options: ClassVar[Mapping[str, Any]] = {
        "units": 500,
        "spectral_radius": None,
        "input_scale": None,
        "leak": 1.0,
        "bias": 1.0,
        "connections": 6,
        "ridge": None,
    }
    chosen: Tensor
    weights: Tensor
    sources: Tensor
    entrance: Tensor
    bias: Tensor
    readout: Tensor

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int],
        activation: str | Activation,
        generator: torch.Generator,
        given: int = 0,
        units: int = 500,
        spectral_radius: float | None = None,
        input_scale: float | None = None,
        leak: float = 1.0,
        bias: float = 1.0,
        connections: int = 6,
        ridge: float | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        values = (units, spectral_radius, input_scale, leak, bias, connections, ridge)
        self.asked: dict[str, Any] = dict(zip(self.options, values, strict=True))
        self.seed = int(torch.randint(2**62, (), generator=generator))
        self.activation = copy.deepcopy(activations.get(activation)).double()
        if not self.activation.elementwise or next(self.activation.parameters(), None) is not None:
            raise InputError(
                f"the units of a reservoir need one function, which does not train, not {self.activation.name!r}: use another"
            )
        for name in ("chosen", "weights", "sources", "entrance", "bias", "readout"):
            self.register_buffer(name, torch.zeros(0, dtype=torch.float64))

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Raise InputError unless numbers of units and connections are positive, and other settings in their ranges.

        Parameters
        ----------
        options
            Values of all options; None is chosen by validation.

        Raises
        ------
        InputError
            If a value is invalid.
        """
        for option in ("units", "connections"):
            if options[option] < 1:
                raise InputError(f"{option} must be at least 1, not {options[option]}")
        if not 0 < options["leak"] <= 1:
            raise InputError(f"leak must be more than 0 and at most 1, not {options['leak']}")
        for option in ("spectral_radius", "input_scale", "ridge", "bias"):
            value = options[option]
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
                raise InputError(f"{option} must be a number of at least 0, or None to choose it, not {value!r:.80}")

    @property
    def settings(self) -> Chosen:
        """The settings that were given or chosen."""
        radius, scale, ridge, washout = self.chosen.tolist()
        return Chosen(radius, scale, ridge, int(washout))

    @property
    def memory(self) -> int:
        """The number of consecutive states that a forecast needs."""
        return self.settings.washout + 1

    @property
    def n_given(self) -> int:
        """The number of values that are given for each step."""
        return self.entrance.shape[1] - self.dim

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
        asked = self.asked
        radii = RADII if asked["spectral_radius"] is None else (asked["spectral_radius"],)
        scales = SCALES if asked["input_scale"] is None else (asked["input_scale"],)
        ridges = RIDGES if asked["ridge"] is None else (asked["ridge"],)
        pairs = [Chosen(radius, scale, ridges[0], 0) for radius, scale in product(radii, scales)]
        small = self._forgetful(pairs, runs, held, min(TRIED, asked["units"]))
        found: list[tuple[float, Chosen]] = []
        with tqdm(total=len(small) + 1, disable=not progress, desc="choosing", leave=False) as bar:
            if len(pairs) > 1:
                past = max((one.washout for one, _ in small), default=0) + 1
                for one, driven in small:
                    found += self._compared(driven, beginning(runs, SEARCHED), held, past, one, ridges)
                    bar.update()
            whole = self._forgetful([min(found)[1] if found else pairs[0]], runs, held, asked["units"])
            if not whole or (len(pairs) > 1 and not found):
                raise InputError(
                    f"runs of at most {max(len(run.z) for run in runs)} states are too short for the model {self.name}, whose "
                    f"reservoir with the activation {self.activation.name} needs more than half of them to forget its initial "
                    "state: give longer runs, a smaller spectral_radius, a larger leak or a bounded activation"
                )
            one, driven = whole[0]
            compared = self._compared(driven, runs, held, one.washout + 1, one, ridges)
            self.chosen = torch.tensor(min(compared)[1], dtype=torch.float64)
        one = self.settings
        return (
            f"spectral_radius={one.radius:g}, input_scale={one.scale:g} and ridge={one.ridge:g} forecast held-out data best, "
            f"among {len(found) + len(compared)} settings"
        )

    def learn(self, runs: Sequence[Stretch]) -> None:
        """Fit the read-out; see `MemoryModel.learn`.

        Parameters
        ----------
        runs
            Stretches to learn from.
        """
        one = self.settings
        reservoir = self._drawn(one, self.asked["units"], runs[0])
        self.weights, self.sources, self.entrance, self.bias, _ = reservoir
        self.readout = fitted(Driven(reservoir, self.activation), runs, one.washout, (one.ridge,))[0]
        if not self.readout.isfinite().all():
            raise InputError(
                f"the units of the model {self.name} grow without bound with the activation {self.activation.name}: use a "
                "bounded one, such as tanh, or give a smaller spectral_radius or input_scale"
            )

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
        return iterated(self._driven, self.readout.unsqueeze(0), past, steps, given)[0]

    def states(self, z: Float[Tensor, "n T D"]) -> Float[Tensor, "n T N"]:
        """Return the states of the units that are driven from rest.

        Parameters
        ----------
        z : shape ``(n, T, D)``
            States in units of their spread, and given values, if there are any.

        Returns
        -------
        Tensor, shape ``(n, T, N)``
            The state of each unit after each time.
        """
        driven, found = self._driven, []
        r = driven.rest(len(z))
        for u in z.unbind(1):
            found.append(r := driven.step(r, u))
        return torch.stack(found, dim=1)

    def check_file(self) -> None:
        """Raise InputError unless the tensors from a file fit together, and the options."""
        n, sources, asked = self.asked["units"], self.sources, self.asked
        if not (
            self.chosen.shape == (len(Chosen._fields),)
            and 0 <= self.chosen[-1] <= LONGEST
            and all(asked[name] in (None, value) for name, value in zip(ASKED, self.chosen.tolist(), strict=False))
            and self.bias.shape == (n,)
            and self.weights.shape == sources.shape == (n, min(asked["connections"], n))
            and bool(((sources == sources.round()) & (sources >= 0) & (sources < n)).all())
            and self.entrance.ndim == 2
            and len(self.entrance) == n
            and self.entrance.shape[1] >= self.dim
            and self.readout.shape == (1 + n + self.dim, self.dim)
        ):
            raise InputError(
                f"the tensors of the model {self.name} do not fit together, or not its options: write the file again"
            )

    @property
    def _driven(self) -> Driven:
        reservoir = Reservoir(self.weights, self.sources, self.entrance, self.bias, self.asked["leak"])
        return Driven(reservoir, self.activation)

    def _drawn(self, one: Chosen, units: int, run: Stretch) -> Reservoir:
        return Reservoir.drawn(
            units,
            self.dim + run.given.shape[1],
            connections=self.asked["connections"],
            radius=one.radius,
            scale=one.scale,
            bias=self.asked["bias"],
            leak=self.asked["leak"],
            generator=seeded(self.seed),
        )

    def _forgetful(
        self, settings: Sequence[Chosen], runs: Sequence[Stretch], held: Sequence[Stretch], units: int
    ) -> list[tuple[Chosen, Driven]]:
        """Return the settings whose reservoirs forget their start soon enough, with these reservoirs."""
        found, longest = [], max(runs, key=lambda run: len(run.z))
        most = min(LONGEST, sorted(len(run.z) for run in runs)[len(runs) // 2] // 2)
        for one in settings:
            driven = Driven(self._drawn(one, units, runs[0]), self.activation)
            washout = driven.washout(longest, most)
            if washout is not None and washout + 2 <= max(len(run.z) for run in held):
                found.append((one._replace(washout=washout), driven))
        return found

    def _compared(
        self,
        driven: Driven,
        runs: Sequence[Stretch],
        held: Sequence[Stretch],
        past: int,
        one: Chosen,
        ridges: Sequence[float],
    ) -> list[tuple[float, Chosen]]:
        """Return the errors of a reservoir's forecasts after ``past`` states, with each ridge."""
        windows = Windows.of(held, past)
        readouts = fitted(driven, runs, one.washout, ridges)
        forecasts = iterated(driven, readouts, windows.z[:, :past], windows.steps(past), windows.given)
        errors = score(forecasts, windows.z[:, past:]).tolist()
        return [(error, one._replace(ridge=ridge)) for error, ridge in zip(errors, ridges, strict=True)]
