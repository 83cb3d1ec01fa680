"""Figures 5 to 7: activations that were meta-learned for orbits, and the losses of networks that use them."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from physlearn import plotting
from physlearn.comparison.panels import curves, panels
from physlearn.plotting.color_map import RAINBOW
from physlearn.studies.learned_diversity.figures import Drawn, Request, register
from physlearn.studies.learned_diversity.study import study, table_of
from systems import Orbit, film
from systems.hamiltonian import HenonHeiles

ENERGIES = {"low energy, regular": 1 / 12, "high energy, chaotic": 0.15}
LONG = 150.0  # duration of the orbits that are shown
ANGLE = 0.09  # angle of the clock in the picture [rad]


@register("fig5")
def van_der_pol(request: Request) -> Drawn:
    """Draw the results for the van der Pol oscillator, with networks of the vector field."""
    task = request.task("van-der-pol")
    found = study(task, request)
    return Drawn(panels(task, found.learned[0], found.results["untuned"], cmap=RAINBOW), table_of([found]), found.settings)


@register("fig6")
def henon_heiles(request: Request) -> Drawn:
    """Draw the results for Henon-Heiles, with networks of the vector field and of the Hamiltonian."""
    studies = {name: study(request.task(f"henon-heiles-{name}"), request) for name in ("nn", "hnn")}
    figure = plt.figure(figsize=(13, 8.2), layout="constrained")
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    upper, lower = np.asarray(figure.subfigures(2, 1, height_ratios=(1, 1.1)))
    for ax, (title, energy) in zip(upper.subplots(1, len(ENERGIES)), ENERGIES.items(), strict=True):
        star(ax, energy, request.results.seed)
        ax.set_title(f"{title}, E = {energy:.3g}", fontsize="medium")
    middle, right = np.asarray(lower.subfigures(1, 2, width_ratios=(1.25, 1)))
    for part, (name, found) in zip(np.asarray(middle.subfigures(2, 1)), studies.items(), strict=True):
        curves(part, found.learned[0], RAINBOW)
        part.suptitle(name.upper(), fontsize="medium", x=0.02, ha="left")
    axes = right.subplots(1, 2, sharey=True)
    for ax, (name, found) in zip(axes, studies.items(), strict=True):
        found.results["untuned"].plot("loss", ax)
        ax.set_title(name.upper(), fontsize="medium")
        ax.label_outer()
    return Drawn(figure, table_of(studies.values()), {found.task.name: found.settings for found in studies.values()})


@register("fig7")
def pendulum_clock(request: Request) -> Drawn:
    """Draw the results for a pendulum clock, recorded or else simulated, with networks of the Hamiltonian."""
    task = request.task("pendulum-clock-hnn")
    found = study(task, request)
    figure = plt.figure(figsize=(15, 4.1), layout="constrained")
    plt.close(figure)
    parts = np.asarray(figure.subfigures(1, 4, width_ratios=(0.75, 1, 1.75, 1.1)))
    ax = parts[0].subplots()
    ax.imshow(film.still(ANGLE, film.Film(size=(720, 960))))
    ax.set_axis_off()
    plotting.phase_portrait(task.forecast.truth, ax=parts[1].subplots(), linewidth=0.5, cmap=RAINBOW)
    curves(parts[2], found.learned[0], RAINBOW)
    found.results["untuned"].plot("loss", parts[3].subplots())
    figure.suptitle(task.title)
    return Drawn(figure, table_of([found]), {"recorded": request.recording is not None, **found.settings})


def star(ax: Axes, energy: float, seed: int) -> Orbit:
    """Draw and return an orbit of a star in the Henon-Heiles galaxy."""
    system = HenonHeiles()
    t = torch.linspace(0, LONG, 3001, dtype=torch.float64)
    orbit = system.orbit(system.sample(1, seed=seed, energy=energy)[0], t)
    plotting.configuration_orbit(orbit, system=system, ax=ax, linewidth=0.7, cmap=RAINBOW)
    return orbit
