"""Units give the same in one process as in several, each once, whatever happens to processes on the way."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
import torch
from distributed import Client, LocalCluster

import physlearn
from physlearn import metalearn, tasks
from physlearn.jobs import Workers, alone_in, sweep
from physlearn.jobs.workers import DEATHS, WorkersLostError
from physlearn.metalearning.metalearn import learn_unit
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


@pytest.mark.slow
def test_processes_that_come_to_need_more_libraries_are_not_taken_for_leaking(run_apart):
    told = run_apart("""
        import time, warnings
        warnings.simplefilter("error")  # of joblib, about a worker that stopped
        from physlearn.jobs import Workers
        list(Workers(2).each(time.sleep, [(1.1,), (1.1,)]))  # the memory of a process is looked at once a second
        from physlearn.comparison.compare import first_seed
        print(len(list(Workers(2).each(first_seed, [(0, k) for k in range(40)]))))
        """)
    assert told.split() == ["40"]


def test_processes_learn_the_same_bits():
    alone, together = (dict(Workers(count).each(learned, [(0,), (1,)])) for count in (1, 2))
    assert all(alone[seed].equal(together[seed]) for seed in (0, 1))


@pytest.mark.slow  # two pools of processes are started
def test_what_a_dead_process_had_in_hand_is_done_by_another(tmp_path):
    done = list(Workers(2).each(dies_once, [(x, tmp_path) for x in range(8)]))
    assert sorted(done) == [(x, x) for x in range(8)]
    assert (tmp_path / "died").exists()


@pytest.mark.slow  # three pools of processes are started
def test_units_that_kill_every_process_are_given_up():
    with pytest.raises(WorkersLostError, match=f"{DEATHS} times in a row with 2 units left"):
        list(Workers(2).each(dies, [(0,), (1,)]))


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_what_a_unit_raises_comes_through(count):
    with pytest.raises(InputError, match="cannot be"):
        list(Workers(count).each(fails, [(0,), (1,)]))


@pytest.mark.parametrize("wrong", [{"count": 0}, {"count": 1.5}, {"count": 2, "scheduler": "tcp://localhost:1"}])
def test_wrong_workers_are_refused(wrong):
    with pytest.raises(InputError):
        Workers(**wrong)


@pytest.fixture(scope="module")
def cluster():
    # any free port for its pages: another cluster on the machine may have the usual one, which is warned of
    pages = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(n_workers=2, threads_per_worker=1, scheduler_kwargs=pages, silence_logs=logging.CRITICAL) as made:
        yield made


def test_a_cluster_gives_the_same_bits(cluster):
    alone = dict(Workers().each(learned, [(0,), (1,)]))
    together = dict(Workers(scheduler=cluster.scheduler_address).each(learned, [(0,), (1,)]))
    assert all(alone[seed].equal(together[seed]) for seed in (0, 1))


@pytest.mark.slow
def test_what_a_dead_worker_had_in_hand_is_done_by_another(cluster, tmp_path):
    done = list(Workers(scheduler=cluster.scheduler_address).each(dies_once, [(x, tmp_path) for x in range(8)]))
    assert sorted(done) == [(x, x) for x in range(8)]
    assert (tmp_path / "died").exists()


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_worker_leaves_no_checkpoint_in_a_folder_of_its_own(cluster, run, tmp_path, monkeypatch):
    """It stayed there, and the next run with another seed failed over a file that its user did not have."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    monkeypatch.chdir(ours)
    with Client(cluster.scheduler_address) as client:
        client.run(os.chdir, str(theirs))
    command = ["learn", "van-der-pol", "--set", "orbits=5", "--variant", "unrolled", "--outer-steps", 21, "--inner-steps", 3,
               "--networks", 2, "--no-single", "--scheduler", cluster.scheduler_address]  # fmt: skip
    for seed in (0, 1):
        result = run(*command, "--seed", seed)
        assert result.code == 0, result.err
    assert sorted(path.name for path in ours.iterdir()) == ["van-der-pol.png", "van-der-pol.safetensors"]
    assert not list(theirs.iterdir())


@pytest.mark.parametrize("there", [True, False])
def test_a_unit_keeps_a_checkpoint_where_it_can_read_the_mark_of_its_run(there, tmp_path, monkeypatch):
    given = {}
    module = import_module("physlearn.metalearning.metalearn")
    monkeypatch.setattr(module, "metalearn", lambda task, **settings: given.update(settings))
    with alone_in(tmp_path) as mark:
        mark = mark if there else replace(mark, text="another")
        learn_unit(None, [0], tmp_path / "x.checkpoint", mark, False, {})
    assert given["checkpoint"] == (tmp_path / "x.checkpoint" if there else None)
    assert not mark.here


SCHEDULER_DIES = """
import subprocess, sys, threading, time
from physlearn.jobs import Workers

def slow(x):
    time.sleep(0.2)
    return x

if __name__ == "__main__":
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    address = f"tcp://127.0.0.1:{sys.argv[1]}"
    module = [sys.executable, "-m"]
    where = ["--host", "127.0.0.1", "--port", sys.argv[1], "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
    scheduler = subprocess.Popen([*module, "distributed.cli.dask_scheduler", *where], **options)
    how = [address, "--nthreads", "1", "--no-dashboard", "--no-nanny"]
    worker = subprocess.Popen([*module, "distributed.cli.dask_worker", *how], **options)
    try:
        for number, _ in Workers(scheduler=address, timeout=60).each(slow, [(x,) for x in range(200)]):
            if number == 2:
                scheduler.kill()
    except BaseException as error:
        print(type(error).__name__, error)
    scheduler.kill()
    worker.kill()
"""


@pytest.mark.slow
def test_a_scheduler_that_dies_is_told_of_in_one_sentence(tmp_path):
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    (tmp_path / "program.py").write_text(SCHEDULER_DIES)
    environment = os.environ | {"PYTHONPATH": str(Path(physlearn.__file__).parents[1])}
    result = subprocess.run([sys.executable, tmp_path / "program.py", str(port)], capture_output=True, text=True, timeout=600,
                            env=environment, check=False)  # fmt: skip
    assert result.stdout.startswith(f"WorkersLostError the scheduler at tcp://127.0.0.1:{port} was lost with ")
    assert len((result.stdout + result.stderr).splitlines()) == 1
