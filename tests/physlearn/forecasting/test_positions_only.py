"""Forecasters learn from measured positions, whose velocities were not measured."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch

import systems
from physlearn import Forecaster
from physlearn.forecasting.smoothed import Smoothed
from physlearn.metrics import valid_prediction_time
from physlearn.models.units import Units
from physlearn.training.state_losses import ShootingLoss, StepLoss
from physlearn.training.windows import Windows
from systems import InputError, Orbit

PENDULUM = systems.get("pendulum")
DATA = os.environ.get("PHYSLEARN_DATA")


def positions(n=20, spacing=1.0, noise=0.0, times=20, seed=0):
    """Angles of a pendulum, about six to a turn at spacing 1."""
    t = torch.arange(times, dtype=torch.float64) * spacing
    angle = PENDULUM.orbit(PENDULUM.sample(n, seed=seed), t).z[..., :1]
    drawn = torch.randn(angle.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return Orbit(t, angle + noise * angle.std() * drawn, coordinates=("theta",), periods=PENDULUM.periods)


def valid(f, time=100):
    truth = PENDULUM.orbit(PENDULUM.sample(8, seed=99), torch.linspace(0, time, 5 * time + 1))
    truth = Orbit(truth.t, truth.z, coordinates=f.coordinates, periods=truth.periods)
    return float(valid_prediction_time(f.forecast(truth.z[:, 0], truth.t, progress=False), truth).median())


def fitted(orbits, **settings):
    f = Forecaster("hnn-mechanical", hidden=(15,), seed=0)
    return f.fit(orbits, epochs=60, progress=False, **{"polish": 20} | settings)


def test_six_angles_a_turn_are_enough():
    f = fitted(positions(n=10, times=14).with_velocities())
    assert f.loss == "shooting"
    assert f.loss_reason.endswith("and their velocities were not measured")
    assert f.coordinates == ("theta", "omega")
    assert valid(f) > 50
    assert math.isnan(f.noise["omega"])


class Exact(torch.nn.Module):
    """The field of a pendulum, as a model in the units of the data."""

    name, given = "exact", ()

    def forward(self, z):
        return PENDULUM.vector_field(0.0, z)


@pytest.mark.parametrize("loss", [StepLoss, ShootingLoss])
def test_only_measured_values_are_compared(loss):
    orbit = PENDULUM.orbit(PENDULUM.sample(5, seed=2), torch.arange(21, dtype=torch.float64) * 0.2)
    seen = orbit.z.clone()
    seen[..., 1] = math.nan  # never measured
    seen[0, 3, 0] = math.nan
    wrong = orbit.z.clone()
    wrong[..., 1] += 0.3 * (torch.arange(21) > 0)  # values that no one measured do not matter after the start
    measured, estimates = Orbit(orbit.t, seen), Orbit(orbit.t, wrong if loss is ShootingLoss else orbit.z)
    windows = Windows.of(measured, 5, estimates=_at(estimates, measured))
    arguments = (Exact(), Units.none(2), windows)
    kept = torch.tensor([0, *range(4, len(windows))])  # without the windows of the orbit with a hole, at other times
    made = loss(*arguments, windows.z[:, 0].clone()) if loss is ShootingLoss else loss(*arguments)
    assert made.noise()[1].isnan()
    if loss is ShootingLoss:
        assert float(made.parts(kept)[1].detach()) != 0  # the joints, which compare all coordinates
        made.joining = torch.zeros(2, dtype=torch.float64)
    assert float(made.parts(kept)[1].detach()) == 0


def _at(estimates, measured):
    """The estimates at the times at which anything was measured."""
    known = measured.measured.any(-1)
    return [Orbit(estimates.t[k], z[k], coordinates=estimates.coordinates) for z, k in zip(estimates.z, known, strict=True)]


def alternating():
    """Orbits of which never both coordinates were measured at a time."""
    t = torch.arange(28, dtype=torch.float64) * 0.5
    z = PENDULUM.orbit(PENDULUM.sample(10, seed=0), t).z.clone()
    z[:, ::2, 0] = math.nan
    z[:, 1::2, 1] = math.nan
    return Orbit(t, z, coordinates=("theta", "p"), periods=PENDULUM.periods)


@pytest.mark.slow  # 4 s
def test_states_that_were_never_measured_together_train_from_estimated_ones():
    f = Forecaster("hnn", hidden=(8,)).fit(alternating(), epochs=2, polish=2, progress=False)
    assert f.loss == "shooting"
    assert f.history["training"].iloc[-1] < f.history["training"].iloc[0]


@pytest.mark.slow
def test_coordinates_that_were_measured_at_different_times_are_learned_together():
    seen = alternating()
    assert valid(fitted(seen, loss="shooting")) > 50
    with pytest.raises(InputError, match=r"windows of 2 states need .* at so many times"):
        fitted(seen, loss="step")


def test_smoothed_states_have_the_derivatives_of_the_positions():
    seen = positions(spacing=0.1, times=100).with_velocities()
    true = PENDULUM.orbit(PENDULUM.sample(20, seed=0), seen.t)
    found = Smoothed.of(seen)
    assert all(one.z[:, 1].isnan().all() for one in found.measured)
    torch.testing.assert_close(torch.stack([one.z for one in found.orbits]), true.z, atol=1e-3, rtol=0)
    torch.testing.assert_close(torch.stack([one.rate for one in found.orbits]), true.rate, atol=0.02, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("spacing", [1.0, 0.3, 0.1])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_angles_alone_are_worth_half_of_what_states_are(spacing, noise):
    times = max(20, round(50 / spacing / 2))
    alone = positions(spacing=spacing, noise=noise, times=times)
    t = alone.t
    both = PENDULUM.orbit(PENDULUM.sample(20, seed=0), t).z
    random = torch.Generator().manual_seed(1)
    both = both + noise * both.std((0, 1)) * torch.randn(both.shape, generator=random, dtype=torch.float64)
    states = Orbit(t, both, coordinates=("theta", "p"), periods=PENDULUM.periods)
    assert valid(fitted(alone.with_velocities(), polish=None)) > 0.5 * valid(fitted(states, polish=None))


@pytest.mark.skipif(DATA is None, reason="needs PHYSLEARN_DATA")
def test_the_measured_angles_of_a_clock_give_their_angular_velocity():
    table = np.loadtxt(Path(str(DATA)) / "clock_angles.csv", delimiter=",", usecols=(0, 1))
    filtered = Orbit.from_csv(Path(str(DATA)) / "clock_angles.csv", ["t", "theta", "_", "_"], rates="derived")[0]
    found = Orbit.of(table[:, 1], table[:, 0], coordinates=("theta",), periods={"theta": 2 * math.pi}).with_velocities()
    first = int((found.t - filtered.t[0]).abs().argmin())
    same = found.z[first : first + len(filtered.t), 1]
    error = (same - filtered.z[:, 1]).square().mean().sqrt() / same.std()
    assert error < 0.02  # two methods, and the noise of half a pixel
    amplitude = same.std() * 2**0.5 * 2.027 / (2 * math.pi)  # the period is 2.027 s
    assert 0.090 < amplitude < 0.097


@pytest.mark.skipif(DATA is None, reason="needs PHYSLEARN_DATA")
def test_the_angles_of_a_real_pendulum_with_gaps_give_its_angular_velocity():
    table = np.loadtxt(Path(str(DATA)) / "schmidt_lipson_real_pend_h_1.txt", skiprows=1)
    t, angle, omega = table[:, 1], table[:, 2], table[:, 3]
    assert np.diff(t).max() > 2.5 * np.median(np.diff(t))
    found = Orbit.of(angle, t, coordinates=("theta",), periods={"theta": 2 * math.pi}).with_velocities()
    error = np.abs(found.z[:, 1].numpy() - omega)
    assert np.median(error) < 0.1 * omega.std()
