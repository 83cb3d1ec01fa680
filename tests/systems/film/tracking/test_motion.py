"""Swings of all kinds, whose places are known: wide, turning over, strongly damped, held and released, and none at all."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import ellipj, ellipk

from systems import InputError
from systems.film import from_markers
from systems.film.tracking.angles import _mean_amplitude
from systems.film.tracking.oscillation import oscillation

T = np.arange(240) / 30
W = 4.0  # 1/s, of small swings
SLOW = pytest.mark.slow


def damped(angle, rate=0.0, gamma=0.0, drag=0.0, t=T):
    """Return the angles and rates of a damped pendulum by an implicit method, which the tracker does not use."""

    def slope(_, z):
        return [z[1], -(W**2) * np.sin(z[0]) - 2 * gamma * z[1] - drag * abs(z[1]) * z[1]]

    return solve_ivp(slope, (0, t[-1]), [angle, rate], "Radau", t, rtol=1e-9, atol=1e-11).y


def measured(theta, t=T, noise=0.1, scale=300.0):
    """Return the tracking of a rod of 300 pixels whose lower end is seen with a noise of a tenth of a pixel."""
    lower = 300 * np.stack([np.sin(theta), np.cos(theta)], 1) + np.random.default_rng(0).normal(scale=noise, size=(len(t), 2))
    return from_markers(t, np.zeros((len(t), 2)), lower * scale / 300)


def check(tracked, theta, omega, free=slice(None)):
    """Check that nothing is lost and that errors are of the size that they are stated to be."""
    table = tracked.table
    assert table["theta"].notna().all()
    for name, true in (("theta", theta), ("omega", omega)):
        off = (table[name] - true)[free]
        off -= round(off.mean() / (2 * np.pi)) * 2 * np.pi  # full turns do not count
        assert 0.5 < (off.abs() < table[f"{name}_error"][free]).mean() < 0.85  # 68 % of them


@pytest.mark.parametrize("degrees", [pytest.param(40.0, marks=SLOW), pytest.param(89.0, marks=SLOW), 149.0])
def test_a_wide_swing_has_the_period_of_the_elliptic_integral(degrees):
    k = np.sin(np.radians(degrees) / 2)
    sn = ellipj(W * T + ellipk(k**2), k**2)[0]
    (report,) = measured(2 * np.arcsin(k * sn)).report
    assert report.period == pytest.approx(4 * ellipk(k**2) / W, abs=4 * report.period_error)
    assert report.small_period == pytest.approx(2 * np.pi / W, rel=1e-4)
    assert np.degrees(report.amplitude) == pytest.approx(degrees, abs=0.03)
    assert report.lost == 0


@pytest.mark.parametrize(
    "motion",
    [
        pytest.param({"angle": 1.553, "gamma": 0.1}, marks=SLOW),
        {"angle": 0.0, "rate": 10.0, "gamma": 0.08},
        pytest.param({"angle": 1.0, "drag": 0.1}, marks=SLOW),
    ],
    ids=["89 degrees, damped", "full turns", "drag of the air"],
)
def test_a_pendulum_that_slows_down_is_followed_with_its_rates(motion):
    theta, omega = damped(**motion)
    tracked = measured(theta)
    check(tracked, theta, omega)
    assert tracked.report[0].small_period == pytest.approx(2 * np.pi / W, rel=1e-4)


def test_a_strong_damping_is_measured():
    theta, omega = damped(0.35, gamma=0.6)
    tracked = measured(theta)
    check(tracked, theta, omega)
    (report,) = tracked.report
    assert report.decay == pytest.approx(0.6, abs=0.003)
    assert np.degrees(report.amplitude) == pytest.approx(20.05, abs=0.3)  # of the envelope


@pytest.mark.parametrize("angle", [0.17, pytest.param(0.9, marks=SLOW)])
def test_the_release_of_a_pendulum_that_was_held_is_found(angle):
    swing, rate = damped(angle, gamma=0.03)
    hold = 75  # 2.5 s
    theta, omega = (np.concatenate([np.full(hold, first), x[: len(T) - hold]]) for x, first in ((swing, angle), (rate, 0.0)))
    tracked = measured(theta)
    (report,) = tracked.report
    assert report.release == pytest.approx(hold / 30, abs=0.02)
    assert "released at 2.5" in str(report)
    assert report.amplitude == pytest.approx(angle, rel=2e-3)
    check(tracked, theta, omega, free=T > 2.6)
    assert tracked.table["omega"][T < 2.4].isna().all()
    assert all(orbit.t[0] > 2.45 for orbit in tracked.orbits)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [3e-3, 3e5])
def test_the_unit_of_length_does_not_matter(scale):
    theta, _ = damped(1.553, gamma=0.1)
    assert measured(theta, scale=scale).report[0].small_period == pytest.approx(2 * np.pi / W, rel=1e-4)


@pytest.mark.parametrize(
    ("theta", "told"),
    [
        (0.1 * np.cos(2 * np.pi * T / 7.0), "its period would be"),
        (0.3 * T / T[-1], "no pendulum|does not swing"),
        (0.3 * T / T[-1] * (1 - T / T[-1]), "does not swing"),
        (np.full(len(T), 0.2), "does not swing"),
    ],
    ids=["too long a period", "uniform motion", "a parabola", "standing still"],
)
def test_what_is_no_pendulum_is_refused_in_one_sentence(theta, told):
    with pytest.raises(InputError, match=told) as refusal:
        measured(theta)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("slip", [0.039, pytest.param(-0.039, marks=SLOW), pytest.param(0.7, marks=SLOW)])
def test_a_slip_of_time_is_found_and_cut_and_does_not_spoil_the_period(slip):
    theta = 0.1 * np.cos(W * (T + slip * (T > 5.0)))
    (report,) = measured(theta).report
    assert report.slips == 1
    assert "cut at 1 slip" in str(report)
    assert report.period == pytest.approx(2 * np.pi / W, abs=4 * report.period_error)
    assert report.lost == 0


def test_no_slip_is_found_where_there_is_none():
    rng = np.random.default_rng(0)
    for _ in range(4):
        size, omega, decay = rng.uniform(0.03, 0.25), rng.uniform(3, 7), rng.uniform(0, 0.1)
        theta = size * np.exp(-decay * T) * np.cos(omega * T)
        assert measured(theta, noise=rng.uniform(0.02, 0.5)).report[0].slips == 0


@pytest.mark.parametrize("amplitude", [0.1, 0.6, 1.3, 2.2])
def test_the_mean_amplitude_of_a_wide_swing_is_where_it_turns_whatever_part_of_it_is_filmed(amplitude):
    """A root mean square over 4.56 swings is up to 7 % larger, and the period of small swings from it is too short."""
    t = np.linspace(0, 4.56 * 4 / W * ellipk(np.sin(amplitude / 2) ** 2), 400)
    x = damped(amplitude, t=t)[0]
    assert _mean_amplitude(oscillation(t, x), t, x) == pytest.approx(amplitude, rel=2e-3)
