"""The compiled loops of spline networks against automatic differentiation of the same networks by torch in float64."""

import numpy as np
import pytest
import torch

from physlearn.activations.compiled import CODES
from physlearn.models.spline_network import FEATURES, SplineNetwork
from physlearn.training.fused import Functions, FusedProblem, State, advance, evaluate
from systems import InputError

D, H, N = 3, 6, 300
KINDS = ["output", "gradient", "classes"]
BASES = ["silu", "sine", "relu", "gelu"]


def problem_of(kind, outputs=2):
    rng = np.random.default_rng(0)
    inputs = 2 * rng.normal(size=(N, D)).astype(np.float32)  # some outside of the grid
    if kind == "classes":
        return FusedProblem(kind, inputs, rng.integers(0, outputs, N))
    components = D if kind == "gradient" else outputs
    targets, weights = rng.normal(size=(N, components)), rng.uniform(0.5, 2, components)
    return FusedProblem(kind, inputs, targets.astype(np.float32), weights.astype(np.float32))


def networks_of(kind, networks, outputs=2):
    rng = np.random.default_rng(1)
    outputs, constants = (1, 0) if kind == "gradient" else (outputs, outputs)
    shapes = [(H, FEATURES * D), (H,), (outputs, FEATURES * H), (constants,)]
    return tuple((rng.normal(size=(networks, *shape)) / 2).astype(np.float32) for shape in shapes)


def functions_of(base, networks):
    return Functions(np.full((networks, H), CODES[base], np.int32), splines=True)


def loss_of(problem, parameters, base, rows):
    """Of one network, and the parameters that it depends on."""
    outputs = parameters[2].shape[0]
    network = SplineNetwork(D, outputs, (H,), base, last_bias=problem.kind != "gradient", generator=torch.Generator()).double()
    leaves = list(network.parameters())
    with torch.no_grad():
        for leaf, own in zip(leaves, [p for p in parameters if p.size], strict=True):
            leaf.copy_(torch.from_numpy(own))
    x = torch.tensor(problem.inputs[rows], dtype=torch.float64, requires_grad=True)
    out = network(x)
    if problem.kind == "classes":
        return torch.nn.functional.cross_entropy(out, torch.from_numpy(problem.targets[rows])), leaves
    if problem.kind == "gradient":
        (out,) = torch.autograd.grad(out.sum(), x, create_graph=True)
    error = (out - torch.from_numpy(problem.targets[rows])) ** 2 @ torch.from_numpy(problem.weights).double()
    return error.mean(), leaves


def stepped(problem, parameters, base, order):
    """What one step of length 1 down the gradient makes of a copy of the parameters, the loss before it, and the state."""
    after, losses, state = [p.copy() for p in parameters], np.empty((len(order), 1), np.float32), State.fresh(parameters)
    advance(problem, after, state, "sgd", functions_of(base, len(order)), order, order.shape[1], np.ones_like(losses), losses)
    return after, losses[:, 0], state


def orders(networks, length):
    return np.random.default_rng(2).integers(0, N, (networks, length)).astype(np.int32)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("rows", [1, 33, 600])
def test_the_gradients_are_those_of_automatic_differentiation(kind, base, rows):
    problem, parameters, order = problem_of(kind), networks_of(kind, 2), orders(2, rows)
    after, losses, _ = stepped(problem, parameters, base, order)
    for r in range(2):
        loss, leaves = loss_of(problem, [p[r] for p in parameters], base, order[r])
        wanted = torch.autograd.grad(loss, leaves)
        scale = max(1.0, *(float(abs(g).max()) for g in wanted))
        np.testing.assert_allclose(losses[r], loss.item(), rtol=2e-5)
        found = [before[r] - p[r] for before, p in zip(parameters, after, strict=True) if p.size]
        for own, g in zip(found, wanted, strict=True):
            np.testing.assert_allclose(own, g.numpy(), rtol=2e-5, atol=2e-5 * scale)


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_over_all_rows_is_that_of_torch(kind):
    problem, parameters = problem_of(kind), networks_of(kind, 3)
    found = evaluate(problem, parameters, functions_of("silu", 3))
    wanted = [loss_of(problem, [p[r] for p in parameters], "silu", np.arange(N))[0].item() for r in range(3)]
    np.testing.assert_allclose(found, wanted, rtol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_that_diverges_keeps_its_weights_and_no_other_notices(kind):
    problem, parameters, order = problem_of(kind), networks_of(kind, 3), orders(3, 100)
    parameters[0][1, 0, 0] = np.nan
    after, losses, state = stepped(problem, parameters, "silu", order)
    assert state.alive.tolist() == [True, False, True]
    assert np.isnan(losses).tolist() == [False, True, False]
    for before, p in zip(parameters, after, strict=True):
        np.testing.assert_array_equal(before[1], p[1])
    alone, _, _ = stepped(problem, [p[2:] for p in parameters], "silu", order[2:])
    for own, p in zip(alone, after, strict=True):
        np.testing.assert_array_equal(own[0], p[2])


def test_a_base_function_that_is_a_table_or_a_mixture_is_refused():
    tables = np.zeros((1, 1, 5, 4), np.float32)
    for types in ([CODES["table"]] * H, [CODES["sine"], *[CODES["silu"]] * (H - 1)]):
        with pytest.raises(InputError, match="one base function that is not a table"):
            Functions(np.int32([types]), tables, splines=True)


def test_weights_of_another_size_are_named():
    problem, (W1, b1, W2, b2) = problem_of("output"), networks_of("output", 1)
    with pytest.raises(InputError, match=r"W1 must .* 27\)"):
        evaluate(problem, (np.ascontiguousarray(W1[:, :, :D]), b1, W2, b2), functions_of("silu", 1))
    with pytest.raises(InputError, match=r"W2 must .* \(1, 2, 54\)"):
        evaluate(problem, (W1, b1, np.ascontiguousarray(W2[:, :, :H]), b2), functions_of("silu", 1))
