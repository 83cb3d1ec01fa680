"""Long runs: order and chaos in learned models, compared with the true system."""

from __future__ import annotations

import os
import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
from jaxtyping import Float
from torch import Tensor

from physlearn import models
from physlearn.activations import Activation
from physlearn.activations.description import describe
from physlearn.activations.learned import LearnedActivations
from physlearn.chaos import Dynamics, DynamicsComparison, compare_dynamics
from physlearn.flow import FlowLike
from physlearn.forecasting import contender
from physlearn.forecasting.environment import environment
from physlearn.forecasting.files import finite, write_figure, write_json
from physlearn.forecasting.forecaster import Forecaster
from physlearn.forecasting.indicators import check, measured
from physlearn.forecasting.page import Page
from physlearn.forecasting.simulated import Protocol, learning_orbits
from systems import HamiltonianSystem, InputError, System
from systems.atomic import atomically
from systems.brief import Told
from systems.sampling import on_section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 4  # largest number of panels in a row
USUAL = ("nn", "hnn", "hnn-separable")
MEANINGS = (
    "distances from the truth, medians over orbits; that of the truth, between its two halves, is the least to be expected",
    "hellinger: of the points where chaotic orbits cross the section, 0 to 1 (pooled: all together); nearest: of regular ones",
    "marginals and spectrum: of the distributions and of the spectra of the coordinates",
)


@dataclass(frozen=True, repr=False)
class LongRun(Told):
    """Results of a long run: the dynamics of models and of the true system, and their comparison.

    Attributes
    ----------
    title : str
        One line.
    flows : mapping of str to Dynamics
        Dynamics of each flow by its label, ``"truth"`` first.
    comparisons : mapping of str to DynamicsComparison
        Comparison of each flow with the truth. That of the truth with itself shows the distances due to finite orbits.
    indicators : mapping of str to DataFrame
        Further indicators of chaos of each flow, one row per orbit; the frames have no columns if none were asked for.
    forecasters : mapping of str to Forecaster
        The trained models.
    system : System
        The true system.
    energy : float or None
        Energy of all orbits, if they have the same.
    settings : mapping
        Everything that determines the result.
    seconds : float
        Duration [s].
    """

    title: str
    flows: Mapping[str, Dynamics]
    comparisons: Mapping[str, DynamicsComparison]
    indicators: Mapping[str, pd.DataFrame]
    forecasters: Mapping[str, Forecaster]
    system: System
    energy: float | None
    settings: Mapping[str, Any]
    seconds: float

    def __str__(self) -> str:
        text = self._shown().to_string(float_format="{:.3g}".format, na_rep="-")
        undecided = self._undecided()
        below = [*undecided, *(MEANINGS if self.comparisons else ()), f"{self.seconds:.0f} s in all"]
        return "\n".join([self.title, *self._verdict(), text, *(f"  {line}" for line in below)])

    def _verdict(self) -> list[str]:
        """Return a sentence that names the model whose classes of orbits agree best with the truth."""
        models = self.table.drop(index="truth")
        if models["class_agreement"].isna().all():
            return []
        best = str(models["class_agreement"].idxmax())
        low, agreement, high = (float(models[f"class_agreement{end}"][best]) for end in ("_low", "", "_high"))
        share = f"{agreement:.0%} ({low:.0%} to {high:.0%})"
        return [f"best model: {best}, in which {share} of the decided orbits are regular or chaotic as in the truth"]

    def _shown(self) -> pd.DataFrame:
        """Return the table with one column per flow, without the intervals."""
        shown = self.table.drop(columns=[name for name in self.table if str(name).startswith("class_agreement_")])
        return shown.T.rename_axis(None, axis=1).rename_axis(None)

    def _undecided(self) -> list[str]:
        """Return one line per flow and reason for which orbits are undecided."""
        return [line for label, seen in self.flows.items() for line in _undecided(label, seen)]

    @property
    def table(self) -> pd.DataFrame:
        """One row per flow: what `~physlearn.chaos.DynamicsComparison.summary` returns, and an interval of the agreement.

        Further indicators follow, with their medians over the orbits.
        """
        summaries = {label: comparison.summary() for label, comparison in self.comparisons.items()}
        table = pd.DataFrame({label: summary["model"] for label, summary in summaries.items()}).T.rename_axis("flow")
        for place, bound in enumerate(("low", "high"), start=1):
            column = [summary.loc["class_agreement", bound] for summary in summaries.values()]
            table.insert(place, f"class_agreement_{bound}", column)
        return table.join(pd.DataFrame({label: frame.median() for label, frame in self.indicators.items()}).T)

    @property
    def orbits(self) -> pd.DataFrame:
        """One row per flow and orbit: the tables of all comparisons."""
        tables = {label: comparison.table.join(self.indicators[label]) for label, comparison in self.comparisons.items()}
        return pd.concat(tables, names=["flow"]).reset_index()

    @property
    def sections(self) -> pd.DataFrame:
        """One row per crossing: flow, orbit, t and the coordinates."""
        frames = {label: seen.section.to_frame() for label, seen in self.flows.items()}
        return pd.concat(frames, names=["flow"]).reset_index("flow").reset_index(drop=True)

    def plot(self) -> Figure:
        """Draw the sections side by side, within the limits of the true one; chaotic orbits are grey."""
        from matplotlib import pyplot as plt  # importing it is slow

        from physlearn.plotting import section_boundary

        columns = min(COLUMNS, len(self.flows))
        rows = -(-len(self.flows) // columns)
        figure, axes = plt.subplots(
            rows, columns, figsize=(3.6 * columns, 3.6 * rows), layout="constrained", squeeze=False, sharex=True, sharey=True
        )
        plt.close(figure)  # removes it from pyplot only
        truth = self.flows["truth"].section
        plane = truth.plane[0], truth.plane[1]
        limits: dict[str, tuple[float, float]] = {}
        for ax, (label, seen) in zip(axes.flat, self.flows.items(), strict=False):
            seen.section.plot(plane, chaotic=seen.chaotic.reshape(-1).tolist(), ax=ax)
            limits = limits or {"xlim": ax.get_xlim(), "ylim": ax.get_ylim()}
            ax.set(**limits)
            ax.set_title(label, fontsize="medium")
            ax.label_outer()
            if self.energy is not None:
                section_boundary(cast(HamiltonianSystem, self.system), self.energy, truth.surface, ax=ax)
        for ax in axes.flat[len(self.flows) :]:
            ax.set_axis_off()
        figure.supxlabel("grey: chaotic; in colour: regular or undecided", fontsize="small")
        return figure

    def page(self) -> Page:
        """Return the results as a page."""
        return Page(
            title=self.title,
            lead=self._verdict(),
            figures={"Poincare sections; chaotic orbits are grey": self.plot()},
            tables={"Dynamics": self._shown()},
            notes=self._undecided(),
            settings=self.settings,
            seconds=self.seconds,
        )

    def save(self, directory: str | os.PathLike[str], *, keep_all: bool = False) -> list[Path]:
        """Write report.html and section.png, and return the paths.

        With ``keep_all``, metrics.json, manifest.json, sections.parquet, orbits.parquet and the weights are written, too.
        """
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [self.page().save(folder / "report.html"), write_figure(folder / "section.png", self.plot())]
        if not keep_all:
            return paths
        content = {"title": self.title, **environment(), "settings": dict(self.settings), "seconds": self.seconds}
        paths.append(write_json(folder / "metrics.json", self.metrics()))
        paths.append(write_json(folder / "manifest.json", content))
        for name, frame in {"sections": self.sections, "orbits": self.orbits}.items():
            paths.append(folder / f"{name}.parquet")
            with atomically(paths[-1]) as temporary:
                frame.to_parquet(temporary)
        for label, forecaster in self.forecasters.items():
            paths.append(folder / f"{label.replace(', ', '_')}.safetensors")
            forecaster.save(paths[-1])
        return paths

    def metrics(self) -> dict[str, Any]:
        """Return the table as JSON-ready values, with None for values that are not finite."""
        return {"title": self.title, "rows": [finite(row) for row in self.table.reset_index().to_dict("records")]}


def _undecided(label: str, seen: Dynamics) -> list[str]:
    """Return one line per reason for which orbits of a flow are undecided."""
    classes = seen.classes.to_frame()
    counts = classes.loc[classes["class"] == "undecided", "reason"].value_counts()
    return [f"{label}: {n} of {len(classes)} orbits undecided: {reason}" for reason, n in counts.items()]


def choose(
    names: Sequence[str] | None, activation: str, canonical: bool, learned: LearnedActivations | None = None
) -> dict[str, tuple[str, str | Activation]]:
    """Return the models of a long run: each with the given activation and, if there are any, with learned activations.

    Parameters
    ----------
    names
        Names of models; by default nn and, in canonical coordinates, hnn and hnn-separable.
    activation
        Name of an activation.
    canonical
        Whether the coordinates are positions and momenta.
    learned
        Learned activations.

    Returns
    -------
    dict of str to tuple
        Model and activation by label.

    Raises
    ------
    InputError
        If a model is unknown or does not apply to the coordinates.
    """
    names = (USUAL if canonical else USUAL[:1]) if names is None else names
    for name in names:
        contender.choose(name, None, canonical)
        if models.find(name).continues:
            raise InputError(f"the model {name} has no vector field, which this analysis needs: use a model such as nn")
    activations = {"": activation} | ({} if learned is None else {", learned mix": learned.mix})
    return {f"{name}{label}": (name, kind) for label, kind in activations.items() for name in names}


def initial_states(
    system: System, n: int, energy: float | None, surface: tuple[str, float], direction: int, seed: int
) -> Float[Tensor, "n D"]:
    """Return states of the given energy on a grid on the surface of section or, without an energy, samples of the system."""
    if energy is None:
        return system.sample(n, seed=seed)
    return on_section(cast(HamiltonianSystem, system), n, energy, surface=surface, direction=direction or 1)


def long_run(
    system: System,
    z0: Float[Tensor, "n D"],
    models: Mapping[str, tuple[str, str | Activation]],
    protocol: Protocol,
    *,
    time: float,
    dt: float | None = None,
    surface: tuple[str, float] | None = None,
    direction: int = 1,
    energy: float | None = None,
    seed: int = 0,
    progress: bool = True,
    indicators: Sequence[str] = (),
    training: Mapping[str, Any] | None = None,
    **network: Any,
) -> LongRun:
    """Train models on orbits of a system, integrate them and the system from z0 for a long time, and compare them.

    Parameters
    ----------
    system
        The true system.
    z0 : shape ``(n, D)``
        Initial states of the long orbits.
    models
        Name and activation of each model, by its label; may be empty, for the system alone.
    protocol
        Training orbits.
    time, surface, direction
        As for `~physlearn.chaos.Dynamics.of`; the surface defaults to that of the system.
    dt
        Step of the long orbits; defaults to that of the protocol.
    energy
        Energy of the initial states, if it is the same for all.
    seed
        Random seed of orbits, weights and deviations.
    progress
        Whether to show progress bars.
    indicators
        Names of further indicators of chaos: ``"megno"``, ``"fli"``, ``"frequency-drift"``; none by default.
    training, network
        Settings of `~physlearn.forecasting.Forecaster.fit` and `~physlearn.forecasting.Forecaster`.
    """
    check(indicators)
    start = clock.perf_counter()
    surface = system.surface if surface is None else surface
    dt = protocol.dt if dt is None else dt

    def follow(label: str, flow: FlowLike) -> Dynamics:
        shown = label if progress else False
        return Dynamics.of(flow, z0, time, dt=dt, surface=surface, direction=direction, seed=seed, progress=shown)

    flows = {"truth": follow("truth", system)}  # first, so that invalid settings are found before any training
    forecasters = {}
    if models:
        learned, validation = learning_orbits(system, protocol, seed)
        for label, (name, activation) in models.items():
            forecaster = Forecaster(name, activation=activation, seed=seed, **network)
            forecasters[label] = forecaster.fit(learned, validation, progress=progress, **(training or {}))

    flows |= {label: follow(label, forecaster) for label, forecaster in forecasters.items()}
    sources: dict[str, FlowLike] = {"truth": system, **forecasters}
    return LongRun(
        title=f"{system.name}: {len(z0)} orbits{'' if energy is None else f' of energy {energy:g}'} over t = {time:g}",
        flows=flows,
        comparisons={label: compare_dynamics(seen, flows["truth"]) for label, seen in flows.items()},
        indicators={label: measured(source, z0, time, dt, seed, indicators) for label, source in sources.items()},
        forecasters=forecasters,
        system=system,
        energy=energy,
        settings={
            "system": system.name,
            "parameters": system.parameters,
            "models": {label: [name, describe(activation)] for label, (name, activation) in models.items()},
            "protocol": asdict(protocol),
            "time": time,
            "surface": list(surface),
            "direction": direction,
            "dt": dt,
            "energy": energy,
            "seed": seed,
            "indicators": list(indicators),
            "training": dict(training or {}),
            "network": {**network, "parameters": {label: f.n_parameters for label, f in forecasters.items()}},
        },
        seconds=clock.perf_counter() - start,
    )
