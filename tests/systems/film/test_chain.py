"""From a film of a double pendulum to its parameters and a forecast."""

import math

import numpy as np
import pytest
import torch

import systems
from systems.film import Defects, held, render_system, track_points

pytestmark = pytest.mark.slow

GRAVITY, LENGTH = 9.81, 0.35


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_film_of_a_double_pendulum_gives_its_length_its_gravity_and_a_forecast(tmp_path, seed):
    system = systems.get("double-pendulum", gravity=GRAVITY / LENGTH)
    t = torch.linspace(0, 4, 1601, dtype=torch.float64)
    start = torch.tensor([1.9, 2.3 - 0.1 * seed, 0, 0], dtype=torch.float64)
    defects = Defects(noise=3, exposure=0.3, compression=20, dropped=0.02, duplicated=0.02)
    film = tmp_path / "film.mp4"
    orbit = held(system.orbit(start, t), 0.5)
    truth = render_system("double-pendulum", orbit, film, length=LENGTH, size=(640, 480), fps=60, defects=defects, seed=seed)
    stick = (truth.origin, (truth.origin[0], truth.origin[1] + LENGTH / truth.scale), LENGTH)
    marks = track_points(film, list(zip(truth.x[:, 0], truth.y[:, 0], strict=True)), scale=stick, origin=truth.origin)
    assert (np.isfinite(marks.x) | ~truth.visible | truth.duplicate).mean() > 0.95

    states = marks.to_states("double-pendulum")
    length, length_error = states.measures["length_1"]
    assert abs(length - LENGTH) < 2 * length_error
    angles = states.of_positions()
    released = (angles.t > 0.6) & (angles.t < 2.6)
    index = torch.nonzero(released).flatten()
    fit = systems.fit(systems.get("double-pendulum"), angles[..., int(index[0]) : int(index[-1]) + 1])
    rate, rate_error = fit.parameters["gravity"], fit.errors["gravity"]
    assert abs(rate - GRAVITY / LENGTH) < 3 * rate_error
    assert rate_error < 0.05
    gravity, error = rate * length, rate * length * math.hypot(rate_error / rate, length_error / length)
    assert abs(gravity - GRAVITY) < 2 * error
    assert error < 0.1

    begin = fit.orbit.t[-1]
    later = torch.linspace(float(begin), float(begin) + 0.5, 31, dtype=torch.float64)
    forecast = fit.system.orbit(fit.orbit.z[-1], later)
    true = system.orbit(start, torch.cat([torch.zeros(1, dtype=torch.float64), later - 0.5])).z[1:]
    assert (forecast.z[:, :2] - true[:, :2]).abs().max() < 0.1
