"""The command line, as the tests of its commands run it."""

import sys
from typing import NamedTuple

import pytest

from physlearn import cli


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command line in this process: what it prints, and its exit code."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["physlearn", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as leave:
            code = leave.code
        return Result(code, *capsys.readouterr())

    return run


@pytest.fixture
def refused(run):
    """The single line that a wrong use is answered with."""

    def refused(*arguments):
        result = run(*arguments)
        assert result.code == 2
        assert result.out == ""
        assert result.err.startswith("physlearn: ")
        (line,) = result.err.splitlines()
        return line

    return refused
