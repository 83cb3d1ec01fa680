"""Processes for the tests of jobs."""

import multiprocessing

import pytest

USERS = ("test_store", "test_sweep")  # there is one server for all tests, which imports their modules when it starts


@pytest.fixture(scope="session")
def server():
    """Starts processes that know of physlearn already."""
    context = multiprocessing.get_context("forkserver")
    here = __name__.rpartition(".")[0]
    context.set_forkserver_preload(["physlearn.jobs", *(f"{here}.{user}" for user in USERS)])
    return context
