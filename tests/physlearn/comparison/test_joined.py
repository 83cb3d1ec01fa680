"""Meta-seeds, or variants, that were compared apart are the same as if they had been compared together."""

import pandas as pd
import pytest
import torch

from physlearn import compare, tasks
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison import beside, compare_apart, joined
from physlearn.comparison.compare import APART
from physlearn.jobs import Workers
from systems import InputError

QUICK = {"replicates": 2, "epochs": 1, "forecast": False, "progress": False, "variants": {"tanh": "tanh"}}


@pytest.fixture(scope="module")
def task():
    return tasks.get("van-der-pol", orbits=5)


@pytest.fixture(scope="module")
def learned():
    x = torch.linspace(-10, 10, 100)
    return [LearnedActivations(torch.stack([x.sin() + bend * x.tanh(), x.sin()]), "sine", "by hand") for bend in (0.1, 0.4)]


def test_meta_seeds_apart_are_the_same_as_together(task, learned):
    settings = {**QUICK, "learning_rates": (1e-3, 1e-2), "tuning_replicates": 1}
    together = compare(task, learned, **settings)
    apart = joined([compare(task, one, seed=APART * k, **settings) for k, one in enumerate(learned)])
    pd.testing.assert_frame_equal(apart.table, together.table)
    pd.testing.assert_frame_equal(apart.curves.drop(columns="seconds"), together.curves.drop(columns="seconds"))
    timed = {"seconds"}
    for name, told in together.settings["variants"].items():
        assert {**apart.settings["variants"][name], **dict.fromkeys(timed)} == {**told, **dict.fromkeys(timed)}
    assert set(apart.settings["variants"]) == set(together.settings["variants"])
    assert apart.settings["learned"] == together.settings["learned"]
    assert apart.settings["seeds"] == [0, APART]


def test_processes_that_share_meta_seeds_give_the_same(task, learned):
    together = compare(task, learned, tuned=False, **QUICK)
    shared = compare_apart(task, learned, workers=Workers(2), tuned=False, **QUICK)
    pd.testing.assert_frame_equal(shared.table, together.table)
    assert shared.settings["variants"].keys() == together.settings["variants"].keys()
    with pytest.raises(InputError, match="as many single types"):
        compare_apart(task, learned, learned[:1], workers=Workers(2), tuned=False, **QUICK)


def test_what_does_not_belong_together_is_refused(task, learned):
    first = compare(task, learned[0], tuned=False, **QUICK)
    with pytest.raises(InputError, match="the same variants"):
        joined([first, compare(task, tuned=False, **QUICK)])
    with pytest.raises(InputError, match="the same training"):
        joined([first, compare(task, learned[1], tuned=False, **{**QUICK, "epochs": 2})])
    with pytest.raises(InputError, match="no comparison"):
        joined([])


def test_variants_apart_are_the_same_as_together(task, learned):
    settings = {**QUICK, "tuned": False}
    together = compare(task, learned[0], **{**settings, "variants": {"tanh": "tanh", "relu": "relu"}})
    apart = beside([compare(task, learned[0], **settings), compare(task, **{**settings, "variants": {"relu": "relu"}})])
    pd.testing.assert_frame_equal(apart.table, together.table)
    assert list(apart.settings["variants"]) == list(together.settings["variants"])
    assert apart.reference == "mix"
    assert apart.summary().loc["relu", "difference"] == together.summary().loc["relu", "difference"]


def test_variants_whose_networks_are_others_are_refused(task):
    first = compare(task, tuned=False, **QUICK)
    others = {"variants": {"relu": "relu"}}
    with pytest.raises(InputError, match="is in two"):
        beside([first, first])
    for change in ({"seed": 1}, {"replicates": 3}, {"epochs": 2}):
        with pytest.raises(InputError, match=f"the same ({'|'.join([*change, 'training'])})"):
            beside([first, compare(task, tuned=False, **{**QUICK, **others, **change})])
    with pytest.raises(InputError, match="no comparison"):
        beside([])


def test_a_variant_may_lack_meta_seeds_but_have_none_of_its_own(task):
    one, other = (compare(task, tuned=False, **{**QUICK, "seed": seed}) for seed in (0, APART))
    relu = compare(task, tuned=False, **{**QUICK, "variants": {"relu": "relu"}})
    together = beside([joined([one, other]), relu])
    assert together.networks == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert set(together.table.loc[together.table["variant"] == "relu", "meta_seed"]) == {0}
    with pytest.raises(InputError, match="or more"):
        beside([relu, joined([one, other])])
