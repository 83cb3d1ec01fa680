"""A command whose extra is not installed says so in one line."""

import sys

import pytest


@pytest.mark.parametrize(
    ("package", "extra", "command"),
    [
        ("optuna", "search", ["search", "van-der-pol", "sine"]),
        ("latex2mathml", "explore", ["explore", "pendulum", "--port", 0, "--no-browser"]),
        ("mnist1d", "study", ["learn", "mnist1d"]),
        ("distributed", "distributed", ["learn", "van-der-pol", "--scheduler", "tcp://127.0.0.1:1"]),
    ],
)
def test_it_is_named(package, extra, command, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    out = ["--out", tmp_path / "out"] if command[0] == "search" else []
    assert f"run pip install 'physlearn-orbits[{extra}]'" in refused(*command, *out)
