"""Errors by component and in phase."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

import systems
from physlearn.metrics import phase_error, phase_rmse
from systems import InputError, Orbit

T = torch.linspace(0, 100, 1001, dtype=torch.float64)
frequencies = st.floats(0.3, 3)


def oscillation(frequency=1.0, lag=0.0, amplitude=1.0, t=T):
    angle = frequency * t - lag
    return Orbit(t, amplitude * torch.stack([angle.cos(), -frequency * angle.sin()], -1), coordinates=("q", "p"))


@given(offset=st.floats(-10, 10), size=st.floats(1e-3, 1e3))
def test_a_constant_offset_errs_by_itself_in_units_of_the_spread_of_each_component(offset, size):
    z = size * torch.stack([5 + T.sin(), 0.01 * (2 * T).cos(), T], -1)
    spread = torch.from_numpy(z.numpy().std(0))
    truth, forecast = Orbit(T, z), Orbit(T, z + offset * spread)
    assert_close(phase_rmse(forecast, truth), torch.full((3,), abs(offset), dtype=T.dtype), rtol=1e-9, atol=1e-9)
    at_horizons = phase_rmse(forecast, truth, horizons=[1.0, 100.0])
    assert_close(at_horizons, torch.full((2, 3), abs(offset), dtype=T.dtype), rtol=1e-9, atol=1e-9)


def test_only_the_times_up_to_a_horizon_count_for_it():
    truth = oscillation()
    z = truth.z.clone()
    z[T > 30.05] += 1.0
    errors = phase_rmse(Orbit(T, z, coordinates=("q", "p")).to(torch.float32), truth, horizons=torch.tensor([30.0, 100.0]))
    assert errors.shape == (2, 2)
    assert (errors[0] < 1e-6).all()
    assert_close(errors[1], (0.7 / truth.z.var(0, correction=0)).sqrt(), rtol=1e-2, atol=0)


def test_the_mean_errs_by_one_and_an_unrelated_phase_by_the_root_of_two():
    truth = oscillation(t=torch.arange(1000, dtype=torch.float64) * 2 * torch.pi / 100)  # whole periods
    mean = Orbit(truth.t, truth.z.mean(0).expand_as(truth.z), coordinates=("q", "p"))
    assert_close(phase_rmse(mean, truth), torch.ones(2, dtype=torch.float64))
    quarter = oscillation(lag=torch.pi / 2, t=truth.t)
    assert_close(phase_rmse(quarter, truth), torch.full((2,), 2**0.5, dtype=torch.float64))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, 1e300])
def test_a_forecast_that_diverges_errs_infinitely_from_the_horizons_on_that_see_it(bad):
    truth = Orbit.stack([oscillation(), oscillation()])
    z = truth.z.clone()
    z[1, 500:] = bad
    errors = phase_rmse(Orbit(T, z, coordinates=("q", "p")), truth, horizons=[40.0, 60.0])
    assert (errors[0] == 0).all()
    assert (errors[1, 0] == 0).all()
    assert (errors[1, 1] == torch.inf).all()


def test_a_component_that_never_moves_is_met_exactly_or_missed_infinitely():
    z = torch.stack([T.sin(), torch.ones_like(T)], -1)
    assert (phase_rmse(Orbit(T, z), Orbit(T, z)) == 0).all()
    assert phase_rmse(Orbit(T, z + 0.1), Orbit(T, z))[1] == torch.inf


def test_a_horizon_beyond_the_orbit_is_refused():
    for horizons in ([101.0], [-1.0], [10.0, float("nan")], []):
        with pytest.raises(InputError, match="within the orbit's length 100"):
            phase_rmse(oscillation(), oscillation(), horizons=horizons)


@given(frequency=frequencies, ratio=st.floats(0.8, 1.25))
def test_a_faster_clock_gains_phase_in_proportion_to_time(frequency, ratio):
    truth = oscillation(frequency)
    forecast = oscillation(frequency * ratio)
    # scaled by the truth, the angle of a faster circle is that of an ellipse: it is true every quarter of a turn
    gained = phase_error(forecast, truth)
    assert_close(gained, frequency * (ratio - 1) * T, atol=0.15, rtol=0)  # asin((r - 1)/(r + 1)) at most


@given(lag=st.floats(-3.0, 3.0), start=st.floats(0, 6.3))
def test_a_clock_that_is_late_is_late_by_its_lag_wherever_it_starts(lag, start):
    t = start + torch.arange(1000, dtype=torch.float64) * 2 * torch.pi / 50
    late = phase_error(oscillation(lag=lag, t=t), oscillation(t=t))
    # 50 samples a period see the extremes to within 1 - cos(pi / 50)
    assert_close(late, torch.full_like(late, -lag), atol=2e-3, rtol=0)


def test_phase_is_of_the_motion_not_of_its_place_or_size():
    truth, forecast = oscillation(lag=1.0), oscillation(frequency=1.02)
    moved = [Orbit(T, o.z * torch.tensor([3.0, 0.1]) + 7, coordinates=("q", "p")) for o in (forecast, truth)]
    assert_close(phase_error(*moved), phase_error(forecast, truth), atol=1e-9, rtol=0)


def test_a_wider_swing_of_a_pendulum_falls_behind():
    pendulum = systems.get("pendulum")
    t = torch.linspace(0, 74.1629871, 2001, dtype=torch.float64)  # ten periods at the amplitude pi/2
    wide, narrow = (pendulum.orbit(torch.tensor([a, 0.0]), t) for a in (torch.pi / 2, 0.1))
    behind = phase_error(wide, narrow)
    assert float(behind[-1]) == pytest.approx(2 * torch.pi * 10 * (1 - 7.41629871 / 6.28711455), abs=0.05)


def test_turns_across_a_gap_are_counted_as_long_as_the_two_part_by_less_than_half_of_one():
    kept = (T < 30) | (T > 43.3)
    gained = phase_error(oscillation(frequency=1.1, t=T[kept]), oscillation(t=T[kept]))
    assert_close(gained, 0.1 * T[kept], atol=0.15, rtol=0)


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_rotation_is_ahead_by_the_angle_in_its_own_sense(direction, wrapped):
    pendulum = systems.get("pendulum")
    truth = pendulum.orbit(torch.tensor([0.1, direction * 2.5]), T)
    fast = pendulum.orbit(torch.tensor([0.1, direction * 2.5]), 1.03 * T)
    ahead = direction * (fast.z - truth.z)[:, 0]
    z = fast.z.clone()
    if wrapped:
        z[:, 0] = torch.remainder(z[:, 0] + torch.pi, 2 * torch.pi) - torch.pi
    forecast = Orbit(T, z, coordinates=truth.coordinates)
    assert_close(phase_error(forecast, truth), ahead)
    assert float(ahead[-1]) == pytest.approx(0.03 * 100 * 2 * torch.pi / 3.18, rel=0.2)  # turns of the period 3.18


def test_a_libration_about_the_cut_has_the_phase_of_one_about_the_bottom():
    pendulum = systems.get("pendulum")
    truth = pendulum.orbit(torch.tensor([1.5, 0.0]), T)
    late = Orbit(T, pendulum.orbit(torch.tensor([1.5, 0.0]), 0.98 * T).z, coordinates=truth.coordinates)
    turned = []
    for orbit in (late, truth):
        z = orbit.z + torch.tensor([3.0, 0.0])
        z[:, 0] = torch.remainder(z[:, 0] + torch.pi, 2 * torch.pi) - torch.pi
        turned.append(Orbit(T, z, coordinates=truth.coordinates, periods=truth.periods))
    assert float(phase_error(late, truth)[-1]) == pytest.approx(-0.02 * 100 * 2 * torch.pi / 7.301, rel=0.1)
    assert_close(phase_error(*turned), phase_error(late, truth), atol=1e-9, rtol=0)
    further = Orbit(
        T, late.z + torch.tensor([6 * torch.pi, 0.0], dtype=T.dtype), coordinates=truth.coordinates
    )  # three turns on
    assert_close(phase_error(further, truth), phase_error(late, truth), atol=1e-9, rtol=0)
    swings = [Orbit(T, orbit.z, coordinates=truth.coordinates) for orbit in (late, truth)]  # no angle declared
    assert_close(phase_error(late, truth), phase_error(*swings), atol=1e-9, rtol=0)


def test_errors_weigh_by_time_at_uneven_times():
    t = torch.linspace(0, 1, 2001, dtype=torch.float64) ** 3 * 100  # most samples are early
    truth = oscillation(t=t)
    z = truth.z + (t > 50)[:, None]
    errors = phase_rmse(Orbit(t, z, coordinates=("q", "p")), truth)
    assert_close(errors, torch.ones(2, dtype=torch.float64), rtol=2e-2, atol=0)  # 1 for half of the time, spread sqrt(.5)


def test_a_component_constant_to_rounding_is_met_to_rounding():
    jitter = 1e-13 * torch.randn(2, 1001, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    truth, forecast = (Orbit(T, torch.stack([T.sin(), 0.3 + noise], -1)) for noise in jitter)
    assert (phase_rmse(forecast, truth) == 0).all()
    assert phase_rmse(Orbit(T, truth.z + 1e-6), truth)[1] == torch.inf


@pytest.mark.parametrize("unit", [1e-12, 1e12])
@pytest.mark.parametrize("start", [0.0, 1e9])
def test_horizons_are_reached_in_any_unit_from_any_start(unit, start):
    t = unit * (start + T)
    errors = phase_rmse(oscillation(1 / unit, lag=start, t=t), oscillation(1 / unit, t=t), [unit * 100, unit * 30])
    assert errors.shape == (2, 2)
    with pytest.raises(InputError, match="within"):
        phase_rmse(oscillation(t=t), oscillation(t=t), [unit * 100.1])


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_there_is_no_phase_from_where_a_forecast_is_not_finite(bad):
    z = oscillation().z.clone()
    z[500:] = bad
    error = phase_error(Orbit(T, z, coordinates=("q", "p")), oscillation())
    assert (error[:500] == 0).all()
    assert torch.isnan(error[500:]).all()


def test_only_two_coordinates_have_a_phase():
    orbit = Orbit(T, torch.randn(1001, 4, dtype=torch.float64))
    with pytest.raises(InputError, match="two coordinates, not 4"):
        phase_error(orbit, orbit)
