"""Reading recorded motion, and differentiating it."""

from math import pi

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from systems import InputError, Orbit
from systems.recording.csv_columns import read_columns
from systems.recording.derivatives import (
    acceleration_gain,
    bridged_derivatives,
    check_filter,
    half_period_window,
    savitzky_golay,
)

FPS, PERIOD, AMPLITUDE, NOISE = 30.0, 2.03, 0.093, 1e-3  # a clock pendulum, filmed and tracked
OMEGA = 2 * pi / PERIOD
TIMES = np.arange(3000) / FPS
THETA, VELOCITY, ACCELERATION = (
    AMPLITUDE * OMEGA**k * wave
    for k, wave in enumerate([np.cos(OMEGA * TIMES), -np.sin(OMEGA * TIMES), -np.cos(OMEGA * TIMES)])
)


@pytest.fixture
def write(tmp_path):
    def write(columns, header=None, name="angles.csv"):
        path = tmp_path / name
        np.savetxt(path, np.stack(columns, axis=1), delimiter=",", header=header or "", comments="", fmt="%.17g")
        if header is None:
            path.write_text(path.read_text().lstrip("\n"))
        return path

    return write


@pytest.fixture
def write_text(tmp_path):
    def write(text, name="angles.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def relative_error(found, expected, orbit):
    """Root mean square, relative to that of what is expected, over the frames that the orbit kept."""
    frames = np.rint(orbit.t.numpy() * FPS).astype(int)
    return np.sqrt(np.mean((found.numpy() - expected[frames]) ** 2) / np.mean(expected**2))


# reading


def test_columns_without_a_header_are_time_angle_velocity_acceleration(write):
    (orbit,) = Orbit.from_csv(write([TIMES, THETA, VELOCITY, ACCELERATION]))
    np.testing.assert_array_equal(orbit.t.numpy(), TIMES)
    np.testing.assert_array_equal(orbit.z.numpy(), np.stack([THETA, VELOCITY], axis=1))
    np.testing.assert_array_equal(orbit.rate.numpy(), np.stack([VELOCITY, ACCELERATION], axis=1))


def test_a_header_names_the_columns_in_any_order(write):
    (orbit,) = Orbit.from_csv(write([ACCELERATION, VELOCITY, THETA, TIMES], header="alpha,omega,theta,t"))
    np.testing.assert_array_equal(orbit.z.numpy(), np.stack([THETA, VELOCITY], axis=1))


def test_names_given_win_over_the_header(write):
    path = write([THETA, TIMES, VELOCITY, ACCELERATION], header="t,theta,omega,alpha")
    (orbit,) = Orbit.from_csv(path, columns=["theta", "t", "omega", "alpha"])
    np.testing.assert_array_equal(orbit.t.numpy(), TIMES)


def test_the_coordinates_bear_the_names_of_the_columns(write):
    path = write([TIMES, THETA, VELOCITY], header="seconds,angle,speed")
    (orbit,) = Orbit.from_csv(path, time="seconds", angle="angle", velocity="speed")
    assert orbit.coordinates == ("angle", "speed")


def test_a_byte_order_mark_blank_lines_and_blanks_around_numbers_are_no_obstacle(tmp_path):
    path = tmp_path / "angles.csv"
    path.write_bytes("\ufefft, theta\n\n 0, 1\n\n1 ,2\n".encode())
    assert {name: list(values) for name, values in read_columns(path).items()} == {"t": [0, 1], "theta": [1, 2]}


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_are_read_to_the_last_bit(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("numbers") / "angles.csv"
    path.write_text("\n".join(repr(x) for x in values))
    assert list(read_columns(path, ["x"])["x"]) == values


def test_provenance_names_the_file_but_not_where_it_lies(write):
    (orbit,) = Orbit.from_csv(write([TIMES, THETA], name="clock.csv"))
    assert orbit.provenance["file"] == "clock.csv"


# what cannot be read


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1\n1,two\n", r"angles.csv, line 2: 'two' in column theta is not a number"),
        ("t,theta\n0,1\n1,\n", "at least two"),
        ("pendulum,t,theta\n0,0,1\n0,1,2\n1,0,1\n1,1,2\n", "several pendulums"),
        ("0,1\n1,2,3\n", r"line 2: 3 columns, but the previous lines have 2"),
        ("", "contains no rows"),
        ("t,theta\n", "contains no rows"),
        ("0,1,2,3,4\n", "5 columns, but 4 are named"),
        ("0\n1\n", "no column 'theta', only t"),
        ("time,theta\n0,1\n1,2\n", "no column 't', only time, theta"),
        ("0,1\n1,nan\n", "at least two"),
        ("0,1\n1,inf\n", "column theta contains values that are not finite"),
        ("0,1\n1,2,inf\n", "3 columns"),
        ("0,1\ninf,2\n", "column t contains values that are not finite"),
        ("0,1\n0,2\n", "strictly increase"),
        ("1,1\n0,2\n", "strictly increase"),
        ("0,1\n", "at least two"),
    ],
)
def test_a_file_that_holds_no_motion_is_refused_with_the_reason(write_text, text, message):
    with pytest.raises(InputError, match=message):
        Orbit.from_csv(write_text(text))


def test_runs_of_one_clock_are_not_joined_to_one_motion(write_text):
    path = write_text("Run,t,x\n" + "".join(f"{i // 50},{i / 10},{i % 7}\n" for i in range(100)))
    with pytest.raises(InputError, match=r"several runs, according to its column Run; .* Orbit.of\(path, run='Run'\)"):
        Orbit.from_csv(path, coordinates="x")
    assert Orbit.of(path).shape[0] == 2


@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_the_window_suits_the_order_however_short_the_period(order):
    check_filter(half_period_window(np.cos(np.pi * np.arange(40)), order), order)


def test_rows_in_which_nothing_was_measured_are_gaps(write_text):
    """As in the table of a tracked film."""
    t = np.arange(400) * 0.04
    theta = np.sin(2 * t)
    hidden = (t > 7) & (t < 8)
    rows = [f"0,{a!r},{'' if gone else repr(b)},,1" for a, b, gone in zip(t.tolist(), theta.tolist(), hidden, strict=True)]
    orbits = Orbit.from_csv(write_text("\n".join(["pendulum,t,theta,omega,quality", *rows])), rates="derived")
    assert len(orbits) == 2
    assert float(orbits[0].t[-1]) < 7 < 8 < float(orbits[1].t[0])
    for orbit in orbits:
        np.testing.assert_allclose(orbit.z[:, 1], 2 * np.cos(2 * orbit.t.numpy()), atol=1e-2)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        Orbit.from_csv(tmp_path / "nowhere.csv")


def test_a_picture_is_no_csv_file(tmp_path):
    path = tmp_path / "picture.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff\xfe\x80")
    with pytest.raises(InputError, match="not a CSV file"):
        Orbit.from_csv(path)


def test_an_unknown_choice_of_rates_is_refused(write):
    with pytest.raises(InputError, match="'file' or 'derived', not 'guessed'"):
        Orbit.from_csv(write([TIMES, THETA]), rates="guessed")


@pytest.mark.parametrize("bad", [{"window": 30}, {"window": 5}, {"window": -31}, {"order": -1}, {"gap": 0.0}])
def test_a_filter_that_cannot_be_without_lag_is_refused(write, bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        Orbit.from_csv(write([TIMES, THETA]), **bad)


def test_times_of_unequal_steps_are_not_filtered(write):
    t = TIMES[:200] + np.where(np.arange(200) % 2, 0.3, 0) / FPS
    with pytest.raises(InputError, match="not equally spaced"):
        Orbit.from_csv(write([t, THETA[:200]]))


def test_a_recording_shorter_than_the_filter_is_refused(write):
    with pytest.raises(InputError, match="20 consecutive samples are fewer than the filter's window of 31"):
        Orbit.from_csv(write([TIMES[:20], THETA[:20]]), window=31)


def test_as_many_rows_as_the_window_have_one_rate(write):
    (orbit,) = Orbit.from_csv(write([TIMES[:31], THETA[:31]]), window=31)
    assert orbit.t.tolist() == [TIMES[15]]


# gaps


def test_a_gap_in_time_starts_a_new_orbit(write):
    kept = np.r_[0:900, 1000:1800, 2000:3000]
    orbits = Orbit.from_csv(write([TIMES[kept], THETA[kept], VELOCITY[kept], ACCELERATION[kept]]))
    assert [len(orbit) for orbit in orbits] == [900, 800, 1000]
    np.testing.assert_array_equal(torch.cat([orbit.t for orbit in orbits]).numpy(), TIMES[kept])


def test_no_derivative_reaches_across_a_gap(write):
    kept = np.r_[0:900, 1000:3000]
    shifted = np.where(np.arange(3000) < 900, THETA, THETA + 1)
    orbits = Orbit.from_csv(write([TIMES[kept], shifted[kept]]), window=31)
    assert max(orbit.z[:, 1].abs().max() for orbit in orbits) < 1.01 * AMPLITUDE * OMEGA


def test_a_jump_of_the_angle_over_a_gap_is_not_taken_for_its_period(write):
    kept = np.r_[0:900, 1000:3000]
    shifted = np.where(np.arange(3000) < 900, THETA, THETA + 1)
    first, _ = Orbit.from_csv(write([TIMES[kept], shifted[kept]]))
    assert first.provenance["filter"]["window"] == half_period_window(THETA, 5)


def test_derivatives_are_left_out_where_the_filter_hangs_over_the_end(write):
    (orbit,) = Orbit.from_csv(write([TIMES, THETA]), window=31)
    np.testing.assert_array_equal(orbit.t.numpy(), TIMES[15:-15])


def test_one_dropped_frame_is_a_gap_only_where_gap_says_so(write):
    kept = np.r_[0:900, 901:3000]
    path = write([TIMES[kept], THETA[kept], VELOCITY[kept], ACCELERATION[kept]])
    assert (len(Orbit.from_csv(path)), len(Orbit.from_csv(path, gap=2.5))) == (2, 1)


# derivatives


@given(
    coefficients=st.lists(st.floats(-1, 1), min_size=6, max_size=6),
    window=st.sampled_from([7, 15, 31]),
    derivative=st.integers(0, 2),
)
def test_the_filter_is_exact_on_polynomials_of_its_order(coefficients, window, derivative):
    t = np.linspace(-1, 1, 61)
    polynomial = np.polynomial.Polynomial(coefficients)
    expected = polynomial.deriv(derivative)(t) if derivative else polynomial(t)
    # rounding of the values, 1e-16, grows by 1 / step^2 = 900 at most, and by the filter's weights at the edges
    np.testing.assert_allclose(savitzky_golay(t, polynomial(t), derivative, window, 5), expected, rtol=0, atol=1e-9)


def test_derived_rates_of_a_clean_swing_are_its_derivatives(write):
    (orbit,) = Orbit.from_csv(write([TIMES, THETA]), rates="derived")
    # The filter fits 5th order over half a period, |omega t| <= pi/2: the best quintic to sine or cosine there is good to
    # about (pi/2)^6 / (6! 2^5) = 7e-4, and a derivative at the middle to some times that.
    assert relative_error(orbit.z[:, 0], THETA, orbit) < 1e-3
    assert relative_error(orbit.z[:, 1], VELOCITY, orbit) < 3e-3
    assert relative_error(orbit.rate[:, 1], ACCELERATION, orbit) < 1e-2


@pytest.mark.parametrize("window", [7, 9, 15, 31, 63])
@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("period", [12.0, 40.7, 126.0])
def test_the_gain_of_the_acceleration_is_that_of_a_polynomial_fitted_to_a_swing(window, order, period):
    """At a turning point, in units of the window's reach: fitted by numpy, differentiated as a polynomial."""
    reach = window // 2
    u = np.arange(-reach, reach + 1) / reach
    swing = np.cos(2 * pi * reach * u / period)
    fitted = np.polynomial.Polynomial.fit(u, swing, order, domain=[-1, 1]).deriv(2)(0) / reach**2
    assert acceleration_gain(window, order, period) == pytest.approx(-fitted * (period / (2 * pi)) ** 2, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("phase", [0.0, 1.0, 2.5])
def test_the_gain_is_what_derived_accelerations_keep_at_any_phase(write, phase):
    swing = np.cos(OMEGA * TIMES[:600] + phase)
    (orbit,) = Orbit.from_csv(write([TIMES[:600], swing]), window=31)
    gain = acceleration_gain(31, 5, PERIOD * FPS)
    np.testing.assert_allclose(orbit.rate[:, 1], -gain * OMEGA**2 * swing[15:-15], rtol=0, atol=1e-9)
    assert orbit.provenance["filter"]["acceleration_gain"] == pytest.approx(gain, abs=2e-4)


@pytest.mark.parametrize("seed", [0, 1])
def test_noise_of_a_milliradian_leaves_the_documented_errors_of_velocity_and_acceleration(write, seed):
    noisy = THETA + NOISE * np.random.default_rng(seed).standard_normal(len(TIMES))
    (orbit,) = Orbit.from_csv(write([TIMES, noisy]), rates="derived")
    assert 0.013 / 1.5 < relative_error(orbit.z[:, 1], VELOCITY, orbit) < 0.013 * 1.5
    assert 0.026 / 1.5 < relative_error(orbit.rate[:, 1], ACCELERATION, orbit) < 0.026 * 1.5


def test_the_default_window_is_about_half_a_period():
    assert half_period_window(THETA, 5) * 2 / FPS == pytest.approx(PERIOD, abs=2 / FPS)


@pytest.mark.parametrize("missing", [0.05, 0.2, 0.35])
@pytest.mark.parametrize(("window", "order"), [(11, 4), (5, 2), (7, 3)])
def test_the_filter_bridges_holes_exactly_for_polynomials_and_without_much_noise(missing, window, order):
    rng = np.random.default_rng(0)
    reach = window // 2
    keep = rng.random(80) > missing
    place = np.flatnonzero(keep)
    t = 0.5 * place
    polynomial = np.polynomial.Polynomial(rng.normal(size=order + 1), domain=[0, 40])
    found = bridged_derivatives(t, polynomial(t), window, order)
    given_rows = np.isfinite(found).all(axis=0)
    assert np.isfinite(found).any(axis=0).tolist() == given_rows.tolist()
    for k in range(3):
        expected = polynomial.deriv(k)(t) if k else polynomial(t)
        np.testing.assert_allclose(found[k, given_rows], expected[given_rows], rtol=0, atol=1e-9)
    # what each sample contributes, one after the other: the noise of a derivative is the norm of that
    weights = np.stack([bridged_derivatives(t, impulse, window, order) for impulse in np.eye(len(t))], -1)
    noise = np.linalg.norm(weights, axis=-1)
    u = np.arange(-reach, reach + 1)
    for row, at in enumerate(place):
        inner = place[0] + reach <= at <= place[-1] - reach
        near = place[np.abs(place - at) <= reach] - at
        amplified = np.full(3, np.inf)
        if len(near) > order:
            fits = [np.polynomial.polynomial.polyfit(x, np.eye(len(x)), order)[:3] for x in (near, u)]
            amplified = np.divide(*(np.linalg.norm(fit, axis=1) for fit in fits))
        assert given_rows[row] == (inner and bool((amplified <= 2).all()))
        if given_rows[row]:
            assert (noise[:, row] <= 2.0001 * np.linalg.norm(fits[1], axis=1) * [1, 2, 8]).all()


@given(period=st.floats(20, 200), phase=st.floats(0, 2 * pi), offset=st.floats(-5, 5))
def test_the_default_window_follows_the_period_whatever_the_phase_and_offset(period, phase, offset):
    x = offset + np.cos(2 * pi * np.arange(2000) / period + phase)
    window = half_period_window(x, 5)
    assert window % 2 == 1
    # odd numbers are 2 apart; the padded periodogram resolves frequencies to 1/16000, half periods to period^2 / 32000
    assert abs(window - period / 2) <= 1 + period**2 / 32000 + 0.5


def test_a_missing_acceleration_is_derived_from_the_velocity_of_the_file(write):
    (orbit,) = Orbit.from_csv(write([TIMES, THETA, 2 * VELOCITY]))
    assert relative_error(orbit.rate[:, 1], 2 * ACCELERATION, orbit) < 1e-2


@pytest.mark.parametrize(
    ("columns", "rates", "expected"),
    [
        (4, "file", ("file", "file")),
        (3, "file", ("file", "derived")),
        (2, "file", ("derived", "derived")),
        (4, "derived", ("derived", "derived")),
    ],
)
def test_provenance_tells_which_rates_are_derived(write, columns, rates, expected):
    (orbit,) = Orbit.from_csv(write([TIMES, THETA, VELOCITY, ACCELERATION][:columns]), rates=rates)
    told = orbit.provenance["rates"]
    assert (told["omega"], told["alpha"]) == expected


@pytest.mark.parametrize("columns", [2, 3, 4])
@pytest.mark.parametrize("rates", ["file", "derived"])
def test_the_rate_of_the_angle_is_the_velocity(write, columns, rates):
    (orbit,) = Orbit.from_csv(write([TIMES, THETA, VELOCITY, ACCELERATION][:columns]), rates=rates)
    np.testing.assert_array_equal(orbit.rate[:, 0].numpy(), orbit.z[:, 1].numpy())
