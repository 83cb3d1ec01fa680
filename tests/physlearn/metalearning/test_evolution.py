"""Evolution strategies, on objectives that are known and on trainings."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from physlearn.metalearning import MetaLearning
from physlearn.metalearning.inner import draw_batches
from physlearn.metalearning.outer import OuterLoop

SMALL = {"variant": "evolution", "outer_steps": 3, "inner_steps": 6, "width": 3, "points": 25, "batch_size": 12, "pairs": 3,
         "networks": 2}  # fmt: skip


def loop_of(task, seeds=(0,), **settings):
    return OuterLoop(replace(task, dtype=torch.float64), MetaLearning(**{**SMALL, **settings}), list(seeds))


def values_at_knots(coefficients):
    """The curves' values on the grid, from the pieces between them."""
    return coefficients[..., 1:, 0].flatten(-2)


def test_the_estimate_converges_to_the_smoothed_gradient(task, monkeypatch):
    """Of (a.x)^3, whose mean gradient over x + sigma e, with e normal, is 3 ((a.x)^2 + sigma^2 (s.s)) s; s = da.x/dbumps."""
    loop = loop_of(task, pairs=20_000, sigma=0.3)
    neurons, grid = loop.neurons[0], loop.grid
    a = torch.randn(2 * 25, generator=torch.Generator().manual_seed(5), dtype=torch.float64) / 10
    monkeypatch.setattr(loop.by, "_objective", lambda curves: (values_at_knots(curves) @ a) ** 3)
    found = loop.by.estimate(loop.neurons)[0].gradients["bumps"]
    base = (neurons.curves(grid.x).flatten() @ a).detach()
    s = a.view(2, 25) @ neurons.shapes(grid.x).T
    smoothed = 3 * (base**2 + 0.3**2 * s.square().sum()) * s
    # A mean over n pairs of c e, of a normal e in d dimensions, is off by about |c| sqrt(d / n) = 0.04 |c|.
    assert (found - smoothed).norm() < 0.15 * smoothed.norm()
    plain = 3 * base**2 * s
    assert (found - smoothed).norm() < (found - plain).norm()


def test_on_the_weights_the_estimate_converges_to_the_gradient(task, monkeypatch):
    loop = loop_of(task, pairs=10_000, sigma=1e-4, space="weights")
    a = torch.randn(2 * 25, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    monkeypatch.setattr(loop.by, "_objective", lambda curves: values_at_knots(curves) @ a)
    found = loop.by.estimate(loop.neurons)[0].gradients
    exact = torch.autograd.grad(
        loop.neurons[0].curves(loop.grid.x).flatten() @ a, list(loop.neurons[0].sub_networks.parameters())
    )
    names = [f"sub_networks.{name}" for name, _ in loop.neurons[0].sub_networks.named_parameters()]
    assert set(found) == set(names)
    difference = torch.cat([(found[name] - part).flatten() for name, part in zip(names, exact, strict=True)]).norm()
    assert difference < 0.15 * torch.cat([part.flatten() for part in exact]).norm()


def test_both_members_of_a_pair_train_alike_and_pairs_do_not(task):
    loop = loop_of(task, seeds=(0, 1))
    curves = loop.grid.coefficients(loop.neurons[0].curves(loop.grid.x).detach()).expand(12, -1, -1, -1)
    up, down = loop.by._objective(curves.contiguous()).view(2, 2, 3).unbind(1)
    assert_close(up, down, rtol=0, atol=0)
    assert len(set(up.flatten().tolist())) == 6


def test_pairs_of_which_one_diverged_are_left_out_and_counted(task, monkeypatch):
    loop, other = loop_of(task), loop_of(task)
    hurt = torch.tensor([1.0, torch.nan, 3.0, 2.0, 5.0, torch.inf], dtype=torch.float64)  # up, then down, of 3 pairs
    monkeypatch.setattr(loop.by, "_objective", lambda curves: hurt)
    found = loop.by.estimate(loop.neurons)[0]
    assert found.left_out == 2
    assert found.objective == pytest.approx(1.5)
    _, noise = other.by._perturbed(other.neurons[0], other.generators[0])
    assert_close(found.gradients["bumps"], (1.0 - 2.0) / (2 * loop.settings.sigma) * noise["bumps"][0])


def test_a_step_in_which_all_pairs_diverged_is_skipped_and_counted(task, monkeypatch):
    loop = loop_of(task)
    loop.step()
    before = loop.neurons[0].bumps.detach().clone()
    monkeypatch.setattr(loop.by, "_objective", lambda curves: torch.full((6,), torch.nan, dtype=torch.float64))
    loop.step()
    assert_close(loop.neurons[0].bumps.detach(), before, rtol=0, atol=0)
    assert [row["skipped"] for row in loop.records[0].rows] == [0, 1]
    assert [row["left_out"] for row in loop.records[0].rows] == [0, 3]


@pytest.mark.parametrize("space", ["curves", "weights"])
def test_a_space_is_all_that_changes(task, space):
    loop = loop_of(task, space=space)
    before = {name: part.detach().clone() for name, part in loop.neurons[0].named_parameters()}
    loop.step()
    changed = {name for name, part in loop.neurons[0].named_parameters() if not torch.equal(part, before[name])}
    assert changed == ({"bumps"} if space == "curves" else {f"sub_networks.{name}" for name in "wbvc"})


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 9, 66])
def test_every_window_holds_a_step_that_there_is(task, steps):
    loop = loop_of(task, inner_steps=steps, windows=((0.0, 0.01), (0.22, 0.33), (0.89, 1.0), (0.999, 1.0)))
    assert all(0 <= a < b <= steps for a, b in loop.by.windows)


def test_the_objective_is_the_mean_over_windows_of_the_log_of_the_mean_loss(task, monkeypatch):
    loop = loop_of(task, inner_steps=4, windows=((0.0, 0.5), (0.75, 1.0)))
    losses = torch.rand(6, 4, dtype=torch.float64)
    monkeypatch.setattr(loop.by.trainer, "train", lambda *_: (losses, None))
    curves = torch.zeros(6, 2, 26, 4, dtype=torch.float64)
    expected = (losses[:, :2].mean(1).log() + losses[:, 3].log()) / 2
    assert_close(loop.by._objective(curves), expected)


def test_a_reward_is_for_what_the_mix_gains_over_the_pure_types(task, monkeypatch):
    loop = loop_of(task, inner_steps=1, windows=((0.0, 1.0),), reward=0.5)
    calls = iter([2.0, 3.0, 5.0])  # the mix, then each type alone
    monkeypatch.setattr(loop.by.trainer, "train", lambda *_: (torch.full((6, 1), next(calls), dtype=torch.float64), None))
    softmin = -torch.tensor([1 / 3, 1 / 5], dtype=torch.float64).sum().log()
    found = loop.by._objective(torch.zeros(6, 2, 26, 4, dtype=torch.float64))
    assert_close(found, (torch.tensor(2.0, dtype=torch.float64).log() - 0.5 * softmin).expand(6))


@pytest.mark.parametrize("name", ["van-der-pol", "henon-heiles-hnn", "mnist1d"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adam"])
@pytest.mark.parametrize(("schedule", "hidden"), [("constant", (7,)), ("cosine", (7,)), ("constant", (7, 5))])
def test_compiled_loops_and_torch_train_alike(name, optimizer, schedule, hidden, small):
    task = replace(small(name), hidden=hidden)
    settings = {**SMALL, "types": 3, "inner_steps": 8, "schedule": schedule}
    loop = OuterLoop(task, MetaLearning(**settings, inner_optimizer=optimizer), [0])
    trainer, inner = loop.by.trainer, loop.by.inner
    assert trainer.fit is not None
    generator = torch.Generator().manual_seed(0)
    weights = inner.layout.draw(4, generator, torch.float32)
    batches = draw_batches(len(inner.pairs), 4, 8, 12, generator)
    rates = torch.tensor([1e-3, 3e-3, 1e-2, 2e-2]).view(4, 1)
    curves = loop.grid.coefficients(torch.stack([loop.neurons[0].curves(loop.grid.x).detach()] * 4)).contiguous()
    compiled = trainer.train(curves, weights, rates, batches)
    trainer.fit = None
    plain = trainer.train(curves, weights, rates, batches)
    assert_close(compiled[0], plain[0], rtol=2e-4, atol=1e-6)
    assert_close(compiled[1], plain[1], rtol=2e-3, atol=2e-4)


def test_a_cosine_schedule_is_that_of_torch(task):
    loop = loop_of(task, inner_steps=9, schedule="cosine")
    trainer, inner, generator = loop.by.trainer, loop.by.inner, torch.Generator().manual_seed(0)
    weights = inner.layout.draw(1, generator, torch.float64)
    batches = draw_batches(len(inner.pairs), 1, 9, 12, generator)
    curves = loop.grid.coefficients(loop.neurons[0].curves(loop.grid.x).detach())[None].contiguous()
    trainer.fit = None
    found = trainer.train(curves, weights, torch.full((1, 1), 0.02, dtype=torch.float64), batches)[1]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=9)
    inner.falling = None
    networks = inner.start(weights, torch.full((1, 1), 0.02, dtype=torch.float64))
    for batch in batches.unbind(1):
        networks = replace(networks, learning_rate=torch.full((1, 1), schedule.get_last_lr()[0], dtype=torch.float64))
        networks, _ = inner.step(networks, curves, batch)
        optimizer.step()
        schedule.step()
    assert_close(found, networks.weights.detach(), rtol=1e-10, atol=1e-12)


def test_a_held_out_objective_is_the_log_loss_in_the_end_where_nothing_was_trained(task, monkeypatch):
    loop = loop_of(task, held_out=True)
    weights = loop.by.inner.layout.draw(6, torch.Generator().manual_seed(1), torch.float64)
    monkeypatch.setattr(loop.by.trainer, "train", lambda *_: (None, weights))
    curves = loop.grid.coefficients(torch.stack([loop.neurons[0].curves(loop.grid.x).detach()] * 6)).contiguous()
    held_out = loop.by.held_out
    every = torch.arange(len(held_out)).expand(6, -1)
    assert_close(loop.by._objective(curves), loop.by.inner.losses(weights, curves, every, held_out).log())
    assert torch.equal(held_out.z, replace(task, dtype=torch.float64).pairs("meta-validation").z[:1000])


def test_a_network_that_diverges_has_no_loss_from_then_on_in_either_engine(task):
    loop = OuterLoop(task, MetaLearning(**SMALL, inner_optimizer="sgd"), [0])
    trainer, generator = loop.by.trainer, torch.Generator().manual_seed(0)
    weights = loop.by.inner.layout.draw(2, generator, torch.float32)
    batches = draw_batches(len(loop.by.inner.pairs), 2, 40, 12, generator)
    rates = torch.tensor([[1e-3], [1e9]])
    curves = loop.grid.coefficients(torch.stack([loop.neurons[0].curves(loop.grid.x).detach()] * 2)).contiguous()
    for fit in (trainer.fit, None):
        trainer.fit = fit
        losses, _ = trainer.train(curves, weights, rates, batches)
        assert losses[0].isfinite().all()
        assert not losses[1, -1].isfinite()


def test_the_estimate_does_not_depend_on_who_else_is_estimated(task):
    together = loop_of(task, seeds=(0, 1, 2))
    alone = loop_of(task, seeds=(1,))
    for _ in range(3):
        together.step()
        alone.step()
    assert_close(together.neurons[1].bumps, alone.neurons[0].bumps, rtol=1e-9, atol=1e-12)
