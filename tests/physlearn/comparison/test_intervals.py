"""Bootstrap intervals of samples whose resamples are counted by hand: where exactly they widen, and by how much."""

from math import sqrt, tan

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student

from physlearn.comparison.statistics import paired, summarize

RESAMPLES = 20_000


def table(**values):
    frames = [
        pd.DataFrame({"meta_seed": 0, "replicate": range(len(v)), "variant": name, "diverged": False, "time": v})
        for name, v in values.items()
    ]
    return pd.concat(frames, ignore_index=True)


def from_zero(n, confidence):
    """Whether the interval of the mean of n replicates, one of them 1 and the others 0, begins at 0."""
    values = [1.0] + [0.0] * (n - 1)
    row = summarize(table(mix=values), "time", scale="linear", confidence=confidence, resamples=RESAMPLES).loc["mix"]
    shifted = paired(
        table(mix=values, sine=[0.0] * n), "time", scale="linear", confidence=confidence, resamples=RESAMPLES
    ).loc["sine"]
    assert (row.mean_low == 0) == (shifted.difference_low == 0)
    return row.mean_low == 0


@pytest.mark.parametrize("n", [2, 3, 5, 12])
def test_an_interval_widens_at_the_confidence_that_hesterberg_asks_for(n):
    r"""The mean is 0 in a share (1 - 1/n)^n of the resamples, and the interval reaches it once its tail is less than that:
    where sqrt(n / (n - 1)) t_{n-1} exceeds the normal deviate of that share (Am. Stat. 69, 371, section 3.3)."""
    deviate = -norm.ppf((1 - 1 / n) ** n)
    threshold = brentq(lambda c: sqrt(n / (n - 1)) * student.ppf((1 + c) / 2, n - 1) - deviate, 1e-6, 1 - 1e-6)
    assert not from_zero(n, threshold - 0.03)
    assert from_zero(n, threshold + 0.03)


def test_the_threshold_of_two_replicates_is_that_of_cauchys_distribution():
    """Student's t of one degree of freedom is a tangent: 27 % reaches neither of two values, and 30 % does."""
    deviate = 0.6744897501960817  # of a quarter, the share of resamples in which both draws are the smaller value
    for confidence, reaches in ((0.27, False), (0.30, True)):
        assert (sqrt(2) * tan(np.pi * confidence / 2) > deviate) == reaches
        row = summarize(table(mix=[3.0, 5.0]), "time", scale="linear", confidence=confidence, resamples=RESAMPLES).loc["mix"]
        assert [row.mean_low, row.mean_high] == ([3, 5] if reaches else [4, 4])


def test_two_meta_seeds_are_two_units_however_many_replicates_they_have():
    """Each of two meta-seeds has four equal replicates: the resamples of the mean are those of two numbers."""
    values = table(mix=[3.0] * 4 + [5.0] * 4, sine=[0.0] * 8)
    values["meta_seed"], values["replicate"] = values["replicate"] // 4, values["replicate"] % 4
    for confidence, expected in ((0.27, [4, 4]), (0.30, [3, 5])):
        settings = {"scale": "linear", "confidence": confidence, "resamples": RESAMPLES}
        row = summarize(values, "time", **settings).loc["mix"]
        assert [row.mean_low, row.mean_high] == expected
        difference = paired(values, "time", **settings).loc["sine"]
        assert [difference.difference_low, difference.difference_high] == expected
        assert difference.level == "meta-seeds"


def test_the_units_of_a_median_are_all_replicates_and_of_a_mean_those_that_did_not_diverge():
    """One finite replicate has no interval of its mean; the median of three of which two diverged has one."""
    values = pd.concat([table(mix=[1.0, np.inf, np.inf])], ignore_index=True).assign(time=[1.0, np.inf, np.inf])
    row = summarize(values, "time", confidence=0.9).loc["mix"]
    assert np.isnan(row.mean_low)
    assert row.median_low == 1
    assert row.median_high == np.inf


def test_two_thousand_resamples_of_a_large_table_are_drawn_at_once(monkeypatch):
    """The generator is asked twice for each variant, not once for each resample."""
    calls = []

    class Counted:
        def __init__(self, seed):
            self.generator = drawn_by(seed)

        def integers(self, *args, **kwargs):
            calls.append(1)
            return self.generator.integers(*args, **kwargs)

    drawn_by = np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", Counted)
    random = drawn_by(15)
    variants = ["mix", *(f"type {i}" for i in range(1, 8))]
    losses = pd.concat([table(**{v: random.lognormal(size=50) for v in variants}).assign(meta_seed=k) for k in range(8)])
    summarize(losses, "time", resamples=2000)
    assert len(calls) == 2 * len(variants)
    paired(losses, "time", resamples=2000)
    assert len(calls) == 2 * len(variants) + 2 * (len(variants) - 1)
