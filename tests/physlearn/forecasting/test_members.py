"""Ensembles: bands that cover, a trusted time, files."""

import pytest
import torch

import systems
from physlearn import Forecaster
from physlearn.forecasting import BandedOrbit
from physlearn.metrics import valid_prediction_time
from systems import AccuracyWarning, InputError

PENDULUM = systems.get("pendulum")
T = torch.linspace(0, 20, 101, dtype=torch.float64)


def orbits(n, seed, t=T):
    return PENDULUM.orbit(PENDULUM.sample(n, seed=seed), t)


@pytest.fixture(scope="module")
def ensemble():
    f = Forecaster("hnn", hidden=(20,), members=6, seed=0)
    return f.fit(orbits(20, 0, torch.linspace(0, 5, 26)), orbits(10, 1, torch.linspace(0, 5, 26)), epochs=40, progress=False)


def test_the_forecast_is_that_of_the_best_member_and_conserves_its_energy(ensemble):
    z0 = orbits(3, 5).z[:, 0]
    forecast = ensemble.forecast(z0, T, progress=False)
    assert isinstance(forecast, BandedOrbit)
    assert forecast.members.shape == (6, 3, 101, 2)
    assert torch.equal(forecast.members[0], forecast.z)
    energy = ensemble.hamiltonian(forecast.z)
    assert float((energy - energy[:, :1]).abs().max()) < 1e-4
    alone = Forecaster("hnn", hidden=(20,), seed=0)
    assert not isinstance(alone.fit(orbits(5, 0), epochs=2, progress=False).forecast(z0, T, progress=False), BandedOrbit)


@pytest.mark.slow  # 5 s
def test_calibrated_bands_cover_as_often_as_they_say(ensemble):
    ensemble.calibrate(orbits(400, 2))
    truth = orbits(400, 3)
    forecast = ensemble.forecast(truth.z[:, 0], T, progress=False)
    for level in (0.5, 0.8, 0.95):
        low, high = forecast.band(level)
        covered = ((truth.z >= low) & (truth.z <= high))[:, 1:].double().mean()
        assert float(covered) == pytest.approx(level, abs=0.06)  # of 400 orbits, whose times depend on each other
    trusted = forecast.trusted_until()
    valid = valid_prediction_time(forecast, truth)
    assert ((trusted.time - valid).abs() <= 2 * trusted.error + 0.2).double().mean() > 0.6
    assert torch.isfinite(trusted.error).all()


def test_a_band_that_is_not_calibrated_says_so():
    f = Forecaster("hnn", hidden=(8,), members=2).fit(orbits(3, 0), epochs=1, progress=False)
    forecast = f.forecast(orbits(2, 1).z[:, 0], T, progress=False)
    with pytest.warns(AccuracyWarning, match="calibrate the forecaster by Forecaster.calibrate"):
        band = forecast.band(0.8)
    torch.testing.assert_close(band, forecast.limits(0.8))


def test_bands_follow_selections_and_files_keep_everything(ensemble, tmp_path):
    ensemble.calibrate(orbits(10, 2))
    ensemble.save(tmp_path / "f.safetensors")
    again = Forecaster.load(tmp_path / "f.safetensors")
    z0 = orbits(3, 5).z[:, 0]
    one, other = (f.forecast(z0, T, progress=False) for f in (ensemble, again))
    torch.testing.assert_close(one.members, other.members)
    torch.testing.assert_close(one.band(0.9)[1], other.band(0.9)[1])
    torch.testing.assert_close(one[1, ::4].band()[0], one.band()[0][1, ::4])
    torch.testing.assert_close(one[1, 40:].band()[0], one.band()[0][1, 40:])  # its lead times are kept
    assert again.get_params()["members"] == 6


def test_forecasts_take_the_steps_of_the_calibration_however_many_there_are():
    """Or else errors of steps that one orbit in a batch makes shorter would be in some bands and not in others."""
    coarse = torch.linspace(0, 20, 25, dtype=torch.float64)
    f = Forecaster("nn", hidden=(20,), members=2, seed=0).fit(orbits(20, 0, coarse), epochs=30, progress=False)
    held_out = orbits(12, 2, coarse)
    alone = {f.forecast(z0, coarse, progress=False).provenance["integrator"]["dt"] for z0 in held_out.z[:, 0]}
    assert len(alone) > 1
    f.calibrate(held_out)
    after = {f.forecast(z0, coarse, progress=False).provenance["integrator"]["dt"] for z0 in held_out.z[:, 0]}
    assert list(after) == pytest.approx([float(f.calibration.step)])
    assert float(f.calibrate(held_out).calibration.step) == pytest.approx(next(iter(after)))  # again


def test_lead_times_begin_where_the_past_ends(ensemble):
    past = orbits(3, 5, T[:20])
    past.z[1, -2:, 0] = torch.nan
    forecast = ensemble.forecast(past, T[30:], progress=False)
    end = T[torch.tensor([19, 17, 19])].unsqueeze(-1)
    torch.testing.assert_close(forecast.lead, T[30:] - end)
    torch.testing.assert_close(ensemble.forecast(past.z[0, 0], T[30:], progress=False).lead, T[30:] - T[30])


def test_the_same_seed_gives_the_same_ensemble_and_the_next_seed_its_second_member():
    data = orbits(5, 0)
    pair = Forecaster("hnn", hidden=(8,), members=2, seed=3).fit(data, epochs=3, progress=False)
    single = {seed: Forecaster("hnn", hidden=(8,), seed=seed).fit(data, epochs=3, progress=False) for seed in (3, 4)}
    z0 = data.z[0, 0]
    found = pair.forecast(z0, T, progress=False).members
    wanted = [single[seed].forecast(z0, T, progress=False).z for seed in (3, 4)]
    for one in wanted:
        assert min(float((member - one).abs().max()) for member in found) < 1e-3


def test_what_has_no_bands_is_refused():
    with pytest.raises(InputError, match="members must be at least 1"):
        Forecaster("hnn", members=0)
    with pytest.raises(InputError, match="must be 1 for the model cubic"):
        Forecaster("cubic", members=3)
    f = Forecaster("hnn", hidden=(8,)).fit(orbits(3, 0), epochs=1, progress=False)
    with pytest.raises(InputError, match="members=20"):
        f.calibrate(orbits(3, 1))
    pair = Forecaster("hnn", hidden=(8,), members=2).fit(orbits(3, 0), epochs=1, progress=False)
    with pytest.raises(InputError, match="at least two held-out orbits"):
        pair.calibrate(orbits(1, 1)[0])
    with pytest.raises(InputError, match="between 0 and 1"):
        pair.forecast(orbits(1, 1).z[0, 0], T, progress=False).band(90)
