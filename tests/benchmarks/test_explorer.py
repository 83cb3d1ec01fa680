"""Answers to a drag in the explorer: what the page computes and draws anew when the initial state has moved.

Every row rolls out the true orbit and the models' ones with the integrators, steps and times that the page begins with, and
hands them to the figures. How well the models are trained does not matter for that. The table gives drags a second; 5 a second
are 200 ms each.
"""

from dataclasses import replace

import pytest
import torch

import systems
from physlearn.explorer import Exploration, Learning, Neurons, Scene, Shelf, scene

SHELF = Shelf(Learning(orbits=20, epochs=2))


@pytest.mark.parametrize("name", scene.names())
def test_a_drag(name, benchmark):
    board = pytest.importorskip("physlearn.explorer.board", reason="the page needs panel")
    benchmark.group = "explorer"
    benchmark.extra_info.update(name=f"a drag, {name}", work=1, rival="")
    system, pace = systems.get(name), scene.PACES[name]
    models = {model: SHELF.get(system, model, Neurons.named("sine")) for model in ("nn", "hnn")[: 1 + system.canonical]}
    z0 = system.sample(1, seed=2, **SHELF.learning.protocol(system).test_sample)[0]
    exploration = Exploration(system, z0, models, time=pace.time, dt=pace.step)
    figures = board.Board(exploration, Scene.of(system, SHELF.orbits(system)[0]), tuple(models))
    states = iter(z0 * (1 - 1e-3 * torch.arange(40).unsqueeze(-1)))

    def drag():
        moved = replace(exploration, z0=next(states))
        figures.draw(moved, moved.orbits())

    benchmark.pedantic(drag, rounds=15, warmup_rounds=3)
