"""Which runs of meta-learning are planned, and which files they write."""

from pathlib import Path

from physlearn.metalearning import runs
from physlearn.metalearning.runs import Run

FILE = Path("deep") / "mix.safetensors"


def test_one_seed_writes_the_file_and_its_control_beside_it():
    assert runs.plan(FILE, [3], None, control=True) == [Run(FILE, 3), Run(Path("deep") / "mix-single.safetensors", 3, 1)]
    assert runs.plan(FILE, [3], 2, control=False) == [Run(FILE, 3, 2)]


def test_several_seeds_write_a_file_each_and_their_controls_come_last():
    planned = runs.plan(FILE, range(2), 2, control=True)
    assert [run.file.stem for run in planned] == ["mix-0", "mix-1", "mix-0-single", "mix-1-single"]
    assert [(run.seed, run.types) for run in planned] == [(0, 2), (1, 2), (0, 1), (1, 1)]


def test_one_type_is_its_own_control():
    assert runs.plan(FILE, [0], 1, control=True) == [Run(FILE, 0, 1)]


def test_checkpoints_are_forgotten_and_files_kept(tmp_path):
    run = Run(tmp_path / "mix.safetensors", 0)
    for path in (run.file, run.checkpoint):
        path.touch()
    runs.forget([run, Run(tmp_path / "never-begun.safetensors", 1)])
    assert list(tmp_path.iterdir()) == [run.file]
