"""Old spellings work with a warning that names the new one, and a call that gives both is refused."""

from dataclasses import dataclass, replace

import pytest

import systems
from systems.deprecation import keyword_only, old_names, renamed, renamed_attribute


@renamed(integrator="method", solver="method")
def roll_out(z0, *, method=None):
    return z0, method


@keyword_only("dt", "k")
def exponents(z0, time, *, k=1, dt=None):
    return z0, time, dt, k


@keyword_only("method")
@renamed(integrator="method")
@dataclass(frozen=True)
class Plan:
    model: str
    method: str | None = None

    integrator = renamed_attribute("method")


@pytest.mark.parametrize("old", ["integrator", "solver"])
def test_an_old_name_is_the_new_one_with_a_warning(old):
    with pytest.warns(DeprecationWarning, match=f"{old}= of roll_out is now method="):
        assert roll_out(1, **{old: "rk4"}) == (1, "rk4")


def test_the_new_name_does_not_warn():
    assert roll_out(1, method="rk4") == (1, "rk4")
    assert exponents(1, 2, dt=0.1, k=3) == (1, 2, 0.1, 3)


def test_a_call_with_both_names_is_refused():
    with pytest.raises(TypeError, match=r"roll_out got both method= and integrator=, its old name; give method= alone"):
        roll_out(1, method="rk4", integrator="euler")


def test_old_positions_work_with_a_warning():
    with pytest.warns(DeprecationWarning, match="give dt=, k= to exponents by name"):
        assert exponents(1, 2, 0.1, 3) == (1, 2, 0.1, 3)


def test_an_argument_that_is_given_twice_is_refused():
    with pytest.raises(TypeError, match="got dt both by position and by name"):
        exponents(1, 2, 0.1, dt=0.2)
    with pytest.raises(TypeError, match="takes 2 positional arguments"):
        exponents(1, 2, 0.1, 3, 4)


def test_a_class_takes_the_old_name_too():
    with pytest.warns(DeprecationWarning, match="integrator= of Plan is now method="):
        plan = Plan("hnn", integrator="rk4")
    assert plan == Plan("hnn", method="rk4")
    with pytest.warns(DeprecationWarning, match=r"Plan.integrator is now method"):
        assert plan.integrator == "rk4"
    with pytest.warns(DeprecationWarning, match="method="):
        assert replace(Plan("hnn"), integrator="euler").method == "euler"


def test_the_warning_points_at_the_callers_line():
    with pytest.warns(DeprecationWarning, match="method=") as warned:
        roll_out(1, integrator="rk4")
    assert warned[0].filename == __file__


def test_a_module_gives_what_an_old_name_stands_for():
    find = old_names("somewhere", {"follow": "systems.get", "walk": "systems.find"}, walk=roll_out)
    with pytest.warns(DeprecationWarning, match=r"somewhere.follow is now systems.get"):
        assert find("follow") is systems.get
    with pytest.warns(DeprecationWarning, match=r"somewhere.walk is now systems.find"):
        assert find("walk") is roll_out
    with pytest.raises(AttributeError, match="module 'somewhere' has no attribute 'run'"):
        find("run")
