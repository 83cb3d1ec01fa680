"""Bifurcation diagrams against published cycles, and sweeps of a parameter against exact exponents."""

from math import log, sqrt

import numpy as np
import pytest
import torch

import systems
from physlearn.chaos import bifurcation_diagram, lyapunov_exponents, sweep
from systems import InputError
from systems.maps import FunctionMap, LogisticMap

LOGISTIC = systems.maps.get("logistic")
LORENZ = systems.get("lorenz")
QUIET = {"progress": False}


def roessler(c):
    def field(t, state):
        x, y, z = state.unbind(-1)
        return torch.stack([-y - z, x + 0.2 * y, 0.2 + z * (x - c)], dim=-1)

    return field


def periods(diagram, orbit=0):
    found = diagram.cycles()
    return found[found["orbit"] == orbit]["period"].fillna(0).tolist()


def test_the_cycles_of_the_logistic_map_are_the_published_ones():
    values = [2.9, 3.3, 3.5, 3.55, 3.566, 3.7, 3.74, 3.83, 3.845, 3.99]  # May 1976: windows of period 5, 3 and 6
    diagram = bifurcation_diagram(LOGISTIC, "r", values, **QUIET)
    for orbit in range(4):
        assert periods(diagram, orbit) == [1, 2, 4, 8, 16, 0, 5, 3, 6, 0]


def test_the_points_of_the_logistic_map_are_its_exact_cycles():
    table = bifurcation_diagram(LOGISTIC, "r", [2.5, 3.2], **QUIET).table
    fixed, pair = (table[table["parameter"] == r]["value"].round(9).sort_values().unique() for r in (2.5, 3.2))
    assert fixed == pytest.approx([1 - 1 / 2.5])
    root = sqrt((3.2 + 1) * (3.2 - 3))
    assert pair == pytest.approx([(3.2 + 1 - root) / 6.4, (3.2 + 1 + root) / 6.4], abs=1e-8)
    assert (table["t"] > 800).all()
    assert len(table) == 2 * 4 * 200


def test_the_lorenz_attractor_is_not_stable_below_its_first_crisis():
    """Sparrow 1982: chaos is a transient for rho < 24.06; from 24.74 on, the fixed points are unstable."""
    diagram = bifurcation_diagram(LORENZ, "rho", [10, 20, 28], coordinate="z", time=30, transient=150, **QUIET)
    for orbit in range(4):
        assert periods(diagram, orbit) == [1, 1, 0]
    for rho in (10.0, 20.0):
        values = diagram.table[diagram.table["parameter"] == rho]["value"].to_numpy()
        assert values == pytest.approx(np.full(len(values), rho - 1), abs=1e-2)


def test_the_duffing_oscillator_doubles_its_period_under_a_stronger_drive():
    """The forces and periods of the article "Duffing equation" in Wikipedia, for delta = 0.3 and omega = 1.2."""
    driven = systems.get("forced-duffing")
    diagram = bifurcation_diagram(driven, "gamma", [0.20, 0.28, 0.29, 0.37, 0.50, 0.65], **QUIET)
    assert periods(diagram) == [1, 2, 4, 5, 0, 2]
    assert (diagram.at, diagram.coordinate) == (("phase", 0.0), "x")


@pytest.mark.slow
def test_the_roessler_flow_doubles_its_period_and_becomes_chaotic():
    """Strogatz, Nonlinear Dynamics and Chaos, section 12.3, for a = b = 0.2."""
    how = {"z0": [1.0, 1.0, 0.0], "time": 80, "transient": 250, **QUIET}
    assert periods(bifurcation_diagram(roessler, "c", [2.5, 3.5, 4.0, 5.0], **how)) == [1, 2, 4, 0]
    section = bifurcation_diagram(roessler, "c", [3.5], at=("z1", 0.0), **how)
    assert periods(section) == [2]
    assert section.coordinate == "z0"


def test_maxima_are_those_of_the_exact_motion():
    z0 = torch.tensor([[1.0, 0.0], [0.0, 0.5]], dtype=torch.float64)
    diagram = bifurcation_diagram(
        lambda w: lambda t, z: torch.stack([z[..., 1], -(w**2) * z[..., 0]], -1),
        "w", [1.0, 2.0], z0=z0, time=20.0, transient=0.0, dt=0.01, **QUIET,
    )  # fmt: skip
    table = diagram.table
    for w in (1.0, 2.0):
        first = table[(table["parameter"] == w) & (table["orbit"] == 1)]
        times = first["t"].to_numpy() * w / np.pi
        assert times == pytest.approx(0.5 + 2.0 * np.arange(len(times)), abs=1e-6)
        assert first["value"].to_numpy() == pytest.approx(0.5 / w, abs=1e-7)
        assert len(times) == int((20 * w / np.pi - 0.5) / 2) + 1


def test_orbits_that_escape_have_no_points_and_are_told():
    diagram = bifurcation_diagram(LOGISTIC, "r", [3.2, 4.5], **QUIET)
    escaped = diagram.orbits.groupby("parameter")["escaped"].mean()
    assert escaped.tolist() == [0.0, 1.0]
    assert set(diagram.table["parameter"]) == {3.2}
    assert diagram.cycles()["period"].isna().tolist() == [False] * 4 + [True] * 4


def test_a_diagram_is_drawn_with_one_dot_per_point():
    diagram = bifurcation_diagram(LOGISTIC, "r", [2.9, 3.3], **QUIET)
    ax = diagram.plot()
    assert len(ax.lines[0].get_xdata()) == len(diagram.table)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$r$", "$x$")


def test_a_sweep_has_one_row_for_each_combination():
    def exponent(one):
        return lyapunov_exponents(one, [[0.3]], 20_000, transient=100).item()

    table = sweep(LOGISTIC, {"r": torch.tensor([2.5, 4.0])}, exponent, **QUIET)
    assert table["r"].tolist() == [2.5, 4.0]
    assert table["value"].tolist() == pytest.approx([log(0.5), log(2)], abs=1e-3)  # |2 - r|, and Ulam and von Neumann
    henon = systems.maps.get("henon")
    both = sweep(
        henon,
        {"a": [0.1, 0.2], "b": [0.1, 0.3]},
        lambda one: {"sum": lyapunov_exponents(one, one.sample(3), 100, k=2).sum(-1), "b_squared": one.b**2},
        **QUIET,
    )
    assert list(both) == ["a", "b", "item", "sum", "b_squared"]
    assert len(both) == 12
    assert both["sum"].to_numpy() == pytest.approx(np.log(both["b"]))
    assert both["b_squared"].to_numpy() == pytest.approx(both["b"] ** 2)


def test_a_function_gives_the_flow_or_the_map_for_a_parameter():
    diagram = bifurcation_diagram(
        lambda r: FunctionMap(lambda z: r * z * (1 - z), ("x",)), "r", [2.5, 3.2], z0=[[0.3]], **QUIET
    )
    assert periods(diagram) == [1, 2]


def test_the_parameters_of_a_suspension_are_those_of_its_system():
    suspended = systems.Suspension(systems.get("forced-duffing"))
    assert sweep(suspended, {"gamma": [0.1]}, lambda one: one.driven.gamma, **QUIET)["value"].tolist() == [0.1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bifurcation_diagram(LOGISTIC, "q", [1.0]), "logistic has no parameter 'q'; it has r"),
        (lambda: bifurcation_diagram(LOGISTIC, "r", []), "no values of r"),
        (lambda: bifurcation_diagram(LOGISTIC, "r", ["a"]), "finite number"),
        (lambda: bifurcation_diagram(LOGISTIC, "r", 3.0), "list of numbers"),
        (lambda: bifurcation_diagram(LOGISTIC, "r", [3.0], at="maxima"), "leave at out"),
        (lambda: bifurcation_diagram(LOGISTIC, "r", [3.0], coordinate="y"), "no coordinate 'y'"),
        (lambda: bifurcation_diagram(LOGISTIC, "r", [3.0], transient=-1), "transient must be"),
        (lambda: bifurcation_diagram(LORENZ, "rho", [28.0], at="minima", time=1), "'maxima' or a surface"),
        (lambda: bifurcation_diagram(LORENZ, "rho", [28.0], at=("w", 0.0), time=1), "no coordinate 'w'"),
        (lambda: bifurcation_diagram(roessler, "c", [5.0]), "give z0"),
        (lambda: bifurcation_diagram(3.0, "c", [5.0]), "a float has no parameters"),
        (lambda: sweep(LOGISTIC, {}, float), "no parameters were given"),
        (lambda: sweep(LOGISTIC, {"r": [3.0]}, lambda one: {"a": [1, 2], "b": [1, 2, 3]}), "different lengths"),
        (lambda: bifurcation_diagram(LogisticMap(), "r", [3.0]).cycles(0), "tolerance must be"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
