"""The universal types: how systems are drawn, and what is counted."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

pytest.importorskip("dysts", reason="the collection dysts is not installed")
from physlearn.studies.learned_diversity import universal_evidence as evidence
from physlearn.studies.learned_diversity import universal_figure, universal_study
from physlearn.studies.learned_diversity.figures import Request
from physlearn.studies.learned_diversity.results import Results

RIVALS = ("tanh", "gelu", "silu", "sine", "single", "named pair")


def table(gains, networks=6, noise=0.01):
    """Return scores with known differences: the pair is better than all rivals by the gain of a system, than silu by more."""
    random, rows = np.random.default_rng(0), []
    for k, gain in enumerate(gains):
        for replicate in range(networks):
            base = random.normal(scale=2.0)
            for variant in ("pair", *RIVALS):
                extra = 0.0 if variant == "pair" else gain + (1.0 if variant == "silu" else 0.0)
                loss = np.exp(base + extra + random.normal(scale=noise))
                row = {"system": f"s{k}", "replicate": replicate, "variant": variant, "loss": loss, "diverged": False}
                rows.append(row | {"valid_time": 5.0 - extra + random.normal(scale=noise)})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("quick", "count"), [(True, 3 + 3), pytest.param(False, 12 + 40, marks=pytest.mark.slow)])
def test_no_system_is_both_learned_from_and_tested(quick, count):
    learned, tested = universal_study.drawn(quick)
    names = [system.name for system in learned + tested]
    assert len(set(names)) == len(names) == count
    assert not set(names) & set(universal_study.OURS)
    assert names == [system.name for part in universal_study.drawn(quick) for system in part]


def test_wins_losses_and_ties_are_counted_by_paired_intervals():
    rows = evidence.claims(table([1.0, 1.0, 1.0, -1.0, 0.0])).set_index(["measure", "rival"])
    for measure in ("loss", "valid_time"):
        row = rows.loc[(measure, "tanh")]
        assert (row["systems"], row["won"], row["lost"]) == (5, 3, 1)
        assert row["better"] in (3, 4)
        assert row["low"] < row["better"] / 5 < row["high"]
        assert rows.loc[(measure, "silu"), "won"] == 4
    assert rows.loc[("loss", "tanh"), "median"] == pytest.approx(-1.0, abs=0.05)
    assert rows.loc[("valid_time", "tanh"), "median"] == pytest.approx(1.0, abs=0.05)


def test_the_named_pair_is_judged_alike():
    """It is worse than the pair by the gain of each system, and equal to the rivals."""
    rows = evidence.claims(table([1.0, 1.0, 1.0]), "named pair").set_index(["measure", "rival"])
    assert rows.loc[("loss", "pair"), "lost"] == 3
    assert rows.loc[("loss", "silu"), "won"] == 3
    assert rows.loc[("loss", "tanh"), "median"] == pytest.approx(0.0, abs=0.05)


def test_the_best_usual_function_is_chosen_for_each_system():
    scores = table([1.0, 1.0])
    scores.loc[(scores["system"] == "s1") & (scores["variant"] == "gelu"), "loss"] *= 0.01
    rows = evidence.claims(scores).set_index(["measure", "rival"])
    assert rows.loc[("loss", "tanh"), "won"] == 2
    best = rows.loc[("loss", evidence.BEST)]
    assert (best["won"], best["lost"]) == (1, 1)


def test_networks_that_diverge_are_lost():
    scores = table([0.5] * 4)
    scores.loc[scores["variant"] == "gelu", "diverged"] = True
    rows = evidence.claims(scores).set_index(["measure", "rival"])
    assert rows.loc[("loss", "gelu"), "won"] == 4
    assert rows.loc[("loss", "gelu"), "median"] == pytest.approx(-np.log(1e10))


def test_an_interval_is_student_s():
    x = np.array([0.3, -0.1, 0.5, 0.2])
    mean, low, high = evidence.difference(x)
    half = student.ppf(0.975, 3) * x.std(ddof=1) / 2
    assert (mean, low, high) == pytest.approx((x.mean(), x.mean() - half, x.mean() + half))


def test_two_thirds_of_the_systems_make_a_pair_universal():
    assert evidence.universal(evidence.claims(table([1.0, 1.0, -1.0])))
    assert not evidence.universal(evidence.claims(table([1.0, -1.0, -1.0])))


@pytest.mark.slow
def test_the_quick_figure_is_made(tmp_path):
    drawn = universal_figure.universal(Request(Results(tmp_path, progress=False), quick=True))
    assert set(drawn.table["variant"]) == {"pair", *RIVALS}
    assert drawn.table["system"].nunique() == 3
    assert "| loss" not in drawn.text
    assert drawn.text.count("best of tanh, gelu, silu") == 4
