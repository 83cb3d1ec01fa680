"""The numbers of the evidence, worked out by hand from small tables."""

import numpy as np
import pandas as pd
import pytest
import torch

from physlearn import tasks
from physlearn.activations.learned import LearnedActivations
from physlearn.analysis import curve_distances
from physlearn.comparison import Comparison
from physlearn.studies.learned_diversity import evidence
from physlearn.studies.learned_diversity.study import Study


@pytest.mark.parametrize("sign", [1, -1])
def test_an_interval_that_touches_zero_decides_nothing(sign):
    assert evidence.verdict(0.0, 0.3, sign) == evidence.verdict(-0.3, 0.0, sign) == "undecided"
    assert evidence.verdict(-0.3, 0.4, sign) == "undecided"
    assert evidence.verdict(0.1, np.inf, sign) == evidence.verdict(np.nan, -0.1, sign) == "undecided"
    assert evidence.verdict(*sorted((sign * 0.1, sign * 0.4)), sign) == "holds"
    assert evidence.verdict(*sorted((-sign * 0.1, -sign * 0.4)), sign) == "does not hold"


def study(table, snapshots=None, steps=()):
    x = torch.linspace(-10, 10, 100)
    shapes = torch.stack([x.sin(), x.tanh()])
    learned = LearnedActivations(shapes, "sine", "van-der-pol", snapshots=snapshots, snapshot_steps=steps)
    result = Comparison("van-der-pol", "", table, pd.DataFrame(), {}, 0.0, "mix")
    return Study(tasks.get("van-der-pol", orbits=5), [learned], [], {"untuned": result})


def losses(runs):
    rows = [
        {"meta_seed": k, "replicate": r, "variant": "mix", "diverged": False, "loss": loss}
        for k, run in enumerate(runs)
        for r, loss in enumerate(run)
    ]
    return pd.DataFrame(rows)


def test_spreads_are_compared_by_their_mean_logarithm_meta_seed_by_meta_seed():
    first, second = np.random.default_rng(0).lognormal(size=(2, 4, 5))
    *_, row = evidence.hamiltonian(study(losses(first)), study(losses(second)))
    expected = np.mean(np.log([np.std(b) / np.std(a) for a, b in zip(first, second, strict=True)]))
    assert row["difference"] == pytest.approx(expected, rel=1e-12)
    assert (row["meta_seeds"], row["pairs"]) == (4, 4)
    assert row["claim"].endswith("spread less than the NN's")


def test_noise_of_descent_is_a_mean_with_a_normal_interval():
    table = pd.DataFrame({"sharpness": [8.0, 3.0, 1.0], "share": [0.2, 0.5, 0.3], "share_of_even_noise": [0.4, 0.4, 0.2]})
    first, second = evidence.descent(table.assign(paths=400))
    mean, even = 0.2 * 8 + 0.5 * 3 + 0.3, 0.4 * 8 + 0.4 * 3 + 0.2
    variance = 0.2 * (8 - mean) ** 2 + 0.5 * (3 - mean) ** 2 + 0.3 * (1 - mean) ** 2
    other = 0.4 * (8 - even) ** 2 + 0.4 * (3 - even) ** 2 + 0.2 * (1 - even) ** 2
    for row, difference, squared in ((first, mean - 8, variance / 400), (second, mean - even, (variance + other) / 400)):
        assert row["difference"] == pytest.approx(difference, rel=1e-12)
        bounds = [difference - 1.96 * squared**0.5, difference + 1.96 * squared**0.5]
        assert [row["low"], row["high"]] == pytest.approx(bounds, rel=1e-12)
        assert row["pairs"] == 400


def test_an_order_of_ten_is_not_above_ten_and_half_of_the_curves_are_no_majority():
    table = pd.DataFrame({"order": [10.0, 11.0, np.nan, 3.0], "meta_seed": [0, 0, 1, 1]})
    (row,) = evidence.polynomials(table)
    assert (row["difference"], row["verdict"]) == (0.5, "does not hold")
    assert (row["meta_seeds"], row["pairs"]) == (2, 4)


def test_types_have_diversified_where_they_are_half_as_different_as_in_the_end_not_a_third():
    x = torch.linspace(-10, 10, 100)
    shapes = [x.sin() + share * (x.tanh() - x.sin()) for share in (0.0, 0.6, 0.8, 1.0)]
    snapshots = torch.stack([torch.stack([x.sin(), shape]) for shape in shapes])
    apart = [float(curve_distances(both.double(), x.double())[0, 1]) for both in snapshots]
    assert apart[3] / 3 < apart[1] < apart[3] / 2 < apart[2]
    empty = losses([[1.0]])
    row = evidence.diversify(study(empty, snapshots, (0, 3, 6, 10)))
    assert row["difference"] == row["low"] == row["high"] == pytest.approx(0.6)
    assert row["verdict"] == "undecided"
    row = evidence.diversify(study(empty, snapshots[[0, 3]], (0, 1)))
    assert row["difference"] == 1.0
