import numpy as np
import pytest
import torch

from physlearn import Forecaster, metrics
from systems import InputError, Orbit, get


def angle(orbits, n, seed):
    """Return the angles of pendulums, about seven times per turn, and nothing else."""
    system = get("pendulum")
    whole = system.orbit(system.sample(orbits, seed=seed), torch.arange(n, dtype=torch.float64))
    return Orbit(whole.t, whole.z[..., :1], coordinates=("theta",), periods=system.periods)


@pytest.fixture(scope="module")
def pendulum():
    f = Forecaster("nn", hidden=(20,), delays=(2, 1.0), seed=0)
    return f.fit(angle(15, 20, 0), epochs=10, polish=10, progress=False)


def test_the_model_sees_delays_and_the_forecast_has_what_was_measured(pendulum):
    assert pendulum.coordinates == ("theta", "theta(t - 1)")
    past, rest = pendulum.parted(angle(10, 20, 1))
    forecast = pendulum.forecast(past, rest.t, progress=False)
    assert past.shape == (10, 2)
    assert forecast.coordinates == ("theta",)
    assert metrics.valid_prediction_time(forecast, rest).median() > 4
    assert pendulum.score(angle(5, 20, 2)) > 0.2


@pytest.mark.slow
def test_a_pendulum_is_forecast_for_many_turns_from_its_angle_alone_at_seven_states_a_turn():
    f = Forecaster("nn", hidden=(50,), delays=(2, 1.0), seed=0).fit(angle(100, 60, 0), progress=False)
    past, rest = f.parted(angle(24, 160, 2))
    assert metrics.valid_prediction_time(f.forecast(past, rest.t, progress=False), rest).median() > 80


def test_whole_turns_do_not_matter_and_a_state_of_the_embedding_may_be_given(pendulum):
    past, rest = pendulum.parted(angle(3, 20, 1))
    turned = Orbit(past.t, past.z + 4 * np.pi, coordinates=past.coordinates, periods=past.periods)
    plain = pendulum.forecast(past, rest.t, progress=False)
    torch.testing.assert_close(pendulum.forecast(turned, rest.t, progress=False).z - 4 * np.pi, plain.z, rtol=0, atol=1e-5)
    state = torch.cat([past.z[:, 1], past.z[:, 0]], dim=-1)
    torch.testing.assert_close(pendulum.forecast(state, rest.t, progress=False).z[..., :1], plain.z, rtol=0, atol=1e-5)


def test_delays_are_kept_in_files_and_settings(pendulum, tmp_path):
    pendulum.save(tmp_path / "f.safetensors")
    again = Forecaster.load(tmp_path / "f.safetensors")
    past, rest = pendulum.parted(angle(3, 20, 1))
    one, two = (f.forecast(past, rest.t, progress=False) for f in (pendulum, again))
    assert torch.equal(one.z, two.z)
    assert again.delays == pendulum.delays
    assert repr(again) == repr(pendulum)
    assert Forecaster(**again.get_params()).get_params() == again.get_params()


@pytest.mark.slow
def test_delays_and_parameters_go_together():
    # the frequency is the parameter, and one coordinate of the oscillation is measured
    t, runs = torch.arange(60, dtype=torch.float64) / 5, []
    for k, w in enumerate((0.8, 1.0, 1.2, 1.4) * 5):
        x = (1 + 0.05 * k) * torch.cos(w * t + k)
        runs.append(Orbit(t, torch.stack([x, torch.full_like(t, w)], -1), coordinates=("x", "w")))
    f = Forecaster("nn", hidden=(30,), parameters="w", delays=(2, 0.4), seed=0).fit(
        runs[:-2], epochs=30, polish=20, progress=False
    )
    past, rest = f.parted(Orbit(t, runs[-2].z[:, :1], coordinates=("x",)))
    forecast = f.forecast(past, rest.t, parameters={"w": 1.2}, progress=False)
    assert metrics.valid_prediction_time(forecast, rest) > 8


def test_what_has_no_past_or_no_use_for_delays_is_refused(pendulum):
    truth = angle(1, 20, 1)
    with pytest.raises(InputError, match="the forecaster has delays: give an Orbit of theta"):
        pendulum.forecast(truth.z[:, 0], truth.t)
    with pytest.raises(InputError, match="needs a past of at least 2 consecutive states"):
        pendulum.forecast(truth[..., :1], truth.t)
    for model in ("hnn", "echo-state"):
        with pytest.raises(InputError, match=f"the model {model} takes no delays"):
            Forecaster(model, delays=2)
    for delays in (1, (3, -1.0), (2, 3, 4), "two"):
        with pytest.raises(InputError, match="delays"):
            Forecaster("nn", delays=delays)
    assert Forecaster("next-generation-reservoir", delays=3).options["delays"] == 3
    with pytest.raises(InputError, match=r"no orbit is longer than 60"):
        Forecaster("nn", delays=(3, 30.0)).fit(truth, progress=False)
