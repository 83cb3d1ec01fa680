"""Films of systems with joints: what is drawn, where it is, and when."""

import math

import av
import numpy as np
import pytest
import torch

import systems
from systems import InputError, Orbit
from systems.film import Defects, held, render_system

T = torch.linspace(0, 1, 121, dtype=torch.float64)
SIZE = (320, 240)
ORBITS = {
    "pendulum": systems.get("pendulum", gravity=20.0).orbit([1.0, 0.0], T),
    "double-pendulum": systems.get("double-pendulum", gravity=20.0).orbit([1.5, 2.0, 0.0, 0.0], T),
    "spring": Orbit(T, 0.2 * torch.cos(9 * T)[:, None], coordinates=("q",)),
    "elastic-pendulum": systems.get("elastic-pendulum", stiffness=40.0, gravity=10.0).orbit([0.3, -0.9, 0.0, 0.0], T),
    "metronome": Orbit(T, 0.6 * torch.cos(7 * T)[:, None], coordinates=("theta",)),
    "cart": Orbit(T, (0.4 * T + 0.3 * T**2)[:, None], coordinates=("x",)),
    "foucault": Orbit(T, torch.stack([torch.cos(6 * T), 0.2 * torch.sin(6 * T)], -1), coordinates=("x", "y")),
}
RED = np.array((214, 24, 32))


def pictures(path):
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="rgb24").astype(float) for frame in film.decode(video=0)]


@pytest.mark.parametrize("system", ORBITS)
def test_the_markers_are_where_the_truth_says(tmp_path, system):
    truth = render_system(system, ORBITS[system], tmp_path / "film.mp4", size=SIZE, marker=5)
    frames = pictures(tmp_path / "film.mp4")
    assert len(frames) == len(truth) == 31
    colours = [(214, 24, 32), (20, 84, 214), (12, 148, 62)]  # red, blue, green
    for marker, colour in zip(range(len(truth.x)), colours, strict=False):
        for k in (0, 12, 30):
            near = np.abs(frames[k] - np.array(colour)).sum(-1) < 90
            rows, columns = np.nonzero(near)
            assert near.sum() > 40
            assert columns.mean() == pytest.approx(truth.x[marker, k], abs=0.5)
            assert rows.mean() == pytest.approx(truth.y[marker, k], abs=0.5)


def test_places_have_the_scale_and_the_origin_that_are_told(tmp_path):
    truth = render_system("double-pendulum", ORBITS["double-pendulum"], tmp_path / "film.mp4", length=0.3, size=SIZE)
    one, two = ORBITS["double-pendulum"].z[::4, :2].numpy().T
    right = truth.origin[0] + 0.3 * (np.sin(one) + np.sin(two)) / truth.scale
    down = truth.origin[1] + 0.3 * (np.cos(one) + np.cos(two)) / truth.scale
    np.testing.assert_allclose(truth.x[2], right, atol=1e-3)
    np.testing.assert_allclose(truth.y[2], down, atol=1e-3)
    assert truth.visible.all()


def test_defects_of_a_film_are_those_of_all_films(tmp_path):
    defects = Defects(hand=1, duplicated=0.2, dropped=0.1, shake=2, rotation=90)
    orbit = held(ORBITS["double-pendulum"], 2.0)
    truths = [
        render_system("double-pendulum", orbit, tmp_path / f"{k}.mp4", size=SIZE, defects=defects, seed=4) for k in (0, 1)
    ]
    assert (tmp_path / "0.mp4").read_bytes() == (tmp_path / "1.mp4").read_bytes()
    truth = truths[0]
    assert truth.duplicate.any()
    assert not truth.visible.all()
    assert np.diff(truth.t).max() > 1.5 / 30
    still = np.ptp(truth.y[2][truth.t < 1.9])  # the film lies on its side and shakes
    assert 1 < still < 15
    assert set(truth.to_pandas()["marker"]) == {0, 1, 2}


def test_a_system_is_held_before_it_is_released():
    orbit = ORBITS["pendulum"]
    later = held(orbit, 0.5)
    assert float(later.t[-1]) == pytest.approx(1.5)
    assert (later.z[later.t < 0.5] == orbit.z[0]).all()
    assert torch.equal(later.z[later.t >= 0.5 - 1e-9], orbit.z)
    with pytest.raises(InputError, match="held for a positive time"):
        held(orbit, 0.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": (31, 30)}, "size of a film must be an even width"),
        ({"fps": 0}, "fps of a film must be from 1 to 1000"),
        ({"length": -1}, "length must be positive"),
        ({"scale": math.nan}, "scale must be a finite number"),
        ({"scale": 1e-3}, "leaves frames of 320 x 240 pixels of 0.001 each"),
        ({"colours": ["red"]}, "2 markers need as many colours"),
        ({"colours": ["red", "mauve"]}, "no colour 'mauve'"),
        ({"orbit": ORBITS["spring"]}, "no coordinate 'theta'"),
        ({"path": "film.avi"}, "must end with .mp4"),
        ({"system": "wheel"}, "no picture of a system 'wheel'; choose one of pendulum, double-pendulum"),
    ],
)
def test_wrong_settings_are_refused(tmp_path, changes, message):
    arguments = {"system": "pendulum", "orbit": ORBITS["pendulum"], "path": "film.mp4", "size": SIZE, **changes}
    arguments["path"] = tmp_path / arguments["path"]
    with pytest.raises(InputError, match=message):
        render_system(**arguments)
    assert not list(tmp_path.iterdir())
