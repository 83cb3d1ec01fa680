"""Calibrated bands and trusted times hold as often as they say, and few orbits say less."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from physlearn.forecasting.bands import BandedOrbit, Calibration, calibrated
from systems import AccuracyWarning, InputError, Orbit

T = torch.linspace(0, 1, 9, dtype=torch.float64)


@pytest.fixture(scope="module")
def table():
    """The program that measures coverage for the documentation."""
    path = Path(__file__).parents[3] / "docs" / "coverage_table.py"
    specification = importlib.util.spec_from_file_location("coverage_table", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def known_errors(n, draw):
    """Forecasts of zero with a spread of one, and truths whose errors have a size of their own in each orbit."""
    size = torch.exp(torch.randn(n, 1, 1, generator=draw, dtype=torch.float64))
    z = size * torch.randn(n, len(T), 2, generator=draw, dtype=torch.float64)
    z[:, 0] = 0
    members = torch.stack([torch.zeros_like(z), *(s * 2**0.5 * torch.ones_like(z) for s in (1, -1, 0))])
    return BandedOrbit(T, torch.zeros_like(z), members=members), Orbit(T, z)


@pytest.mark.parametrize("n", [9, 19])
def test_the_band_of_few_orbits_covers_a_further_orbit_on_average(n):
    """Over many calibrations: the quantile of n orbits alone would cover less, as their times do not count as orbits."""
    draw = torch.Generator().manual_seed(n)
    covered, naive = [], []
    for _ in range(200):
        calibration = calibrated(*known_errors(n, draw))
        _, truth = known_errors(50, draw)
        errors = truth.z[:, 1:].abs().flatten()
        covered.append(float((errors <= calibration.factor(0.8)).double().mean()))
        naive.append(float((errors <= calibration.scores.quantile(0.8)).double().mean()))
    error = np.std(covered) / 200**0.5
    assert np.mean(covered) > 0.8 - 3 * error
    assert np.mean(covered) < 0.8 + 2 / (n + 1) + 3 * error
    assert np.mean(naive) < np.mean(covered)


def test_each_orbit_counts_equally_however_often_it_was_measured():
    forecasts, truth = known_errors(2, torch.Generator().manual_seed(0))
    z = torch.zeros_like(truth.z)
    z[0, 1:], z[1, 1:] = 1.0, 3.0
    z[1, 2:] = torch.nan
    calibration = calibrated(forecasts, Orbit(T, z))
    spread = float(forecasts.spread[0, 1, 0])
    assert float(calibration.scores.median()) * spread == pytest.approx(1.0)
    assert float((calibration.scores * spread > 2).double().mean()) == pytest.approx(0.5)


def test_the_trusted_time_of_few_orbits_is_right_as_often_as_its_error_says():
    draw = torch.Generator().manual_seed(3)
    hits = []
    for _ in range(2000):
        ratios = torch.exp(0.5 * torch.randn(20, generator=draw, dtype=torch.float64)).sort().values
        middle, deviation = Calibration(torch.ones(20), ratios).trusted
        further = torch.exp(0.5 * torch.randn(20, generator=draw, dtype=torch.float64))
        hits.append(float(((further - middle).abs() <= deviation).double().mean()))
    assert np.mean(hits) == pytest.approx(0.68, abs=0.03)


def test_a_level_that_needs_more_orbits_says_so():
    calibration = Calibration(torch.linspace(0, 1, 50).double(), torch.ones(5).double())
    with pytest.warns(AccuracyWarning, match="5 held-out orbits are too few for a level of 0.9, which needs 9"):
        assert calibration.factor(0.9) == 1.0
    assert calibration.factor(0.5) == pytest.approx(0.6, abs=0.02)


def test_a_calibration_starts_where_everything_was_measured(table):
    import systems
    from physlearn import Forecaster

    system = systems.get("pendulum")
    t = torch.linspace(0, 5, 26, dtype=torch.float64)
    f = Forecaster("hnn", hidden=(8,), members=3, seed=0).fit(
        system.orbit(system.sample(5, seed=0), t), epochs=5, progress=False
    )
    truth = system.orbit(system.sample(12, seed=1), t)
    z = truth.z.clone()
    z[0, :3, 0] = torch.nan
    f.calibrate(Orbit(t, z, coordinates=truth.coordinates))
    assert len(f.calibration.ratios) == 12
    assert f.calibration.scores.isfinite().all()
    with pytest.raises(InputError, match="from which a forecast could start"):
        f.calibrate(Orbit(t, z * torch.nan, coordinates=truth.coordinates))


def test_bands_cover_a_system_within_three_percent(table):
    found = [table.of_system("pendulum", 0.0, seed, calibrated=300, tested=300) for seed in range(2)]
    for level in table.LEVELS:
        assert np.mean([row[f"band {level:g}"] for row in found]) == pytest.approx(level, abs=0.03)
    assert np.mean([row["trusted"] for row in found]) > 0.68 - 0.05  # more, where forecasts are valid to the end


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize("name", ["henon-heiles", "double-pendulum", "lorenz", "van-der-pol"])
def test_bands_cover_other_systems_and_noisy_states(table, name, noise):
    found = [table.of_system(name, noise, seed) for seed in range(2)]
    for level in table.LEVELS:
        assert np.mean([row[f"band {level:g}"] for row in found]) == pytest.approx(level, abs=0.03)


@pytest.mark.slow
def test_bands_cover_a_recorded_clock(table, data):
    """Its pieces are few: the guarantee of 16 allows for a further one that is worse than all of them."""
    found = [table.of_clock(data, seed, later=False) for seed in range(6)]
    for level in table.LEVELS:
        covered = np.mean([row[f"band {level:g}"] for row in found])
        assert level - 0.03 < covered < level + 1 / 17 + 0.03
