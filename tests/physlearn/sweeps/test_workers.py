"""Units give the same in one process as in several, each once, whatever happens to processes on the way."""

import logging
import os
import signal
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
from distributed import LocalCluster

from physlearn import metalearn, tasks
from physlearn.sweeps import Workers, sweep
from physlearn.sweeps.workers import DEATHS, WorkersLostError
from systems import InputError


def square(x):
    return x * x


def dies_once(x, folder):
    """Kills its process the first time that it comes to 3."""
    mark = Path(folder) / "died"
    if x == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def dies(x):
    os.kill(os.getpid(), signal.SIGKILL)


def fails(x):
    raise InputError(f"{x} cannot be")


def slow_draw(seed):
    time.sleep(0.05)
    return {"x": float(torch.randn(100, generator=torch.Generator().manual_seed(seed)).sum())}


def learned(seed):
    settings = {"variant": "first-order", "outer_steps": 2, "inner_steps": 3, "networks": 2, "progress": False}
    return metalearn(tasks.get("van-der-pol", orbits=5), seed=seed, **settings).values


@pytest.mark.parametrize("count", [1, 2])
def test_every_unit_is_done_once(count):
    done = list(Workers(count).each(square, [(x,) for x in range(20)]))
    assert sorted(done) == [(x, x * x) for x in range(20)]
    assert list(Workers(count).each(square, [])) == []


def test_processes_learn_the_same_bits():
    alone, together = (dict(Workers(count).each(learned, [(0,), (1,)])) for count in (1, 2))
    assert all(alone[seed].equal(together[seed]) for seed in (0, 1))


def test_what_a_dead_process_had_in_hand_is_done_by_another(tmp_path):
    done = list(Workers(2).each(dies_once, [(x, tmp_path) for x in range(8)]))
    assert sorted(done) == [(x, x) for x in range(8)]
    assert (tmp_path / "died").exists()


@pytest.mark.slow  # three pools of processes are started
def test_units_that_kill_every_process_are_given_up():
    with pytest.raises(WorkersLostError, match=f"{DEATHS} times in a row with 2 units left"):
        list(Workers(2).each(dies, [(0,), (1,)]))


@pytest.mark.parametrize("count", [1, 2])
def test_what_a_unit_raises_comes_through(count):
    with pytest.raises(InputError, match="cannot be"):
        list(Workers(count).each(fails, [(0,), (1,)]))


@pytest.mark.parametrize("wrong", [{"count": 0}, {"count": 1.5}, {"count": 2, "scheduler": "tcp://localhost:1"}])
def test_wrong_workers_are_refused(wrong):
    with pytest.raises(InputError):
        Workers(**wrong)


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL) as made:
        yield made


def test_a_cluster_gives_the_same_bits(cluster):
    alone = dict(Workers().each(learned, [(0,), (1,)]))
    together = dict(Workers(scheduler=cluster.scheduler_address).each(learned, [(0,), (1,)]))
    assert all(alone[seed].equal(together[seed]) for seed in (0, 1))


def test_what_a_dead_worker_had_in_hand_is_done_by_another(cluster, tmp_path):
    done = list(Workers(scheduler=cluster.scheduler_address).each(dies_once, [(x, tmp_path) for x in range(8)]))
    assert sorted(done) == [(x, x) for x in range(8)]
    assert (tmp_path / "died").exists()


def test_a_sweep_whose_worker_is_killed_midway_gives_the_same_table(cluster, tmp_path):
    units = [{"seed": seed} for seed in range(30)]
    undisturbed = sweep(slow_draw, units, tmp_path / "undisturbed", progress=False)

    def kill():
        while len(list((tmp_path / "killed").rglob("*.json"))) < 5:
            time.sleep(0.01)
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    workers = Workers(scheduler=cluster.scheduler_address)
    table = sweep(slow_draw, units, tmp_path / "killed", workers=workers, progress=False)
    killer.join()
    pd.testing.assert_frame_equal(table, undisturbed, check_exact=True)


def test_a_scheduler_that_is_not_there_is_told_of():
    with pytest.raises(InputError, match=r"no scheduler at tcp://127\.0\.0\.1:1"):
        list(Workers(scheduler="tcp://127.0.0.1:1", timeout=0.2).each(square, [(1,)]))
