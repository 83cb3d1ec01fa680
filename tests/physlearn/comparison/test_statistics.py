"""What a comparison says: held against hand-worked examples, known distributions and SciPy's own answers."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from scipy.stats import binom, kstest, wilcoxon
from scipy.stats import bootstrap as scipy_bootstrap

from physlearn.comparison.statistics import holm, paired, summarize
from systems import InputError

INF, NAN = np.inf, np.nan


def table(values, diverged=(), name="loss"):
    """values: by variant, (replicates,) or (meta-seeds, replicates). diverged: (variant, meta-seed, replicate) of those."""
    frames = []
    for variant, array in values.items():
        meta_seed, replicate = np.indices(np.atleast_2d(array).shape).reshape(2, -1)
        flags = [(variant, *key) in diverged for key in zip(meta_seed, replicate, strict=True)]
        columns = {"meta_seed": meta_seed, "replicate": replicate, "variant": variant, "diverged": flags}
        frames.append(pd.DataFrame({**columns, name: np.ravel(array)}))
    return pd.concat(frames, ignore_index=True)


def synthetic(rng, meta_seeds, replicates, difference=0.0, between=0.0, variants=("mix", "sine")):
    """Log losses that share the luck of their replicate; the mix's lie ``difference`` off, and wander with the meta-seed."""
    luck = rng.normal(size=(meta_seeds, replicates))
    logs = {v: luck + 0.5 * rng.normal(size=luck.shape) for v in variants}
    logs["mix"] += difference + between * rng.normal(size=(meta_seeds, 1))
    return table({v: np.exp(x) for v, x in logs.items()})


def test_a_summary_holds_the_statistics_of_numpy():
    rng = np.random.default_rng(0)
    losses = {"sine": rng.lognormal(size=50), "mix": rng.lognormal(-1, size=50)}
    summary = summarize(table(losses), "loss")
    assert list(summary.index) == ["sine", "mix"]  # as they appear, not by the alphabet
    for variant, x in losses.items():
        row = summary.loc[variant]
        assert (row["n"], row.meta_seeds, row.diverged) == (50, 1, 0)
        assert_allclose([row["median"], row["mean"]], [np.median(x), x.mean()])
        assert_allclose(row.geometric_mean, np.exp(np.log(x).mean()))
        for name in ("median", "mean", "geometric_mean"):
            assert row[f"{name}_low"] < row[name] < row[f"{name}_high"]


def test_the_plain_bootstrap_is_that_of_scipy_but_for_what_so_few_replicates_ask():
    x = np.random.default_rng(1).normal(10, 1, 400)
    row = summarize(table({"mix": x}, name="valid_time"), "valid_time", scale="linear", resamples=10_000).loc["mix"]
    assert "geometric_mean" not in row
    for name, statistic in {"mean": np.mean, "median": np.median}.items():
        expected = scipy_bootstrap((x,), statistic, n_resamples=10_000, method="percentile", rng=0).confidence_interval
        # 400 replicates ask for 0.4 % more; the rest is that of 10^4 resamples
        assert_allclose([row[f"{name}_low"], row[f"{name}_high"]], expected, atol=0.02 * x.std())


def test_five_replicates_get_the_interval_of_student_not_of_gauss():
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(200):
        row = summarize(table({"mix": rng.normal(size=5)}, name="time"), "time", scale="linear", resamples=500).loc["mix"]
        covered += row.mean_low <= 0 <= row.mean_high
    assert covered / 200 > 0.89  # the plain percentiles cover 82 %


@pytest.mark.parametrize(
    ("meta_seeds", "replicates", "between", "level"),
    [(1, 30, 0.0, "replicates"), (8, 5, 1.0, "meta-seeds"), (8, 5, 0.2, "meta-seeds")],
)
def test_the_interval_covers_the_true_difference_at_both_levels(meta_seeds, replicates, between, level):
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(100):
        row = paired(synthetic(rng, meta_seeds, replicates, -0.7, between), "loss", resamples=400).loc["sine"]
        assert row.level == level
        covered += row.difference_low <= -0.7 <= row.difference_high
    assert covered >= binom.ppf(0.005, 100, 0.95)


def test_replicates_of_one_meta_seed_do_not_vouch_for_another():
    rng = np.random.default_rng(4)
    runs = synthetic(rng, 6, 50, between=1.0)
    as_if_one = runs.assign(replicate=runs.meta_seed * 50 + runs.replicate, meta_seed=0)
    two, one = (paired(t, "loss").loc["sine"] for t in (runs, as_if_one))
    assert_allclose(two.difference, one.difference)
    assert two.difference_high - two.difference_low > 4 * (one.difference_high - one.difference_low)
    assert two.p >= 2**-5 > one.p  # six meta-seeds cannot say more


@pytest.mark.parametrize(("meta_seeds", "replicates"), [(1, 30), (12, 2)])
def test_p_values_are_uniform_where_there_is_no_difference(meta_seeds, replicates):
    rng = np.random.default_rng(5)
    others = [f"other {i}" for i in range(10)]
    p = []
    for _ in range(25):
        losses = synthetic(rng, meta_seeds, replicates, variants=("mix", *others))
        shared = losses.variant != "mix"
        losses.loc[shared, "loss"] = rng.lognormal(size=shared.sum())
        losses.loc[~shared, "loss"] = 1.0  # a constant: the comparisons with it are independent
        p.append(paired(losses, "loss", resamples=10)["p"])
    assert kstest(np.concatenate(p), "uniform").pvalue > 0.01


def test_pairs_are_compared_by_the_mean_of_their_logarithms():
    rng = np.random.default_rng(6)
    a, b, c = rng.lognormal(size=(3, 20))
    result = paired(table({"b": b, "mix": a, "c": c}), "loss")
    assert list(result.index) == ["b", "c"]
    assert set(result.level) == {"replicates"}
    for other, x in {"b": b, "c": c}.items():
        d = np.log(a / x)
        row = result.loc[other]
        assert (row.meta_seeds, row.pairs, row.excluded) == (1, 20, 0)
        assert_allclose([row.difference, row.wins, row.p], [d.mean(), (d < 0).mean(), wilcoxon(d).pvalue])
        assert row.difference_low < row.difference < row.difference_high
    assert_allclose(result.p_holm, holm(result.p))


def test_the_luck_that_a_pair_shares_cancels():
    luck = np.random.default_rng(7).lognormal(0, 3, size=40)
    row = paired(table({"mix": 0.9 * luck, "sine": luck}), "loss").loc["sine"]
    assert_allclose(row[["difference", "difference_low", "difference_high"]].astype(float), np.log(0.9))
    assert row.wins == 1
    assert row.p < 1e-7


def test_a_longer_valid_time_is_better():
    row = paired(table({"mix": [5.0, 6, 9], "sine": [4.0, 7, 5]}, name="time"), "time", scale="linear").loc["sine"]
    assert_allclose([row.difference, row.wins], [(1 - 1 + 4) / 3, 2 / 3])


def test_over_several_meta_seeds_the_test_takes_their_means():
    rng = np.random.default_rng(8)
    a, b = rng.lognormal(size=(2, 7, 9))
    row = paired(table({"mix": a, "sine": b}), "loss").loc["sine"]
    d = np.log(a / b)
    assert (row.level, row.meta_seeds, row.pairs) == ("meta-seeds", 7, 63)
    assert_allclose([row.difference, row.wins, row.p], [d.mean(), (d < 0).mean(), wilcoxon(d.mean(1)).pvalue])


def test_what_diverged_is_counted_ranks_last_and_stays_out_of_the_means():
    losses = table({"sine": [1.0, 2, NAN, 3, 5], "mix": [2.0, INF, 1, NAN, 4]}, diverged={("sine", 0, 4), ("mix", 0, 3)})
    summary = summarize(losses, "loss")
    assert list(summary.diverged) == [2, 2]  # flagged or not finite; one is both
    assert list(summary["median"]) == [3, 4]
    assert_allclose(summary["mean"], [2, 7 / 3])
    assert_allclose(summary.geometric_mean, [6 ** (1 / 3), 2])
    row = paired(losses, "loss").loc["sine"]
    assert (row.pairs, row.excluded) == (5, 4)
    assert_allclose([row.difference, row.wins], [np.log(2), 2 / 5])
    assert_allclose(row.p, wilcoxon([1.0, 9, -9, 9, -9]).pvalue)


def test_a_variant_that_diverges_more_often_than_not_has_an_infinite_median():
    losses = table({"mix": [1.0, INF, INF], "sine": [INF, INF, INF], "tanh": [1.0, 2, 3]})
    summary = summarize(losses, "loss")
    assert list(summary["median"]) == [INF, INF, 2]
    assert list(summary["mean"].isna()) == [False, True, False]
    assert list(summary.geometric_mean_low.isna()) == [True, True, False]
    result = paired(losses, "loss")
    assert list(result.excluded) == [3, 2]
    assert np.isnan(result.loc["sine", "difference"])
    assert result.loc["sine", "wins"] == pytest.approx(1 / 3)  # two that both diverged are no win
    assert result.loc["sine", "p"] == 1
    times = table({"mix": [1.0, NAN, INF]}, name="time")
    assert summarize(times, "time", scale="linear").loc["mix", "median"] == -INF


def test_a_meta_seed_of_which_nothing_is_left_ranks_against_what_diverged():
    rng = np.random.default_rng(9)
    base = rng.lognormal(size=(7, 4))
    mix = base * np.exp(-0.1 * np.arange(1, 8)[:, None])
    mix[3], base[5] = INF, INF
    row = paired(table({"mix": mix, "sine": base}), "loss").loc["sine"]
    assert row.excluded == 8
    assert_allclose(row.p, wilcoxon([-0.1, -0.2, -0.3, 9, -0.5, -9, -0.7]).pvalue)
    assert_allclose(row.difference, -0.1 * np.mean([1, 2, 3, 5, 7]))


def test_pairs_that_both_diverged_say_nothing_about_the_difference():
    x = np.random.default_rng(17).lognormal(size=20)
    x[:8] = INF
    row = paired(table({"mix": x / 2, "sine": x}), "loss").loc["sine"]
    assert_allclose([row.difference, row.difference_low, row.difference_high], -np.log(2))
    assert row.p == wilcoxon(-np.ones(12)).pvalue


@pytest.mark.parametrize("shape", [(1, 20), (5, 4)])
def test_identical_variants_do_not_differ(shape):
    x = np.random.default_rng(10).lognormal(size=shape)
    x[:, 1::2] = INF
    row = paired(table({"mix": x, "sine": x}), "loss").loc["sine"]
    assert list(row[["difference", "difference_low", "difference_high", "wins"]]) == [0, 0, 0, 0]
    assert row.p == row.p_holm == 1


def test_the_order_of_the_rows_and_other_variants_change_nothing():
    losses = synthetic(np.random.default_rng(11), 4, 6, variants=("mix", "sine", "tanh"))
    shuffled = losses.sample(frac=1, random_state=0)
    for function in (summarize, paired):
        expected = function(losses, "loss")
        assert_frame_equal(function(shuffled, "loss").loc[expected.index], expected)
        fewer = function(losses[losses.variant != "tanh"], "loss")
        assert_frame_equal(
            fewer.drop(columns="p_holm", errors="ignore"),
            expected.loc[fewer.index, fewer.columns.drop("p_holm", errors="ignore")],
        )


def test_the_same_seed_gives_the_same_interval_and_another_a_slightly_different_one():
    losses = synthetic(np.random.default_rng(12), 5, 10)
    first, again, other = (paired(losses, "loss", seed=seed).loc["sine"] for seed in (0, 0, 1))
    assert first.difference_low == again.difference_low != other.difference_low
    assert abs(first.difference_low - other.difference_low) < 0.2 * (first.difference_high - first.difference_low)


def test_a_higher_confidence_asks_for_a_wider_interval():
    losses = synthetic(np.random.default_rng(13), 1, 40)
    narrow, wide = (paired(losses, "loss", confidence=c).loc["sine"] for c in (0.5, 0.99))
    assert wide.difference_low < narrow.difference_low < narrow.difference_high < wide.difference_high


def test_meta_seeds_may_have_different_numbers_of_replicates():
    losses = synthetic(np.random.default_rng(14), 4, 9)
    losses = losses[(losses.meta_seed != 2) | (losses.replicate < 3)]
    summary, row = summarize(losses, "loss"), paired(losses, "loss").loc["sine"]
    assert list(summary["n"]) == [30, 30]
    assert (row.pairs, row.excluded) == (30, 0)
    logs = np.log(losses.pivot(index=["meta_seed", "replicate"], columns="variant", values="loss"))
    assert_allclose(row.difference, (logs["mix"] - logs["sine"]).mean())
    assert row.difference_low < row.difference < row.difference_high


def test_a_meta_seed_of_few_replicates_weighs_as_few_in_a_resample_too():
    times = table({"mix": [[0.0] * 40, [1.0] * 40]}, name="time")
    times = times[(times.meta_seed == 1) | (times.replicate < 2)]
    row = summarize(times, "time", scale="linear", confidence=0.1).loc["mix"]
    # one of each is drawn half of the time: the middle fifth of all resamples
    assert_allclose([row["mean"], row.mean_low, row.mean_high], 40 / 42)


def test_one_replicate_has_no_interval():
    losses = table({"mix": [1.0], "sine": [2.0]})
    assert summarize(losses, "loss")[["mean_low", "median_high"]].isna().all(axis=None)
    row = paired(losses, "loss").loc["sine"]
    assert_allclose([row.difference, row.p], [-np.log(2), 1])
    assert np.isnan(row.difference_low)


@pytest.mark.parametrize("rest", [np.full(9, INF), np.full((4, 9), INF)])
def test_what_one_survivor_leaves_has_no_interval(rest):
    rest[(0,) * rest.ndim] = 1.0
    losses = table({"mix": rest, "sine": np.ones_like(rest)})
    mix, row = summarize(losses, "loss").loc["mix"], paired(losses, "loss").loc["sine"]
    assert (mix["mean"], row.difference, row.excluded) == (1, 0, rest.size - 1)
    assert np.isnan([mix.mean_low, mix.geometric_mean_high, row.difference_low, row.difference_high]).all()


def test_holm_agrees_with_an_example_worked_by_hand():
    # sorted .005 .01 .03 .04 times 4 3 2 1: .02 .03 .06 .04, of which the last may not fall below .06
    assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    assert_allclose(holm([0.6, 0.01, NAN, 0.7]), [1, 0.03, NAN, 1])
    assert len(holm([])) == 0
    with pytest.raises(InputError, match="within"):
        holm([0.2, 1.2])


def test_holm_keeps_the_family_wise_error():
    p = np.random.default_rng(16).random((2000, 5))
    false_alarms = sum((holm(row) < 0.05).any() for row in p)
    assert binom.ppf(0.001, 2000, 0.05) <= false_alarms <= binom.ppf(0.999, 2000, 0.05)  # independent: 1 - .99^5 = .049


@pytest.mark.parametrize("function", [summarize, paired])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop(columns="replicate"), "lacks the column 'replicate'"),
        (lambda t: t.drop(columns="diverged"), "lacks the column 'diverged'"),
        (lambda t: t.rename(columns={"loss": "valid_time"}), "no measure 'loss'.*valid_time"),
        (lambda t: t.assign(loss="small"), "no measure 'loss'"),
        (lambda t: t.assign(diverged=None), "True or False"),
        (lambda t: t.assign(meta_seed=NAN), "meta_seed"),
        (lambda t: t.assign(loss=t.loss - 1), "not positive"),
        (lambda t: t[:0], "needs rows"),
        (lambda t: pd.concat([t, t[:1]]), "replicate 0 of meta-seed 0 appears twice for 'mix'"),
    ],
)
def test_a_table_that_says_nothing_is_refused(function, change, said):
    losses = table({"mix": [1.0, 2], "sine": [2.0, 3]})
    with pytest.raises(InputError, match=said):
        function(change(losses), "loss")


def test_what_cannot_be_compared_is_refused():
    losses = table({"mix": [1.0, 2], "sine": [2.0, 3]})
    for arguments, said in (
        ({"reference": "tanh"}, "no variant 'tanh'.*mix, sine"),
        ({"scale": "cubic"}, "'log' or 'linear'"),
        ({"confidence": 95}, "confidence=95"),
        ({"resamples": 0}, "resamples=0"),
    ):
        with pytest.raises(InputError, match=said):
            paired(losses, "loss", **arguments)
    with pytest.raises(InputError, match="not paired: 'sine' lacks 1"):
        paired(losses[:-1], "loss")
    with pytest.raises(InputError, match="not paired: 'mix' lacks 1"):
        paired(losses[1:], "loss")
    with pytest.raises(InputError, match="no other variant"):
        paired(losses[:2], "loss")
