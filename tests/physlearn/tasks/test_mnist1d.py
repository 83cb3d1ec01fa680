"""The digits as a task: parts, networks, and what is refused."""

import pytest
import torch
from torch.testing import assert_close

from physlearn import tasks
from physlearn.models import Classifier
from systems import InputError
from systems.mnist1d import digits

SAMPLES = 100


@pytest.fixture(scope="module")
def task():
    return tasks.get("mnist1d", samples=SAMPLES)


def test_the_parts_are_consecutive_pieces_of_one_data_set(task):
    sizes = {part: len(task.part(part)) for part in tasks.PARTS}
    assert sizes == {
        "meta-training": 100, "meta-validation": 20, "tuning": 20, "training": 100, "validation": 20, "test": 40
    }  # fmt: skip
    signals, labels = digits(300, seed=0)
    assert_close(torch.cat([task.part(part).z for part in tasks.PARTS]), signals, rtol=0, atol=0)
    assert torch.equal(torch.cat([task.part(part).target for part in tasks.PARTS]), labels)


def test_no_signal_is_in_two_parts(task):
    together = torch.cat([task.part(part).z for part in tasks.PARTS])
    assert len(together.unique(dim=0)) == len(together)


def test_pairs_are_signals_in_single_precision_and_whole_numbers_of_classes(task):
    pairs = task.pairs("training")
    assert (pairs.z.shape, pairs.z.dtype) == ((SAMPLES, 40), torch.float32)
    assert (pairs.target.shape, pairs.target.dtype) == ((SAMPLES,), torch.int64)
    assert len(pairs.coordinates) == pairs.dim == 40


def test_a_network_is_the_papers_and_drawn_from_its_seed(task):
    a, b, c = (task.network("relu", seed) for seed in (1, 1, 2))
    assert isinstance(a, Classifier)
    assert a.network.shapes == [(100, 40), (10, 100)]
    assert_close(a.state_dict(), b.state_dict(), rtol=0, atol=0)
    assert not torch.equal(a.network.layers[0].weight, c.network.layers[0].weight)


def test_sizes_that_are_no_multiple_of_ten_are_had_too():
    task = tasks.get("mnist1d", samples=33)
    assert [len(task.part(part)) for part in tasks.PARTS] == [33, 7, 7, 33, 7, 13]


def test_another_seed_makes_other_signals(task):
    other = tasks.get("mnist1d", samples=SAMPLES, seed=1)
    assert torch.cdist(task.part("test").z, other.part("test").z).min() > 0


def test_there_is_nothing_to_forecast(task):
    with pytest.raises(InputError, match="mnist1d has no orbits to forecast"):
        _ = task.forecast


@pytest.mark.parametrize("wrong", [{"samples": 9}, {"samples": 20.5}, {"samples": "many"}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError, match="samples"):
        tasks.get("mnist1d", **wrong)


@pytest.mark.parametrize("seed", [-1, 0.5, 2**32])
def test_a_seed_that_numpy_does_not_take_is_refused_before_anything_is_drawn(seed):
    with pytest.raises(InputError, match="from 0 to"):
        tasks.get("mnist1d", seed=seed)
