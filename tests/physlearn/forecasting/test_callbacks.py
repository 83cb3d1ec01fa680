"""Callbacks see each epoch, do not change it, and end a training."""

import numpy as np
import pytest
import torch

import systems
from physlearn import Forecaster
from systems import InputError, Orbit

PENDULUM, T = systems.get("pendulum"), torch.linspace(0, 6, 41)
ORBITS = PENDULUM.orbit(PENDULUM.sample(6, seed=0), T)
OTHERS = PENDULUM.orbit(PENDULUM.sample(3, seed=1), T)


def new(**settings):
    return Forecaster(settings.pop("model", "hnn"), hidden=settings.pop("hidden", (8,)), **settings)


class Log(list):
    """What a callback has seen."""

    def __call__(self, epoch, row, f):
        self.append((epoch, row, f))


def weights(f):
    return torch.cat([p.flatten() for p in f.model.parameters()])


KINDS = {"compiled": {}, "deep": {"hidden": (6, 5)}, "torch": {"dtype": torch.float64}, "members": {"members": 3}}


@pytest.mark.parametrize("settings", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("validation", [None, OTHERS], ids=["", "validated"])
def test_a_watched_training_is_the_same_to_the_last_bit(settings, validation):
    log, how = Log(), {"epochs": 4, "polish": 2, "progress": False}
    f, alone = (new(**settings).fit(ORBITS, validation, callbacks=callbacks, **how) for callbacks in (log, ()))
    assert torch.equal(weights(f), weights(alone))
    assert f.history.equals(alone.history)
    assert [epoch for epoch, _, _ in log[:4]] == [0, 1, 2, 3]


def test_it_is_given_the_history_and_a_forecaster_of_the_present_weights():
    log = Log()
    f = new(dtype=torch.float64).fit(ORBITS, epochs=3, polish=2, progress=False, callbacks=[log])
    for epoch, row, present in log[:3]:
        assert row == f.history.loc[epoch].to_dict()
        assert present.history.equals(f.history[: epoch + 1])
    assert "learning_rate" not in log[-1][1]  # the polish has none
    spread = ORBITS.rate.flatten(0, 1).std(0)
    losses = [float(((p.vector_field(0.0, ORBITS.z) - ORBITS.rate) / spread).square().mean()) for *_, p in log]
    assert losses[-1] < losses[2] < losses[0]
    assert losses[3] == pytest.approx(log[3][1]["training"], rel=0.01)
    assert log[0][2].forecast(ORBITS.z[0, 0], T, method="rk4", progress=False).z.shape == (41, 2)


def test_true_ends_the_training():
    seen = Log()
    f = new().fit(ORBITS, epochs=9, polish=9, progress=False, callbacks=[seen, lambda epoch, row, f: epoch == 2])
    assert len(f.history) == len(seen) == 3
    assert torch.equal(weights(f), weights(seen[-1][2]))


@pytest.mark.parametrize("true", [1, np.True_, np.array(True), torch.tensor(True), torch.tensor([True])])
def test_what_is_true_ends_the_training(true):
    f = new().fit(ORBITS, epochs=3, polish=0, progress=False, callbacks=lambda *_: true)
    assert len(f.history) == 1


@pytest.mark.parametrize("false", [None, False, 0, np.False_, torch.tensor(False)])
def test_what_is_false_continues_the_training(false):
    f = new().fit(ORBITS, epochs=3, polish=0, progress=False, callbacks=lambda *_: false)
    assert len(f.history) == 3


@pytest.mark.parametrize("other", ["yes", 0.5, 2, [], torch.ones(2), {"loss": 1.0}])
def test_what_is_neither_true_nor_false_is_refused(other):
    with pytest.raises(InputError, match="; return True to end the training, and False or None to continue it"):
        new().fit(ORBITS, epochs=3, polish=0, progress=False, callbacks=lambda *_: other)


def test_the_polish_can_be_ended():
    f = new().fit(ORBITS, OTHERS, epochs=3, polish=9, progress=False, callbacks=lambda epoch, row, f: epoch == 4)
    assert len(f.history) == 5
    assert f.history["learning_rate"].isna().sum() == 2


@pytest.mark.slow
def test_a_loss_of_states_is_watched_and_ended():
    states = [Orbit(T, z, coordinates=PENDULUM.coordinates) for z in ORBITS.z]
    log = Log()
    f = new().fit(states, epochs=300, loss="step", polish=0, progress=False, callbacks=log)
    assert len(log) == 300 + len(f.history)
    f = new().fit(states, epochs=300, loss="step", polish=20, progress=False, callbacks=lambda epoch, row, f: epoch == 301)
    assert len(f.history) == 2


def test_a_callback_may_save_what_a_later_training_resumes(tmp_path):
    path = tmp_path / "checkpoint.safetensors"

    def save(epoch, row, f):
        f.save(path)
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        new().fit(ORBITS, epochs=5, polish=0, progress=False, callbacks=save)
    f = Forecaster.load(path)
    assert len(f.history) == 2
    assert len(f.fit(ORBITS, epochs=3, polish=0, progress=False, resume=True).history) == 5


@pytest.mark.parametrize("wrong", [3, "print", [print, 3], {"a": print}])
def test_what_is_no_function_is_refused(wrong):
    with pytest.raises(InputError, match="callbacks must be functions"):
        new().fit(ORBITS, epochs=1, progress=False, callbacks=wrong)
