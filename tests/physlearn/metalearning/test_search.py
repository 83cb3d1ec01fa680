"""The search for activations: its parts against plain training, and whole searches that are small."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch

import physlearn
from physlearn import LearnedActivations, tasks
from physlearn.activations import Mixture, Table, named
from physlearn.metalearning import combinations as combos
from physlearn.metalearning.halving import Candidate, best_rates, halve
from physlearn.metalearning.polish import bent, polish, stretched
from physlearn.metalearning.pool import DICTIONARY, pool_of
from physlearn.metalearning.search import DECIDING, effort
from physlearn.metalearning.search_settings import SearchSettings
from physlearn.metalearning.trials import Trials
from systems import InputError

SMALL = {"candidates": 64, "outer_steps": 3, "inner_steps": 20, "networks": 4, "progress": False}
X = torch.linspace(-12, 12, 241, dtype=torch.float64)


@pytest.fixture(scope="module")
def task():
    return replace(tasks.get("van-der-pol", orbits=5), hidden=(6,))


@pytest.fixture(scope="module")
def found(task):
    return physlearn.metalearn(task, variant="search", seed=3, **SMALL)


def test_the_pool_begins_with_the_named_functions_and_random_ones_have_the_amplitudes_that_are_told():
    pool = pool_of(X, 800, torch.Generator().manual_seed(0))
    inside = X.abs() < 3
    for name, values in zip(DICTIONARY, pool.values, strict=False):
        assert torch.equal(values[inside], named.find(name).value(X)[inside])
    assert pool.values.isfinite().all()
    assert len(pool.names) == len(pool.values) == len(DICTIONARY) + 800
    drawn = pool.values[len(DICTIONARY) :].view(100, 2, 4, 241)
    spread = drawn.square().mean((0, 2, 3)).sqrt()
    assert spread.tolist() == pytest.approx([1.0, 3.0], rel=0.05)
    slopes = (drawn[..., 2:] - drawn[..., :-2]) / (X[2] - X[0])
    wanted = [amplitude / length for amplitude in (1, 3) for length in (0.7, 1.0, 1.5, 2.5)]  # of a Gaussian process
    assert slopes.square().mean((0, 3)).sqrt().flatten().tolist() == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize("types", [1, 2, 3])
def test_combinations_are_as_many_as_asked_and_no_two_are_the_same(types):
    sizes = combos.shares(256, types)
    assert len(sizes) == types
    assert sum(sizes) == 256
    assert sizes == sorted(sizes)
    pool, generator = pool_of(X, 100, torch.Generator().manual_seed(0)), torch.Generator().manual_seed(1)
    smaller = [tuple(range(k, k + types)) for k in range(20, 24)]
    members = combos.extended(pool, smaller, types + 1, 150, generator)
    assert len(members) == len(set(members)) == 150
    assert all(len(set(own)) == types + 1 and list(own) == sorted(own) for own in members)
    if types == 1:
        assert set(combinations(range(len(DICTIONARY)), 2)) <= set(members)


def test_a_score_is_the_mean_log_held_out_loss_of_networks_that_are_trained_one_by_one(task):
    settings = SearchSettings(inner_steps=30, networks=3, batch_size=50)
    trials = Trials([task], settings, seed=5)
    values = torch.stack([X.sin(), X.tanh()])
    (score,) = trials.score(values[None], [0.05], 30, 3).tolist()

    trainer, pairs = trials._trials[0]._trainer(30), task.pairs("meta-training")
    losses = []
    for seed in range(5 * 10**7, 5 * 10**7 + 3):
        generator = torch.Generator().manual_seed(seed)
        weights = trainer.inner.layout.draw(1, generator, torch.float32)[0]
        order = torch.cat([torch.randperm(len(pairs), generator=generator)[: len(pairs) // 50 * 50] for _ in range(9)])
        model = task.network(Mixture([Table(row.float(), (-12.0, 12.0)) for row in values]))
        model.standardize(pairs.z, pairs.target)
        with torch.no_grad():
            for parameter, part in zip(
                model.parameters(), weights.split([p.numel() for p in model.parameters()]), strict=True
            ):
                parameter.copy_(part.view_as(parameter))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        for step, rows in enumerate(order.split(50)[:30]):
            optimizer.param_groups[0]["lr"] = 0.05 * (1 + math.cos(math.pi * step / 30)) / 2
            optimizer.zero_grad()
            (model(pairs.z[rows]) - pairs.rate[rows]).square().mean().backward()
            optimizer.step()
        held_out = task.pairs("meta-validation").first(1000)
        with torch.no_grad():
            losses.append(float((model(held_out.z) - held_out.rate).square().mean().log()))
    assert score == pytest.approx(sum(losses) / 3, abs=2e-3)


def test_a_network_that_diverges_makes_the_score_infinite(task):
    trials = Trials([task], SearchSettings(inner_steps=20, networks=2), seed=0)
    values = torch.stack([X**3, X.sin()])[:, None]
    broken, sound = trials.score(values, [1e20, 0.01], 20, 2).tolist()
    assert broken == math.inf
    assert math.isfinite(sound)


def test_halving_keeps_the_best_and_always_one_named_combination(task):
    class Known(Trials):
        """Scores that follow from the values alone, so that the best candidate is known."""

        def _computed(self, values, rates, steps, seeds):
            return (values[:, 0, 150] - 0.5).abs().double() + 0.01 * (torch.tensor(rates).log() + 2).abs()

    pool = pool_of(X, 60, torch.Generator().manual_seed(0))
    ends = halve(Known([task], SearchSettings(), seed=0), pool, combos.singles(pool, 71))
    miss = (pool.values[:, 150] - 0.5).abs()
    assert ends[0].name == pool.names[int(miss.argmin())]
    (best,) = [one for one in ends if one.named][:1]
    assert best.name == DICTIONARY[int(miss[: len(DICTIONARY)].argmin())]
    assert ends == sorted(ends, key=lambda one: one.score)
    again = best_rates(Known([task], SearchSettings(), seed=0), ends[:1], (0.5, 1.0), 10, 2)[0]
    assert again.rate == min((0.5 * ends[0].rate, ends[0].rate), key=lambda rate: abs(math.log(rate) + 2))


def test_stretching_and_bending_are_what_they_are_called():
    start = Candidate("sine", X.sin()[None], 0.1)
    p = np.log([2.0, 3.0, 1.5])
    one = stretched(start, (-12.0, 12.0), p)
    inside = X.abs() < 5
    assert torch.allclose(one.values[0, inside], 3 * (2 * X[inside]).sin(), atol=1e-4)
    assert one.rate == pytest.approx(0.1 * 1.5**3)
    heights = np.zeros(18)
    heights[8] = 1.0  # of the bump at 0
    two = bent(start, (-12.0, 12.0), heights)
    spread = X.sin()[X.abs() < 3].std()
    assert torch.allclose(two.values[0], X.sin() + spread * (-((X / 0.75) ** 2) / 2).exp())
    assert two.rate == 0.1


def test_polishing_descends_on_a_known_score(task):
    class Known(Trials):
        """The distance to sin(2 x)."""

        def _computed(self, values, rates, steps, seeds):
            return (values[:, 0, 100:141] - (2 * X[100:141]).sin()).square().mean(1).log()

    start = Candidate("sine", (1.4 * X).sin()[None], 0.1)
    one, _ = polish(Known([task], SearchSettings(), seed=0), start, 60, seed=1)
    assert one.name == "sine, stretched"
    assert not one.named
    assert float((one.values[0, 100:141] - (2 * X[100:141]).sin()).abs().max()) < 0.05


def test_a_search_finds_types_and_tells_how(found, tmp_path):
    assert isinstance(found, LearnedActivations)
    assert len(found) == 2
    assert found.settings["variant"] == "search"
    assert found.settings["network_steps"] > 0
    scores = [score for _, _, score in found.settings["finalists"]]
    assert scores[:DECIDING] == sorted(scores[:DECIDING])
    assert scores[DECIDING:] == sorted(scores[DECIDING:])
    assert found.settings["found"] == found.settings["finalists"][0][0]
    assert all(part in DICTIONARY for part in found.base.split("+"))
    assert list(found.losses["stage"][:1]) == ["pairs"]
    assert len(found.history) == len(found.losses)
    found.save(tmp_path / "found.safetensors")
    again = LearnedActivations.load(tmp_path / "found.safetensors")
    assert torch.equal(again.values, found.values)
    assert again.base == found.base


def test_what_two_searches_find_is_compared_with_the_best_named_functions_of_each(task, found):
    other = replace(found, base="tanh", settings={**found.settings, "seed": 4})
    how = {"replicates": 1, "epochs": 1, "tuned": False, "forecast": False, "progress": False, "variants": {"relu": "relu"}}
    result = physlearn.compare(task, [found, other], **how)
    assert list(result.table["variant"].unique()) == ["best named", "type 1", "type 2", "mix", "relu"]
    told = [result.settings["variants"][f"best named ({k})"]["activation"] for k in range(2)]
    assert told[1] == "tanh"
    assert told[0] != told[1]


def test_the_same_seed_finds_the_same_and_a_stopped_search_resumes(task, found, tmp_path, monkeypatch):
    monkeypatch.setattr("physlearn.metalearning.search.SAVED", 0.0)
    path, count = tmp_path / "search.checkpoint", 0
    computed = Trials._computed

    def stopping(self, *arguments):
        nonlocal count
        count += 1
        if count == 6:
            raise KeyboardInterrupt
        return computed(self, *arguments)

    monkeypatch.setattr(Trials, "_computed", stopping)
    with pytest.raises(KeyboardInterrupt):
        physlearn.metalearn(task, variant="search", seed=3, checkpoint=path, **SMALL)
    again = physlearn.metalearn(task, variant="search", seed=3, checkpoint=path, **SMALL)
    assert torch.equal(again.values, found.values)
    assert again.settings == found.settings
    calls = count
    assert physlearn.metalearn(task, variant="search", seed=3, checkpoint=path, **SMALL).settings == found.settings
    assert count == calls  # all scores were in the checkpoint


def test_the_score_of_several_tasks_is_the_mean_over_them_relative_to_the_median(task):
    """A task whose losses are far apart counts no more than a factor of ten."""
    other = replace(tasks.get("system", orbits=5), hidden=(6,))
    settings = SearchSettings(inner_steps=20, networks=2)
    values, rates = torch.stack([X.sin(), X.tanh(), X])[:, None], [0.01, 0.01, 0.01]
    each = np.array([Trials([one], settings, seed=1).score(values, rates, 20, 2).tolist() for one in (task, other)])
    wanted = np.clip(each - np.median(each, axis=1, keepdims=True), -np.log(10), np.log(10)).mean(0)
    trials = Trials([task, other], settings, seed=1)
    np.testing.assert_allclose(trials.score(values, rates, 20, 2).numpy(), wanted, atol=1e-12)
    assert trials.network_steps == 2 * 3 * 2 * 20


def test_a_search_finds_one_pair_for_several_tasks(task):
    other = replace(tasks.get("system", orbits=5), hidden=(6,))
    found = physlearn.metalearn([task, other], variant="search", seed=3, **SMALL)
    assert found.task == "2 tasks"
    assert found.settings["tasks"] == [task.name, other.name]
    assert found.settings["model"] == "hnn and nn"
    assert torch.equal(physlearn.metalearn([task, other], variant="search", seed=3, **SMALL).values, found.values)


def test_several_tasks_need_a_search_and_must_be_tasks(task):
    with pytest.raises(InputError, match="only a search learns from 2 tasks together"):
        physlearn.metalearn([task, task], variant="unrolled")
    for wrong in ([], [task, "van-der-pol"], None):
        with pytest.raises(InputError, match="needs a task, such as"):
            physlearn.metalearn(wrong)


@pytest.mark.parametrize("variant", ["screening", "random-search"])
@pytest.mark.parametrize("types", [1, 3])
def test_the_controls_search_without_polishing(task, variant, types):
    found = physlearn.metalearn(task, variant=variant, types=types, seed=[0, 1], **SMALL)
    assert [len(one) for one in found] == [types, types]
    assert not any("bent" in name or "stretched" in name for one in found for name, *_ in one.settings["finalists"])
    assert found[0].settings["finalists"] != found[1].settings["finalists"]


def test_the_best_named_pair_is_one_of_all_pairs_of_named_functions(task):
    found = physlearn.metalearn(task, variant="named", **SMALL)
    assert found.settings["found"] == found.base
    assert all(part in DICTIONARY for name, *_ in found.settings["finalists"] for part in name.split("+"))


@pytest.mark.parametrize("types", [1, 2])
def test_one_type_two_types_and_random_search_have_the_same_effort(task, types):
    spent = [
        physlearn.metalearn(task, variant=variant, types=types, **SMALL).settings["network_steps"]
        for variant in ("search", "random-search")
    ]
    assert spent[0] == pytest.approx(effort(SearchSettings(types=2, **{k: v for k, v in SMALL.items() if k != "progress"}),
                                            steps=True), rel=0.1)  # fmt: skip
    assert spent[1] == pytest.approx(spent[0], rel=0.1)


def test_the_number_of_types_is_that_of_the_finalist_with_the_least_held_out_loss(task):
    found = physlearn.metalearn(task, variant="search", types=2, fewest=1, seed=3, **SMALL)
    names = [name.split(",")[0] for name, *_ in found.settings["finalists"]]
    assert {name.count("+") for name in names} == {0, 1}
    assert sum("bent" in name for name, *_ in found.settings["finalists"]) == 2  # the best of each number is polished
    assert len(found) == len(found.base.split("+")) == 1 + names[0].count("+")
    settings = SearchSettings(types=2, fewest=1, **{k: v for k, v in SMALL.items() if k != "progress"})
    assert found.settings["network_steps"] == pytest.approx(effort(settings, steps=True), rel=0.1)


@pytest.mark.slow
def test_two_types_are_chosen_for_a_pendulum_and_one_for_a_cubic_energy():
    """H = p^2/2 + 1 - cos q needs two functions; the energy of Henon-Heiles is a polynomial that cubes alone represent."""
    for system, types in (("pendulum", 2), ("henon-heiles", 1)):
        task = tasks.get("system", system=system, hidden=(8,), seed=2026)
        found = physlearn.metalearn(task, variant="search", fewest=1, seed=2026, progress=False)
        assert len(found) == types


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"types": 0}, "types must be at least 1"),
        ({"types": 9}, "at most 8 types"),
        ({"base": "tanh"}, "a search has no setting 'base'"),
        ({"learning_rates": (0.1, -1)}, "positive numbers"),
        ({"inner_steps": 1.5}, "whole number"),
        ({"interval": (3, -3)}, "lower one first"),
        ({"fewest": 3}, "from 1 to the number of types, 2, not 3"),
        ({"fewest": 0}, "from 1 to"),
    ],
)
def test_a_wrong_setting_gets_one_sentence(task, wrong, says):
    with pytest.raises(InputError, match=says):
        physlearn.metalearn(task, variant="search", **wrong)


def test_the_number_of_types_is_chosen_by_searches_that_screen_and_for_one_task(task):
    for variant in ("named", "random-search"):
        with pytest.raises(InputError, match=f"'{variant}' finds a given number of types"):
            physlearn.metalearn(task, variant=variant, fewest=1, **SMALL)
    with pytest.raises(InputError, match="chosen for one task, not for 2"):
        physlearn.metalearn([task, task], variant="search", fewest=1, **SMALL)


def test_a_search_is_no_stage_and_every_variant_is_listed(task):
    with pytest.raises(InputError, match="'search' is a search of metalearn, not a stage"):
        physlearn.metalearn(task, stages=[{"variant": "search"}])
    with pytest.raises(KeyError, match="choose one of search, screening, named, random-search, unrolled"):
        physlearn.metalearn(task, variant="serch")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2026, 2027])
def test_the_search_finds_the_pair_of_the_pendulum_and_beats_every_control(seed):
    """H = p^2/2 + 1 - cos q needs a square and a sine; four neurons have no room for less suited functions."""
    task = tasks.get("system", system="pendulum", hidden=(4,), seed=seed)
    pair = physlearn.metalearn(task, variant="search", seed=seed, progress=False)
    single = physlearn.metalearn(task, variant="search", types=1, seed=seed, progress=False)
    variants = {"single": single.mix, "sine+square": "sine+square", **{name: name for name in DICTIONARY}}
    result = physlearn.compare(task, variants={"pair": pair.mix, **variants}, replicates=30, forecast=False, progress=False)
    mean = result.table["loss"].map(math.log).groupby(result.table["variant"]).mean()
    assert mean["pair"] < mean[["single", *DICTIONARY]].min() - math.log(3)
    assert mean["pair"] < mean["sine+square"] + math.log(3)
