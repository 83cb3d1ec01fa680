"""Forecasts of recordings: what is learned from, what is forecast, and how a real clock fares."""

import numpy as np
import pandas as pd
import pytest
import torch

from physlearn import metrics
from physlearn.forecasting import contender, recorded
from systems import InputError, Orbit
from systems.film import from_markers

GAP = 10


def swing(start, stop, omega=9.0):
    t = torch.arange(start, stop, dtype=torch.float64) / 30
    x, v = 0.1 * (omega * t).cos(), -0.1 * omega * (omega * t).sin()
    known = {"filter": {"window": GAP}, "rates": {"omega": "derived"}}
    return Orbit(t, torch.stack([x, v], -1), torch.stack([v, -(omega**2) * x], -1), ("theta", "omega"), known)


def forecast(orbits, models=("linear",), **settings):
    chosen = [c for name in models for c in contender.choose(name, None, hamiltonian=True, recorded=True)]
    chosen = [c for c in chosen if c.method != "euler"]
    return recorded.forecast_recording(orbits, chosen, name="swing", gap=GAP, progress=False, **settings)


def test_all_stretches_are_learned_from_and_the_longest_of_the_rest_is_forecast():
    report = forecast([swing(150, 450), swing(0, 100), swing(460, 500)])
    blocks = report.settings["blocks"]
    assert blocks["training"] == [0.0, pytest.approx((150 + 308 - 100 - 1) / 30)]  # 70 % of 440 samples, 100 of the first
    assert blocks["test"] == pytest.approx([460 / 30, 499 / 30])  # 40 samples; of the stretch before, 38 are left
    steps = report.truth.t.diff()
    assert steps.max() < 1.5 * steps.min()
    assert report.settings["pendulum_frequency"] == pytest.approx(9.0, rel=2e-3)
    assert abs(report.table.loc["linear + gauss-legendre-4", "phase_error_end"]) < 1e-2


def test_degrees_and_milliseconds_tell_of_the_same_pendulum():
    """H = omega^2 / 2 + w^2 (1 - cos theta) with theta in rad: only the unit of time changes the figures."""
    orbit = swing(0, 300)
    degrees, milliseconds = torch.tensor([180 / np.pi], dtype=torch.float64), 1e3
    z = orbit.z * degrees / torch.tensor([1.0, milliseconds])
    rate = orbit.rate * degrees / torch.tensor([milliseconds, milliseconds**2])
    other = Orbit(orbit.t * milliseconds, z, rate, orbit.coordinates, {}, {"theta": 360.0})
    frequency, energy = recorded.fit_pendulum(orbit)
    slower, energies = recorded.fit_pendulum(other)
    assert slower * milliseconds == pytest.approx(frequency, rel=1e-12)
    torch.testing.assert_close(energies(other.z) * milliseconds**2, energy(orbit.z), rtol=1e-11, atol=0)


def test_a_file_without_rates_is_read_once(tmp_path):
    t = np.arange(300) / 30
    table = np.stack([t, 0.1 * np.cos(9 * t), -0.9 * np.sin(9 * t)], 1)
    for columns, readings in ((2, ["derived"]), (3, ["file", "derived"])):
        np.savetxt(tmp_path / "swing.csv", table[:, :columns], delimiter=",", fmt="%.12f")
        assert list(recorded.read_recording(tmp_path / "swing.csv")) == readings


def test_stretches_that_overlap_are_refused():
    with pytest.raises(InputError, match="overlap"):
        forecast([swing(0, 300), swing(200, 400)])
    with pytest.raises(InputError, match="no orbit"):
        forecast([])


@pytest.mark.slow
def test_a_clock_is_forecast_from_the_places_of_its_markers(data):
    """The last fifth of 100 s from the first four: after ten seconds, less than 0.1 rad off, by what fits the rates best."""
    places = pd.read_csv(data / "clock_markers_pixels.csv")[["red_x", "red_y", "blue_x", "blue_y"]].to_numpy(float)
    t = np.loadtxt(data / "clock_angles.csv", delimiter=",")[:, 0]
    tracked = from_markers(t, places[: len(t), 2:], places[: len(t), :2])
    models = ("linear", "dissipative-hnn-mechanical")
    reports = [forecast(tracked.orbits, models, training={"learning_rate": 1e-2}, seed=seed) for seed in range(3)]
    truth = reports[0].truth
    ten = int(torch.searchsorted(truth.t, truth.t[0] + 10))
    rates, phases = [], []
    for label in (f"{name} + gauss-legendre-4" for name in models):
        rates.append(np.median([report.table.loc[label, "derivative_loss"] for report in reports]))
        phases.append(np.median([abs(metrics.phase_error(report.forecasts[label], truth)[ten]) for report in reports]))
    assert rates[1] < rates[0]
    assert max(phases) < 0.1
