"""The way in for a newcomer: the distribution that the docs print, installed as its user would, and used."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import systems

DOCS = Path(__file__).parents[1] / "docs"
FEW = 20  # lines


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory):
    """Runs a command where the distribution is installed, and gives what it prints."""
    source, site = tmp_path_factory.mktemp("source") / "quartic-well", tmp_path_factory.mktemp("site")
    shutil.copytree(DOCS / "quartic-well", source)
    pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(site)]
    subprocess.run([sys.executable, *pip, str(source)], check=True, timeout=600)
    work = tmp_path_factory.mktemp("work")
    environment = {**os.environ, "PYTHONPATH": str(site), "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}

    def run(*command):
        result = subprocess.run(
            [sys.executable, *map(str, command)], cwd=work, env=environment, capture_output=True, text=True, timeout=600
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    run.work = work
    return run


def test_the_system_is_few_lines():
    lines = (DOCS / "quartic-well" / "quartic_well.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) < FEW


def test_it_is_found_through_its_entry_point_only_where_it_is_installed(newcomer):
    rows = json.loads(newcomer("-m", "physlearn.cli", "systems", "--json"))
    (row,) = [row for row in rows if row["name"] == "quartic-well"]
    assert row["parameters"] == {"stiffness": 1.0}
    assert "quartic-well" not in systems.names()


def test_the_code_of_the_page_checks_learns_and_draws_it(newcomer):
    page = (DOCS / "adding-a-system.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 6
    newcomer("-c", "\n".join(blocks))


@pytest.mark.slow
def test_the_command_line_simulates_draws_and_forecasts_it(newcomer):
    newcomer("-m", "physlearn.cli", "simulate", "quartic-well", "--time", 20, "--plot", "orbit.png")
    assert (newcomer.work / "orbit.png").read_bytes().startswith(b"\x89PNG")
    assert systems.Orbit.load(newcomer.work / "orbit.nc").provenance["system"] == "quartic-well"
    quick = ["--orbits", 20, "--test-orbits", 2, "--time", 5, "--epochs", 5, "--hidden", 8]
    out = newcomer("-m", "physlearn.cli", "forecast", "quartic-well", "--set", "stiffness=2", "--out", "results", *quick)
    assert "hnn-mechanical + yoshida-4" in out
