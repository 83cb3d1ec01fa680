"""Recorded motion from CSV files: which columns are coordinates, angles that turn, short gaps, and any units."""

from math import pi

import numpy as np
import pytest
import torch

import systems
from systems import InputError, Orbit

FPS, FREQUENCY, AMPLITUDE = 30.0, 3.1, 0.1
T = np.arange(900) / FPS
SWING = AMPLITUDE * np.cos(FREQUENCY * T)
VELOCITY = -FREQUENCY * AMPLITUDE * np.sin(FREQUENCY * T)


@pytest.fixture
def write(tmp_path):
    def write(header, *columns, name="motion.csv"):
        path = tmp_path / name
        rows = (",".join("" if np.isnan(x) else repr(float(x)) for x in row) for row in zip(*columns, strict=True))
        path.write_text("\n".join([header, *rows]) + "\n")
        return path

    return write


@pytest.fixture(scope="module")
def rotation():
    """Times, angles and velocities of a pendulum that turns over 6 times."""
    t = torch.arange(600, dtype=torch.float64) / FPS
    orbit = systems.get("pendulum").orbit([0.1, 2.5], t)
    return t.numpy(), *orbit.z.numpy().T


def wrapped(angle, period=2 * pi, start=-0.5):
    return (angle / period - start) % 1 * period + start * period


# columns


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


# angles


@pytest.mark.parametrize("start", [-0.5, 0.0, 0.3])
@pytest.mark.parametrize(("unit", "turn"), [("rad", 2 * pi), ("deg", 360.0), ("turn", 1.0)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_recorded_rotation_is_unwrapped(write, rotation, unit, turn, start, sign):
    t, theta, omega = rotation
    scale = sign * turn / (2 * pi)
    (orbit,) = Orbit.from_csv(write(f"t,theta [{unit}]", t, wrapped(scale * theta, turn, start)))
    assert orbit.periods == {"theta": turn}
    at = np.isin(t, orbit.t)
    turns = (orbit.z[:, 0].numpy() - scale * theta[at]) / turn
    np.testing.assert_allclose(turns, round(turns[0]), atol=1e-3)
    np.testing.assert_allclose(orbit.z[:, 1], scale * omega[at], rtol=0, atol=0.03 * abs(scale))


def test_a_rotation_with_its_own_rates_is_unwrapped_too(write, rotation):
    t, theta, omega = rotation
    (orbit,) = Orbit.from_csv(write("t,theta,omega,alpha", t, wrapped(theta), omega, -np.sin(theta)))
    np.testing.assert_allclose(orbit.z[:, 0].numpy() - theta, float(orbit.z[0, 0] - theta[0]), atol=1e-12)


def test_an_angle_that_is_recorded_over_many_turns_stays_as_it_is(write):
    """4 rad from frame to frame: more than half a turn, but no jump."""
    theta = 4.0 * np.arange(900) + SWING
    (orbit,) = Orbit.from_csv(write("t,theta", T, theta), window=31)
    np.testing.assert_allclose(orbit.z[:, 1], 4 * FPS + VELOCITY[15:-15], rtol=0, atol=1e-3)


def test_a_lost_turn_of_an_unwrapped_angle_is_put_back(write, rotation):
    t, theta, omega = rotation
    lost = theta - 2 * pi * (t > 7) + 4 * pi * (t > 13)
    (orbit,) = Orbit.from_csv(write("t,theta", t, lost))
    np.testing.assert_allclose(orbit.z[:, 1], omega[np.isin(t, orbit.t)], rtol=0, atol=0.03)


@pytest.mark.parametrize("rows", [300, 600])
@pytest.mark.parametrize(("unit", "turn"), [("deg", 360.0), ("rad", 2 * pi)])
@pytest.mark.parametrize("speed", [5 / 9, -1 / 7])  # turns per second
def test_the_window_of_a_steady_rotation_is_half_a_turn(write, rows, unit, turn, speed):
    t = 0.05 * np.arange(rows)
    (orbit,) = Orbit.from_csv(write(f"t,theta [{unit}]", t, speed * turn * t % turn))
    # the periodogram tells the 36 or 140 samples of a turn to a tenth where the record holds two
    assert orbit.provenance["filter"]["window"] == pytest.approx(10 / abs(speed), rel=0.1)
    np.testing.assert_allclose(orbit.z[:, 1], speed * turn, rtol=1e-9)
    np.testing.assert_allclose(orbit.rate[:, 1], 0, atol=1e-6 * turn)


@pytest.mark.parametrize("turns", [0.0, 1e3, -1e6])
def test_angles_many_turns_away_have_the_same_rates(write, turns):
    (orbit,) = Orbit.from_csv(write("t,theta", T, SWING + 2 * pi * turns))
    (near,) = Orbit.from_csv(write("t,theta", T, SWING))
    # the file's own rounding, 5e-10 at 6e6 rad, and the second derivative's weights, together .03 of 30^2
    np.testing.assert_allclose(orbit.rate, near.rate, rtol=0, atol=1e-12 + 3e-8 * abs(turns) / 1e6)


def test_a_short_gap_is_unwrapped_and_a_long_one_is_not_guessed(write, rotation):
    t, theta, _ = rotation
    angle = wrapped(theta)
    for last, known in ((10.2, True), (14.0, False)):
        keep = (t < 9.9) | (t > last)
        first, second = Orbit.from_csv(write("t,theta,omega,alpha", t[keep], angle[keep], *[np.gradient(theta, t)[keep]] * 2))
        turns = [float(o.z[0, 0] - theta[np.searchsorted(t, float(o.t[0]) - 1e-9)]) / (2 * pi) for o in (first, second)]
        assert (abs(turns[0] - turns[1]) < 1e-9) == known
        assert abs(float(second.z[0, 0])) < pi or known


def test_what_is_no_angle_is_not_unwrapped(write):
    """A saw tooth that falls by 6 from row to row."""
    x = 6.0 * (np.arange(900) % 30) / 29
    path = write("t,theta", T, x)
    (jumps,) = Orbit.from_csv(path, periods={}, window=7, order=3)
    assert jumps.periods == {}
    assert float(jumps.z[:, 1].abs().max()) > 40
    (turns,) = Orbit.from_csv(path, window=7, order=3)
    assert float(turns.z[:, 1].abs().max()) < 10


@pytest.mark.parametrize(("name", "turn"), [("encoder", 2 * pi), ("x", 360.0), ("theta", 360.0)])
def test_what_looks_like_a_wrapped_angle_has_to_be_declared(write, rotation, name, turn):
    t, theta, omega = rotation
    path = write(f"t,{name}", t, wrapped(theta / (2 * pi) * turn, turn, 0.0))
    with pytest.raises(InputError, match=rf"pass periods={{'{name}': {turn:.3g}"):
        Orbit.from_csv(path, angle=name)
    (orbit,) = Orbit.from_csv(path, angle=name, periods={name: turn})
    np.testing.assert_allclose(orbit.z[:, 1], omega[np.isin(t, orbit.t)] / (2 * pi) * turn, rtol=0, atol=0.03 / 6 * turn)


def test_turns_that_cannot_be_counted_are_refused(write):
    path = write("t,theta", T, wrapped(0.47 * 2 * pi * np.arange(900)))
    with pytest.raises(InputError, match="turns cannot be counted"):
        Orbit.from_csv(path)
    with pytest.raises(InputError, match=r"turns cannot be counted|like an angle"):  # degrees, taken for radians
        Orbit.from_csv(write("t,theta", T, wrapped(47.0 * np.arange(900), 360.0)))


def test_units_of_rates_that_do_not_fit_are_refused(write):
    alpha = -(FREQUENCY**2) * SWING
    for header in ("t [s],theta [deg],omega [rad/s],alpha", "t [ms],theta [rad],omega [rad/s],alpha"):
        with pytest.raises(InputError, match="convert them to the same units"):
            Orbit.from_csv(write(header, T, SWING, VELOCITY, alpha))
    for factor in (180 / pi, 1e-3, -1.0):
        with pytest.raises(InputError, match=r"the rate of theta is .* times the column omega"):
            Orbit.from_csv(write("t,theta,omega,alpha", T, SWING * factor, VELOCITY, alpha))
        Orbit.from_csv(write("t,theta,omega,alpha", T, SWING * factor, VELOCITY, alpha), rates="derived")


def test_a_declared_unit_is_believed(write):
    """Five turns from frame to frame are no angle modulo 2 pi, and 300 pixels none modulo 360 degrees."""
    (orbit,) = Orbit.from_csv(write("t,theta [turn]", T, 5.1 * np.arange(900)), window=31)
    assert orbit.periods == {"theta": 1.0}
    np.testing.assert_allclose(orbit.z[:, 1], 5.1 * FPS, rtol=1e-9)
    (orbit,) = Orbit.from_csv(write("t,theta_px", T, 300.0 * (np.arange(900) % 30 > 14)), angle="theta_px", window=31)
    assert (orbit.coordinates, orbit.periods) == (("theta_px", "omega_px"), {})
    with pytest.raises(InputError, match=r"the unit 'arcmin' of theta is not known; pass periods"):
        Orbit.from_csv(write("t,theta [arcmin]", T, SWING))


def test_numpy_integers_are_whole_numbers(write, tmp_path):
    (orbit,) = Orbit.from_csv(write("t,theta", T, SWING), window=np.int64(31), order=np.int32(4))
    orbit.save(tmp_path / "orbit.nc")
    assert Orbit.load(tmp_path / "orbit.nc").provenance["filter"]["window"] == 31
    with pytest.raises(InputError, match=r"window must be a whole number, not 31\.0"):
        Orbit.from_csv(write("t,theta", T, SWING), window=31.0)


def test_provenance_keeps_the_units(write):
    (orbit,) = Orbit.from_csv(write("t,theta\ns,rad", T, SWING))
    assert orbit.provenance["units"] == {"t": "s", "theta": "rad"}


@pytest.mark.parametrize(
    ("header", "units"),
    [
        ("t,theta [deg],omega [rad/s],alpha [rad/s^2]", {"theta": "deg", "omega": "deg/s", "alpha": "deg/s^2"}),
        ("t [ms],theta [deg],omega [rad/s],alpha", {"t": "ms", "theta": "deg", "omega": "deg/ms"}),
        ("t,theta [rad],omega [deg/min],alpha", {"theta": "rad", "omega": "rad/min"}),
        ("t,theta,omega [deg/s],alpha", {}),
    ],
)
def test_a_derived_rate_has_the_unit_of_its_coordinate_per_time(write, header, units):
    path = write(header, T, SWING, VELOCITY, -(FREQUENCY**2) * SWING)
    (orbit,) = Orbit.from_csv(path, rates="derived")
    assert orbit.provenance.get("units", {}) == units


def test_a_rate_of_the_file_keeps_the_unit_of_the_file(write):
    (orbit,) = Orbit.from_csv(write("t [s],theta [rad],omega [radians/s]", T, SWING, VELOCITY))
    assert orbit.provenance["units"] == {"t": "s", "theta": "rad", "omega": "radians/s"}


# gaps


@pytest.mark.parametrize("seed", range(3))
def test_dropped_frames_are_bridged(write, seed):
    keep = np.random.default_rng(seed).random(900) > 0.02
    whole = Orbit.from_csv(write("t,theta", T, SWING))[0]
    orbits = Orbit.from_csv(write("t,theta", T[keep], SWING[keep]))
    told = orbits[0].provenance
    window = told["filter"]["window"]
    assert told["bridged"]["missing_rows"] == np.flatnonzero(keep)[-1] - np.flatnonzero(keep)[0] + 1 - keep.sum()
    assert told["rows"] == {"file": keep.sum(), "measured": keep.sum(), "used": sum(len(o) for o in orbits)}
    assert told["rows"]["used"] >= keep.sum() - window - 10
    for orbit in orbits:
        at = np.rint(orbit.t.numpy() * FPS).astype(int)
        # as without holes: a quintic over half a period
        np.testing.assert_allclose(orbit.z[:, 1], VELOCITY[at], rtol=0, atol=6e-3 * FREQUENCY * AMPLITUDE)
        inner = (at >= window // 2) & (at < 900 - window // 2)
        assert torch.equal(orbit.t[inner], whole.t[at[inner] - window // 2])


@pytest.mark.parametrize(("missing", "lost"), [(6, 0), (7, 30)])
def test_gaps_are_bridged_up_to_a_quarter_of_the_window(write, missing, lost):
    keep = (np.arange(900) < 400) | (np.arange(900) >= 400 + missing)
    orbits = Orbit.from_csv(write("t,theta", T[keep], SWING[keep]), window=31, order=2)
    assert sum(len(orbit) for orbit in orbits) == keep.sum() - 30 - lost


def test_times_to_the_millisecond_have_their_holes_counted(write):
    keep = np.random.default_rng(0).random(900) > 0.03
    orbits = Orbit.from_csv(write("t,theta", np.round(T, 3)[keep], SWING[keep]))
    assert orbits[0].provenance["bridged"]["missing_rows"] == 900 - keep.sum()
    at = np.rint(torch.cat([orbit.t for orbit in orbits]).numpy() * FPS).astype(int)
    found = torch.cat([orbit.z[:, 1] for orbit in orbits])  # half a millisecond of the largest acceleration
    np.testing.assert_allclose(
        found, VELOCITY[at], rtol=0, atol=6e-3 * AMPLITUDE * FREQUENCY + 5e-4 * AMPLITUDE * FREQUENCY**2
    )


def test_stretches_shorter_than_the_filter_are_left_out_with_a_warning(write):
    keep = (T < 12) | ((T > 15) & (T < 15.7)) | (T > 20)
    path = write("t,theta", T[keep], SWING[keep])
    with pytest.warns(UserWarning, match=r"20 of 679 rows are left out, because their intervals \(1 in total\) are shorter"):
        orbits = Orbit.from_csv(path)
    assert len(orbits) == 2
    assert orbits[0].provenance["too_short"] == {"stretches": 1, "rows": 20}


def test_where_too_much_is_missing_no_rate_is_made_up(write):
    """Every second frame of half a second: the noise would grow threefold."""
    lost = (T > 10) & (T < 10.6) & (np.arange(900) % 3 > 0)
    orbits = Orbit.from_csv(write("t,theta", T[~lost], SWING[~lost]))
    for orbit in orbits:
        at = np.rint(orbit.t.numpy() * FPS).astype(int)
        np.testing.assert_allclose(orbit.rate[:, 1], -(FREQUENCY**2) * SWING[at], rtol=0, atol=0.03 * FREQUENCY**2 * AMPLITUDE)


def test_nothing_that_is_measured_is_lost_beside_a_gap_where_the_file_has_rates(write):
    keep = np.random.default_rng(0).random(900) > 0.3
    orbits = Orbit.from_csv(write("t,theta,omega,alpha", T[keep], SWING[keep], VELOCITY[keep], SWING[keep]))
    assert sum(len(orbit) for orbit in orbits) == keep.sum()


# units and origins


@pytest.mark.parametrize("origin", [0.0, 1.36e9])
def test_epoch_seconds_have_the_same_rates(write, origin):
    (orbit,) = Orbit.from_csv(write("t,theta", T + origin, SWING))
    (near,) = Orbit.from_csv(write("t,theta", T, SWING))
    torch.testing.assert_close(orbit.t - origin, near.t, rtol=0, atol=3e-7)
    # times are good to 1.2e-7 there, over a record of 30 s, and each is taken to lie on equal steps
    torch.testing.assert_close(orbit.rate, near.rate, rtol=3e-8, atol=0)


@pytest.mark.parametrize("length", [1e-12, 1e-9, 1.0, 1e9, 1e12])
@pytest.mark.parametrize("second", [1e-10, 1e-3, 1.0, 1e3, 1e12])
def test_rates_scale_with_the_units(write, length, second):
    (orbit,) = Orbit.from_csv(write("t,x", T * second, SWING * length), angle="x")
    (unit,) = Orbit.from_csv(write("t,x", T, SWING), angle="x")
    scale = torch.tensor([length / second, length / second**2], dtype=torch.float64)
    torch.testing.assert_close(orbit.rate / scale, unit.rate, rtol=0, atol=1e-10)


def test_half_a_second_of_a_constant_acceleration_is_read(write):
    (orbit,) = Orbit.from_csv(write("t,theta", T[:30], 1e-2 * T[:30] ** 2))
    torch.testing.assert_close(orbit.rate[:, 1], torch.full_like(orbit.t, 2e-2))


def test_values_too_large_for_rates_are_refused(write):
    for t, x in ((T, SWING / AMPLITUDE * 1.7e308), (T * 1e-200, SWING)):
        with pytest.raises(InputError, match="use other units"):
            Orbit.from_csv(write("t,x", t, x), angle="x", window=31)


def test_a_real_encoder_in_degrees_has_its_period(data, write):
    """A rotary pendulum that swings down from -90 degrees about its rest at 0, with small swings of .575 s in the end."""
    degrees = np.loadtxt(data / "jensenbenard_free_swing_01.txt", skiprows=2)
    (orbit,) = Orbit.from_csv(write("t [s],theta [deg]", np.arange(len(degrees)) / 1000, degrees))
    assert orbit.periods == {"theta": 360.0}
    late = orbit.t > 2.5
    theta = orbit.z[late, 0] - orbit.z[late, 0].mean()
    up = orbit.t[late][1:][(theta[:-1] < 0) & (theta[1:] >= 0)]
    assert float(up.diff().median()) == pytest.approx(0.575, rel=0.05)


def test_a_real_clock_of_epoch_seconds_is_read(data):
    (orbit, *_) = Orbit.from_csv(
        data / "clock_amplitude_2013-03-31.txt", ["t", "_", "amplitude"], coordinates="amplitude", window=31
    )
    assert 46 < float(orbit.z[:, 0].mean()) < 48
