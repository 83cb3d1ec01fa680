"""Compiled loops run in any thread and any process, wherever their machine code can or cannot be kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import physlearn
import systems
from systems.compiled import loops

SINES = """
import multiprocessing, warnings
from concurrent.futures import ThreadPoolExecutor
import numba, torch
from physlearn.activations.sine import sine

warnings.simplefilter("ignore")  # that Python forks while threads live
torch.set_num_threads(2)
large = torch.ones(1000, 1000)

def one(seed):
    x = torch.randn(8, 200, 50, generator=torch.Generator().manual_seed(seed)).requires_grad_()
    y = sine(x)
    assert (y - x.detach().double().sin()).abs().max() < 1e-6
    return y.detach()

def forked(_):
    return bool((one(0) - before).abs().max() < 1e-6) and bool((large @ large).sum() == product), torch.get_num_threads()

before, product = one(0), (large @ large).sum()
"""
THREADS = """
with ThreadPoolExecutor(4) as pool:
    list(pool.map(one, range(200)))
"""
FORK = """
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(numba.threading_layer(), pool.map(forked, range(2)))
"""


def python(program, folder=None, **environment):
    """Run a program in a process of its own."""
    surroundings = {"NUMBA_NUM_THREADS": "2", "PYTHONPATH": str(Path(physlearn.__file__).parents[1]), **environment}
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **surroundings}, cwd=folder,
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize("layer", ["workqueue", pytest.param("omp", marks=pytest.mark.slow)])
def test_threads_may_begin_loops_at_once_and_a_fork_goes_on_alone(layer):
    """The layer workqueue ended the process for two threads; a process forked after OpenMP's threads worked never ended."""
    result = python(SINES + THREADS + FORK, NUMBA_THREADING_LAYER=layer)
    assert (result.returncode, result.stdout) == (0, f"{layer} [(True, 1), (True, 1)]\n"), result.stderr


@pytest.mark.slow  # everything is compiled anew
def test_machine_code_is_kept_in_the_users_cache_folder_and_not_beside_the_package(tmp_path):
    for package in (physlearn, systems):
        shutil.copytree(Path(package.__file__).parent, tmp_path / package.__name__, ignore=shutil.ignore_patterns("*.nb?"))
    cache = tmp_path / "cache"
    environment = {"PYTHONPATH": str(tmp_path), "XDG_CACHE_HOME": str(cache), "NUMBA_CACHE_DIR": ""}
    imports = f"import pathlib, physlearn.forecasting; print(physlearn.__file__, *pathlib.Path({str(cache)!r}).rglob('*.nb?'))"
    result = python(imports + SINES, tmp_path, **environment)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [str(tmp_path / "physlearn" / "__init__.py")]  # and imports compile nothing
    assert list(cache.rglob("*.nbc"))
    assert not [path for name in ("physlearn", "systems") for path in (tmp_path / name).rglob("*.nb?")]


@pytest.fixture
def place(monkeypatch):
    """Sets where machine code is kept."""

    def place(folder):
        monkeypatch.setattr(loops._config, "CACHE_DIR", str(folder))
        loops.folder.cache_clear()

    yield place
    monkeypatch.undo()
    loops.folder.cache_clear()


def twice(x):
    return 2 * x


def test_where_nothing_can_be_kept_loops_are_compiled_all_the_same(place, tmp_path):
    (tmp_path / "file").touch()
    place(tmp_path / "file" / "below")
    assert loops.folder() is None
    assert loops.loop()(twice)(21) == 42


def test_a_user_without_a_home_has_no_cache_folder(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert loops._users_folder() is None


def flip(path, place):
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"\x80\x05garbage"),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),  # of a power failure
    "a bit": lambda path: flip(path, path.stat().st_size // 3),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_machine_code_is_compiled_again(place, tmp_path, damage):
    place(tmp_path)
    assert loops.loop()(twice)(21) == 42
    kept = [path for path in tmp_path.rglob("*") if path.suffix in (".nbi", ".nbc")]
    assert len(kept) == 2
    for path in kept:
        damage(path)
    again = loops.loop()(twice)
    assert again(21) == 42
    assert sum(again.stats.cache_misses.values()) == 1


def test_damaged_machine_code_under_a_whole_index_is_compiled_again(place, tmp_path):
    """A changed bit ended the process with a segmentation fault, in every later run as well."""
    place(tmp_path)
    assert loops.loop()(twice)(21) == 42
    (code,) = tmp_path.rglob("*.nbc")
    flip(code, code.stat().st_size // 2)
    for misses in (1, 0):  # the second time, the code is whole again
        again = loops.loop()(twice)
        assert again(21) == 42
        assert sum(again.stats.cache_misses.values()) == misses


def test_machine_code_of_another_source_is_not_used(place, tmp_path, monkeypatch):
    place(tmp_path)
    loops.loop()(twice)(21)
    same = loops.loop()(twice)
    same(21)
    assert sum(same.stats.cache_hits.values()) == 1
    monkeypatch.setattr(loops, "_digest", lambda files: "another")
    other = loops.loop()(twice)
    other(21)
    assert sum(other.stats.cache_misses.values()) == 1
