import os
import subprocess
import sys

import numba
import pytest
import torch

from physlearn import models
from physlearn.threads import SMALL, suited_to
from physlearn.training import Pairs, Training
from physlearn.training.torch_engine import TorchEngine


@pytest.fixture
def two_threads():
    """Where there are two."""
    before = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(2)
    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    yield torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(before[0])
    numba.set_num_threads(before[1])


def test_small_work_has_one_thread_in_torch_and_in_compiled_loops(two_threads):
    """The loops of tables were forgotten once, and waited for each other: a comparison took thirty times as long."""
    with suited_to(SMALL):
        assert (torch.get_num_threads(), numba.get_num_threads()) == (1, 1)
    assert (torch.get_num_threads(), numba.get_num_threads()) == two_threads


def test_large_work_has_as_many_threads_as_before(two_threads):
    with suited_to(SMALL + 1):
        assert (torch.get_num_threads(), numba.get_num_threads()) == two_threads


def test_threads_come_back_after_an_error(two_threads):
    with pytest.raises(ZeroDivisionError), suited_to(1):
        raise ZeroDivisionError
    assert (torch.get_num_threads(), numba.get_num_threads()) == two_threads


@pytest.mark.parametrize("batch_size", [10, 2000])  # one part for all networks, and a part for each thread
def test_each_share_of_an_ensemble_trains_on_one_thread(two_threads, batch_size, monkeypatch):
    pairs = Pairs(torch.ones(batch_size, 2), torch.ones(batch_size, 2), ("x", "v"))
    networks = [models.build("nn", dim=2, hidden=(100,), seed=seed) for seed in range(4)]
    engine = TorchEngine(networks, pairs, Training(batch_size=batch_size))
    assert len(engine.parts) == (2 if batch_size == 2000 else 1)
    seen = []
    forward = torch.baddbmm

    def watched(*arguments):
        seen.append(torch.get_num_threads())
        return forward(*arguments)

    monkeypatch.setattr(torch, "baddbmm", watched)
    order = torch.arange(batch_size).expand(4, -1)
    engine.epoch(order, torch.full((4, 1), 1e-3))
    assert set(seen) == {1}
    assert torch.get_num_threads() == two_threads[0]


def test_tables_leave_torch_the_threads_that_it_had():
    """One library beneath counts threads for both, and the loops, when they begin, set it to theirs."""
    code = """
import torch
from physlearn import activations
torch.set_num_threads(1)
table = activations.Table(torch.linspace(-1, 1, 8, dtype=torch.float64).sin(), (-1.0, 1.0))
table(torch.zeros(4, 3, 2))
print(torch.get_num_threads())
"""
    environment = {**os.environ, "NUMBA_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1"]
