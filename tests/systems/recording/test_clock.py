"""A real clock's recorded angles: rates that are derived from them neither lead nor lag, those of the file do."""

from math import pi

import numpy as np
import pytest
import torch

from systems import Orbit


@pytest.fixture(scope="module")
def clock(data):
    path = data / "clock_angles.csv"
    if not path.is_file():
        pytest.skip("no clock_angles.csv in PHYSLEARN_DATA")
    return {rates: Orbit.from_csv(path, rates=rates) for rates in ("file", "derived")}


def fundamental(x, t, period):
    """Complex amplitude of x at that period, by a Hann-weighted mean: exp(+i omega t) has phase zero."""
    weight = np.hanning(len(t))
    return 2 * np.sum(weight * (x - x.mean()) * np.exp(-2j * pi * t / period)) / np.sum(weight)


def lead(x, theta, t, derivative):
    """How many frames x leads the derivative of theta, by the phase of the fundamental; |lead| below a quarter period."""
    period = 2.027
    turn = fundamental(x, t, period) / (fundamental(theta, t, period) * 1j**derivative)
    return np.angle(turn) / (2 * pi / period) / np.median(np.diff(t))


def test_the_clock_film_is_one_orbit_of_all_its_frames(clock):
    assert [len(orbit) for orbit in clock["file"]] == [2986]


def test_the_clock_has_the_period_that_its_zero_crossings_tell(clock):
    (orbit,) = clock["derived"]
    t, theta = orbit.t.numpy(), orbit.z[:, 0].numpy() - orbit.z[:, 0].numpy().mean()
    i = np.flatnonzero((theta[:-1] < 0) & (theta[1:] >= 0))
    crossings = t[i] - theta[i] * (t[i + 1] - t[i]) / (theta[i + 1] - theta[i])
    # a crossing is known to noise / velocity = 1e-3 rad / .29 rad/s = 3 ms, and there are 48 periods between first and last
    assert (crossings[-1] - crossings[0]) / (len(crossings) - 1) == pytest.approx(2.027, abs=1e-3)


def test_the_clock_swings_by_its_documented_amplitude(clock):
    (orbit,) = clock["derived"]
    theta = orbit.z[:, 0].numpy()
    swings = [np.ptp(theta[i : i + 61]) / 2 for i in range(0, len(theta) - 61, 61)]
    assert np.mean(swings) == pytest.approx(0.093, abs=1e-3)


# The window's bias is A'/(omega A) = 1e-4 rad = .001 frames; the columns are rounded to 1e-4, which over 2986 frames is less.
PHASE_TOLERANCE = 0.05


@pytest.mark.parametrize(("derivative", "frames"), [(1, 0.5), (2, 1.0)])
def test_the_rate_columns_of_the_clock_file_run_ahead_of_its_angle(clock, derivative, frames):
    (orbit,) = clock["file"]
    t, theta = orbit.t.numpy(), orbit.z[:, 0].numpy()
    assert lead(orbit.rate[:, derivative - 1].numpy(), theta, t, derivative) == pytest.approx(frames, abs=PHASE_TOLERANCE)


@pytest.mark.parametrize("derivative", [1, 2])
def test_derived_rates_of_the_clock_neither_lead_nor_lag(clock, derivative):
    (orbit,), (raw,) = clock["derived"], clock["file"]
    theta = raw.z[torch.isin(raw.t, orbit.t), 0].numpy()
    found = lead(orbit.rate[:, derivative - 1].numpy(), theta, orbit.t.numpy(), derivative)
    assert found == pytest.approx(0, abs=PHASE_TOLERANCE)


def test_the_misaligned_columns_of_the_clock_feign_a_damping(clock):
    # an acceleration one frame ahead of the angle holds -omega0 sin(omega0 / fps) = -0.32 times the velocity
    (orbit,) = clock["file"]
    theta, omega = orbit.z.numpy().T
    coefficients, *_ = np.linalg.lstsq(
        np.stack([theta, omega, np.ones_like(theta)], axis=1), orbit.rate[:, 1].numpy(), rcond=None
    )
    assert coefficients[1] == pytest.approx(-0.319, rel=0.05)


def test_the_derived_columns_of_the_clock_show_no_such_damping(clock):
    (orbit,) = clock["derived"]
    theta, omega = orbit.z.numpy().T
    coefficients, *_ = np.linalg.lstsq(
        np.stack([theta, omega, np.ones_like(theta)], axis=1), orbit.rate[:, 1].numpy(), rcond=None
    )
    assert abs(coefficients[1]) < 0.05 * 0.319
