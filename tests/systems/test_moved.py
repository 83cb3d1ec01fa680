"""The names of version 0.1 forward to their new places, with a warning."""

import subprocess
import sys
from importlib import import_module

import pytest

import systems
from systems.deprecation import old_names
from systems.film.overlay import overlay

NAMES = ("Defects", "Film", "Report", "Tracking", "Truth", "from_markers", "render", "render_clock", "still", "track")
SUBMODULES = {
    "systems.pendulum_clock.defects": ("Defects",),
    "systems.pendulum_clock.film": ("Film", "Truth", "render", "render_clock", "still"),
    "systems.pendulum_clock.tracking": ("Report", "Tracking", "from_markers", "track"),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_films_are_found_at_the_clock(name):
    with pytest.warns(DeprecationWarning, match=rf"systems.pendulum_clock.{name} is now systems.film.{name}; "):
        assert getattr(systems.pendulum_clock, name) is getattr(systems.film, name)


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in SUBMODULES.items() for name in names])
def test_names_are_found_in_the_old_submodules(module, name):
    with pytest.warns(DeprecationWarning, match=rf"is now systems.film.{name}"):
        assert getattr(import_module(module), name) is getattr(systems.film, name)


def test_documented_functions_of_submodules_are_found():
    with pytest.warns(DeprecationWarning, match=r"is now systems.film.overlay.overlay"):
        from systems.pendulum_clock.overlay import overlay as old
    assert old is overlay
    with pytest.warns(DeprecationWarning, match=r"is now systems.pendulum_clock.PendulumClock"):
        from systems.pendulum_clock.clock import PendulumClock
    assert PendulumClock is systems.pendulum_clock.PendulumClock
    with pytest.warns(DeprecationWarning, match=r"is now systems.film.accuracy.summary"):
        from systems.pendulum_clock.accuracy import summary
    assert summary is systems.film.accuracy.summary


def test_the_warning_names_the_line_of_the_caller():
    with pytest.warns(DeprecationWarning, match="is now") as warned:
        from systems.pendulum_clock import track  # noqa: F401
    assert {warning.filename for warning in warned} == {__file__}


def test_the_clock_itself_is_where_it_was():
    from systems.pendulum_clock import PendulumClock  # a warning would be an error

    assert systems.find("pendulum-clock") is PendulumClock


def test_the_old_command_runs():
    command = [sys.executable, "-m", "systems.pendulum_clock.accuracy", "--help"]
    assert "--kinds" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_other_names_are_not_found():
    with pytest.raises(AttributeError, match=r"module 'old' has no attribute 'b'"):
        old_names("old", {"a": "systems.a"})("b")


@pytest.mark.parametrize(("name", "place"), [("Workers", "physlearn.jobs"), ("search", "physlearn.comparison")])
def test_sweeps_forward_to_jobs_and_searches(name, place):
    from physlearn import sweeps

    with pytest.warns(DeprecationWarning, match=rf"physlearn.sweeps.{name} is now {place}.{name}"):
        assert getattr(sweeps, name) is getattr(import_module(place), name)
