"""Page: the widgets, and what happens when one is touched."""

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
from physlearn import integrators, models
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

WIDTH = 270  # of the widgets
SUITED = "the one that suits each"
HAMILTONIAN = [name for name in models.names() if models.find(name).is_hamiltonian() and not models.find(name).baseline]
STEPS = (0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)
TIMES = (5.0, 10.0, 20.0, 50.0, 100.0)
SETTLED = 0.6  # seconds after the last change until sections are drawn
INPUTS = torch.linspace(-5, 5, 201, dtype=torch.float64)  # of the curves


class Page:
    """One reader's page: an exploration that widgets and drags change, and the threads that answer.

    Orbits, trainings and sections each have a thread of their own, and what they find is drawn by the document's event loop:
    the page never waits.
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
        pn.state.onload(self._choose)  # not before: what is sent while a browser connects may be lost

    def close(self) -> None:
        """The reader has left."""
        for thread in (self._rolling, self._learning, self._sectioning):
            thread.close()

    # --- what is there ---

    def _make_widgets(self, name: str) -> None:
        own: dict[str, Any] = {"width": WIDTH, "margin": (4, 8)}
        self.system = pn.widgets.Select(label="System", value=name, options=scenes.names(name), **own)
        self.neurons = pn.widgets.Select(label="Activation of the neurons", value="sine", options=Neurons.names(), **own)
        self.file = pn.widgets.FileInput(accept=".safetensors", **own)
        self.hamiltonian = pn.widgets.Select(label="Hamiltonian network", value="hnn", options=HAMILTONIAN, **own)
        self.integrator = pn.widgets.Select(
            label="Integrator of the models", value=SUITED, options=[SUITED, *integrators.names()], **own
        )
        self.step = pn.widgets.DiscreteSlider(label="Step", options=list(STEPS), **own)
        self.time = pn.widgets.DiscreteSlider(label="Time", options=list(TIMES), **own)
        self.state = pn.pane.HTML("", width=WIDTH, margin=(4, 8))
        self.busy = pn.indicators.LoadingSpinner(value=False, size=22, visible=False, margin=(6, 4, 0, 8))
        self.said = pn.pane.HTML("", width=1020, height=40, margin=(4, 8))
        self.curves = activation_figure(WIDTH)
        self._curves = ColumnDataSource(data={"a": [], "value": [], "color": []}, name="curves")
        self._show_curves(self._chosen_neurons())
        self.curves.multi_line("a", "value", source=self._curves, color="color", line_width=2)
        self.figures = Column()  # of bokeh itself: what comes into it and what is then drawn there are sent in one order
        for widget in (self.system, self.neurons, self.hamiltonian):
            widget.param.watch(lambda _: self._choose(), "value")
        self.file.param.watch(lambda _: self._take_file(), "value")
        self.integrator.param.watch(lambda _: self._change(method=self._method), "value")
        self.step.param.watch(lambda _: self._change(dt=self.step.value), "value_throttled")
        self.time.param.watch(lambda _: self._change(time=self.time.value), "value_throttled")

    @property
    def layout(self) -> pn.Row:
        """Widgets on the left, figures on the right."""
        hint = "Drag in a plane: the dot is the initial state."
        return pn.Row(
            pn.Column(
                pn.pane.HTML("<h2 style='margin:0'>True and learned orbits</h2>", margin=(8, 8, 0, 8)),
                pn.pane.HTML(hint, width=WIDTH, margin=(2, 8)),
                self.system, self.state, self.hamiltonian, self.integrator, self.step, self.time, self.neurons,
                pn.pane.HTML("or learned activations from a file:", margin=(2, 8, 0, 8)),
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

    # --- what the reader does ---

    def _choose(self) -> None:
        """Another system, other neurons, another model: all models anew."""
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
        if self.neurons.value == neurons.name:  # another file of the same name
            self._choose()
        self.neurons.value = neurons.name

    def _change(self, **what: Any) -> None:
        """Another state, integrator, step or time: the same models."""
        if self.exploration is None:
            return
        self.exploration = replace(self.exploration, **what)
        self._rolling.ask(self.exploration)
        if "z0" in what:
            self._ask_for_sections()

    def _ask_for_sections(self) -> None:
        """Once all models are there; until then, there is enough to do."""
        if self.exploration is not None and has_section(self.exploration.system) and not self.busy.value:
            self._sectioning.ask(self.exploration)

    def _dragged(self, attribute: str, old: Any, new: dict[str, Any]) -> None:
        assert self.board is not None
        points = torch.tensor([list(new["x"]), list(new["y"])], dtype=torch.float64).T
        if points.isfinite().all():
            self._change(z0=self.board.scene.state(points))

    # --- what threads do ---

    def _learn(self, request: tuple[System, Neurons, list[str]], wanted: Wanted) -> None:
        """The scene, then every model; each is shown as soon as it is there."""
        system, neurons, names = request
        learning = self.shelf.learning
        self._later(wanted, self._working, f"simulating orbits of {system.name} to learn from")
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
                self._later(wanted, self._working, f"training {name} on {on}")
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
        """Drawn even if the state has moved on meanwhile: otherwise nothing would be seen as long as a drag lasts."""
        self._later(lambda: True, self._draw, exploration, exploration.orbits())

    def _cut(self, exploration: Exploration, wanted: Wanted) -> None:
        """One section after the other; left in the middle as soon as the state changes."""
        try:
            for name, section in sections(exploration, wanted):
                self._later(wanted, self._draw_section, name, section)
            self._later(wanted, self._say, "section", "")
        except InputError as error:
            self._later(wanted, self._no_sections, str(error))

    # --- what the event loop draws ---

    def _later(self, wanted: Wanted, draw: Callable[..., None], *arguments: Any) -> None:
        """Have something drawn, unless it is no longer wanted then."""
        self.document.add_next_tick_callback(partial(self._if_wanted, wanted, draw, *arguments))

    @staticmethod
    def _if_wanted(wanted: Wanted, draw: Callable[..., None], *arguments: Any) -> None:
        if wanted():
            draw(*arguments)

    def _open(self, system: System, scene: Scene, names: list[str]) -> None:
        """Figures for the system and these models. Of the same system, the state and the way to roll out are kept."""
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

    def _add(self, name: str, forecaster: Any) -> None:
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

    def _draw_section(self, name: str, section: Any) -> None:
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
        """What is being done, and what went wrong, a line each."""
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
