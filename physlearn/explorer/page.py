"""The page: its widgets, and what happens when the user changes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any

import panel as pn
import torch
from bokeh.document import Document
from bokeh.models import Column, ColumnDataSource

import systems
from physlearn import Forecaster, integrators, models
from physlearn.chaos import Section
from physlearn.explorer import scene as scenes
from physlearn.explorer.board import Board
from physlearn.explorer.exploration import Exploration
from physlearn.explorer.figures import activation_figure
from physlearn.explorer.latest_request import Newest, Wanted
from physlearn.explorer.neurons import Neurons
from physlearn.explorer.scene import Pace, Scene
from physlearn.explorer.sections import has_section, sections
from physlearn.explorer.symbols import written
from physlearn.explorer.trained_models import Shelf
from physlearn.plotting.variant_colors import variant_colors
from systems import InputError, IntegrationError, Orbit, System

WIDTH = 270  # of the widgets, in pixels
SUITED = "default of each model"
HAMILTONIAN = [name for name in models.names() if models.find(name).is_hamiltonian() and not models.find(name).baseline]
STEPS = (0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)
TIMES = (5.0, 10.0, 20.0, 50.0, 100.0)
SETTLED = 0.6  # delay between the last change and the computation of sections, in seconds
INPUTS = torch.linspace(-5, 5, 201, dtype=torch.float64)  # pre-activations of the curves


class Page:
    """The page of one user: an exploration that widgets and drags change, and the threads that compute its results.

    Orbits, trainings and sections each have their own thread. The event loop of the document draws their results, so the page
    never blocks.
    """

    def __init__(self, shelf: Shelf, name: str, document: Document) -> None:
        self.shelf = shelf
        self.document = document
        self.exploration: Exploration | None = None
        self.board: Board | None = None
        self.files: dict[str, Neurons] = {}
        self._rolling = Newest(self._roll_out)
        self._learning = Newest(self._learn)
        self._sectioning = Newest(self._cut, delay=SETTLED)
        self._said: dict[str, str] = {}
        self._make_widgets(name)
        pn.state.onload(self._choose)  # not earlier: messages sent while a browser connects may be lost

    def close(self) -> None:
        """End the threads when the user has left."""
        for thread in (self._rolling, self._learning, self._sectioning):
            thread.close()

    # --- widgets ---

    def _make_widgets(self, name: str) -> None:
        own: dict[str, Any] = {"width": WIDTH, "margin": (4, 8)}
        self.system = pn.widgets.Select(label="System", value=name, options=scenes.names(name), **own)
        self.neurons = pn.widgets.Select(label="Activation", value="tanh", options=Neurons.names(), **own)
        self.file = pn.widgets.FileInput(accept=".safetensors", **own)
        self.hamiltonian = pn.widgets.Select(label="Hamiltonian network", value="hnn", options=HAMILTONIAN, **own)
        self.integrator = pn.widgets.Select(label="Integrator", value=SUITED, options=[SUITED, *integrators.names()], **own)
        self.step = pn.widgets.DiscreteSlider(label="Step", options=list(STEPS), **own)
        self.time = pn.widgets.DiscreteSlider(label="Time", options=list(TIMES), **own)
        self.state = pn.pane.HTML("", width=WIDTH, margin=(4, 8))
        self.busy = pn.indicators.LoadingSpinner(value=False, size=22, visible=False, margin=(6, 4, 0, 8))
        self.said = pn.pane.HTML("", width=1020, height=40, margin=(4, 8))
        self.curves = activation_figure(WIDTH)
        self._curves = ColumnDataSource(data={"a": [], "value": [], "color": []}, name="curves")
        self._show_curves(self._chosen_neurons())
        self.curves.multi_line("a", "value", source=self._curves, color="color", line_width=2)
        self.figures = Column()  # a Bokeh layout, so that new figures and their data are sent in order
        for widget in (self.system, self.neurons, self.hamiltonian):
            widget.param.watch(lambda _: self._choose(), "value")
        self.file.param.watch(lambda _: self._take_file(), "value")
        self.integrator.param.watch(lambda _: self._change(method=self._method), "value")
        self.step.param.watch(lambda _: self._change(dt=self.step.value), "value_throttled")
        self.time.param.watch(lambda _: self._change(time=self.time.value), "value_throttled")

    @property
    def layout(self) -> pn.Row:
        """The layout, with widgets on the left and figures on the right."""
        hint = "Drag in a plane to move the initial state."
        return pn.Row(
            pn.Column(
                pn.pane.HTML("<h2 style='margin:0'>True and learned orbits</h2>", margin=(8, 8, 0, 8)),
                pn.pane.HTML(hint, width=WIDTH, margin=(2, 8)),
                self.system, self.state, self.hamiltonian, self.integrator, self.step, self.time, self.neurons,
                pn.pane.HTML("Or load learned activations from a file:", margin=(2, 8, 0, 8)),
                self.file, pn.pane.Bokeh(self.curves, margin=(4, 8)),
                width=WIDTH + 24,
            ),
            pn.Column(pn.Row(self.busy, self.said, height=44), pn.pane.Bokeh(self.figures)),
        )  # fmt: skip

    @property
    def _method(self) -> str | None:
        return None if self.integrator.value == SUITED else str(self.integrator.value)

    def _chosen_neurons(self) -> Neurons:
        return self.files.get(self.neurons.value) or Neurons.named(self.neurons.value)

    # --- user input ---

    def _choose(self) -> None:
        """Request new models for another system, activation or kind of model."""
        system, neurons = systems.get(self.system.value), self._chosen_neurons()
        self.hamiltonian.disabled = not system.canonical
        models = ["nn", *([self.hamiltonian.value] if system.canonical else [])]
        self._show_curves(neurons)
        self._learning.ask((system, neurons, models))

    def _take_file(self) -> None:
        if self.file.value is None:
            return
        try:
            neurons = Neurons.of_file(self.file.filename or "file", self.file.value)
        except InputError as error:
            self._say("file", str(error))
            return
        self._say("file", "")
        self.files[neurons.name] = neurons
        self.neurons.options = [*Neurons.names(), *self.files]
        if self.neurons.value == neurons.name:  # another file with the same name
            self._choose()
        self.neurons.value = neurons.name

    def _change(self, **what: Any) -> None:
        """Change the state, integrator, step or time, and keep the models."""
        if self.exploration is None:
            return
        self.exploration = replace(self.exploration, **what)
        self._rolling.ask(self.exploration)
        if "z0" in what:
            self._ask_for_sections()

    def _ask_for_sections(self) -> None:
        """Request sections, but only when all models are trained, to leave the processor to the training."""
        if self.exploration is not None and has_section(self.exploration.system) and not self.busy.value:
            self._sectioning.ask(self.exploration)

    def _dragged(self, attribute: str, old: Any, new: dict[str, Any]) -> None:
        assert self.board is not None
        points = torch.tensor([list(new["x"]), list(new["y"])], dtype=torch.float64).T
        if points.isfinite().all():
            self._change(z0=self.board.scene.state(points))

    # --- computation in threads ---

    def _learn(self, request: tuple[System, Neurons, list[str]], wanted: Wanted) -> None:
        """Set up the scene, then train the models, and show each as soon as it is trained."""
        system, neurons, names = request
        learning = self.shelf.learning
        self._later(wanted, self._working, f"simulating training orbits of {system.name}")
        try:
            scene = Scene.of(system, self.shelf.orbits(system)[0])
        except (InputError, IntegrationError) as error:
            self._later(wanted, self._working, "")
            self._later(wanted, self._say, "learning", str(error))
            return
        self._later(wanted, self._open, system, scene, names)
        why = []
        for name in names:
            if not wanted():
                return
            if not self.shelf.has(system, name, neurons):
                on = f"{learning.orbits} orbits of {system.name}, {learning.epochs} epochs, activation {neurons.name}"
                self._later(wanted, self._working, f"training {name}: {on}")
            try:
                forecaster = self.shelf.get(system, name, neurons)
            except (InputError, IntegrationError, OSError) as error:
                why.append(f"{name}: {error}")
            else:
                self._later(wanted, self._add, name, forecaster)
        self._later(wanted, self._say, "learning", "\n".join(why))
        self._later(wanted, self._working, "")
        self._later(wanted, self._ask_for_sections)

    def _roll_out(self, exploration: Exploration, wanted: Wanted) -> None:
        """Compute and draw the orbits, even if the state has changed since: otherwise, a drag would show nothing."""
        self._later(lambda: True, self._draw, exploration, exploration.orbits())

    def _cut(self, exploration: Exploration, wanted: Wanted) -> None:
        """Compute one section after another, and stop as soon as the state changes."""
        try:
            for name, section in sections(exploration, wanted):
                self._later(wanted, self._draw_section, name, section)
            self._later(wanted, self._say, "section", "")
        except InputError as error:
            self._later(wanted, self._no_sections, str(error))

    # --- drawing in the event loop ---

    def _later(self, wanted: Wanted, draw: Callable[..., None], *arguments: Any) -> None:
        """Draw something in the event loop, unless it is no longer wanted by then."""
        self.document.add_next_tick_callback(partial(self._if_wanted, wanted, draw, *arguments))

    @staticmethod
    def _if_wanted(wanted: Wanted, draw: Callable[..., None], *arguments: Any) -> None:
        if wanted():
            draw(*arguments)

    def _open(self, system: System, scene: Scene, names: list[str]) -> None:
        """Create figures for a system and its models. If the system is the same as before, keep its state and settings."""
        self._sectioning.forget()
        before = self.exploration
        if before is None or before.system.name != system.name:
            pace = scenes.PACES.get(system.name, Pace())
            z0 = system.sample(1, seed=2, **self.shelf.learning.protocol(system).test_sample)[0]
            self.step.value, self.time.value = pace.step, pace.time
            self.exploration = Exploration(system, z0, method=self._method, time=pace.time, dt=pace.step)
        else:
            self.exploration = replace(before, models={})
        self.board = Board(self.exploration, scene, names)
        self.board.handle.on_change("data", self._dragged)
        self.figures.children = [self.board.layout]
        self._change()

    def _add(self, name: str, forecaster: Forecaster) -> None:
        assert self.exploration is not None
        self._change(models={**self.exploration.models, name: forecaster})

    def _draw(self, exploration: Exploration, orbits: dict[str, Orbit | str]) -> None:
        if self.board is None or self.exploration is None or exploration.system is not self.exploration.system:
            return
        self.board.draw(exploration, orbits)
        why = [f"{name}: {orbit}" for name, orbit in orbits.items() if isinstance(orbit, str)]
        self._say("orbits", "\n".join(why))
        z = [f"{written(c)} = {x:.3f}" for c, x in zip(exploration.system.coordinates, exploration.z0, strict=True)]
        energy = [] if exploration.energy is None else [f"energy H = {exploration.energy:.4g}"]
        self.state.object = "<br>".join([", ".join(z[:2]), *([", ".join(z[2:])] if z[2:] else []), *energy])

    def _draw_section(self, name: str, section: Section) -> None:
        assert self.board is not None
        self.board.draw_section(name, section)

    def _no_sections(self, why: str) -> None:
        assert self.board is not None
        self.board.clear_sections()
        self._say("section", why)

    def _working(self, what: str) -> None:
        self.busy.value = self.busy.visible = bool(what)
        self._say("working", what)

    def _say(self, about: str, what: str) -> None:
        """Show what is being done, and what went wrong, one line each."""
        self._said[about] = "<br>".join(map(escape, what.splitlines()))
        self.said.object = "<br>".join(text for text in self._said.values() if text)

    def _show_curves(self, neurons: Neurons) -> None:
        curves = neurons.curves(INPUTS)
        alone = len(curves) == 1
        colors = ["#3B75AF"] if alone else list(variant_colors(curves).values())
        self._curves.data = {
            "a": [INPUTS.numpy()] * len(curves),
            "value": [curve.numpy() for curve in curves.values()],
            "color": colors,
        }
