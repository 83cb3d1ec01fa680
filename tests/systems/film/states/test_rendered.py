"""From films to states: rendered systems, whose motion is known."""

import numpy as np
import pytest
import torch

from systems import InputError, Orbit
from systems.film import Defects, Positions, render_system, track_points
from systems.film.states import to_states

T = torch.linspace(0, 3, 721, dtype=torch.float64)
DEFECTS = Defects(noise=2, compression=18)


def tracked(path, system, orbit, **options):
    """Return the places of the markers in a rendered film, in the unit of the orbit, and what it shows."""
    truth = render_system(system, orbit, path, size=(320, 240), marker=5, defects=DEFECTS, **options)
    marks = track_points(path, np.stack([truth.x[:, 0], truth.y[:, 0]], -1), scale=truth.scale, origin=truth.origin)
    return marks, truth


def within(states, k, truth):
    """Return which parts of a coordinate are within two standard errors of the truth, away from the ends."""
    return float((np.abs((states.orbit.z[:, k].numpy() - truth) / states.errors[:, k])[5:-5] < 2).mean())


@pytest.fixture(scope="module")
def metronome(tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "metronome.mp4"
    orbit = Orbit(T, 0.55 * torch.cos(6.5 * T)[:, None], coordinates=("theta",))
    return tracked(path, "metronome", orbit, length=0.18)


@pytest.mark.parametrize("markers", [1, 2])
def test_a_filmed_metronome_has_its_angle_its_rate_and_its_period(metronome, markers):
    marks, truth = metronome
    alone = Positions(
        marks.t, *(part[1:] for part in (marks.x, marks.y, marks.errors, marks.quality)), marks.frames, marks.axes
    )
    states = to_states(marks if markers == 2 else alone, "metronome")
    assert states.orbit.coordinates == ("theta", "omega")
    assert np.abs(states.orbit.z[:, 0].numpy() - 0.55 * np.cos(6.5 * truth.exposed)).max() < 0.02
    assert within(states, 0, 0.55 * np.cos(6.5 * truth.exposed)) > 0.9
    assert within(states, 1, -0.55 * 6.5 * np.sin(6.5 * truth.exposed)) > 0.8
    for name, true in (("length", 0.18), ("period", 2 * np.pi / 6.5)):
        value, error = states.measures[name]
        assert abs(value - true) < 3 * error
        assert error < 0.01 * true


def test_a_filmed_cart_has_its_place_and_its_velocity(tmp_path):
    marks, truth = tracked(tmp_path / "cart.mp4", "cart", Orbit(T, (1.2 * T - 0.2 * T**2)[:, None], coordinates=("x",)))
    states = to_states(marks, "cart")
    assert within(states, 0, 1.2 * truth.exposed - 0.2 * truth.exposed**2) > 0.9
    assert within(states, 1, 1.2 - 0.4 * truth.exposed) > 0.9
    assert np.nanmax(states.errors[:, 1]) < 0.1


@pytest.mark.parametrize("motion", [lambda t: 0.3 * np.cos(6.5 * t) + 0.3 * np.cos(10.5 * t), lambda t: 2 * t])
def test_a_rod_that_does_not_swing_evenly_is_no_metronome(metronome, motion):
    marks, _ = metronome
    x = np.stack([np.zeros_like(marks.t), 0.18 * np.sin(motion(marks.t))])
    y = np.stack([np.zeros_like(marks.t), 0.18 * np.cos(motion(marks.t))])
    with pytest.raises(InputError, match="does not swing evenly"):
        to_states(Positions(marks.t, x, y, marks.errors, marks.quality, marks.frames, marks.axes), "metronome")
