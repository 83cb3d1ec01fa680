"""The table of the API is what the code has, and its arguments keep to one vocabulary and one order."""

import inspect
import runpy
from pathlib import Path

import pytest

TABLE = Path(__file__).parents[1] / "docs" / "api_table.py"
WRITTEN = runpy.run_path(str(TABLE))
OLD = {"integrator", "solver", "integrators"}
FILM = ("systems.pendulum_clock", "systems.film")  # films keep their own order, and show no bar unless asked to


def public():
    """Each public function and method, by its name."""
    for package, names in WRITTEN["_packages"]():
        for name, thing in names.items():
            yield f"{package}.{name}", thing
            if inspect.isclass(thing):
                for part in vars(thing):
                    if not part.startswith("_") and inspect.isfunction(getattr(thing, part, None)):
                        yield f"{package}.{name}.{part}", getattr(thing, part)


CALLS = {
    name: inspect.signature(thing).parameters
    for name, thing in public()
    if callable(thing) and not (inspect.isclass(thing) and issubclass(thing, Exception))
}


def test_the_table_that_is_checked_in_is_what_the_code_gives():
    assert WRITTEN["TABLE"].read_text() == WRITTEN["table"](), "run python docs/api_table.py"


@pytest.mark.parametrize("name", CALLS)
def test_the_arguments_have_the_words_of_the_vocabulary(name):
    assert not OLD & CALLS[name].keys()
    if "rates" in CALLS[name]:
        assert name.endswith("from_csv")  # dz/dt, which a recording brings or not


@pytest.mark.parametrize("name", [n for n, p in CALLS.items() if "progress" in p and not n.startswith(FILM)])
def test_progress_is_shown_unless_it_is_not_asked_for(name):
    assert CALLS[name]["progress"].default in (True, inspect.Parameter.empty)


@pytest.mark.parametrize("name", [n for n, p in CALLS.items() if "z0" in p and "t" not in p and not n.startswith(FILM)])
def test_options_after_flow_states_and_time_are_given_by_name(name):
    options = [p for p in CALLS[name].values() if p.default is not p.empty and p.name not in ("time", "models")]
    assert all(p.kind is p.KEYWORD_ONLY for p in options)


@pytest.mark.parametrize("name", [n for n, p in CALLS.items() if {"time", "dt"} <= p.keys() and p.keys() & {"z0", "start"}])
def test_a_step_follows_a_duration(name):
    names = list(CALLS[name])
    assert names.index("dt") > names.index("time")
