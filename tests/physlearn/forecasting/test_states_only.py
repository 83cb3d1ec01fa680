"""Forecasters learn from states alone: far apart, noisy, uneven, with holes and angles."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

import systems
from physlearn import Forecaster
from physlearn.forecasting.smoothed import Smoothed
from physlearn.metrics import valid_prediction_time
from physlearn.studies import measured_orbits
from systems import AccuracyWarning, InputError, Orbit

PENDULUM = systems.get("pendulum")


def measured(n=30, spacing=1.0, noise=0.0, times=20, seed=0):
    """States of a pendulum, about six to a turn at spacing 1, without rates."""
    t = torch.arange(times, dtype=torch.float64) * spacing
    orbit = PENDULUM.orbit(PENDULUM.sample(n, seed=seed), t)
    drawn = torch.randn(orbit.z.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return Orbit(t, orbit.z + noise * orbit.z.std((0, 1)) * drawn, coordinates=orbit.coordinates, periods=orbit.periods)


def valid(f, time=50):
    truth = PENDULUM.orbit(PENDULUM.sample(8, seed=99), torch.linspace(0, time, 5 * time + 1))
    return float(valid_prediction_time(f.forecast(truth.z[:, 0], truth.t, progress=False), truth).median())


def fitted(orbits, **settings):
    return Forecaster("hnn-separable", hidden=(20,), activation="sine", seed=0).fit(
        orbits, epochs=60, progress=False, **settings
    )


@pytest.mark.slow  # 5 s
def test_six_states_a_turn_tell_what_a_spline_does_not():
    seen = measured()
    by_orbits, by_rate = fitted(seen), fitted(seen, loss="derivative")
    assert by_orbits.loss == "shooting"
    assert "no rates and" in by_orbits.loss_reason
    assert by_orbits.loss_method.startswith("rk4")
    assert valid(by_orbits, 200) > 2 * valid(by_rate, 200)
    learned = {"loss": "shooting", "method": by_orbits.loss_method}
    assert by_orbits.forecast(seen.z[0, 0], seen.t).provenance["learned"] == learned


def test_steps_alone_learn_from_exact_states():
    f = fitted(measured(n=20), loss="step", polish=20)
    assert f.loss_method.startswith("rk4, 3 substeps, Levenberg-Marquardt")
    assert set(f.history["horizon"].dropna()) == {1}
    assert f.history["training"].iloc[-1] < 1e-5  # L-BFGS reaches 1e-4 in 100 steps


def test_a_model_with_two_hidden_layers_learns_by_steps():
    f = Forecaster("hnn", hidden=(10, 10), seed=0).fit(measured(n=5), epochs=5, polish=20, progress=False)
    assert (f.loss, "Marquardt" in f.loss_method) == ("step", False)


def test_a_coordinate_that_stays_where_it_is_has_no_noise():
    seen = measured(n=5, times=10)
    still = Orbit(seen.t, torch.cat([seen.z, torch.full_like(seen.z[..., :1], 3.0)], dim=-1))
    f = Forecaster("nn", hidden=(10,), seed=0).fit(still, epochs=20, polish=3, progress=False)
    assert f.noise["z2"] == 0
    assert 0 < f.noise["z0"] < 1


@pytest.mark.slow
@pytest.mark.parametrize("per_turn", [20, 6])
@pytest.mark.parametrize("system", ["henon-heiles", "pendulum", "van-der-pol", "lorenz"])
def test_the_default_is_never_worse_than_another_loss_by_a_fifth(system, per_turn):
    table = pd.DataFrame(
        {"system": system, "per_turn": per_turn, "noise": 0.01, "loss": loss, "seed": seed}
        | measured_orbits.cell(system, per_turn, 0.01, loss, seed)
        for loss in ("derivative", "step", "shooting", "weak")
        for seed in range(3)
    )
    assert float(measured_orbits.shortfall(table).min()) > 0.8


@pytest.mark.parametrize("loss", ["weak", *(pytest.param(loss, marks=pytest.mark.slow) for loss in ("step", "shooting"))])
def test_each_loss_beats_rates_from_a_spline_on_noisy_states(loss):
    seen = measured(spacing=0.3, noise=0.03, times=60)
    assert valid(fitted(seen, loss=loss)) > 1.2 * valid(fitted(seen, loss="derivative"))


def test_the_noise_of_dense_states_is_estimated():
    for noise in (0.01, 0.1):
        seen = measured(spacing=0.1, noise=noise, times=200)
        found = Smoothed.of(seen)
        true = noise * PENDULUM.orbit(PENDULUM.sample(30, seed=0), seen.t).z.std((0, 1)).numpy()
        np.testing.assert_allclose(found.noise, true, rtol=0.05)
        assert found.per_turn == pytest.approx(60, rel=0.4)


@pytest.mark.slow
def test_the_noise_of_sparse_states_is_what_the_model_does_not_explain():
    seen = measured(noise=0.02, n=60)
    f = fitted(seen)
    true = 0.02 * PENDULUM.orbit(PENDULUM.sample(60, seed=0), seen.t).z.std((0, 1))
    np.testing.assert_allclose(list(f.noise.values()), true, rtol=0.25)


def test_uneven_times_holes_and_runs_of_different_lengths_train():
    runs = []
    random = np.random.default_rng(0)
    for i in range(20):
        t = np.cumsum(random.uniform(0.3, 1.2, 12 + i % 5))
        z = PENDULUM.orbit(PENDULUM.sample(1, seed=i)[0], t).z.numpy()
        z[random.integers(0, len(t))] = math.nan
        runs.append((t, z))
    seen = Orbit.of([z for _, z in runs], [t for t, _ in runs], coordinates=("theta", "p"), periods={"theta": 2 * math.pi})
    f = fitted(seen)
    assert f.loss == "shooting"
    assert valid(f) > 15


@pytest.mark.slow
def test_an_angle_that_turns_over_is_learned_from_its_recorded_values():
    t = torch.arange(40, dtype=torch.float64) * 0.5
    z0 = torch.tensor([[0.0, 2.2 + 0.1 * i] for i in range(10)], dtype=torch.float64)  # all turn over
    turning = PENDULUM.orbit(z0, t)
    recorded = turning.z.clone()
    recorded[..., 0] = torch.remainder(recorded[..., 0] + math.pi, 2 * math.pi) - math.pi
    seen = Orbit(t, recorded, coordinates=turning.coordinates, periods=turning.periods)
    f = Forecaster("hnn-separable", hidden=(20,), angles=True, seed=0).fit(seen, epochs=60, progress=False)
    assert float(valid_prediction_time(f.forecast(turning.z[:, 0], t, progress=False), turning).median()) > 10


def test_rates_are_used_where_they_are_known_unless_another_loss_is_asked_for():
    orbit = PENDULUM.orbit(PENDULUM.sample(10), torch.linspace(0, 5, 26))
    f = fitted(orbit)
    assert (f.loss, f.loss_reason, f.noise) == ("derivative", "the orbits have rates", {})
    assert fitted(orbit, loss="step", polish=0).loss == "step"


def test_files_keep_the_loss_and_validation_chooses_the_weights(tmp_path):
    seen = measured(n=10)
    f = fitted(seen, validation=measured(n=4, seed=5), polish=20)
    assert {"training", "validation"} <= set(f.history)
    f.save(tmp_path / "f.safetensors")
    again = Forecaster.load(tmp_path / "f.safetensors")
    assert (again.loss, again.loss_reason, again.loss_method) == (f.loss, f.loss_reason, f.loss_method)
    assert again.noise.keys() == f.noise.keys()
    z = seen.z[0, :5]
    torch.testing.assert_close(again.hamiltonian(z), f.hamiltonian(z))


def test_the_same_seed_gives_the_same_forecaster():
    seen = measured(n=6, times=8)
    first, second = (fitted(seen, polish=10) for _ in range(2))
    assert torch.equal(first.hamiltonian(seen.z[0]), second.hamiltonian(seen.z[0]))


@pytest.mark.parametrize(
    ("orbits", "settings", "message"),
    [
        (measured(n=3), {"loss": "rates"}, "loss must be one of derivative, step"),
        (measured(n=3, times=1), {}, "at least two measured values of each coordinate"),
        (measured(n=3, times=5), {"loss": "weak"}, "windows of 9 states need"),
        (torch.zeros(3, 2), {}, "Orbit.of makes one"),
    ],
)
def test_data_that_do_not_suffice_are_refused_in_a_sentence(orbits, settings, message):
    with pytest.raises((InputError, TypeError), match=message):
        fitted(orbits, **settings)


@pytest.mark.filterwarnings("ignore:the trained model")
def test_states_between_which_the_motion_is_ambiguous_are_told():
    with pytest.warns(AccuracyWarning, match="fewer than 4"):
        fitted(measured(n=5, spacing=50.0), polish=0)


def test_a_coordinate_that_does_not_determine_its_own_future_is_told():
    seen = measured(n=5)
    alone = Orbit(seen.t, seen.z[..., 1:], coordinates=("p",))
    with pytest.warns(AccuracyWarning, match="motion between measured states unexplained"):
        Forecaster("nn", hidden=(10,), seed=0).fit(alone, epochs=10, progress=False)


def test_a_baseline_is_fitted_to_the_rates_of_splines():
    f = Forecaster("cubic").fit(measured(spacing=0.1, times=100), progress=False)
    assert f.loss == "derivative"
    with pytest.raises(InputError, match="fitted to rates in one step"):
        Forecaster("cubic").fit(measured(), loss="step", progress=False)


def test_a_coordinate_that_was_not_measured_for_some_turns_is_not_made_up():
    spring = systems.get("harmonic-oscillator")
    t = torch.linspace(0, 60, 301, dtype=torch.float64)
    orbit = spring.orbit(spring.sample(3, seed=0), t)
    z = orbit.z.clone()
    z[:, 50:200, 1] = torch.nan  # five turns
    f = Forecaster("linear").fit(Orbit(t, z, coordinates=orbit.coordinates), loss="derivative")
    true = spring.orbit([1.0, 0.0], t)
    assert (f.forecast(true.z[0], t).z - true.z).abs().max() < 0.01


@pytest.mark.slow
def test_polynomials_shoot_past_what_was_not_measured():
    t = torch.linspace(0, 40, 201, dtype=torch.float64)
    orbit = PENDULUM.orbit(PENDULUM.sample(5, seed=0), t)
    z = orbit.z + 1e-3 * torch.randn(orbit.z.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z[:, 50:130, 1] = torch.nan
    f = Forecaster("polynomial").fit(Orbit(t, z, coordinates=orbit.coordinates))
    assert list(f.noise.values()) == pytest.approx([1e-3, 1e-3], rel=0.2)  # it was 200 times as large


def test_a_logger_may_pause():
    spring = systems.get("harmonic-oscillator")
    t = torch.linspace(0, 40, 201, dtype=torch.float64)
    orbit = spring.orbit(spring.sample(3, seed=0), t)
    paused = torch.cat([t[:100], t[100:] + 1e6])
    f = Forecaster("linear").fit(Orbit(paused, orbit.z, coordinates=orbit.coordinates))
    true = spring.orbit([1.0, 0.0], t)
    assert (f.forecast(true.z[0], t).z - true.z).abs().max() < 0.01


@pytest.mark.parametrize("pause", [5.0, 1e6])
def test_networks_learn_from_a_logger_that_pauses(pause):
    seen = measured(n=5, spacing=0.25, times=41)
    paused = torch.cat([seen.t[:20], seen.t[20:] + pause])
    f = Forecaster("nn", hidden=(20,)).fit(Orbit(paused, seen.z, coordinates=seen.coordinates), epochs=2, progress=False)
    assert f.history["training"].iloc[-1] < 1e-3


@pytest.mark.parametrize("time", [1e300, 1e-300])
def test_times_whose_squares_overflow_are_refused(time):
    seen = measured(n=2)
    with pytest.raises(InputError, match="in other units"):
        Forecaster("linear").fit(Orbit(seen.t * time, seen.z))


def test_orbits_of_different_dimensions_are_refused():
    seen = measured(n=1)
    with pytest.raises(InputError, match="different coordinates"):
        Forecaster("nn").fit([seen, Orbit(seen.t, seen.z[..., :1])], progress=False)


def test_a_coordinate_that_was_never_measured_is_named():
    seen = measured(n=2)
    z = seen.z.clone()
    z[..., 1] = torch.nan
    with pytest.raises(InputError, match="p was never measured"):
        Forecaster("nn").fit(Orbit(seen.t, z, coordinates=seen.coordinates), progress=False)
    for nothing in (None, 3, []):
        with pytest.raises(InputError, match="needs an Orbit or a non-empty list"):
            Forecaster("nn").fit(nothing, progress=False)


@pytest.mark.parametrize(("system", "per_turn"), [("van-der-pol", 6), ("lorenz", 6), ("pendulum", 2)])
def test_fast_motion_between_slow_motion_is_not_taken_for_noise(system, per_turn):
    _, seen = measured_orbits.measured(system, per_turn, 0.0, seed=100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)  # of few states per turn
        found = Smoothed.of(seen)
    assert np.isnan(found.noise).all()
    assert found.per_turn < 1.2 * per_turn
