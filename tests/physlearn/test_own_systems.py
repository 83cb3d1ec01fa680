"""A package `systems` of another project is told from ours before anything goes wrong with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import physlearn

OURS = Path(physlearn.__file__).parents[1]


def imported(*folders):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    command = [sys.executable, "-c", "import physlearn"]
    return subprocess.run(command, env=environment, cwd=folders[0], capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("content", ["", "DISTRIBUTION = 'systems'\n"], ids=["empty", "another name"])
def test_a_foreign_systems_is_named_with_the_way_out(content, tmp_path):
    package = tmp_path / "systems" / "__init__.py"
    package.parent.mkdir()
    package.write_text(content)
    result = imported(tmp_path, OURS)
    assert result.returncode == 1
    told = result.stderr.splitlines()[-1]
    assert told.startswith(f"ImportError: physlearn needs its own package `systems`, but {package} belongs to another project")
    assert "pip uninstall systems" in told
    assert "pip install --force-reinstall --no-deps physlearn-orbits" in told


def test_one_that_overwrote_the_first_file_of_ours_is_found(tmp_path):
    package = tmp_path / "systems"
    package.mkdir()
    for path in (OURS / "systems").iterdir():
        (package / path.name).symlink_to(path)
    (package / "__init__.py").unlink()
    (package / "__init__.py").write_text("def solve(): ...\n")
    assert "belongs to another project" in imported(tmp_path, OURS).stderr
