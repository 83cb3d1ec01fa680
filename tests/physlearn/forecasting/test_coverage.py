"""Calibrated bands and trusted times hold as often as they say, and few orbits say less."""

import numpy as np
import pytest
import torch

import physlearn.forecasting.calibration as calibration_module
from physlearn.forecasting.bands import BandedOrbit
from physlearn.forecasting.calibration import Calibration, calibrated
from systems import AccuracyWarning, InputError, Orbit

T = torch.linspace(0, 1, 9, dtype=torch.float64)


@pytest.fixture(scope="module")
def table(program):
    """The program that measures coverage for the documentation."""
    return program("coverage_table")


def known_errors(n, draw, alike=False):
    """Forecasts of zero with a spread of one, and truths whose errors have a size of their own in each orbit, or are alike.

    The errors of the second coordinate are ten times as large.
    """
    size = 1.0 if alike else torch.exp(torch.randn(n, 1, 1, generator=draw, dtype=torch.float64))
    z = size * torch.randn(n, len(T), 2, generator=draw, dtype=torch.float64) * torch.tensor([1.0, 10.0])
    z[:, 0] = 0
    members = torch.stack([torch.zeros_like(z), *(s * 2**0.5 * torch.ones_like(z) for s in (1, -1, 0))])
    return BandedOrbit(T, torch.zeros_like(z), members=members), Orbit(T, z)


@pytest.mark.parametrize(("n", "ranges", "alike"), [(9, 1, False), (19, 1, False), (19, 8, False), (19, 1, True)])
def test_the_bands_of_few_orbits_cover_each_coordinate_of_a_further_orbit_as_often_as_they_say(n, ranges, alike, monkeypatch):
    """Over many calibrations: quantiles of the n orbits alone cover less, and those of the usual guarantee cover more."""
    monkeypatch.setattr(calibration_module, "RANGES", (ranges,))  # of lead times, which are eight
    draw = torch.Generator().manual_seed(n)
    covered, plain = [], []
    for _ in range(200):
        forecasts, truth = known_errors(n, draw, alike)
        calibration = calibrated(forecasts, truth)
        quantiles = (truth.z[:, 1:].abs() / forecasts.spread[:, 1:]).flatten(0, 1).quantile(0.8, dim=0)
        forecasts, truth = known_errors(20, draw, alike)
        errors = truth.z[:, 1:].abs() / forecasts.spread[:, 1:]
        covered.append((errors <= calibration.factor(0.8, T[1:])).double().mean((0, 1)).numpy())
        plain.append((errors <= quantiles).double().mean((0, 1)).numpy())
    error = np.std(covered, axis=0) / 200**0.5
    assert np.mean(covered, axis=0) == pytest.approx(0.8, abs=0.01 + 3 * error.max())
    assert (np.mean(plain, axis=0) < np.mean(covered, axis=0)).all()
    if alike:
        assert np.mean(covered, axis=0).max() < 0.8 * (n + 1) / n


def test_each_orbit_counts_equally_however_often_it_was_measured(monkeypatch):
    monkeypatch.setattr(calibration_module, "RANGES", (1,))
    forecasts, truth = known_errors(2, torch.Generator().manual_seed(0))
    z = torch.zeros_like(truth.z)
    z[0, 1:], z[1, 1:] = 1.0, 3.0
    z[1, 2:] = torch.nan
    calibration = calibrated(forecasts, Orbit(T, z))
    spread = float(forecasts.spread[0, 1, 0])
    assert (calibration.scores[..., 0] * spread > 2).double().mean() == pytest.approx(0.5, abs=0.1)


def test_wider_bands_have_higher_levels_however_few_orbits_there_are():
    draw = torch.Generator().manual_seed(5)
    for n in range(2, 9):
        calibration = calibrated(*known_errors(n, draw))
        assert (calibration.scores.diff(dim=1) >= 0).all()
        Calibration.of_file(vars(calibration), 2)


def test_a_coordinate_that_was_only_measured_at_the_first_times_is_named():
    forecasts, truth = known_errors(3, torch.Generator().manual_seed(0))
    truth.z[:, 1:, 1] = torch.nan
    with pytest.raises(InputError, match="z1 was measured at the first times of the held-out orbits only"):
        calibrated(forecasts, truth)


def test_bands_cover_early_and_late_states_alike_although_errors_grow_faster_than_the_spread():
    draw, growth = torch.Generator().manual_seed(4), (5 * T).exp().unsqueeze(-1)
    forecasts, truth = known_errors(400, draw)
    calibration = calibrated(forecasts, Orbit(T, growth * truth.z))
    forecasts, truth = known_errors(400, draw)
    errors = growth[1:] * truth.z[:, 1:].abs() / forecasts.spread[:, 1:]
    covered = (errors <= calibration.factor(0.9, T[1:])).double().mean((0, 2))
    assert covered.tolist() == pytest.approx([0.9] * 8, abs=4 * (2 * 0.09 / 400) ** 0.5)  # of 400 orbits, and 400 others


def test_an_orbit_without_a_coordinate_does_not_count_for_its_band():
    draw = torch.Generator().manual_seed(0)
    forecasts, truth = known_errors(12, draw)
    some = calibrated(forecasts[:9], truth[:9])
    truth.z[9:, 1:, 1] = torch.nan
    factor, wanted = (one.factor(0.7, T[1:])[..., 1] for one in (calibrated(forecasts, truth), some))
    torch.testing.assert_close(factor, wanted)


def test_files_of_earlier_versions_keep_the_band_of_all_coordinates():
    """Their quantiles were taken at level (n + 1) / n."""
    scores, ratios = torch.linspace(0.001, 1, 1000).double(), torch.ones(19).double()
    for level in (0.5, 0.8, 0.9):
        factor = Calibration.of_file({"scores": scores, "ratios": ratios}, 4).factor(level, T)
        assert factor.shape == (len(T), 1)
        assert factor.flatten().tolist() == pytest.approx([level * 20 / 19] * len(T), abs=0.0011)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scores": torch.ones(2, 5, 3)},
        {"scores": torch.ones(2, 0, 2)},
        {"scores": torch.ones(3, 5, 2)},
        {"scores": torch.tensor(1.0)},
        {"scores": -torch.ones(2, 5, 2)},
        {"scores": torch.tensor([2.0, 1.0]).reshape(1, 2, 1).expand(2, 2, 2)},
        {"times": torch.tensor([2.0, 1.0])},
        {"times": torch.ones(2, 1)},
        {"orbits": torch.zeros(2)},
        {"ratios": torch.ones(0)},
        {"ratios": torch.ones(4, 1)},
        {"ratios": torch.tensor([2.0, 1.0])},
        {"step": torch.tensor(-1.0)},
        {"step": torch.ones(1)},
    ],
)
def test_a_calibration_of_a_file_that_does_not_fit_is_refused(wrong):
    right = {"times": T[1:3], "scores": torch.ones(2, 5, 2), "orbits": torch.ones(2), "ratios": torch.ones(4)}
    Calibration.of_file(right, 2)
    with pytest.raises(InputError, match="its calibration must have"):
        Calibration.of_file(right | wrong, 2)


def test_the_trusted_time_of_few_orbits_is_right_as_often_as_its_error_says():
    draw = torch.Generator().manual_seed(3)
    hits = []
    for _ in range(2000):
        ratios = torch.exp(0.5 * torch.randn(20, generator=draw, dtype=torch.float64)).sort().values
        middle, deviation = Calibration(torch.zeros(1), torch.ones(1, 20, 1), torch.ones(1), ratios, torch.tensor(0.0)).trusted
        further = torch.exp(0.5 * torch.randn(20, generator=draw, dtype=torch.float64))
        hits.append(float(((further - middle).abs() <= deviation).double().mean()))
    assert np.mean(hits) == pytest.approx(0.68, abs=0.03)


def test_a_level_that_needs_more_orbits_says_so():
    forecasts, truth = known_errors(5, torch.Generator().manual_seed(0))
    calibration = calibrated(forecasts, truth)
    with pytest.warns(AccuracyWarning, match="5 held-out orbits are too few for a level of 0.9, which needs 9"):
        factor = calibration.factor(0.9, T[1:])
    torch.testing.assert_close(factor, (truth.z.abs() / forecasts.spread).amax(0)[1:])


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
    with pytest.raises(InputError, match="no orbit has one before its end"):
        f.calibrate(Orbit(t, z * torch.nan, coordinates=truth.coordinates))


@pytest.mark.slow
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
    found = [table.of_clock(data, seed)[0] for seed in range(3)]  # 16 of its pieces at random calibrate the bands
    for level in table.LEVELS:
        assert np.mean([row[f"band {level:g}"] for row in found]) == pytest.approx(level, abs=0.03)
