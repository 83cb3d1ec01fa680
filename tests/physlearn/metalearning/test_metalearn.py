import dataclasses
import inspect
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import physlearn
from physlearn import LearnedActivations, metalearn, tasks
from physlearn.metalearning import TWO_STAGE, VARIANTS, MetaLearning
from physlearn.metalearning.metalearn import stages_of
from physlearn.training.loss import derivative_loss
from systems import InputError, UnknownNameError


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"typs": 3}, "no setting 'typs'"),
        ({"types": 0}, "types must be a positive whole number"),
        ({"types": 2.5}, "types must be a positive whole number"),
        ({"types": "2"}, "types must be a positive whole number"),
        ({"outer_steps": 0}, "outer_steps"),
        ({"variant": "two-stage", "outer_steps": 0}, "outer_steps"),
        ({"variant": "two-stage", "outer_steps": -5}, "outer_steps"),
        ({"variant": "two-stage", "outer_steps": 1}, "at least 2"),
        ({"stages": []}, "list of settings, one mapping per stage"),
        ({"stages": {"variant": "evolution"}}, "list of settings, one mapping per stage"),
        ({"stages": [{"typs": 3}]}, "no setting 'typs'"),
        ({"stages": [{"types": 2}, {"types": 3}]}, "must not differ in types"),
        ({"stages": [{}, {}], "variant": "two-stage"}, "either the variant or stages"),
        ({"stages": [{}, {}, {}], "outer_steps": 2}, "at least 3"),
        ({"inner_steps": -1}, "inner_steps"),
        ({"variant": "two-stage", "inner_steps": 0}, "inner_steps"),
        ({"networks": 0}, "networks"),
        ({"width": 0}, "width"),
        ({"gain": 0}, "gain must be positive"),
        ({"points": 4}, "at least 5"),
        ({"interval": (12, -12)}, "interval"),
        ({"interval": (-math.inf, 1)}, "interval"),
        ({"interval": 3}, "interval"),
        ({"parity": True, "interval": (-12, 11)}, "symmetric"),
        ({"batch_size": 0}, "batch_size"),
        ({"inner_learning_rate": 0}, "inner_learning_rate"),
        ({"inner_learning_rate": (2, 1)}, "inner_learning_rate"),
        ({"inner_learning_rate": (1, 2, 3)}, "inner_learning_rate"),
        ({"inner_learning_rate": "fast"}, "inner_learning_rate"),
        ({"inner_learning_rate": math.nan}, "inner_learning_rate"),
        ({"learn_inner_rate": True, "variant": "first-order"}, "inner learning rate"),
        ({"learn_inner_rate": True, "inner_learning_rate": (1e-3, 1e-2)}, "must be a single number"),
        ({"lifetime": (9, 3)}, "lifetime"),
        ({"lifetime": 9}, "lifetime"),
        ({"schedule": "linear"}, "schedule"),
        ({"schedule": "cosine", "lifetime": (3, 9)}, "lets networks continue"),
        ({"tail": 0}, "tail"),
        ({"tail": 1.5}, "tail"),
        ({"window": 0}, "window"),
        ({"outer_learning_rate": math.nan}, "outer_learning_rate"),
        ({"outer_options": {"foo": 1}}, "outer_options"),
        ({"outer_options": {"betas": (2, 2)}}, "outer_options"),
        ({"clip": 0}, "clip"),
        ({"clip": "long"}, "clip"),
        ({"smoothing": 0}, "smoothing"),
        ({"pairs": 0}, "pairs"),
        ({"space": "time"}, "space"),
        ({"sigma": 0}, "sigma"),
        ({"windows": ()}, "windows"),
        ({"windows": ((0.5, 0.2),)}, "windows"),
        ({"windows": ((0.5, 1.2),)}, "windows"),
        ({"windows": (0.1, 0.2)}, "windows"),
        ({"seed": []}, "seed"),
        ({"seed": [1, 1]}, "different from each other"),
        ({"seed": "12"}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": 2**50}, "seed"),
        ({"checkpoint": "/nowhere/at/all/file"}, "no folder"),
        ({"base": "sine+square+tanh"}, "base has 3 functions for 2 types"),
        ({"base": ()}, "base has 0 functions for 2 types"),
        ({"base": ("sine", "square"), "types": 3}, "base has 2 functions for 3 types"),
        ({"base": 3}, "base must be the name of a function"),
        ({"base": ["sine", 3]}, "base must be the name of a function"),
        ({"stages": [{"base": "sine+square"}, {"base": "square+sine"}]}, "must not differ in base"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_in_one_sentence(wrong, message, task, settings):
    with pytest.raises(InputError, match=message) as raised:
        metalearn(task, **{**settings, **wrong})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("wrong", "known"),
    [
        ({"variant": "third-order"}, "unrolled"),
        ({"base": "sien"}, "sine"),
        ({"base": "sine+sien"}, "tanh"),
        ({"base": ["sine", ""]}, "tanh"),
        ({"inner_optimizer": "adm"}, "adam"),
        ({"outer_optimizer": "LBFGS"}, "adam"),
        ({"outer_optimizer": "SparseAdam"}, "adam"),
    ],
    ids=str,
)
def test_an_unknown_name_is_a_key_error_that_lists_the_names(wrong, known, task, settings):
    with pytest.raises(UnknownNameError, match=known) as raised:
        metalearn(task, **{**settings, **wrong})
    assert isinstance(raised.value, KeyError)


def test_a_name_is_no_task():
    with pytest.raises(InputError, match=r"tasks\.get"):
        metalearn("van-der-pol")


def test_the_signature_is_that_of_the_contract():
    parameters = inspect.signature(physlearn.metalearn).parameters
    assert set(parameters) >= {"task", "types", "base", "variant", "outer_steps", "inner_steps", "networks", "seed"}


def test_two_stages_are_no_settings_of_one():
    with pytest.raises(InputError, match="two"):
        MetaLearning(variant="two-stage")


@pytest.mark.parametrize("variant", [*VARIANTS])
def test_every_variant_gives_finite_curves_that_moved(variant, task, settings):
    learned = metalearn(task, **{**settings, "variant": variant, "outer_learning_rate": 0.1, "examine_every": 1})
    assert isinstance(learned, LearnedActivations)
    assert len(learned) == 2
    assert learned.values.shape == (2, 100)
    assert learned.losses[["objective", "held_out", "gradient"]].map(math.isfinite).all(axis=None)
    assert abs(learned.history[-2] - learned.history[0]).max() > 1e-3  # at the start of the last step


@pytest.mark.parametrize("name", ["clip", "lifetime"])
def test_none_is_a_choice_where_it_means_something(name, task, settings):
    learned = metalearn(task, **{**settings, "variant": "two-stage", name: None})
    assert [stage[name] for stage in learned.settings["stages"]] == [None, None]


@pytest.mark.parametrize("steps", [2, 3, 10, 600])
def test_two_stages_share_out_the_outer_steps(steps):
    first, second = stages_of({"variant": "two-stage", "outer_steps": steps, "inner_steps": 33, "types": 3})
    assert first.outer_steps + second.outer_steps == steps
    assert first.outer_steps / steps == pytest.approx(400 / 600, abs=0.5 / steps + 1e-9) or steps == 2
    assert (first.inner_steps, second.inner_steps) == (TWO_STAGE[0]["inner_steps"], 33)
    assert (first.types, second.types) == (3, 3)


def test_stages_are_those_that_were_given_and_what_is_common_holds_for_all():
    parts = [{"variant": "truncated", "gain": 5.0}, {"sigma": 0.1, "outer_steps": 600}, {"variant": "first-order"}]
    chosen = {"stages": parts, "variant": "evolution", "types": 1, "gain": 2.0, "outer_steps": 12, "inner_steps": 9}
    first, second, third = stages_of(chosen)
    assert [stage.variant for stage in (first, second, third)] == ["truncated", "evolution", "first-order"]
    assert [stage.outer_steps for stage in (first, second, third)] == [3, 6, 3]
    assert [stage.inner_steps for stage in (first, second, third)] == [66, 66, 9]
    assert (first.gain, second.sigma, third.types) == (2.0, 0.1, 1)


def test_stages_go_on_from_one_another(task, settings):
    given = {name: value for name, value in settings.items() if name not in ("variant", "outer_steps", "inner_steps")}
    one = {"variant": "first-order", "outer_steps": 3, "inner_steps": 5}
    learned = metalearn(task, **given, stages=[one, {"variant": "evolution", "outer_steps": 2, "inner_steps": 4}])
    alone = metalearn(task, **given, **one)
    assert learned.settings["variant"] == "first-order + evolution"
    assert learned.losses["objective"].to_list()[:3] == alone.losses["objective"].to_list()


def test_what_a_task_wants_holds_where_nothing_else_is_given(task, settings):
    other = dataclasses.replace(task, learning={"variant": "first-order", "base": "tanh", "types": 3})
    given = {name: value for name, value in settings.items() if name != "variant"}
    learned = metalearn(other, **given, types=1)
    assert (learned.base, len(learned)) == ("tanh", 1)
    assert learned.settings["variant"] == "first-order"


def test_everything_that_decided_is_in_the_settings_and_survives_a_file(task, settings, tmp_path):
    learned = metalearn(task, **{**settings, "windows": ((0.5, 1.0),)}, seed=np.int64(4))
    learned.save(tmp_path / "file")
    again = LearnedActivations.load(tmp_path / "file")
    assert again.settings == learned.settings
    assert again.settings["seed"] == 4
    assert again.settings["stages"][0]["windows"] == [[0.5, 1.0]]
    json.dumps(learned.settings)
    restored = MetaLearning(**again.settings["stages"][0])
    assert restored.inner_steps == 4


def test_numbers_of_numpy_are_numbers(task, settings):
    plain = metalearn(task, **settings)
    same = metalearn(task, **{**settings, "inner_steps": np.int64(4), "inner_learning_rate": np.float64(1e-2)})
    assert_close(same.values, plain.values, rtol=0, atol=0)


def test_types_begin_apart_and_as_sub_networks_on_their_base(task, settings):
    learned = metalearn(task, **{**settings, "outer_steps": 1, "base": "zero", "gain": 1e-9, "variant": "first-order"})
    assert learned.history[0].max() < 1e-6
    learned = metalearn(task, **{**settings, "outer_steps": 1})
    first, second = learned.history[0]
    assert abs(first - second).max() > 0.05


@pytest.mark.parametrize("base", ["sine+square", ("sine", "square")], ids=str)
@pytest.mark.parametrize("how", [{}, {"space": "weights", "variant": "evolution"}, {"parity": True}], ids=str)
def test_each_type_may_begin_on_its_own_base(base, how, task, settings, tmp_path):
    learned = metalearn(task, **{**settings, "outer_steps": 1, "gain": 1e-9, "base": base, **how})
    start, x = torch.from_numpy(learned.history[0].values).double(), learned.grid
    assert_close(start[:, 2:-2], torch.stack([x.sin(), x.square()])[:, 2:-2], rtol=1e-3, atol=2e-3)
    learned.save(tmp_path / "learned.safetensors")
    assert LearnedActivations.load(tmp_path / "learned.safetensors").base == "sine+square"


def test_types_on_bases_of_their_own_learn_as_from_one_base_that_is_the_same(task, settings):
    both = [metalearn(task, **{**settings, "base": base}) for base in ("sine", ["sine", "sine"])]
    assert both[1].base == "sine+sine"
    assert_close(both[0].values, both[1].values, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["henon-heiles-nn", "henon-heiles-hnn", "henon-heiles-hnn-separable"])
def test_what_one_task_taught_trains_the_network_of_another(name, task, settings):
    learned = metalearn(task, **settings)
    other = dataclasses.replace(tasks.get(name, orbits=5), hidden=(9, 5))
    pairs = other.pairs("training")
    model = other.network(learned.mix)
    model.standardize(pairs.z, pairs.rate)
    before = derivative_loss(model, pairs.z, pairs.rate)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(15):
        optimizer.zero_grad()
        derivative_loss(model, pairs.z, pairs.rate).backward()
        optimizer.step()
    assert derivative_loss(model, pairs.z, pairs.rate) < 0.9 * before


@pytest.mark.parametrize("hidden", [(5,), (4, 3), (1,)], ids=str)
@pytest.mark.parametrize("types", [1, 3])
def test_any_depth_and_fewer_neurons_than_types_can_be_learned_on(hidden, types, task, settings):
    learned = metalearn(dataclasses.replace(task, hidden=hidden), **{**settings, "types": types, "outer_steps": 2})
    assert learned.values.isfinite().all()
    assert learned.settings["hidden"] == list(hidden)


def test_a_tasks_own_settings_hold_for_its_own_variant_only(task):
    own = replace(task, learning={"variant": "unrolled", "inner_steps": 2, "outer_steps": 2, "networks": 1})
    same = metalearn(own, width=3, progress=False)
    assert same.settings["stages"][0]["inner_steps"] == 2
    other = metalearn(own, variant="first-order", outer_steps=2, networks=1, batch_size=5, width=3, progress=False)
    assert other.settings["stages"][0]["inner_steps"] != 2


def test_a_network_without_neurons_of_a_kind_learns_none(task, settings):
    splines = dataclasses.replace(task, model="nn-splines", hidden=(3,))
    with pytest.raises(InputError, match="nn-splines have no activations"):
        metalearn(splines, **settings)


@pytest.mark.parametrize(
    "chosen", [{"variant": "first-order"}, {"variant": "evolution"}, {"variant": "evolution", "space": "weights"}]
)
def test_types_of_a_parity_are_odd_and_even_in_turn(chosen, task, settings):
    learned = metalearn(task, **{**settings, **chosen, "types": 3, "parity": True, "gain": 5.0, "outer_learning_rate": 0.1})
    values = learned.values
    for sign, type_ in zip((-1, 1, -1), values, strict=True):
        torch.testing.assert_close(type_.flip(-1), sign * type_, rtol=0, atol=1e-6)
    assert (values.std(-1) > 1e-3).all()


def test_one_type_alone_may_be_anything(task, settings):
    alone = [metalearn(task, **{**settings, "types": 1, "parity": parity}).values for parity in (True, False)]
    torch.testing.assert_close(*alone, rtol=0, atol=0)
