import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline

from physlearn.activations.compiled import CODES
from physlearn.activations.named import find
from physlearn.training.fused import Functions, FusedProblem, State, advance, evaluate
from systems import InputError

D, H, N = 3, 7, 300
KINDS = ["output", "gradient", "classes"]
NAMED = sorted(set(CODES) - {"table"})
TABLE = CODES["table"]
START, STEP, CELLS = -6.0, 0.25, 48
EPS = np.finfo(np.float32).eps


class Piecewise:
    """A table in float64, by torch, differentiable: the independent opinion."""

    def __init__(self, coefficients):
        self.c = torch.from_numpy(coefficients.astype(np.float64))

    def value(self, a):
        s = (a - START) / STEP
        i = s.detach().floor().clamp(-1, CELLS)
        c = self.c[i.long() + 1]
        u = s - i
        return c[..., 0] + c[..., 1] * u + c[..., 2] * u**2 + c[..., 3] * u**3


def coefficients(f):
    knots = START + STEP * np.arange(CELLS + 1)
    spline = CubicSpline(knots, f(knots))
    slopes = STEP * spline(knots, 1)
    before, after = [spline(START) - slopes[0], slopes[0], 0, 0], [spline(-START), slopes[-1], 0, 0]
    return np.concatenate([[before], spline.c[::-1].T * STEP ** np.arange(4), [after]])


TABLES = np.ascontiguousarray([[coefficients(np.sin), coefficients(lambda x: np.tanh(x) + x**2 / 9)]], np.float32)


def functions_of(types, networks):
    return Functions(np.tile(np.int32(types), (networks, 1)), TABLES, START, 1 / STEP)


def problem_of(kind, rows=N, outputs=2, seed=0):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(rows, D)).astype(np.float32)
    if kind == "classes":
        return FusedProblem(kind, inputs, rng.integers(0, outputs, rows))
    components = D if kind == "gradient" else outputs
    return FusedProblem(
        kind,
        inputs,
        rng.normal(size=(rows, components)).astype(np.float32),
        rng.uniform(0.5, 2, components).astype(np.float32),
    )


def networks_of(kind, networks, outputs=2, seed=1):
    rng = np.random.default_rng(seed)
    outputs, constants = (1, 0) if kind == "gradient" else (outputs, outputs)
    shapes = [(H, D), (H,), (outputs, H), (constants,)]
    return tuple(rng.normal(size=(networks, *shape)).astype(np.float32) for shape in shapes)


def loss_of(problem, parameters, types, rows):
    """Of one network, by torch in float64, and the parameters that it depends on."""
    W1, b1, W2, b2 = leaves = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in parameters]
    x = torch.tensor(problem.inputs[rows], dtype=torch.float64, requires_grad=True)
    a = x @ W1.T + b1
    names = {code: name for name, code in CODES.items()}
    curves = [Piecewise(TABLES[0, t - TABLE]) if t >= TABLE else find(names[t]) for t in types]
    out = torch.stack([curve.value(a[:, h]) for h, curve in enumerate(curves)], 1) @ W2.T
    if problem.kind == "classes":
        return torch.nn.functional.cross_entropy(out + b2, torch.from_numpy(problem.targets[rows])), leaves
    if problem.kind == "gradient":
        (out,) = torch.autograd.grad(out.sum(), x, create_graph=True, materialize_grads=True)
    else:
        out = out + b2
    error = (out - torch.from_numpy(problem.targets[rows])) ** 2 @ torch.from_numpy(problem.weights).double()
    return error.mean() + 0 * W1.sum(), leaves  # some functions are constant


def train(problem, parameters, types, order, batch, rule="adam", rate=1e-2, clip=None, state=None, threads=None):
    """What advance makes of a copy of the parameters: parameters, losses, state."""
    parameters = tuple(p.copy() for p in parameters)
    state = state or State.fresh(parameters)
    losses = np.empty((len(order), -(-order.shape[1] // batch)), np.float32)
    rates = np.full_like(losses, rate)
    advance(problem, parameters, state, rule, functions_of(types, len(order)), order, batch, rates, losses, clip, threads)
    return parameters, losses, state


def orders(networks, length, rows=N, seed=2):
    return np.random.default_rng(seed).integers(0, rows, (networks, length)).astype(np.int32)


def gradients(problem, parameters, types, order):
    """From what one step of length 1 does to the parameters."""
    after, losses, _ = train(problem, parameters, types, order, order.shape[1], "sgd", 1.0)
    return [before - p for before, p in zip(parameters, after, strict=True)], losses


def close(found, wanted, scale=1.0):
    """To the rounding of a sum of some hundred terms in float32."""
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-5 * scale)


MIXTURES = [
    [CODES["sine"]] * H,
    [TABLE, TABLE, TABLE, TABLE, TABLE + 1, TABLE + 1, TABLE + 1],
    [CODES["tanh"], TABLE + 1, CODES["square"], TABLE, CODES["softplus"], CODES["identity"], CODES["silu"]],
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("types", [*MIXTURES, *([CODES[name]] * H for name in NAMED)], ids=str)
@pytest.mark.parametrize("rows", [1, 33, 600])
def test_the_gradients_are_those_of_automatic_differentiation(kind, types, rows):
    problem, parameters, order = problem_of(kind), networks_of(kind, 2), orders(2, rows)
    found, losses = gradients(problem, parameters, types, order)
    for r in range(2):
        loss, leaves = loss_of(problem, [p[r] for p in parameters], types, order[r])
        wanted = torch.autograd.grad(loss, leaves, materialize_grads=True)
        scale = max(1.0, *(float(abs(g).max()) for g in wanted if g.numel()))
        close(losses[r, 0], loss.item())
        for g, w in zip(found, wanted, strict=True):
            close(g[r], w.detach().numpy(), scale)


OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
    "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
    "rmsprop": torch.optim.RMSprop,
}


@pytest.mark.parametrize("rule", OPTIMIZERS)
@pytest.mark.parametrize("clip", [None, 0.3])
def test_twenty_steps_are_those_of_the_optimizer_of_torch(rule, clip):
    problem, before, types, order = problem_of("output"), networks_of("output", 1), MIXTURES[0], orders(1, 390)
    rates = np.linspace(1e-3, 1e-2, 20, dtype=np.float32)
    limit = None if clip is None else np.full(1, clip, np.float32)
    after, losses, state = train(problem, before, types, order, 20, rule, rates, limit)
    leaves = [torch.tensor(p[0], dtype=torch.float64) for p in before]
    optimizer = OPTIMIZERS[rule](leaves, lr=0.1)
    wanted = []
    for step, rate in enumerate(rates):  # the last of them sees the ten rows that are left
        loss, parameters = loss_of(problem, [leaf.numpy() for leaf in leaves], types, order[0, 20 * step : 20 * (step + 1)])
        for leaf, g in zip(leaves, torch.autograd.grad(loss, parameters), strict=True):
            leaf.grad = g
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(leaves, clip)
        optimizer.param_groups[0]["lr"] = float(rate)
        optimizer.step()
        wanted.append(loss.item())
    np.testing.assert_allclose(losses[0], wanted, rtol=1e-4)
    for p, leaf in zip(after, leaves, strict=True):
        # Adam and RMSprop divide a small gradient's rounding by the gradient: 1e-5 of 20 steps of 1e-2.
        np.testing.assert_allclose(p[0], leaf.numpy(), rtol=1e-5, atol=1e-5)
    assert state.count == 20


@pytest.mark.parametrize("kind", KINDS)
def test_training_in_two_pieces_is_training_in_one(kind):
    problem, before, order = problem_of(kind), networks_of(kind, 2), orders(2, 160)
    whole, losses, state = train(problem, before, MIXTURES[2], order, 40)
    half, first, between = train(problem, before, MIXTURES[2], np.ascontiguousarray(order[:, :80]), 40)
    both, second, _ = train(problem, half, MIXTURES[2], np.ascontiguousarray(order[:, 80:]), 40, state=between)
    np.testing.assert_array_equal(losses, np.concatenate([first, second], axis=1))
    for a, b in zip(whole, both, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(state.first, between.first)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_network_alone_is_the_same_to_the_last_bit_as_among_others(kind, threads):
    problem, before, order = problem_of(kind), networks_of(kind, 5), orders(5, 500)
    together, losses, _ = train(problem, before, MIXTURES[2], order, 150, threads=threads)
    alone, its_losses, _ = train(problem, [p[3:4] for p in before], MIXTURES[2], order[3:4], 150)
    np.testing.assert_array_equal(its_losses[0], losses[3])
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a[0], b[3])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_a_network_that_diverges_is_frozen_and_the_others_do_not_notice(kind, rule):
    problem, before, order = problem_of(kind), networks_of(kind, 4), orders(4, 90)
    hurt = tuple(p.copy() for p in before)
    hurt[2][1] = 3e38  # its loss or gradient overflows
    (after, losses, state), (healthy, all_losses, _) = (
        train(problem, p, MIXTURES[2], order, 30, rule) for p in (hurt, before)
    )
    np.testing.assert_array_equal(state.alive, [True, False, True, True])
    np.testing.assert_array_equal(state.count, [3, 0, 3, 3])
    assert np.isnan(losses[1]).all()
    for p, h, a in zip(after, hurt, healthy, strict=True):
        np.testing.assert_array_equal(p[1], h[1])
        np.testing.assert_array_equal(p[[0, 2, 3]], a[[0, 2, 3]])
    np.testing.assert_array_equal(losses[[0, 2, 3]], all_losses[[0, 2, 3]])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*NAMED, "table"])
def test_a_row_of_nan_stops_the_networks_that_see_it_at_the_step_they_do(kind, name):
    problem, before = problem_of(kind), networks_of(kind, 2)
    problem.inputs[7, 1] = np.nan
    order = orders(2, 120, rows=5)
    order[0, 70] = 7
    with_nan, losses, state = train(problem, before, [CODES[name]] * H, order, 40)
    short, _, _ = train(problem, before, [CODES[name]] * H, np.ascontiguousarray(order[:, :40]), 40)
    np.testing.assert_array_equal(np.isnan(losses), [[False, True, True], [False, False, False]])
    np.testing.assert_array_equal(state.alive, [False, True])
    for a, b in zip(with_nan, short, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
    assert np.isnan(evaluate(problem, before, functions_of([CODES[name]] * H, 2))).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [1, 256, 300, 1000])
def test_an_evaluation_is_the_loss_over_all_rows(kind, rows):
    problem, parameters = problem_of(kind, rows), networks_of(kind, 3)
    found = evaluate(problem, parameters, functions_of(MIXTURES[2], 3))
    for r in range(3):
        loss, _ = loss_of(problem, [p[r] for p in parameters], MIXTURES[2], np.arange(rows))
        np.testing.assert_allclose(found[r], loss.item(), rtol=1e-5)


def test_the_loss_of_a_step_is_the_one_before_its_update():
    problem, parameters = problem_of("output"), networks_of("output", 2)
    order = np.tile(np.arange(N, dtype=np.int32), (2, 1))
    _, losses, _ = train(problem, parameters, MIXTURES[1], order, N)
    np.testing.assert_allclose(losses[:, 0], evaluate(problem, parameters, functions_of(MIXTURES[1], 2)), rtol=1e-6)


def test_each_network_can_have_tables_of_its_own():
    problem, parameters, order = problem_of("gradient"), networks_of("gradient", 2), orders(2, 60)
    types = np.full((2, H), TABLE, np.int32)
    swapped = np.concatenate([TABLES[:, ::-1], TABLES])
    losses = np.empty((2, 2), np.float32)
    rates = np.full_like(losses, 1e-2)
    trained = tuple(p.copy() for p in parameters)
    functions = Functions(types, swapped, START, 1 / STEP)
    advance(problem, trained, State.fresh(trained), "adam", functions, order, 30, rates, losses)
    for r, table in enumerate([TABLE + 1, TABLE]):
        _, wanted, _ = train(problem, parameters, [table] * H, order, 30)
        np.testing.assert_array_equal(losses[r], wanted[r])


def test_no_networks_and_no_rows_are_no_work():
    problem, types = problem_of("output"), MIXTURES[0]
    before = networks_of("output", 2)
    after, losses, state = train(problem, before, types, orders(2, 0), 10)
    assert losses.shape == (2, 0)
    assert (state.count == 0).all()
    np.testing.assert_array_equal(after[0], before[0])
    assert evaluate(problem, networks_of("output", 0), functions_of(types, 0)).shape == (0,)


def test_certain_and_wrong_is_a_finite_surprise():
    problem, parameters = problem_of("classes", outputs=5), networks_of("classes", 1, outputs=5)
    parameters[3][0] = [500, -500, 300, 0, 0]
    loss, _ = loss_of(problem, [p[0] for p in parameters], MIXTURES[0], np.arange(N))
    np.testing.assert_allclose(evaluate(problem, parameters, functions_of(MIXTURES[0], 1)), loss.item(), rtol=1e-5)


def test_a_mistake_is_named_before_the_loops_run_into_it():
    problem, parameters, order = problem_of("output"), networks_of("output", 2), orders(2, 60)
    with pytest.raises(InputError, match="rows from 0 to 299"):
        train(problem, parameters, MIXTURES[0], order + np.int32(1000), 30)
    with pytest.raises(InputError, match="order must be a contiguous int32 array"):
        train(problem, parameters, MIXTURES[0], order.astype(np.int64), 30)
    with pytest.raises(InputError, match="rule must be adam, sgd, momentum, rmsprop, not 'lion'"):
        train(problem, parameters, MIXTURES[0], order, 30, "lion")
    with pytest.raises(InputError, match=f"from 0 to {TABLE + 1}"):
        train(problem, parameters, [TABLE + 2] * H, order, 30)
    with pytest.raises(InputError, match=r"b2 must .* \(2, 0\)"):
        train(problem_of("gradient"), parameters, MIXTURES[0], order, 30)
    with pytest.raises(InputError, match="from 0 to 1"):
        train(problem_of("classes", outputs=3), networks_of("classes", 2), MIXTURES[0], order, 30)
