"""A person is told, once, that code is being compiled; scripts and quiet commands are not."""

import io
import logging
import subprocess
import sys
from types import SimpleNamespace

import pytest

from systems.compiled import announcement
from systems.compiled.announcement import SENTENCE, Announcement


class Screen(io.StringIO):
    def isatty(self):
        return True


def ours():
    """Stand for a function of the package."""


ours.__module__ = "systems.compiled.dop853"


def happening(function=ours):
    return SimpleNamespace(data={"dispatcher": SimpleNamespace(py_func=function)})


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(announcement, "monotonic", lambda: now.seconds)
    return now


@pytest.fixture
def screen(monkeypatch):
    made = Screen()
    monkeypatch.setattr(announcement, "sys", SimpleNamespace(stderr=made, modules={}))  # pytest exchanges that of sys
    return made


def compiled(listener, clock, seconds, function=ours):
    """Compile a function that needs another one, which takes the first half of the time."""
    for step in (listener.on_start, listener.on_start, listener.on_end, listener.on_end):
        step(happening(function))
        clock.seconds += seconds / 2 if step == listener.on_start else 0.0


def test_it_is_told_once_after_two_seconds_in_all(clock, screen):
    listener = Announcement()
    compiled(listener, clock, 1.5)
    clock.seconds += 100  # of other work
    assert not screen.getvalue()
    compiled(listener, clock, 1.0)
    assert screen.getvalue().strip() == SENTENCE
    compiled(listener, clock, 10.0)
    assert screen.getvalue().count(SENTENCE) == 1
    assert listener.seconds == pytest.approx(12.5)


def test_nothing_is_told_to_scripts_to_quiet_people_and_of_the_code_of_others(clock, screen, monkeypatch):
    compiled(Announcement(), clock, 10.0, function=pytest.fixture)
    logger = logging.getLogger("systems")
    logger.setLevel(logging.ERROR)
    try:
        compiled(Announcement(), clock, 10.0)
    finally:
        logger.setLevel(logging.NOTSET)
    monkeypatch.setattr(Screen, "isatty", lambda self: False)
    compiled(Announcement(), clock, 10.0)
    assert not screen.getvalue()


def test_a_real_compilation_counts(tmp_path):
    program = """
from numba.core import event
from systems.compiled import loops, announcement
(listener,) = [one for one in event._registered["numba:compile"] if isinstance(one, announcement.Announcement)]
@loops.loop()
def double(x):
    return 2 * x
double.py_func.__module__ = "systems.none"
assert double(2.0) == 4.0
print(listener.seconds > 0, listener.depth)
"""
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run([sys.executable, tmp_path / "program.py"], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.split() == ["True", "0"]
