"""From places to states: systems with known orbits, whose markers are seen with a known error."""

import math

import numpy as np
import pytest
import torch

import systems
from systems import InputError
from systems.film import Positions
from systems.film.points.axes import Axes
from systems.film.states import names, to_states

T = np.arange(240) / 30
NOISE = 2e-3


def seen(*places, noise=NOISE, axes=None, seed=0):
    """Markers at places (x, height) in metres, each ``(T,)``, with normal noise."""
    random = np.random.default_rng(seed)
    x, y = (np.stack([np.broadcast_to(place[i], T.shape) for place in places]) for i in (0, 1))
    x, y = x + noise * random.normal(size=x.shape), y + noise * random.normal(size=y.shape)
    errors = np.full_like(x, noise)
    return Positions(T, x, y, errors, np.ones_like(x), np.arange(len(T)), axes or Axes(0.002, 0.0, (0, 0), 0.0, True, "m"))


def normal(states, truth):
    """Deviations from true states in units of their errors, away from the ends."""
    return ((states.orbit.z.numpy() - truth) / states.errors)[5:-5]


def double(gravity=12.0, start=(1.2, 1.6, 0.0, 0.0), length=0.5):
    orbit = systems.get("double-pendulum", gravity=gravity).orbit(
        torch.tensor(start, dtype=torch.float64), torch.from_numpy(T)
    )
    one, two = orbit.z[:, 0].numpy(), orbit.z[:, 1].numpy()
    first = length * np.stack([np.sin(one), -np.cos(one)])
    return orbit, first, first + length * np.stack([np.sin(two), -np.cos(two)])


@pytest.mark.parametrize("markers", [1, 2])
def test_a_pendulum_has_its_angle_its_rate_and_its_length(markers):
    truth = systems.get("pendulum", gravity=16.0).orbit(torch.tensor([1.0, 0.0], dtype=torch.float64), torch.from_numpy(T))
    theta = truth.z[:, 0].numpy()
    bob = 0.6 * np.sin(theta) + 0.1, 1 - 0.6 * np.cos(theta)
    states = to_states(seen(*[(0.1, 1.0), bob][-markers:]), "pendulum")
    assert states.orbit.coordinates == systems.get("pendulum").coordinates
    length, error = states.measures["length"]
    assert abs(length - 0.6) < 3 * error
    off = normal(states, truth.z.numpy())
    assert (np.abs(off) < 2).mean() > 0.9
    assert np.abs(off).max() < 6
    assert states.errors[:, 1].mean() < 0.1


def test_a_double_pendulum_has_the_momenta_of_the_registered_system():
    truth, first, second = double()
    states = to_states(seen((0, 0), first, second), "double-pendulum")
    assert states.orbit.coordinates == systems.get("double-pendulum").coordinates
    off = normal(states, truth.z.numpy())
    assert (np.abs(off) < 2).mean(0) == pytest.approx(0.95, abs=0.08)
    assert states.measures["length_2"][0] == pytest.approx(0.5, abs=1e-3)
    velocities = to_states(seen((0, 0), first, second), "double-pendulum", momenta=False)
    rates = systems.get("double-pendulum", gravity=12.0).vector_field(0, truth.z)[:, :2].numpy()
    assert (np.abs(normal(velocities, np.concatenate([truth.z[:, :2], rates], axis=1))) < 2).mean() > 0.85


def test_angles_of_a_double_pendulum_fit_its_gravity():
    _, first, second = double()
    states = to_states(seen((0, 0), first, second), "double-pendulum")
    angles = states.of_positions()
    assert angles.coordinates == ("theta_1", "theta_2")
    fit = systems.fit(systems.get("double-pendulum"), angles[..., :90])
    assert abs(fit.parameters["gravity"] - 12.0) < 3 * fit.errors["gravity"]
    assert fit.errors["gravity"] < 0.05


def test_unequal_rods_are_refused_unless_velocities_are_asked_for():
    _, first, second = double()
    marks = seen((0, 0), first, first + 0.7 * (second - first))
    with pytest.raises(InputError, match="pass momenta=False"):
        to_states(marks, "double-pendulum")
    assert to_states(marks, "double-pendulum", momenta=False).orbit.coordinates[2:] == ("omega_1", "omega_2")


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_units_of_length_change_nothing(unit):
    _, first, second = double()
    marks = seen((0, 0), first, second)
    scaled = Positions(
        T, unit * marks.x, unit * marks.y, unit * marks.errors, marks.quality, marks.frames, Axes(0.002 * unit, y_up=True)
    )
    one, other = (to_states(each, "double-pendulum") for each in (marks, scaled))
    np.testing.assert_allclose(other.orbit.z, one.orbit.z, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(other.errors, one.errors, rtol=1e-4)


def test_y_may_point_down():
    _, first, second = double()
    up = seen((0, 0), first, second)
    down = Positions(T, up.x, -up.y, up.errors, up.quality, up.frames)
    np.testing.assert_allclose(to_states(down, "double-pendulum").orbit.z, to_states(up, "double-pendulum").orbit.z)


def test_frames_without_a_marker_have_no_state():
    _, first, second = double()
    marks = seen((0, 0), first, second)
    marks.x[2, 50:60] = marks.y[2, 50:60] = np.nan
    z = to_states(marks, "double-pendulum").orbit.z
    assert z[50:60, 1:].isnan().all()
    assert z[50:60, 0].isfinite().all()
    assert z[60:].isfinite().all()


def test_a_mass_on_a_spring_has_the_coordinates_of_a_harmonic_oscillator():
    q = 0.05 * np.cos(7 * T)
    states = to_states(seen((0.2, 1 + q)), "spring", mass=0.2)
    assert states.orbit.coordinates == systems.get("harmonic-oscillator").coordinates
    assert np.abs(states.orbit.z[:, 0].numpy() - q).max() < 5 * NOISE
    assert np.abs(states.orbit.z[5:-5, 1].numpy() + 0.2 * 0.35 * np.sin(7 * T)[5:-5]).max() < 0.02
    shaken = 0.01 * np.sin(3 * T)
    both = to_states(seen((0.2, 1.5 + shaken), (0.2, 1 + q + shaken)), "spring")
    assert np.abs(both.orbit.z[:, 0].numpy() - q).max() < 7 * NOISE


def test_an_elastic_pendulum_is_in_units_of_its_length_at_rest():
    system = systems.get("elastic-pendulum", stiffness=40.0, gravity=10.0)
    truth = system.orbit(torch.tensor([0.2, -0.9, 0.0, 0.0], dtype=torch.float64), torch.from_numpy(T))
    bob = 0.4 * truth.z[:, 0].numpy(), 2 + 0.4 * truth.z[:, 1].numpy()
    states = to_states(seen((0, 2), bob), "elastic-pendulum", length=0.4)
    assert states.orbit.coordinates == system.coordinates
    assert (np.abs(normal(states, truth.z.numpy())) < 2).mean() > 0.85
    with pytest.raises(InputError, match="needs its length at rest"):
        to_states(seen((0, 2), bob), "elastic-pendulum")


def test_the_plane_of_a_pendulum_turns_as_fast_as_it_does():
    turn = np.exp(1j * 0.05 * T) * (0.3 * np.cos(5 * T) + 0.02j * np.sin(5 * T))
    states = to_states(seen((1 + turn.real, 2 + turn.imag)), "foucault")
    rate, error = states.measures["precession"]
    assert abs(rate - 0.05) < 3 * error
    assert error < 0.01
    assert np.abs(states.orbit.z[:, :2].numpy() - np.stack([turn.real, turn.imag], -1)).max() < 0.02


def test_a_cart_and_a_falling_body_have_places_and_velocities():
    along = 0.1 + 0.3 * T - 0.02 * T**2
    cart = to_states(seen((along * math.cos(0.2), along * math.sin(0.2))), "cart")
    assert cart.orbit.coordinates == ("x", "v")
    assert (np.abs(normal(cart, np.stack([along, 0.3 - 0.04 * T], -1))[:, 1]) < 3).mean() > 0.9
    fall = to_states(seen((0.5 * T, 300 + 2 * T - 9.81 * T**2 / 2)), "free-fall")
    gravity, error = fall.measures["gravity"]
    assert abs(gravity - 9.81) < 3 * error
    assert error < 1e-2
    assert (
        np.abs(normal(fall, np.stack([0.5 * T, fall.orbit.z[:, 1], 0.5 + 0 * T, 2 - 9.81 * T], -1))[:, 3]) < 3
    ).mean() > 0.9


def test_markers_or_options_that_do_not_fit_are_refused():
    marks = seen((0, 0), (1, 1))
    with pytest.raises(InputError, match=r"need markers 3 .pivot, first bob, second bob., in this order, not 2"):
        to_states(marks, "double-pendulum")
    with pytest.raises(KeyError, match="no filmed system 'wheel'"):
        to_states(marks, "wheel")
    with pytest.raises(InputError, match="pendulum has no option mass; its options are none"):
        to_states(marks, "pendulum", mass=1)
    with pytest.raises(InputError, match="does not move along a straight line"):
        to_states(seen((np.sin(T), np.cos(T))), "cart")
    assert names() == [
        "cart",
        "double-pendulum",
        "elastic-pendulum",
        "foucault",
        "free-fall",
        "metronome",
        "pendulum",
        "spring",
    ]
