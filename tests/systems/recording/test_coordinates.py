"""Columns of a CSV file: which are coordinates and rates, and which choices are refused."""

from math import pi

import numpy as np
import pytest
import torch

from systems import InputError, Orbit

FPS, FREQUENCY, AMPLITUDE = 30.0, 3.1, 0.1
T = np.arange(900) / FPS
SWING = AMPLITUDE * np.cos(FREQUENCY * T)
VELOCITY = -FREQUENCY * AMPLITUDE * np.sin(FREQUENCY * T)


@pytest.mark.parametrize("names", [("x", "y"), ("theta_1", "theta_2"), ("theta", "phi"), ("theta", "omega2")])
def test_no_second_coordinate_is_dropped(write, names):
    path = write(f"t,{','.join(names)}", T, SWING, 2 * SWING)
    with pytest.raises(InputError, match=rf"{names[1]} would not be used; pass coordinates=\('{names[0]}', '{names[1]}'\)"):
        Orbit.from_csv(path, angle=names[0])


@pytest.mark.parametrize(
    ("names", "rates"),
    [
        (("x", "y"), ("v_x", "v_y")),
        (("theta_1", "theta_2"), ("omega_1", "omega_2")),
        (("theta", "x"), ("omega", "v_x")),
        (("theta", "phi"), ("omega", "v_phi")),
    ],
)
def test_several_coordinates_are_read_with_their_rates(write, names, rates):
    path = write(f"t,{names[0]},{names[1]},temperature", T, SWING, 2 * SWING + 5, T)
    (orbit,) = Orbit.from_csv(path, coordinates=names)
    assert orbit.coordinates == (*names, *rates)
    assert orbit.periods == {name: 2 * pi for name in names if name not in ("x", "y")}
    at = torch.isin(torch.from_numpy(T), orbit.t).numpy()
    expected = np.stack([SWING, 2 * SWING + 5, VELOCITY, 2 * VELOCITY], -1)[at]
    # the quintic over half a period is good to 7e-4 of the swing, its derivative to some times that
    np.testing.assert_allclose(orbit.z, expected, rtol=0, atol=3e-3 * AMPLITUDE * FREQUENCY)
    assert torch.equal(orbit.rate[:, :2], orbit.z[:, 2:])
    (alone,) = Orbit.from_csv(path, coordinates=names[1])
    assert torch.equal(alone.z[:, 0], orbit.z[:, 1])


def test_rates_of_the_file_go_with_their_coordinates(write):
    path = write("t,x,y,v_y,v_x,a_x,a_y", T, SWING, SWING + 1, VELOCITY, VELOCITY * 1.5, SWING * 2, SWING * 3)
    (orbit,) = Orbit.from_csv(path, coordinates=["x", "y"])
    expected = np.stack([SWING, SWING + 1, VELOCITY * 1.5, VELOCITY], -1)
    np.testing.assert_array_equal(orbit.z, expected)
    np.testing.assert_array_equal(orbit.rate, np.stack([VELOCITY * 1.5, VELOCITY, SWING * 2, SWING * 3], -1))


def test_a_position_has_a_velocity_and_no_period(write):
    (orbit,) = Orbit.from_csv(write("t,x", T, SWING), angle="x")
    assert (orbit.coordinates, orbit.periods) == (("x", "v_x"), {})
    with pytest.raises(InputError, match="omega would not be used"):
        Orbit.from_csv(write("t,x,omega", T, SWING, VELOCITY), angle="x")


def test_by_products_of_tracking_are_no_coordinates(write):
    """The columns of the table that `physlearn track` writes."""
    header = "pendulum,t,theta,omega,alpha,theta_error,omega_error,alpha_error,quality"
    alpha = -(FREQUENCY**2) * SWING
    (orbit,) = Orbit.from_csv(write(header, 0 * T, T, SWING, VELOCITY, alpha, *[0 * T] * 3, 0 * T + 1))
    assert orbit.coordinates == ("theta", "omega")
    assert len(orbit) == 900


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"coordinates": "x", "angle": "x"}, "only coordinates"),
        ({"coordinates": []}, "name at least one"),
        ({"coordinates": ["x", "x"]}, "'x' occurs twice"),
        ({"coordinates": ["x", "t"]}, "'t' occurs twice"),
        ({"coordinates": ["x", "z"]}, "no column 'z', only t, x, y"),
        ({"coordinates": ["x", "y"], "velocity": "v"}, "velocity names 1 columns for 2 coordinates"),
        ({"coordinates": ["x", "y"], "velocity": ["v", "v"]}, "'v' occurs twice"),
        ({"coordinates": ["x"], "periods": {"y": 1.0}}, "period is given for 'y'"),
        ({"coordinates": ["x"], "periods": {"x": -1.0}}, "must be a positive number"),
        ({"coordinates": ["x"], "periods": 360}, "periods must map the names"),
        ({"columns": "t,x,y"}, "columns must be a list of names"),
        ({"gap": "2"}, "gap must be more than 1 median step, not '2'"),
    ],
)
def test_a_choice_that_makes_no_state_is_refused(write, arguments, message):
    with pytest.raises(InputError, match=message):
        Orbit.from_csv(write("t,x,y", T, SWING, SWING), **arguments)


def test_numpy_integers_are_whole_numbers(write, tmp_path):
    (orbit,) = Orbit.from_csv(write("t,theta", T, SWING), window=np.int64(31), order=np.int32(4))
    orbit.save(tmp_path / "orbit.nc")
    assert Orbit.load(tmp_path / "orbit.nc").provenance["filter"]["window"] == 31
    with pytest.raises(InputError, match=r"window must be a whole number, not 31\.0"):
        Orbit.from_csv(write("t,theta", T, SWING), window=31.0)
