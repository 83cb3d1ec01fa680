"""Runs at times of their own, with holes, are learned, forecast and judged like others."""

import numpy as np
import pytest
import torch

import systems
from physlearn import Forecaster, integrate
from physlearn.metrics import phase_rmse, valid_prediction_time
from systems import InputError, Orbit


@pytest.fixture(scope="module")
def pendulum():
    return systems.get("pendulum")


@pytest.fixture
def times():
    return torch.cumsum(torch.rand(3, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64), -1)


def test_orbits_at_own_times_are_those_of_each(pendulum, times):
    z0 = pendulum.sample(3, seed=0)
    for make in (pendulum.orbit, lambda z, t: integrate(pendulum, z, t, method="rk4", dt=0.01, progress=False)):
        together = make(z0, times)
        assert torch.equal(together.t, times)
        for i in range(3):
            torch.testing.assert_close(together.z[i], make(z0[i], times[i]).z, rtol=1e-12, atol=1e-13)


def test_the_clock_and_lists_of_lists_take_own_times():
    clock = systems.get("pendulum-clock")
    z0 = clock.sample(2, seed=0)
    orbit = clock.orbit(z0, [[0.0, 1.0], [2.0, 5.0]])
    torch.testing.assert_close(orbit.z[1], clock.orbit(z0[1], [2.0, 5.0]).z)


def test_own_times_need_a_state_for_each(pendulum, times):
    with pytest.raises(InputError, match="one row for each of the states"):
        pendulum.orbit(pendulum.sample(2), times)


def test_a_forecaster_trained_on_runs_of_different_lengths_forecasts_at_their_times(pendulum):
    runs = [pendulum.orbit(z, torch.linspace(i, i + 3 + i, 31 + 10 * i)) for i, z in enumerate(pendulum.sample(6, seed=0))]
    batch = Orbit.of(runs)
    assert not batch.shared_times
    f = Forecaster("hnn-mechanical", hidden=(20,), seed=0).fit(batch, epochs=20, progress=False)
    same = Forecaster("hnn-mechanical", hidden=(20,), seed=0).fit(runs, epochs=20, progress=False)
    assert torch.equal(f.hamiltonian(batch.z[0, :5]), same.hamiltonian(batch.z[0, :5]))
    forecast = f.forecast(batch.z[:, 0], batch.t)
    valid = valid_prediction_time(forecast, batch)
    for i, run in enumerate(runs):
        alone = f.forecast(run.z[0], run.t)
        assert valid[i] == pytest.approx(float(valid_prediction_time(alone, run)), rel=1e-9)


def test_what_was_not_measured_does_not_count(pendulum):
    t = torch.linspace(0, 10, 101)
    truth = pendulum.orbit(pendulum.sample(2, seed=0), t)
    forecast = pendulum.orbit(truth.z[:, 0] + 0.05, t)
    holes = truth.z.clone()
    holes[0, 5:30] = torch.nan  # moments
    holes[1, :, 1] = torch.nan  # the momentum of an orbit
    found = phase_rmse(forecast, Orbit(t, holes, coordinates=truth.coordinates, periods=truth.periods))
    kept = np.r_[0:5, 30:101]
    part = phase_rmse(
        *(Orbit(o.t[kept], o.z[0, kept], coordinates=o.coordinates, periods=o.periods) for o in (forecast, truth))
    )
    torch.testing.assert_close(found[0], part)
    torch.testing.assert_close(found[1, 0], phase_rmse(forecast[1], truth[1])[0])
    assert found[1, 1].isnan()
    nothing = Orbit(t, truth.z * torch.nan, coordinates=truth.coordinates, periods=truth.periods)
    with pytest.raises(InputError, match="orbit 0 of the truth has no time"):
        valid_prediction_time(forecast, nothing)


def test_a_horizon_for_each_orbit_stays_with_its_orbit(pendulum, times):
    truth = pendulum.orbit(pendulum.sample(3, seed=0), times)
    horizon = torch.tensor([0.5, 0.1, 9.0])
    valid = valid_prediction_time(truth, truth, horizon=horizon)
    torch.testing.assert_close(valid, torch.minimum(horizon.double(), times[:, -1] - times[:, 0]))
