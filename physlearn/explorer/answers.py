"""The answers to what the page asks for, as values for JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

import systems
from physlearn import integrators, metrics
from physlearn.chaos import Section, poincare_section
from physlearn.explorer import scene as scenes
from physlearn.explorer.asked import Asked, plain
from physlearn.explorer.exploration import Exploration, same_times
from physlearn.explorer.neurons import Neurons
from physlearn.explorer.sections import STEP, TIME, in_groups, plane_indices, starts, true_section
from physlearn.explorer.shipped import ACTIVATION
from physlearn.explorer.stage import Stage
from physlearn.explorer.trained_models import Shelf
from systems import HamiltonianSystem, InputError, IntegrationError, Orbit

LINES = 8  # orbits beside the true one
STEPS = 20_000  # of an orbit
HELD = 0.01  # error of the energy, relative to the spread of energies, up to which an orbit counts as held on its section
VALID = 0.4  # distance up to which a forecast is valid, as in physlearn.metrics.valid_prediction_time
INPUTS = torch.linspace(-5, 5, 101, dtype=torch.float64)  # pre-activations of the curves

Send = Callable[[dict[str, Any]], None]


class Answers:
    """The answers to what the page asks for.

    Parameters
    ----------
    shelf : Shelf
        The trained models.
    first : str
        Name of the system that is shown first.
    """

    def __init__(self, shelf: Shelf, first: str) -> None:
        self.first = first
        self._shelves = {shelf.learning: shelf}
        self._shelf = shelf
        self._stages: dict[str, Stage] = {}
        self._staging = Lock()
        self._files: dict[str, Neurons] = {}
        self._newest = 0  # number of the newest request

    def menus(self, asked: Asked) -> dict[str, Any]:
        """Return what the menus of the page offer."""
        learning = self._shelf.learning
        return {
            "first": self.first,
            "systems": scenes.names(self.first),
            "methods": integrators.names(),
            "neurons": [*Neurons.names(), *self._files],
            "usual": ACTIVATION,
            "learning": {"orbits": learning.orbits, "epochs": learning.epochs, "noise": learning.noise},
        }

    def stage(self, asked: Asked) -> dict[str, Any]:
        """Return the description of a system, with the models that need no training."""
        stage, usual = self._stage(asked), Neurons.named(ACTIVATION)
        told = stage.told()
        return {**told, "ready": [model for model in told["models"] if self._shelf.has(stage.system, model, usual)]}

    def curves(self, asked: Asked) -> dict[str, Any]:
        """Return the curves of an activation."""
        curves = self._neurons(asked).curves(INPUTS)
        return {"a": plain(INPUTS), "curves": {name: plain(curve) for name, curve in curves.items()}}

    def file(self, name: str, data: bytes) -> dict[str, Any]:
        """Take learned activations from a file, and return their name."""
        neurons = Neurons.of_file(name, data)
        self._files[neurons.name] = neurons
        return {"name": neurons.name}

    def orbits(self, asked: Asked) -> dict[str, Any]:
        """Return the true orbit from an initial state, and the other lines that are asked for."""
        self._newest += 1
        stage, here = self._here(asked)
        reply: dict[str, Any] = {
            "z0": here.z0.tolist(),
            "points": stage.scene.points(here.z0).tolist(),
            "energy": here.energy,
            "unseen": stage.unseen(here.z0, here.energy),
            "limit": [plain(torch.as_tensor(line)) for line in stage.contours.limit(here.energy)],
        }
        try:
            truth = here.truth()
        except (InputError, IntegrationError) as error:
            return {**reply, "truth": {"error": str(error)}, "lines": []}
        if not asked.flag("quick"):  # not while the user drags
            reply["known"] = here.horizon(truth)
        reply["truth"] = {
            "dt": float(truth.t[1]),
            "time": float(truth.t[-1]),
            **stage.drawn(truth.z),
            **self._energies(here, truth),
        }
        reply["lines"] = [self._line(stage, here, truth, line) for line in asked.parts("lines", LINES)]
        return reply

    def sections(self, asked: Asked, send: Send) -> None:
        """Send the sections of the system and of the other lines, one after the other, until something newer is asked for."""
        stage, here = self._here(asked)
        system, z0, wanted = cast(HamiltonianSystem, here.system), starts(here), self._still_wanted()

        def told(section: Callable[[Tensor], Section], line: int) -> None:
            try:
                send(self._section(stage, here, in_groups(section, z0, wanted), line))
            except InputError as error:
                send({"line": line, "error": str(error)})

        told(partial(true_section, system, time=TIME), -1)
        for k, line in enumerate(asked.parts("lines", LINES)):
            try:
                flow, dt, method = self._flow(here, line)
            except InputError as error:
                send({"line": k, "error": str(error)})
            else:
                if flow is not None:
                    told(partial(poincare_section, flow, time=TIME, dt=dt, surface=system.surface, method=method), k)

    def train(self, asked: Asked, send: Send) -> None:
        """Train a model, and send its losses after each epoch."""
        system, model, neurons, shelf = self._stage(asked).system, asked.word("model"), self._neurons(asked), self._of(asked)

        def watch(epoch: int, row: Any) -> None:
            send({"epoch": epoch, "training": row.get("training"), "validation": row.get("validation")})

        shelf.train(system, model, neurons, watch)
        send({"done": True})

    def _still_wanted(self) -> Callable[[], bool]:
        """Return a function that says whether no newer orbits or sections have been asked for."""
        self._newest += 1
        number = self._newest
        return lambda: self._newest == number

    def _of(self, asked: Asked) -> Shelf:
        """Return the shelf of the models that are trained as asked."""
        (given,) = asked.parts("learning", 1) if asked.has("learning") else (None,)
        if given is None:
            return self._shelf
        orbits, epochs = given.whole("orbits", 1, 2000), given.whole("epochs", 1, 5000)
        learning = replace(self._shelf.learning, orbits=orbits, epochs=epochs, noise=given.number("noise", 0, 0.5))
        return self._shelves.setdefault(learning, Shelf(learning, self._shelf.folder))

    def _stage(self, asked: Asked) -> Stage:
        name = asked.word("system")
        with self._staging:
            if name not in self._stages:
                self._stages[name] = Stage(systems.get(name), self._shelf.learning)
            return self._stages[name]

    def _here(self, asked: Asked) -> tuple[Stage, Exploration]:
        stage = self._stage(asked)
        z0 = asked.states("z0", [stage.system.dim])
        if asked.has("points"):
            z0 = stage.scene.state(asked.states("points", stage.scene.points(z0).shape), z0)
        time, dt = asked.number("time", 1e-3, 1e4), asked.number("dt", 1e-4, 1e2)
        if time / dt > STEPS:
            raise InputError(f"time={time:g} has more than {STEPS} steps of dt={dt:g}: take a shorter time or longer steps")
        return stage, Exploration(stage.system, z0, time=time, dt=min(dt, time))

    def _neurons(self, asked: Asked) -> Neurons:
        name = asked.word("neurons")
        return self._files[name] if name in self._files else Neurons.named(name)

    def _model(self, system: systems.System, line: Asked) -> Any:
        """Return a trained model. Raises InputError if it is not trained."""
        shelf, model, neurons = self._of(line), line.word("model"), self._neurons(line)
        if not shelf.has(system, model, neurons):
            raise InputError(f"{model} with the activation {neurons.name} is not trained yet: press Train")
        return shelf.get(system, model, neurons)

    def _flow(self, here: Exploration, line: Asked) -> tuple[Any, float, str | None]:
        """Return what has a section, with its step and method, or None if it has the section of the truth."""
        kind = line.word("kind")
        if kind == "model":
            return self._model(here.system, line), STEP, None
        return (here.system, here.dt, line.word("method")) if kind == "system" else (None, here.dt, None)

    def _line(self, stage: Stage, here: Exploration, truth: Orbit, line: Asked) -> dict[str, Any]:
        """Return one more orbit, with its errors, or the sentence that says why there is none."""
        try:
            orbit, label = self._orbit(here, line)
        except (InputError, IntegrationError) as error:
            return {"error": str(error)}
        there = same_times(truth, orbit)
        orbit = replace(orbit, coordinates=there.coordinates, periods=there.periods, units=there.units)
        shown, apart = stage.within(orbit), metrics.distance(orbit, there)
        return {
            "label": label,
            "dt": float(orbit.t[1]),
            "time": float(orbit.t[-1]),
            "valid": _valid(orbit.t, apart),
            **stage.drawn(shown.z),
            **self._energies(here, shown),
            "distance": plain(apart[: len(shown.t)]),
        }

    def _orbit(self, here: Exploration, line: Asked) -> tuple[Orbit, str]:
        kind = line.word("kind")
        if kind == "second":
            offset = line.number("offset", -1.0, 1.0)
            moved = here.z0.clone()
            moved[0] += offset
            return replace(here, z0=moved).truth(), f"second start, {offset:g} away"
        if kind == "system":
            method = line.word("method")
            return here.integrated(method), f"true equations by {method}"
        if kind == "model":
            name, own = line.word("model"), line.word("method") if line.has("method") else None
            with_model = replace(here, models={name: self._model(here.system, line)}, method=own)
            return with_model.forecast(name), f"{name} by {with_model.method_of(name)}"
        raise InputError(f"kind must be second, system or model, not {kind!r}")

    def _energies(self, here: Exploration, orbit: Orbit) -> dict[str, Any]:
        """Return how much the energy along an orbit differs from that of the initial state, if the system has one."""
        energy = here.energy_along(orbit)
        return {} if energy is None or here.energy is None else {"deviation": plain(energy - here.energy)}

    def _section(self, stage: Stage, here: Exploration, section: Section, line: int) -> dict[str, Any]:
        """Return the points of a section in the order of time, and how many of its orbits keep their energy."""
        order = torch.argsort(section.t)
        i, j = plane_indices(cast(HamiltonianSystem, here.system))
        errors = self._errors(stage, here, section)
        return {
            "line": line,
            "orbit": section.orbit[order].tolist(),
            "t": plain(section.t[order]),
            "x": plain(section.z[order, i]),
            "y": plain(section.z[order, j]),
            "time": TIME,
            "orbits": len(section.unresolved),
            "resolved": int((~section.unresolved).sum()),
            "held": int(((errors <= HELD) & ~section.unresolved & ~section.escaped).sum()),
        }

    def _errors(self, stage: Stage, here: Exploration, section: Section) -> Float[Tensor, " n"]:
        """Return the largest error of the energy on the section, for each orbit, in units of the spread of energies.

        It is infinite for an orbit that never crosses the surface, as one that a model has lost.
        """
        system, energy = here.system, here.energy
        assert isinstance(system, HamiltonianSystem)
        assert energy is not None
        off = ((system.hamiltonian(section.z) - energy).abs() / stage.scene.spread).nan_to_num(torch.inf)
        lost = off.new_full((len(section.unresolved),), torch.inf)
        return lost.scatter_reduce(0, section.orbit, off, "amax", include_self=False)


def _valid(t: Float[Tensor, " T"], apart: Float[Tensor, " T"]) -> float:
    """Return `physlearn.metrics.valid_prediction_time`, of which the distance to the truth is already known."""
    off = (apart > VALID).nonzero()
    return float(t[off[0] if len(off) else -1])
