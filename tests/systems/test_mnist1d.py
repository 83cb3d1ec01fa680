"""The digits are those of the package mnist1d, and the program's random numbers are left alone."""

import random

import numpy as np
import pytest
import torch
from mnist1d.data import get_dataset_args, get_templates, make_dataset
from mnist1d.transform import transform
from mnist1d.utils import set_seed
from torch.testing import assert_close

from systems import InputError
from systems.mnist1d import STEPS, construction, digits


@pytest.fixture(autouse=True)
def _random_numbers_put_back():
    """The package's own functions, which the tests call, seed the whole program."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    yield
    random.setstate(python)
    np.random.set_state(numpy)  # noqa: NPY002


def the_packages_own(n, seed):
    settings = get_dataset_args()
    settings.num_samples, settings.seed = n, seed
    made = make_dataset(settings)
    return np.concatenate([made["x"], made["x_test"]]), np.concatenate([made["y"], made["y_test"]])


def test_the_signals_are_the_packages_own():
    x, y = the_packages_own(200, 7)
    signals, labels = digits(200, seed=7)
    assert_close(signals, torch.from_numpy(x), rtol=0, atol=0)
    assert torch.equal(labels, torch.from_numpy(y))


def test_there_are_as_many_of_each_digit_with_forty_points_of_one_scale():
    signals, labels = digits(300, seed=0)
    assert (signals.shape, signals.dtype) == ((300, 40), torch.float64)
    assert (labels.shape, labels.dtype) == ((300,), torch.int64)
    assert labels.bincount().tolist() == [30] * 10
    assert_close(signals.mean(), torch.tensor(0.0, dtype=torch.float64), rtol=0, atol=1e-12)
    assert_close(signals.std(correction=0), torch.tensor(1.0, dtype=torch.float64))


def test_no_signal_is_there_twice_and_another_seed_makes_others():
    together = torch.cat([digits(300, seed)[0] for seed in (0, 1)])
    assert len(together.unique(dim=0)) == 600


@pytest.mark.parametrize("make", [lambda: digits(10, seed=3), lambda: construction(seed=3)], ids=["digits", "construction"])
def test_the_random_numbers_of_the_program_go_on_as_if_nothing_had_been(make):
    def drawn():
        return random.random(), np.random.rand(), float(torch.rand(()))  # noqa: NPY002

    set_seed(11)
    torch.manual_seed(11)
    wanted = drawn()
    set_seed(11)
    torch.manual_seed(11)
    make()
    assert drawn() == wanted


def test_random_numbers_are_put_back_after_an_error_too(monkeypatch):
    def stopped(settings):
        set_seed(settings.seed)
        raise KeyboardInterrupt

    monkeypatch.setattr("mnist1d.data.make_dataset", stopped)
    set_seed(11)
    wanted = random.random()
    set_seed(11)
    with pytest.raises(KeyboardInterrupt):
        digits(10)
    assert random.random() == wanted


def test_the_construction_ends_with_the_signals_that_the_package_makes_of_its_templates():
    steps = construction(seed=5)
    settings, templates = get_dataset_args(), get_templates()
    set_seed(5)
    wanted = [transform(template, templates["t"], settings)[0] for template in templates["x"]]
    assert_close(steps["sampled"], torch.from_numpy(np.stack(wanted)), rtol=1e-12, atol=1e-12)
    assert_close(steps["template"], torch.from_numpy(templates["x"]), rtol=0, atol=0)


def test_each_step_of_the_construction_does_what_its_name_says():
    steps = construction(seed=2)
    assert tuple(steps) == STEPS
    assert [rows.shape for rows in steps.values()] == [(10, 12), *4 * [(10, 72)], (10, 40)]
    ends = steps["padded"][:, -1]
    assert (ends.abs() < 1e-7).all()
    for padded, moved in zip(steps["padded"], steps["moved"], strict=True):
        scale = moved.norm() / padded.norm()
        assert 0.8 <= scale <= 1.2
        shifted = torch.stack([padded.roll(k) * scale for k in range(72)])
        assert (shifted - moved).abs().amax(1).min() < 1e-12  # the same signal elsewhere
    tilt = steps["sheared"] - steps["blurred"]
    assert_close(tilt.diff(dim=1), tilt.diff(dim=1)[:, :1].expand(-1, 71))  # a straight line is added


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"n": 15}, "multiple of 10, not 15"),
        ({"n": 0}, "multiple of 10"),
        ({"n": 10.0}, "multiple of 10"),
        ({"seed": -1}, "from 0 to"),
        ({"seed": 2**32}, "from 0 to"),
        ({"seed": 0.5}, "from 0 to"),
    ],
)
def test_what_the_package_cannot_make_is_refused(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        digits(**wrong)
