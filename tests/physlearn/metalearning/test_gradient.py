"""The meta-gradient, against finite differences of trainings in plain torch, in float64."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from physlearn.metalearning import MetaLearning, gradient
from physlearn.metalearning.outer import OuterLoop

TASKS = ["van-der-pol", "henon-heiles-hnn", "henon-heiles-hnn-separable", "mnist1d"]
OPTIMIZERS = ["sgd", "momentum", "rmsprop", "adam"]
STEP = 1e-7  # RMSprop's steps bend over 1e-6 where a gradient is near zero; rounding is 1e-14 of losses near 10
LAST = torch.tensor([0, 0, 0, 0, 0, 1], dtype=torch.float64)
TAIL = torch.tensor([0, 0, 0, 0.5, 0.5, 0], dtype=torch.float64)


def window_of(t, length, steps):
    """The window to which the loss at step t belongs; that after the last step belongs to the last."""
    return min(t, steps - 1) // length * length


def unrolled_objective(case, s, curves, rates=None):
    everywhere = [curves] * (case.problem.steps + 1)
    return case.run(s, everywhere, everywhere, rates)[0].sum()


def truncated_objective(case, s, curves, length, rates=None):
    """Each loss by weights that the given curves changed since its window began; those of the problem did before."""
    steps, base = case.problem.steps, case.problem.curves[s]
    total = torch.zeros((), dtype=torch.float64)
    for a in range(0, steps, length):
        training = [base if t < a else curves for t in range(steps)]
        own = None if rates is None else [case.rate if t < a else rates[t] for t in range(steps)]
        terms, _ = case.run(s, training, [curves] * (steps + 1), own)
        total += terms[[t for t in range(steps + 1) if window_of(t, length, steps) == a]].sum()
    return total


def frozen_objective(case, s, curves):
    """All losses along the path of the problem's own curves."""
    steps = case.problem.steps
    return case.run(s, [case.problem.curves[s]] * steps, [curves] * (steps + 1))[0].sum()


VARIANTS = {
    "unrolled": (gradient.unrolled, unrolled_objective),
    "truncated": (lambda p: gradient.truncated(p, 2), lambda case, s, curves: truncated_objective(case, s, curves, 2)),
    "first-order": (gradient.first_order, frozen_objective),
}


def check(case, variant):
    differentiate, objective = VARIANTS[variant]
    found = differentiate(case.problem)
    for s, (curves, direction) in enumerate(zip(case.problem.curves, case.direction, strict=True)):
        assert found.objective[s].item() == pytest.approx(objective(case, s, curves).item(), rel=1e-9)
        up, down = (objective(case, s, curves + sign * STEP * direction) for sign in (1, -1))
        slope = (found.curves[s] * direction).sum().item()
        assert slope == pytest.approx(((up - down) / (2 * STEP)).item(), rel=1e-4, abs=5e-7)
    return found


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", TASKS)
def test_the_meta_gradient_is_that_of_finite_differences(name, optimizer, variant, case):
    check(case(name, optimizer, networks=1 if optimizer != "adam" else 2), variant)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", TASKS[1:2])
@pytest.mark.parametrize(
    "options",
    [
        {"counted": TAIL},
        {"counted": LAST},
        {"logarithm": True},
        {"held_out": True},
        {"held_out": True, "logarithm": True, "counted": TAIL + LAST},
        {"hidden": (4, 3)},
        {"hidden": (1,)},
    ],
    ids=str,
)
def test_whatever_the_objective_counts_the_meta_gradient_is_right(name, options, variant, case):
    check(case(name, networks=1, **options), variant)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_networks_end_where_those_of_torch_do(optimizer, case):
    made = case(optimizer=optimizer)
    for variant, (differentiate, _) in VARIANTS.items():
        found = differentiate(made.problem)
        for s, curves in enumerate(made.problem.curves):
            terms, weights = made.run(s, [curves] * 5, [curves] * 6)
            assert_close(found.networks.weights[s], weights, rtol=1e-9, atol=1e-12, msg=variant)
            assert_close(found.losses[s], 5 * terms[:5], rtol=1e-9, atol=0)
        assert (found.networks.count == 5).all()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", TASKS)
def test_the_gradient_by_the_inner_rate_is_that_of_finite_differences(name, optimizer, case):
    made, step = case(name, optimizer, networks=1), 1e-7
    for found, objective in [
        (gradient.unrolled(made.problem), unrolled_objective),
        (gradient.truncated(made.problem, 2), lambda *a: truncated_objective(*a[:3], 2, a[3])),
    ]:
        for s, curves in enumerate(made.problem.curves):
            up, down = (objective(made, s, curves, [made.rate + sign * step] * 5) for sign in (1, -1))
            assert found.learning_rate[s].item() == pytest.approx(((up - down) / (2 * step)).item(), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("held_out", [False, True])
def test_any_number_of_segments_gives_the_same(name, held_out, case):
    problem = case(name, steps=7, held_out=held_out, networks=1).problem
    whole = gradient.unrolled(problem, segments=1)
    for segments in (None, 2, 3, 7, 50):
        found = gradient.unrolled(problem, segments)
        for part in ("objective", "curves", "learning_rate", "losses"):
            assert_close(getattr(found, part), getattr(whole, part), rtol=1e-9, atol=1e-12)


def test_a_window_as_long_as_the_loop_truncates_nothing(case):
    problem = case().problem
    whole = gradient.unrolled(problem)
    for window in (5, 99):
        found = gradient.truncated(problem, window)
        assert_close(found.curves, whole.curves, rtol=1e-9, atol=1e-12)
        assert_close(found.learning_rate, whole.learning_rate, rtol=1e-9, atol=1e-12)


def test_a_window_of_one_step_is_first_order_but_for_the_last_loss(case):
    counted = torch.tensor([0.2] * 5 + [0.0], dtype=torch.float64)
    problem = case(counted=counted).problem
    assert_close(gradient.truncated(problem, 1).curves, gradient.first_order(problem).curves, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("variant", VARIANTS)
def test_networks_in_a_stack_do_not_notice_each_other(variant, case):
    differentiate, _ = VARIANTS[variant]
    both = case("henon-heiles-hnn")
    p = both.problem
    one = case("henon-heiles-hnn", networks=1).problem
    second = replace(
        p, inner=one.inner, start=p.inner.start(p.start.weights[1:], p.start.learning_rate[1:]), curves=p.curves[1:],
        batches=p.batches[1:],
    )  # fmt: skip
    together, alone = differentiate(p), differentiate(second)
    assert_close(together.curves[1:], alone.curves, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_problem_is_left_as_it_was(variant, case):
    p = case().problem
    before = p.start.weights.clone(), p.curves.clone()
    first = VARIANTS[variant][0](p)
    second = VARIANTS[variant][0](p)
    assert_close((p.start.weights, p.curves), before, rtol=0, atol=0)
    assert not p.start.weights.requires_grad
    assert not p.curves.requires_grad
    assert_close(first.curves, second.curves, rtol=0, atol=0)


def test_the_curves_bend_far_from_the_data_does_not_matter(case):
    """The gradient is zero by the pieces on which no neuron's activity lies."""
    found = gradient.unrolled(case().problem)
    assert not found.curves[:, :, :3].any()
    assert found.curves[:, :, 10:20].any()


# Through the sub-networks, as the outer loop goes: a step of plain gradient descent of length 1 moves by the gradient.

PLAIN = {
    "outer_optimizer": "SGD",
    "outer_learning_rate": 1.0,
    "warm_up": 1,
    "decay": False,
    "clip": None,
    "outer_steps": 3,
    "inner_steps": 4,
    "networks": 2,
    "width": 3,
    "points": 31,
    "batch_size": 12,
}


def objective_of(task, settings, changes=None):
    loop = OuterLoop(task, settings, [3])
    if changes is not None:
        with torch.no_grad():
            for parameter, change in zip(loop.neurons[0].parameters(), changes, strict=True):
                parameter += change
    before = [parameter.detach().clone() for parameter in loop.neurons[0].parameters()]
    loop.step()
    moved = [a - b.detach() for a, b in zip(before, loop.neurons[0].parameters(), strict=True)]
    return loop.records[0].rows[0]["objective"], moved


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"variant": "final-step", "inner_steps": 1, "inner_learning_rate": 1e-300},  # the path does not depend on the curves
        {"variant": "truncated", "window": 4},
        {"learn_inner_rate": True, "inner_optimizer": "rmsprop"},
        {"tail": 0.5, "logarithm": True, "held_out": True, "inner_optimizer": "momentum"},
    ],
    ids=str,
)
def test_the_outer_loop_descends_the_gradient_by_its_sub_networks(name, settings, small):
    task = replace(small(name), hidden=(5,), dtype=torch.float64)
    chosen = MetaLearning(**{**PLAIN, **settings})
    _, moved = objective_of(task, chosen)
    generator = torch.Generator().manual_seed(1)
    changes = [torch.randn(part.shape, generator=generator, dtype=torch.float64) for part in moved]
    names = [name for name, _ in OuterLoop(task, chosen, [3]).neurons[0].named_parameters()]
    for k, parameter in enumerate(names):
        if parameter == "bumps" or (parameter == "log_rate" and not chosen.learn_inner_rate):
            assert not moved[k].any()
            changes[k] = torch.zeros_like(changes[k])
    up, down = (objective_of(task, chosen, [sign * STEP * part for part in changes])[0] for sign in (1, -1))
    slope = sum((a * b).sum().item() for a, b in zip(moved, changes, strict=True))
    assert slope == pytest.approx((up - down) / (2 * STEP), rel=1e-4, abs=5e-7)
    if chosen.learn_inner_rate:
        assert moved[names.index("log_rate")].abs() > 0
