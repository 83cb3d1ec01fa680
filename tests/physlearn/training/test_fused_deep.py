"""The compiled loops of networks with several hidden layers, against automatic differentiation by torch in float64."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline

from physlearn.activations.compiled import CODES
from physlearn.activations.named import find
from physlearn.training.fused import Functions, FusedProblem, State, advance, evaluate
from systems import InputError

D, N = 3, 300
KINDS = ["output", "gradient", "classes"]
HIDDEN = [(7,), (7, 4), (5, 8, 6), (6, 3, 5, 9)]
TABLE = CODES["table"]
START, STEP, CELLS = -8.0, 0.25, 64
NAMES = {code: name for name, code in CODES.items()}


def table_of(f):
    """A clamped spline with linear ends, in float32 as the loops have it, and as a function in torch's float64."""
    knots = START + STEP * np.arange(CELLS + 1)
    spline = CubicSpline(knots, f(knots))
    slopes = STEP * spline(knots, 1)
    before, after = [spline(START) - slopes[0], slopes[0], 0, 0], [spline(-START), slopes[-1], 0, 0]
    cells = np.concatenate([[before], spline.c[::-1].T * STEP ** np.arange(4), [after]]).astype(np.float32)

    def value(x):
        s = (x - START) / STEP
        i = s.detach().floor().clamp(-1, CELLS)
        c, u = torch.from_numpy(cells.astype(float))[i.long() + 1], s - i
        return c[..., 0] + c[..., 1] * u + c[..., 2] * u**2 + c[..., 3] * u**3

    return cells, value


TABLES = [table_of(np.sin), table_of(lambda x: np.tanh(x) + x**2 / 9)]
MIXTURES = [("sine",), ("table", "second"), ("tanh", "second", "softplus", "table", "identity"), ("silu", "gelu", "square")]
SINGLE = sorted(set(CODES) - {"table"})


def code_of(name):
    return TABLE + 1 if name == "second" else CODES[name]


def types_of(names, hidden):
    """Neurons take turns, so that each layer has every type that it has room for."""
    return np.array([code_of(names[h % len(names)]) for width in hidden for h in range(width)], np.int32)


def functions_of(names, hidden, networks):
    tables = np.ascontiguousarray(np.stack([cells for cells, _ in TABLES])[None])
    return Functions(np.tile(types_of(names, hidden), (networks, 1)), tables, START, 1 / STEP)


def problem_of(kind, outputs=2):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(N, D)).astype(np.float32)
    if kind == "classes":
        return FusedProblem(kind, inputs, rng.integers(0, outputs, N))
    components = D if kind == "gradient" else outputs
    targets, weights = rng.normal(size=(N, components)), rng.uniform(0.5, 2, components)
    return FusedProblem(kind, inputs, targets.astype(np.float32), weights.astype(np.float32))


def networks_of(kind, hidden, networks, outputs=2):
    rng = np.random.default_rng(1)
    sizes, parameters = (D, *hidden, 1 if kind == "gradient" else outputs), []
    for a, b in pairwise(sizes):
        parameters += [rng.normal(size=(networks, b, a)) * a**-0.5, rng.normal(size=(networks, b))]
    if kind == "gradient":
        parameters[-1] = parameters[-1][:, :0]
    return tuple(p.astype(np.float32) for p in parameters)


def loss_of(problem, parameters, names, rows):
    """Of one network in float64, and the parameters that it depends on."""
    leaves = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in parameters]
    curves = [TABLES[0][1] if n == "table" else TABLES[1][1] if n == "second" else find(n).value for n in names]
    out = x = torch.tensor(problem.inputs[rows], dtype=torch.float64, requires_grad=True)
    for W, b in zip(leaves[:-2:2], leaves[1:-2:2], strict=True):
        a = out @ W.T + b
        out = torch.stack([curves[h % len(names)](a[:, h]) for h in range(len(b))], 1)
    out = out @ leaves[-2].T
    if problem.kind == "classes":
        return torch.nn.functional.cross_entropy(out + leaves[-1], torch.from_numpy(problem.targets[rows])), leaves
    if problem.kind == "gradient":
        (out,) = torch.autograd.grad(out.sum(), x, create_graph=True, materialize_grads=True)
    else:
        out = out + leaves[-1]
    error = (out - torch.from_numpy(problem.targets[rows])) ** 2 @ torch.from_numpy(problem.weights).double()
    return error.mean() + 0 * leaves[0].sum(), leaves  # some functions are constant


def train(problem, parameters, names, hidden, order, batch, rule="adam", rate=1e-2, clip=None, state=None, threads=None):
    """What advance makes of a copy of the parameters: parameters, losses, state."""
    parameters = tuple(p.copy() for p in parameters)
    state = state or State.fresh(parameters)
    losses = np.empty((len(order), -(-order.shape[1] // batch)), np.float32)
    functions = functions_of(names, hidden, len(order))
    advance(problem, parameters, state, rule, functions, order, batch, np.full_like(losses, rate), losses, clip, threads)
    return parameters, losses, state


def orders(networks, length):
    return np.random.default_rng(2).integers(0, N, (networks, length)).astype(np.int32)


def check_gradients(kind, names, hidden, rows):
    """Compare a step down the gradient, whose length is 1, with automatic differentiation."""
    problem, parameters, order = problem_of(kind), networks_of(kind, hidden, 2), orders(2, rows)
    after, losses, _ = train(problem, parameters, names, hidden, order, rows, "sgd", 1.0)
    for r in range(2):
        loss, leaves = loss_of(problem, [p[r] for p in parameters], names, order[r])
        wanted = torch.autograd.grad(loss, leaves, materialize_grads=True)
        scale = max(1.0, *(float(abs(g).max()) for g in wanted if g.numel()))
        np.testing.assert_allclose(losses[r, 0], loss.item(), rtol=2e-5, atol=1e-7)  # a sum of terms of order one
        for before, p, g in zip(parameters, after, wanted, strict=True):
            np.testing.assert_allclose(before[r] - p[r], g.numpy(), rtol=2e-5, atol=2e-5 * scale)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("names", MIXTURES, ids="+".join)
@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
def test_the_gradients_are_those_of_automatic_differentiation(kind, names, hidden):
    for rows in (1, 33, 600):  # a part of a tile, several registers, three tiles
        check_gradients(kind, names, hidden, rows)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SINGLE)
def test_so_they_are_with_every_function(kind, name):
    check_gradients(kind, (name,), (5, 6), 40)


@pytest.mark.parametrize("kind", ["output", "gradient"])
def test_wide_networks_fill_the_registers(kind):
    check_gradients(kind, ("sine", "table"), (100, 50), 150)


OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
    "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
    "rmsprop": torch.optim.RMSprop,
}


@pytest.mark.parametrize("rule", OPTIMIZERS)
@pytest.mark.parametrize("clip", [None, 0.3])
@pytest.mark.parametrize("kind", ["output", "gradient"])
def test_ten_steps_are_those_of_the_optimizer_of_torch(rule, clip, kind):
    hidden, names = (7, 6), MIXTURES[0]
    problem, before, order = problem_of(kind), networks_of(kind, hidden, 1), orders(1, 190)
    rates = np.linspace(1e-3, 1e-2, 10, dtype=np.float32)
    limit = None if clip is None else np.full(1, clip, np.float32)
    after, losses, state = train(problem, before, names, hidden, order, 20, rule, rates, limit)
    leaves = [torch.tensor(p[0], dtype=torch.float64) for p in before]
    optimizer = OPTIMIZERS[rule](leaves, lr=0.1)
    wanted = []
    for step, rate in enumerate(rates):  # the last of them sees the ten rows that are left
        rows = order[0, 20 * step : 20 * (step + 1)]
        loss, parameters = loss_of(problem, [leaf.numpy() for leaf in leaves], names, rows)
        for leaf, g in zip(leaves, torch.autograd.grad(loss, parameters, materialize_grads=True), strict=True):
            leaf.grad = g
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(leaves, clip)
        optimizer.param_groups[0]["lr"] = float(rate)
        optimizer.step()
        wanted.append(loss.item())
    np.testing.assert_allclose(losses[0], wanted, rtol=1e-4)
    for p, leaf in zip(after, leaves, strict=True):
        # Adam and RMSprop divide a small gradient's rounding by the gradient: 1e-5 of 10 steps of 1e-2.
        np.testing.assert_allclose(p[0], leaf.numpy(), rtol=1e-5, atol=1e-5)
    assert state.count == 10


@pytest.mark.parametrize("kind", KINDS)
def test_training_in_two_pieces_is_training_in_one(kind):
    hidden, names = HIDDEN[2], MIXTURES[2]
    problem, before, order = problem_of(kind), networks_of(kind, hidden, 2), orders(2, 160)
    first, second = (np.ascontiguousarray(part) for part in (order[:, :80], order[:, 80:]))
    whole, losses, state = train(problem, before, names, hidden, order, 40)
    half, early, between = train(problem, before, names, hidden, first, 40)
    both, late, _ = train(problem, half, names, hidden, second, 40, state=between)
    np.testing.assert_array_equal(losses, np.concatenate([early, late], axis=1))
    for a, b in zip(whole, both, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(state.second, between.second)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_network_alone_is_the_same_to_the_last_bit_as_among_others(kind, threads):
    hidden, names = HIDDEN[1], MIXTURES[1]
    problem, before, order = problem_of(kind), networks_of(kind, hidden, 5), orders(5, 500)
    rates = np.linspace(1e-3, 1e-2, 5, dtype=np.float32)[:, None]
    together, losses, _ = train(problem, before, names, hidden, order, 150, rate=rates, threads=threads)
    alone, its_losses, _ = train(problem, [p[3:4] for p in before], names, hidden, order[3:4], 150, rate=rates[3])
    np.testing.assert_array_equal(its_losses[0], losses[3])
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a[0], b[3])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["sine", "table", "zero", "relu"])
def test_a_row_of_nan_stops_the_network_that_sees_it_and_no_other_notices(kind, name):
    hidden, names = HIDDEN[2], (name,)
    problem, before, order = problem_of(kind), networks_of(kind, hidden, 2), orders(2, 120) % 5
    healthy, all_losses, _ = train(problem, before, names, hidden, order, 40)
    problem.inputs[7, 1] = np.nan
    order[0, 70] = 7
    after, losses, state = train(problem, before, names, hidden, order, 40)
    short, _, _ = train(problem, before, names, hidden, np.ascontiguousarray(order[:, :40]), 40)
    np.testing.assert_array_equal(np.isnan(losses), [[False, True, True], [False, False, False]])
    np.testing.assert_array_equal(state.alive, [False, True])
    for a, b, c in zip(after, short, healthy, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], c[1])
    np.testing.assert_array_equal(losses[1], all_losses[1])
    assert np.isnan(evaluate(problem, before, functions_of(names, hidden, 2))).all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_evaluation_is_the_loss_over_all_rows_and_changes_nothing(kind):
    hidden, names = HIDDEN[3], MIXTURES[2]
    problem, parameters = problem_of(kind), networks_of(kind, hidden, 3)
    before = [p.copy() for p in parameters]
    found = evaluate(problem, parameters, functions_of(names, hidden, 3))
    for r in range(3):
        loss, _ = loss_of(problem, [p[r] for p in parameters], names, np.arange(N))
        np.testing.assert_allclose(found[r], loss.item(), rtol=1e-5)
    for p, was in zip(parameters, before, strict=True):
        np.testing.assert_array_equal(p, was)


def test_layers_that_do_not_fit_are_named():
    problem, parameters = problem_of("output"), networks_of("output", (7, 4), 1)
    functions = functions_of(MIXTURES[0], (7, 4), 1)
    W1, b1, W2, b2, W3, b3 = parameters
    with pytest.raises(InputError, match=r"W2 must .* \(1, any, 7\)"):
        evaluate(problem, (W1, b1, np.ascontiguousarray(W2[:, :, :5]), b2, W3, b3), functions)
    with pytest.raises(InputError, match=r"b2 must .* \(1, 4\)"):
        evaluate(problem, (W1, b1, W2, b1, W3, b3), functions)
    with pytest.raises(InputError, match=r"types must .* \(1, 11\)"):
        evaluate(problem, parameters, functions_of(MIXTURES[0], (7,), 1))
    with pytest.raises(InputError, match="W and b of each of at least two layers, not 3 arrays"):
        evaluate(problem, parameters[:3], functions)
