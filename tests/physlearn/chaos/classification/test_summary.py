"""Summaries of a comparison of dynamics: means with Student's interval, fractions with Wilson's, as SciPy has them."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, ttest_1samp

from physlearn.chaos.classification.agreement import DynamicsComparison

EXPONENTS = np.array([0.05, 0.07, 0.04, 0.09, np.nan, 0.02])
CHAOTIC = [True, True, True, True, None, False]


@pytest.fixture
def summary():
    n = len(EXPONENTS)
    table = pd.DataFrame(
        {
            **{f"chaotic_{side}": pd.array(CHAOTIC, dtype="boolean") for side in ("truth", "model")},
            **{f"class_{side}": ["chaotic"] * 4 + ["undecided", "regular"] for side in ("truth", "model")},
            "agree": pd.array([True, True, False, True, True, True], dtype="boolean"),
            **{f"escaped_{side}": [False] * (n - 1) + [True] for side in ("truth", "model")},
            "exponent_truth": EXPONENTS / 2,
            "exponent_model": EXPONENTS,
            "exponent_truth_error": 0.01,
            "exponent_model_error": 0.01,
            "section": ["hellinger"] * 5 + ["nearest"],
            "section_model": [0.1, 0.2, 0.6, 0.3, 0.25, 2.0],
            "section_truth": [0.1, 0.1, 0.2, 0.2, 0.15, 1.0],
            **{f"{name}_{side}": np.arange(n) ** 2.0 for name in ("marginals", "spectrum") for side in ("truth", "model")},
            "valid_time": [1.0, 2.0, 4.0, 8.0, 16.0, 32.0],
            "lyapunov_times": [0.1, 0.2, 0.4, 0.8, 1.6, np.nan],
        }
    )
    return DynamicsComparison(table, (0.3, 0.2)).summary(0.9)


def test_the_mean_exponent_has_students_interval_of_so_few_orbits(summary):
    chaotic = EXPONENTS[:4]
    row = summary.loc["exponent_of_chaotic"]
    interval = ttest_1samp(chaotic, 0).confidence_interval(0.9)
    assert [row["model"], row["low"], row["high"]] == pytest.approx([chaotic.mean(), interval.low, interval.high], rel=1e-12)
    assert row["truth"] == pytest.approx(chaotic.mean() / 2)
    assert row["orbits"] == 4


def test_fractions_have_wilsons_interval(summary):
    row = summary.loc["class_agreement"]
    interval = binomtest(5, 6).proportion_ci(0.9, method="wilson")
    assert [row["model"], row["low"], row["high"]] == pytest.approx([5 / 6, interval.low, interval.high])
    assert summary.loc["escaped_fraction", "model"] == pytest.approx(1 / 6)
    assert summary.loc["undecided_fraction", ["model", "truth"]].tolist() == pytest.approx([1 / 6, 1 / 6])


def test_distances_and_times_are_medians_not_means(summary):
    assert summary.loc["hellinger", "model"] == 0.25
    assert summary.loc["hellinger", "truth"] == pytest.approx(0.15)
    assert summary.loc["nearest", "model"] == 2
    assert summary.loc["marginals", "model"] == pytest.approx((4 + 9) / 2)
    assert summary.loc["valid_time", "model"] == pytest.approx((4 + 8) / 2)
    assert summary.loc["lyapunov_times", "model"] == pytest.approx(0.4)
