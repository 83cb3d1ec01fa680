"""Training steps a second of one network with several hidden layers: compiled loops and torch, beside jitted jax if installed.

Each row trains one network by Adam in single precision. The table gives steps a second, and the ratio to the compiled loops.
"""

import math
import os

import pytest
import torch

from physlearn.studies.speed.beside import OURS
from physlearn.studies.speed.training_steps import BATCHES, HIDDEN, MODELS, contenders
from systems.extras import MissingExtraError


@pytest.fixture(autouse=True)
def one_core():
    if not hasattr(os, "sched_setaffinity"):  # not Linux
        pytest.skip("this machine cannot confine a process to one core")
    cores, threads = os.sched_getaffinity(0), torch.get_num_threads()
    os.sched_setaffinity(0, {max(cores)})
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    os.sched_setaffinity(0, cores)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("hidden", [hidden for hidden in HIDDEN if len(hidden) > 1], ids=str)
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("place", [0, 1, 2], ids=["fused", "torch", "jax"])
def test_steps(model, hidden, batch, place, benchmark):
    steps = HIDDEN[hidden]
    how, prepare, _ = contenders(model, hidden, batch, steps)[0][place]
    try:
        call = prepare(lambda losses: 0.0, math.inf)
    except MissingExtraError as missing:
        pytest.skip(str(missing))
    benchmark.group = f"{model} {'-'.join(map(str, hidden))}, {batch}"
    benchmark.extra_info.update(name=how, work=steps, rival="" if place == 0 else OURS)
    benchmark.pedantic(call, rounds=9, warmup_rounds=1)
