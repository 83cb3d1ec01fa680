"""Units and origins of recorded times, coordinates and rates."""

from math import pi

import numpy as np
import pytest
import torch

from systems import InputError, Orbit

FPS, FREQUENCY, AMPLITUDE = 30.0, 3.1, 0.1
T = np.arange(900) / FPS
SWING = AMPLITUDE * np.cos(FREQUENCY * T)
VELOCITY = -FREQUENCY * AMPLITUDE * np.sin(FREQUENCY * T)


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
