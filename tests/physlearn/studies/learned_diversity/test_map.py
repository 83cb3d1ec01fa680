"""The map of learned diversity: its statistics against simulation and by hand, and one small cell of it."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from physlearn.studies.learned_diversity import map_evidence, map_figure, map_study
from physlearn.studies.learned_diversity.figures import Request
from physlearn.studies.learned_diversity.results import Results


def test_the_interval_is_that_of_students_test():
    values = np.random.default_rng(0).normal(-2, 1, 8)
    low, high = map_evidence.interval(values, 0.99)
    wanted = ttest_1samp(values, 0).confidence_interval(0.99)
    assert (low, high) == pytest.approx((wanted.low, wanted.high))
    assert map_evidence.interval([1.0]).tolist() == [-math.inf, math.inf]


@pytest.mark.parametrize(
    ("draw", "mean", "least"),
    [
        (lambda g, shape: g.normal(-2, 1, shape), -2.0, 0.945),
        (lambda g, shape: g.uniform(-1, 1, shape), 0.0, 0.94),
        (lambda g, shape: np.where(g.random(shape) < 0.3, -6.0, -2.0) + g.normal(0, 0.5, shape), -3.2, 0.88),  # two minima
    ],
)
def test_an_interval_of_eight_runs_covers_the_mean_about_as_often_as_it_says(draw, mean, least):
    assert least < map_evidence.coverage(draw, mean, trials=5000) < 0.97


def scores(pair, single, named, runs=6, **others):
    """Networks whose log losses scatter by 0.1 around the means given."""
    rows, g = [], np.random.default_rng(1)
    for k in range(runs):
        for name, mean in {"pair": pair, "single": single, "named pair": named, **others}.items():
            loss = np.exp(mean + 0.1 * g.normal(size=20))
            rows.append(pd.DataFrame({"loss": loss, "variant": name, "meta_seed": k, "diverged": False}))
    table = pd.concat(rows, ignore_index=True)
    found = np.where(table["variant"] == "pair", "square+sine, bent", None)
    return table.assign(cell="pendulum", width=4, found=found)


def test_a_pair_is_decisive_only_if_it_is_three_times_better_than_every_single_kind_and_no_worse_than_the_named_pair():
    row = map_evidence.claims(scores(-10, -8, -10, tanh=-7)).iloc[0]
    assert row["decisive"]
    assert row["one kind"] == "single"
    assert row["one kind, difference"] == pytest.approx(-2, abs=0.1)
    assert row["one kind, low"] < -2 < row["one kind, high"] < -1.8
    assert row["found"] == "sine+square (6)"
    assert not map_evidence.claims(scores(-10, -8, -10, tanh=-9.5)).iloc[0]["decisive"]  # tanh is too good
    assert not map_evidence.claims(scores(-10, -8, -11)).iloc[0]["decisive"]  # the named pair is better
    assert map_evidence.claims(scores(-10, -8, -10, **{"random pair": -12})).iloc[0]["decisive"]  # it is no single kind


def test_a_network_that_diverged_has_no_log():
    table = scores(-10, -8, -10)
    table.loc[0, ["diverged", "loss"]] = [True, np.inf]
    assert map_evidence.mean_logs(table).loc[0, "pair"] == pytest.approx(-10, abs=0.1)


def test_random_functions_have_one_name():
    assert map_evidence.plain("square+random 17, stretched") == "random+square"


@pytest.mark.slow
def test_a_cell_is_scored_and_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(map_study, "NAMED", ("sine", "square"))
    request = Request(Results(tmp_path, 0, progress=False), quick=True)
    table = map_study.scores("systems", request, [map_study.Cell("pendulum", 4)])
    rows = map_evidence.claims(table)
    assert rows.iloc[0]["runs"] == 2
    assert rows.iloc[0]["pair"] < rows.iloc[0]["pair"] - rows.iloc[0]["one kind, difference"]
    assert len(map_evidence.to_markdown(rows).splitlines()) == 3
    assert map_figure.picture(rows).axes[0].get_yticklabels()[0].get_text() == "pendulum, 4 neurons"
    again = map_study.scores("systems", request, [map_study.Cell("pendulum", 4)])  # from the files
    pd.testing.assert_frame_equal(again, table)
