"""What is uploaded and installed: both packages whole, and nothing that belongs to the developers alone."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import physlearn
from systems.extras import DISTRIBUTION

ROOT = Path(__file__).parents[1]
PACKAGES = ("physlearn", "systems")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKED = set(EXTRAS) - {"all", "notebook", "bench", "taylor"}  # all but JupyterLab, rivals in speed, and what only Linux has
MEGABYTE = 2**20


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=600)
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


def texts():
    """Each page that a user reads about the distribution, by its name, and its text."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]
    return {str(path.relative_to(ROOT)): path.read_text() for path in pages}


def files_of(*folders):
    found = (path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    return {str(path) for path in found if "__pycache__" not in path.parts and path.suffix != ".pyc"}


def test_a_wheel_holds_every_file_of_both_packages_and_no_other(wheel):
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == files_of(*PACKAGES)
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert {name.rpartition(".")[2] for name in names} == {"py", "typed", "safetensors", "html", "css", "js"}
    assert sum(name.endswith(".safetensors") for name in names) >= 4


def test_a_wheel_tells_its_licence_version_and_command(wheel):
    told = {name.split(".dist-info/")[1]: name for name in wheel.namelist() if ".dist-info/" in name}
    metadata = wheel.read(told["METADATA"]).decode()
    assert f"\nName: {DISTRIBUTION}\n" in metadata
    assert f"\nVersion: {physlearn.__version__}\n" in metadata
    assert f"\nversion: {physlearn.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert set(re.findall(r"^Provides-Extra: (.+)$", metadata, re.MULTILINE)) == set(EXTRAS)
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
    assert {"CHANGELOG.md", "CITATION.cff", "Makefile", ".ci/wheel", ".ci/lowest.txt"} <= source
    assert not [name for name in source if "cache" in name.split("/")[0] or "__pycache__" in name or name.endswith(".pyc")]
    assert not [name for name in source if name.startswith((".venv", "build/", "mutants/", "dist/", ".git/"))]


def test_neither_is_larger_than_it_needs_to_be(built):
    sizes = {path.suffix: path.stat().st_size for path in built.iterdir()}
    assert sizes[".whl"] < 1.7 * MEGABYTE  # nothing but code: 2.9 megabytes before it is compressed
    assert sizes[".gz"] < 20 * MEGABYTE  # the figures of the docs and notebooks


def test_the_name_of_the_distribution_is_one():
    assert PROJECT["name"] == DISTRIBUTION
    for extra in (*EXTRAS["all"], *EXTRAS["test"], *EXTRAS["dev"]):
        assert not extra.startswith("physlearn") or extra.startswith(f"{DISTRIBUTION}[")


def test_the_code_asks_only_for_extras_that_there_are():
    sources = [path.read_text() for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    calls = [call for source in sources for call in re.findall(r'\brequire\(\s*f?"([\w.{}]+)",\s*"(\w+)"', source)]
    assert {"search", "explore", "distributed", "study"} <= {extra for _, extra in calls}
    assert {extra for _, extra in calls} <= set(EXTRAS)


def test_an_extra_is_imported_only_where_it_is_used():
    """A module of an extra at the top of a file is imported with it; so only files that nothing imports at the start may."""
    packages = (
        "av|contourpy|cv2|dask|diffrax|distributed|gala|gplearn|heyoka|ipywidgets|jax|latex2mathml|mnist1d|optuna|pynamicalsys"
        "|sqlalchemy"
    )
    late = {"physlearn/explorer/contours.py", "physlearn/explorer/equation.py"}
    found = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if re.search(rf"^(import|from) ({packages})\b", path.read_text(), re.MULTILINE)
    }
    assert found - late == set()


def test_the_pages_name_only_extras_that_there_are():
    named = {extra for text in texts().values() for extra in re.findall(rf"{DISTRIBUTION}\[([\w,]+)\]", text)}
    assert {part for extras in named for part in extras.split(",")} <= set(EXTRAS)
    assert not [name for name, text in texts().items() if re.search(r"\bphyslearn\[", text)]


def test_all_is_every_extra_of_a_user():
    developers = {"all", "test", "docs", "dev", "bench"}
    (everything,) = EXTRAS["all"]
    assert set(everything.partition("[")[2].rstrip("]").split(",")) == set(EXTRAS) - developers


def pinned(path):
    """The versions that a file of requirements names."""
    lines = [line for line in (ROOT / path).read_text().splitlines() if not line.startswith("#")]
    named = [Requirement(line) for line in lines]
    return {canonicalize_name(one.name): Version(str(one.specifier).removeprefix("==")) for one in named}


def requirements(*extras):
    """The requirements of the distribution and of extras, without those on its own extras."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    return [Requirement(line) for line in lines if not line.startswith(DISTRIBUTION)]


def test_the_lock_satisfies_what_developers_install():
    locked = pinned("requirements.lock")
    for one in requirements(*LOCKED):
        version = locked[canonicalize_name(one.name)]
        assert one.specifier.contains(version, prereleases=True), f"{one}, but the lock has {version}"


def test_the_lowest_versions_that_are_tested_are_the_lowest_that_are_allowed():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    declared = [*requirements(*LOCKED - {"docs", "dev"}), *map(Requirement, build)]
    allowed = {
        canonicalize_name(one.name): Version(limit.version)
        for one in declared
        for limit in one.specifier
        if limit.operator == ">="
    }
    assert pinned(".ci/lowest.txt") == allowed
