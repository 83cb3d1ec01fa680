from threading import Event

import pytest

from physlearn.explorer.interruptible import Abandoned
from physlearn.explorer.latest_request import Newest

LONG = 20.0  # seconds until a test gives up


@pytest.fixture
def newest():
    made = []

    def newest(job, **how):
        made.append(Newest(job, **how))
        return made[-1]

    yield newest
    for thread in made:
        thread.close()


@pytest.fixture
def noted():
    """A job that notes what it was asked, the notes, and whether there are any."""
    answered, done = [], Event()

    def job(number, wanted):
        answered.append(number)
        done.set()

    return answered, done, job


def test_of_what_is_asked_for_meanwhile_only_the_newest_is_done(newest):
    answered, started, go_on, last = [], Event(), Event(), Event()

    def job(number, wanted):
        started.set()
        go_on.wait(LONG)
        answered.append((number, wanted()))
        if number == 9:
            last.set()

    thread = newest(job)
    thread.ask(0)
    assert started.wait(LONG)
    for number in range(1, 10):
        thread.ask(number)
    go_on.set()
    assert last.wait(LONG)
    assert answered == [(0, False), (9, True)]


def test_a_job_that_is_abandoned_or_fails_is_not_the_last(newest, caplog):
    done = Event()

    def job(number, wanted):
        if number == 0:
            raise Abandoned
        if number == 1:
            raise RuntimeError("a mistake")
        done.set()

    thread = newest(job)
    for number in range(3):
        thread.ask(number)
        while thread._request:
            done.wait(0.01)
    assert done.wait(LONG)


def test_a_request_waits_for_a_newer_one(newest, noted):
    answered, done, job = noted

    thread = newest(job, delay=0.3)
    for number in range(5):
        thread.ask(number)
    assert done.wait(LONG)
    assert answered == [4]


def test_what_is_forgotten_is_not_done(newest, noted):
    answered, done, job = noted

    thread = newest(job, delay=0.2)
    thread.ask(0)
    thread.forget()
    thread.ask(1)
    assert done.wait(LONG)
    assert answered == [1]
