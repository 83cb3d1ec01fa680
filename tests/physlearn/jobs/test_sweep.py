"""A sweep loses nothing: killed, cut short, run twice at once, or over several processes, it gives the same table."""

import importlib
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from physlearn.jobs import Workers, sweep
from systems import InputError

KILLS = 20
UNITS = [{"seed": seed, "scale": scale} for seed in range(20) for scale in (0.5, 2.0)]


def walk(seed, scale):
    """Where a random walk ends; one of them nowhere."""
    end = scale * np.random.default_rng(seed).normal(size=100).sum()
    return {"end": math.inf if seed == 7 else float(end), "diverged": seed == 7}


def slow_walk(seed, scale):
    time.sleep(0.01)
    return walk(seed, scale)


def held_walk(seed, scale, gate):
    """Where a walk ends, which only the first tells before the gate is there."""
    while seed and not Path(gate).exists():
        time.sleep(0.01)
    return walk(seed, scale)


def counted(seed, scale, folder):
    with open(f"{folder}/{seed}-{scale}", "a") as file:
        file.write("computed\n")
    return slow_walk(seed, scale)


def fails_at_three(seed):
    if seed == 3:
        raise ArithmeticError("three")
    return {"x": seed}


def run(function, units, folder, workers=1):
    return sweep(function, units, folder, workers=Workers(workers), progress=False)


def test_a_row_a_unit_in_their_order_with_what_diverged(tmp_path):
    table = run(walk, UNITS, tmp_path)
    assert table[["seed", "scale"]].to_dict("records") == UNITS
    assert table["diverged"].sum() == 2
    assert np.isinf(table.loc[table["seed"] == 7, "end"]).all()
    expected = [walk(**unit)["end"] for unit in UNITS]
    assert table["end"].to_list() == expected  # to the last bit, though they went through files


def test_processes_give_the_same_table(tmp_path):
    pd.testing.assert_frame_equal(run(walk, UNITS, tmp_path / "1"), run(walk, UNITS, tmp_path / "2", workers=2))


def test_a_sweep_that_is_killed_twenty_times_ends_in_the_same_table(tmp_path, server):
    marks = tmp_path / "marks"
    marks.mkdir()
    units = [{**unit, "folder": str(marks)} for unit in UNITS]
    moments = random.Random(0)
    for k in range(KILLS):
        before = len(list(marks.iterdir()))
        process = server.Process(target=run, args=(counted, units, tmp_path / "sweep"))
        process.start()
        while k % 2 and process.is_alive() and len(list(marks.iterdir())) == before:
            time.sleep(0.005)  # every second one has begun to work, however busy the machine is
        process.join(moments.uniform(0.02, 0.2))
        process.kill()
        process.join()
    assert list(marks.iterdir())  # not all of them died before their first unit
    table = run(counted, units, tmp_path / "sweep")
    undisturbed = run(walk, UNITS, tmp_path / "undisturbed")
    pd.testing.assert_frame_equal(table.drop(columns="folder"), undisturbed)
    times = [len(mark.read_text().splitlines()) for mark in marks.iterdir()]
    assert len(times) == len(UNITS)
    assert sum(times) <= len(UNITS) + KILLS  # a kill costs at most the unit that was in hand


def test_what_is_not_whole_is_computed_again(tmp_path):
    table = run(walk, UNITS, tmp_path)
    files = sorted(tmp_path.rglob("*.json"))
    assert len(files) == len(UNITS)
    files[0].write_text(files[0].read_text()[:-20])
    files[1].write_text(files[1].read_text().replace("diverged", "converged"))
    files[2].write_bytes(b"\xff\x00")
    files[3].unlink()
    content = json.loads(files[4].read_text().splitlines()[1])
    files[4].write_text(json.dumps({**content, "result": {"end": 0.0}}))
    pd.testing.assert_frame_equal(run(walk, UNITS, tmp_path), table)


def test_what_was_done_before_a_unit_failed_is_kept(tmp_path):
    units = [{"seed": seed} for seed in range(6)]
    with pytest.raises(ArithmeticError, match="three"):
        run(fails_at_three, units, tmp_path)
    assert len(list(tmp_path.rglob("*.json"))) == 3


def test_two_sweeps_in_one_folder_do_not_mix(tmp_path, server):
    folder, gate = tmp_path / "sweep", tmp_path / "gate"
    units = [{**unit, "gate": str(gate)} for unit in UNITS]
    first = server.Process(target=run, args=(held_walk, units, folder))
    first.start()
    while first.is_alive() and not list(folder.rglob("*.json")):
        time.sleep(0.05)
    try:
        with pytest.raises(InputError, match="another run is at work"):
            run(held_walk, units, folder)
    finally:
        gate.touch()
    first.join()
    assert len(run(held_walk, units, folder)) == len(UNITS)


def test_other_settings_and_other_functions_are_other_results(tmp_path):
    table = run(walk, UNITS, tmp_path)
    run(slow_walk, UNITS[:2], tmp_path)
    other = run(walk, [{"seed": 0, "scale": 3.0}], tmp_path)
    assert len(list(tmp_path.rglob("*.json"))) == len(UNITS) + 3
    assert other["end"][0] == pytest.approx(6 * table["end"][0])


def test_other_code_makes_other_results(tmp_path, monkeypatch):
    def square(x):
        return {"y": x**2}

    first = square

    def square(x):
        return {"y": x * x * x}

    assert first.__qualname__ == square.__qualname__
    assert [run(f, [{"x": 3}], tmp_path)["y"].item() for f in (first, square, first)] == [9, 27, 9]
    assert len(list(tmp_path.rglob("*.json"))) == 2
    monkeypatch.setattr(importlib.import_module("physlearn.jobs.sweep"), "digest_of_source", lambda: "another")
    run(first, [{"x": 3}], tmp_path)
    assert len(list(tmp_path.rglob("*.json"))) == 3


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([{"seed": 1, "scale": 1.0}] * 2, "differ in their settings"),
        ([{"seed": object(), "scale": 1.0}], "numbers"),
    ],
)
def test_units_that_cannot_be_are_refused(units, message, tmp_path):
    with pytest.raises(InputError, match=message):
        run(walk, units, tmp_path)


def test_a_result_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="a unit must return a mapping of names to numbers"):
        run(lambda seed: {"x": object()}, [{"seed": 0}], tmp_path)


def test_a_folder_that_cannot_be_written_stops_with_what_was_there_whole(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError, match="file"):
        run(walk, UNITS, tmp_path / "file")


def test_a_full_disk_stops_with_what_was_there_whole(tmp_path, server):
    """A limit on the size of files stands for it: what is too much is refused as a full disk refuses it."""
    queue = server.Queue()
    process = server.Process(target=too_much, args=(tmp_path, queue))
    process.start()
    assert "File too large" in queue.get()
    process.join()
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"]
    assert len(kept) == 3
    assert run(long_text, [{"seed": seed} for seed in range(4)], tmp_path)["text"].str.len().tolist() == [1, 1, 1, 10_000]


def too_much(folder, queue):
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))
    try:
        run(long_text, [{"seed": seed} for seed in range(4)], folder)
    except OSError as error:
        queue.put(str(error))


def long_text(seed):
    return {"text": "x" * (10_000 if seed == 3 else 1)}


@pytest.mark.slow
def test_a_hundred_thousand_units_cost_little_time_and_no_memory(tmp_path, server):
    """Two milliseconds of the processor a unit, and a peak that does not grow with their number beyond their table."""
    peaks = {}
    for number in (1_000, 100_000):
        queue = server.Queue()
        process = server.Process(target=measured, args=(number, tmp_path / str(number), queue))
        process.start()
        seconds, peaks[number] = queue.get()
        process.join()
        assert seconds / number < 2e-3
    assert peaks[100_000] - peaks[1_000] < 200 * 2**20


def measured(number, folder, queue):
    import resource

    start = time.process_time()
    run(stub, [{"seed": seed} for seed in range(number)], folder)
    queue.put((time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


def stub(seed):
    return {"x": seed / 7}
