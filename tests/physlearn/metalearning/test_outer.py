import dataclasses
import math
import sys

import numpy as np
import pytest
import torch
from torch.testing import assert_close
from tqdm.auto import tqdm

import physlearn.metalearning.metalearn  # noqa: F401 - the module, whose name is the function's
from physlearn import metalearn, tasks, tensor_file
from physlearn.metalearning import MetaLearning, checkpoint
from physlearn.metalearning.outer import OuterLoop
from systems import InputError

MODULE = sys.modules["physlearn.metalearning.metalearn"]
RUNS = {
    "unrolled": {},
    "truncated": {"variant": "truncated", "window": 2, "learn_inner_rate": True},
    "pool": {"variant": "first-order", "lifetime": (3, 20), "inner_learning_rate": (1e-3, 1e-2), "logarithm": True},
    "evolution": {"variant": "evolution"},
    "on weights": {"variant": "evolution", "space": "weights"},
    "two-stage": {"variant": "two-stage", "lifetime": (3, 20)},
    "momentum": {"outer_optimizer": "SGD", "outer_options": {"momentum": 0.9}},
}


def same(a, b):
    assert torch.equal(a.values, b.values)
    assert torch.equal(a.snapshots, b.snapshots)
    assert list(a.snapshot_steps) == list(b.snapshot_steps)
    assert a.losses.equals(b.losses)
    assert a.settings == b.settings


class KilledError(Exception):
    pass


def run_killed(kill_at, monkeypatch, task, **settings):
    """Run until that many outer steps were taken in all, and are killed in the next."""
    step, taken = OuterLoop.step, [0]

    def step_or_die(loop):
        if taken[0] == kill_at:
            loop.generators[0].manual_seed(99)  # whatever is left half done
            raise KilledError
        taken[0] += 1
        step(loop)

    with monkeypatch.context() as patched:
        patched.setattr(OuterLoop, "step", step_or_die)
        with pytest.raises(KilledError):
            metalearn(task, **settings)


@pytest.mark.parametrize("run", RUNS)
def test_a_run_that_was_killed_goes_on_to_the_same_bits(run, task, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(MODULE, "CHECKPOINT_EVERY", 2)
    chosen = {**settings, **RUNS[run], "seed": [0, 5], "outer_steps": 7}
    whole = metalearn(task, **chosen)
    path = tmp_path / "checkpoint"
    for kill_at in (1, 3, 3, 1):  # steps since the last start: before a checkpoint, after some, in the second stage
        run_killed(kill_at, monkeypatch, task, **chosen, checkpoint=path)
    for a, b in zip(metalearn(task, **chosen, checkpoint=path), whole, strict=True):
        same(a, b)
    for a, b in zip(metalearn(task, **chosen, checkpoint=path), whole, strict=True):
        same(a, b)  # from a checkpoint of a run that is done


@pytest.mark.parametrize("kill_at", [1, 2, 4, 5, 6])
def test_two_stages_killed_anywhere_go_on_to_the_same_bits(kill_at, task, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(MODULE, "CHECKPOINT_EVERY", 1)
    chosen = {**settings, **RUNS["two-stage"], "outer_steps": 7}  # 5 and 2
    path = tmp_path / "checkpoint"
    run_killed(kill_at, monkeypatch, task, **chosen, checkpoint=path)
    same(metalearn(task, **chosen, checkpoint=path), metalearn(task, **chosen))


def test_a_checkpoint_of_other_settings_or_data_is_refused(task, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(MODULE, "CHECKPOINT_EVERY", 1)
    path = tmp_path / "checkpoint"
    run_killed(2, monkeypatch, task, **settings, checkpoint=path)
    for other in ({"inner_steps": 5}, {"seed": 1}, {"seed": [0, 1]}, {"base": "tanh"}, {"clip": None}):
        with pytest.raises(InputError, match="other settings"):
            metalearn(task, **{**settings, **other}, checkpoint=path)
    for changed in (
        dataclasses.replace(task, hidden=(9,)),
        dataclasses.replace(task, dtype=torch.float64),
        dataclasses.replace(tasks.get("van-der-pol", orbits=6), hidden=(8,)),
        dataclasses.replace(tasks.get("van-der-pol", orbits=5, seed=1), hidden=(8,)),
        dataclasses.replace(tasks.get("van-der-pol", orbits=5, mu=1.0), hidden=(8,)),
    ):
        with pytest.raises(InputError, match="other settings"):
            metalearn(changed, **settings, checkpoint=path)


def test_a_checkpoint_with_other_tensors_and_the_right_checksum_is_refused(task, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(MODULE, "CHECKPOINT_EVERY", 1)
    path = tmp_path / "checkpoint"
    run_killed(2, monkeypatch, task, **settings, checkpoint=path)
    content, tensors = tensor_file.read(path, checkpoint.KIND)
    first = checkpoint.load(path, content["settings"])["under_way"]["neurons"][0]
    name = next(key for key, value in tensors.items() if torch.equal(value, next(iter(first.values()))))
    for wrong in (tensors[name][..., None], tensors[name].half(), tensors[name] * torch.nan):
        tensor_file.write(path, checkpoint.KIND, content, {**tensors, name: wrong})
        with pytest.raises(InputError, match="is not that of such a run"):
            metalearn(task, **settings, checkpoint=path)
    tensor_file.write(path, checkpoint.KIND, {**content, "code": "os.system"}, tensors)
    with pytest.raises(InputError, match="'code' is no known entry"):
        metalearn(task, **settings, checkpoint=path)


def test_a_file_that_is_no_checkpoint_is_refused(task, settings, tmp_path):
    path = tmp_path / "checkpoint"
    metalearn(task, **settings).save(path)
    with pytest.raises(InputError, match="is of the kind"):
        metalearn(task, **settings, checkpoint=path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match="truncated"):
        metalearn(task, **settings, checkpoint=path)


@pytest.mark.parametrize("run", RUNS)
def test_the_same_seed_gives_the_same_bits_and_another_does_not(run, task, settings):
    chosen = {**settings, **RUNS[run], "outer_steps": 3}
    first = metalearn(task, **chosen, seed=3)
    torch.manual_seed(1)
    same(metalearn(task, **chosen, seed=3), first)
    assert not torch.equal(metalearn(task, **chosen, seed=4).values, first.values)


@pytest.mark.parametrize("run", RUNS)
def test_several_seeds_at_once_are_each_as_alone(run, task, settings):
    double = dataclasses.replace(task, dtype=torch.float64)
    chosen = {**settings, **RUNS[run], "outer_steps": 4, "smoothing": 1, "examine_every": 1}
    for learned, seed in zip(metalearn(double, **chosen, seed=[7, 2, 0]), [7, 2, 0], strict=True):
        alone = metalearn(double, **chosen, seed=seed)
        assert_close(learned.values, alone.values, rtol=1e-7, atol=1e-9)
        assert learned.settings["seed"] == alone.settings["seed"] == seed
        np.testing.assert_allclose(learned.losses["objective"], alone.losses["objective"], rtol=1e-7)


def loop_of(task, **settings):
    chosen = {"outer_steps": 6, "inner_steps": 3, "networks": 2, "width": 3, "points": 31, "batch_size": 12, **settings}
    return OuterLoop(task, MetaLearning(**chosen), [0])


def test_a_gradient_that_is_not_finite_is_skipped_and_counted(task, monkeypatch):
    loop = loop_of(task)
    loop.step()
    estimate = loop.by.estimate

    def hurt(*arguments):
        found = estimate(*arguments)
        found.curves[:, 0, 15, 0] = torch.nan
        return found

    monkeypatch.setattr(loop.by, "estimate", hurt)
    before = [parameter.detach().clone() for parameter in loop.neurons[0].parameters()]
    loop.step()
    assert_close(list(loop.neurons[0].parameters()), before, rtol=0, atol=0, check_stride=False)
    monkeypatch.undo()
    loop.step()
    assert [row["skipped"] for row in loop.records[0].rows] == [0, 1, 0]
    assert loop.records[0].skipped == 1
    assert all(parameter.isfinite().all() for parameter in loop.neurons[0].parameters())


def test_a_diverging_inner_loop_does_not_spoil_the_curves(task, settings):
    learned = metalearn(task, **{**settings, "inner_optimizer": "sgd", "inner_learning_rate": 1e18, "inner_steps": 6})
    assert learned.settings["skipped"] == 6
    assert learned.values.isfinite().all()


@pytest.mark.parametrize("clip", [1e-3, 0.5])
def test_a_gradient_is_no_longer_than_the_clip_over_all_types(clip, task):
    moved = {}
    for limit in (clip, None):
        loop = loop_of(task, clip=limit, outer_optimizer="SGD", outer_learning_rate=1.0, warm_up=1, decay=False)
        before = torch.cat([p.detach().flatten() for p in loop.neurons[0].sub_networks.parameters()])
        loop.step()
        moved[limit] = before - torch.cat([p.detach().flatten() for p in loop.neurons[0].sub_networks.parameters()])
        norm = loop.records[0].rows[0]["gradient"]
    assert norm == pytest.approx(moved[None].norm().item(), rel=1e-5)
    assert moved[clip].norm().item() == pytest.approx(min(clip, norm), rel=1e-3)
    assert torch.cosine_similarity(moved[clip], moved[None], dim=0) > 1 - 1e-5


@pytest.mark.parametrize("name", ["Adam", "adamw", "SGD", "RMSprop", "NAdam", "Adagrad", "Rprop", "adafactor"])
def test_outer_optimizers_go_by_their_names_in_torch(name, task, settings):
    loop = loop_of(task, outer_optimizer=name)
    assert type(loop.optimizers[0]).__name__.lower() == name.lower()
    before = loop.neurons[0].sub_networks.w.detach().clone()
    loop.step()
    assert (loop.neurons[0].sub_networks.w.detach() != before).any()


@pytest.mark.parametrize("name", ["NAdam", "Adadelta", "ASGD", "Adagrad", "RMSprop", "Rprop", "adafactor", "RAdam"])
def test_every_outer_optimizer_resumes_bit_for_bit(name, task, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(MODULE, "CHECKPOINT_EVERY", 1)
    chosen = {**settings, "outer_optimizer": name, "outer_steps": 5}
    run_killed(3, monkeypatch, task, **chosen, checkpoint=tmp_path / "checkpoint")
    same(metalearn(task, **chosen, checkpoint=tmp_path / "checkpoint"), metalearn(task, **chosen))


def test_options_reach_the_outer_optimizer(task):
    loop = loop_of(task, outer_optimizer="SGD", outer_options={"momentum": 0.7})
    assert loop.optimizers[0].param_groups[0]["momentum"] == 0.7


def test_the_outer_learning_rate_rises_and_falls_along_a_cosine(task):
    loop = loop_of(task, outer_steps=40, warm_up=4, outer_learning_rate=0.5)
    rates = []
    for loop.step_count in range(40):
        rates.append(loop._schedule())
    cosine = [0.02 + 0.98 * (1 + math.cos(math.pi * t / 40)) / 2 for t in range(40)]
    np.testing.assert_allclose(rates[4:], cosine[4:])
    np.testing.assert_allclose(rates[:4], np.array(cosine[:4]) * [0.25, 0.5, 0.75, 1.0])
    loop.step_count = 20
    loop.step()
    assert loop.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.5 * cosine[20])


def test_without_decay_and_warm_up_the_rate_is_constant(task):
    loop = loop_of(task, warm_up=1, decay=False)
    assert {loop._schedule() for loop.step_count in range(6)} == {1.0}


@pytest.mark.parametrize(("smoothing", "every", "best"), [(1, 1, 4), (3, 1, 3), (1, 2, 4), (5, 1, 3)])
def test_the_curves_with_the_best_smoothed_examination_are_kept(smoothing, every, best, task, monkeypatch):
    """Log losses of the curves at the beginning of each step; those in the middle of the best stretch are kept."""
    losses = [9.0, 3.0, 2.0, 2.0, 1.0, 8.0, 9.0, 9.0]
    loop = loop_of(task, outer_steps=8, smoothing=smoothing, examine_every=every)
    monkeypatch.setattr(loop.examination, "log_loss", lambda curves: torch.tensor([losses[loop.step_count]]))
    weights = []
    while not loop.done:
        weights.append(loop.neurons[0].sub_networks.w.detach().clone())
        loop.step()
    assert loop.records[0].best_step == best
    loop.keep_best()
    assert torch.equal(loop.neurons[0].sub_networks.w, weights[best])


@pytest.mark.parametrize("steps", [1, 2, 3, 6, 11])
def test_short_runs_keep_curves_by_their_examinations_too(steps, task, monkeypatch):
    """However few the steps, the last curves are examined, and kept where they are the best by far."""
    loop = loop_of(task, outer_steps=steps, smoothing=1)
    monkeypatch.setattr(loop.examination, "log_loss", lambda curves: torch.tensor([-float(loop.step_count)]))
    loop.run(tqdm(disable=True))
    assert loop.records[0].best_step == steps - 1


def test_diverged_examinations_are_never_the_best(task, monkeypatch):
    losses = [math.inf, 5.0, math.inf, 4.0, math.inf, math.inf]
    loop = loop_of(task, smoothing=1, examine_every=1)
    monkeypatch.setattr(loop.examination, "log_loss", lambda curves: torch.tensor([losses[loop.step_count]]))
    loop.run(tqdm(disable=True))
    assert loop.records[0].best_step == 3


def test_the_examination_of_the_same_curves_is_the_same_at_any_step(task):
    loop = loop_of(task)
    coefficients = loop.grid.coefficients(torch.stack([n.curves(loop.grid.x).detach() for n in loop.neurons]))
    before = loop.examination.log_loss(coefficients)
    loop.step()
    assert torch.equal(loop.examination.log_loss(coefficients), before)


@pytest.mark.parametrize(("snapshots", "expected"), [(60, 7), (3, 5), (1, 3)])
def test_the_history_goes_from_the_first_curves_to_those_that_were_kept(snapshots, expected, task, settings):
    learned = metalearn(task, **{**settings, "snapshots": snapshots, "types": 3})
    assert learned.history.dims == ("outer_step", "type", "a")
    assert learned.history.shape == (expected, 3, 100)
    steps = learned.history.outer_step.values
    assert (np.diff(steps) > 0).all()
    assert (steps[0], steps[-1]) == (0, 6)
    np.testing.assert_allclose(learned.history[-1], learned.values, atol=1e-6)
    assert len(learned.losses) == 6


def test_the_history_of_two_stages_runs_on(task, settings):
    learned = metalearn(task, **{**settings, "variant": "two-stage", "outer_steps": 7})
    assert learned.history.outer_step.values.tolist() == list(range(8))
    assert learned.losses["stage"].tolist() == ["first-order"] * 5 + ["evolution"] * 2
    # The second stage begins with what was best in the first.
    best = learned.settings["best_steps"][0]
    np.testing.assert_allclose(learned.history.sel(outer_step=5), learned.history.sel(outer_step=best), atol=1e-5)


def test_a_pool_keeps_its_networks_until_their_lives_are_over(task):
    loop = loop_of(task, variant="first-order", lifetime=(7, 7), networks=3)
    counts = []
    for _ in range(6):
        loop.step()
        counts.append(loop.by.networks.count.flatten().tolist())
    assert counts == [[n] * 3 for n in (3, 6, 9, 3, 6, 9)]  # steps of 3; a life ends once it is at least 7 long


def test_networks_of_a_pool_that_diverged_are_replaced(task):
    loop = loop_of(task, variant="first-order", lifetime=(500, 500), networks=3)
    loop.step()
    loop.by.networks.weights[1] = torch.nan
    loop.step()
    assert loop.by.networks.weights.isfinite().all()
    assert loop.by.networks.count.flatten().tolist() == [6, 3, 6]
