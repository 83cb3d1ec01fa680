"""Results print in a few lines however many numbers they hold, and as valid HTML in a notebook."""

from dataclasses import dataclass
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import torch

import systems
from physlearn import Forecaster, LearnedActivations, chaos
from systems.brief import Brief, brief

T = torch.linspace(0, 3, 61, dtype=torch.float64)
PENDULUM = systems.get("pendulum")
ORBITS = PENDULUM.orbit(PENDULUM.sample(40, seed=0), T)


@dataclass(frozen=True, repr=False)
class Result(Brief):
    many: torch.Tensor
    table: pd.DataFrame
    names: tuple[str, ...]
    unset: float | None = None


class Cells(HTMLParser):
    """Reads the cells of a table, and checks that every element is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.cells = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, _):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.cells.append(data)


def results():
    henon = systems.get("henon-heiles")
    z0 = henon.sample(40, seed=0, energy=0.1)
    logistic = systems.maps.get("logistic")
    vdp = systems.get("van-der-pol")
    x = torch.linspace(-3, 3, 61)
    yield ORBITS
    yield chaos.poincare_section(henon, z0, time=60, dt=0.1)
    yield chaos.lyapunov_history(henon, z0, time=60, dt=0.1, k=2)
    yield chaos.classify(henon, z0, time=60, dt=0.1)
    yield chaos.bifurcation_diagram(logistic, "r", [3.0, 3.5], z0=logistic.sample(2, seed=0), time=50)
    yield systems.fit(vdp, vdp.orbit(torch.tensor([1.0, 0.0], dtype=torch.float64), T))
    yield LearnedActivations(torch.stack([x.sin(), x.tanh()]), base="sine", task="by hand")
    yield Forecaster("nn", hidden=(4,)).fit(ORBITS, epochs=1, progress=False)


@pytest.mark.filterwarnings("ignore")
def test_results_of_many_orbits_are_short():
    for result in results():
        lines = repr(result).splitlines()
        assert type(result).__name__ in lines[0] or "van-der-pol: mu = " in lines[0]
        assert len(lines) <= 12
        assert max(map(len, lines)) <= 130
        assert len(result._repr_html_()) < 4000
        assert Cells(result._repr_html_()).cells[0] == lines[0]


def test_a_field_is_shown_by_its_shape_and_range_and_one_that_is_not_set_is_left_out():
    many = torch.arange(200.0).reshape(2, 100)
    many[0, 3] = torch.nan
    shown = Result(many, pd.DataFrame({"<a>": [1, 2]}), ("x", "p"))
    assert repr(shown) == ("Result\n  many   shape (2, 100), 0 to 199, 1 not finite\n  table  2 rows: <a>\n  names  x, p")
    assert Cells(shown._repr_html_()).cells == ["Result", "many", brief(many), "table", "2 rows: <a>", "names", "x, p"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (np.array([0.5, 1.5]), "[0.5, 1.5]"),
        (torch.ones(7, dtype=torch.bool), "shape (7,), 7 true"),
        (np.full(9, np.nan), "shape (9,), no finite number"),
        (np.zeros((0, 4)), "[]"),
        (np.array(["a"] * 9), "shape (9,)"),
        (2 / 3, "0.666667"),
        ({"rate": 0.1, "steps": [1, 2]}, "rate: 0.1, steps: 1, 2"),
        ("x" * 50 + " " + "y" * 90, "x" * 50 + " ..."),
        ("", ""),
    ],
)
def test_a_value_is_one_short_line(value, shown):
    assert brief(value).startswith(shown)
    assert len(brief(value)) <= 100


def test_a_notebook_shows_the_range_of_each_coordinate_of_an_orbit():
    cells = Cells(ORBITS._repr_html_()).cells
    z = ORBITS.z.numpy()
    for i, name in enumerate(ORBITS.coordinates):
        assert cells[cells.index(name) + 1] == f"shape (2440,), {z[..., i].min():.6g} to {z[..., i].max():.6g}"
