"""What is uploaded and installed: both packages whole, and nothing that belongs to the developers alone."""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("physlearn", "systems")
MEGABYTE = 2**20


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def source(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        return {name.split("/", 1)[1] for name in archive.getnames()}


def files_of(*folders):
    found = (path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    return {str(path) for path in found if "__pycache__" not in path.parts and path.suffix != ".pyc"}


def test_a_wheel_holds_every_file_of_both_packages_and_no_other(wheel):
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == files_of(*PACKAGES)
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert sum(name.endswith(".safetensors") for name in names) >= 4


def test_a_wheel_tells_its_licence_version_and_command(wheel):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    told = {name.split(".dist-info/")[1]: name for name in wheel.namelist() if ".dist-info/" in name}
    metadata = wheel.read(told["METADATA"]).decode()
    assert f"\nName: {project['name']}\n" in metadata
    assert f"\nVersion: {project['version']}\n" in metadata
    assert wheel.read(told["licenses/LICENSE"]) == (ROOT / "LICENSE").read_bytes()
    assert wheel.read(told["entry_points.txt"]).decode().split() == [
        "[console_scripts]",
        "physlearn",
        "=",
        "physlearn.cli:main",
    ]


def test_the_source_holds_the_packages_their_tests_and_docs_and_no_caches(source):
    assert files_of(*PACKAGES) <= source
    assert {"LICENSE", "README.md", "pyproject.toml", "requirements.lock", "tests/conftest.py", "docs/index.md"} <= source
    assert not [name for name in source if "cache" in name.split("/")[0] or "__pycache__" in name or name.endswith(".pyc")]
    assert not [name for name in source if name.startswith((".venv", "build/", "mutants/", "dist/", ".git/"))]


def test_neither_is_larger_than_it_needs_to_be(built):
    sizes = {path.suffix: path.stat().st_size for path in built.iterdir()}
    assert sizes[".whl"] < MEGABYTE
    assert sizes[".gz"] < 20 * MEGABYTE  # the figures of the docs and notebooks
