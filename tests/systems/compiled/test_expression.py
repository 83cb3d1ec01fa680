"""Expressions are shared and folded, and keep their value as code, as a tape and in their derivatives."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from systems.compiled import tape
from systems.compiled.derivative import directional, jacobian
from systems.compiled.expression import NUMERICAL, Graph, evaluate, needed
from systems.compiled.function import CompiledFunction
from systems.compiled.source import statements

ONE = ("neg", "exp", "sin", "cos", "tanh", "abs", "sqrt", "square", "atan", "sigmoid", "expm1", "erf", "sinh", "floor", "sign")
TWO = ("add", "sub", "mul", "div", "maximum", "minimum", "atan2")


def test_equal_expressions_are_one():
    graph = Graph()
    x, y = graph.variable("z", 0), graph.variable("z", 1)
    assert x * y + 1.0 is 1.0 + y * x
    assert len(needed([x * y, y * x])) == 3


@pytest.mark.parametrize(
    ("build", "plain"),
    [
        (lambda g, x: x + 0.0, lambda g, x: x),
        (lambda g, x: x * 1.0, lambda g, x: x),
        (lambda g, x: x * 0.0, lambda g, x: g.number(0.0)),
        (lambda g, x: 0.0 - (-x), lambda g, x: x),
        (lambda g, x: x - x, lambda g, x: g.number(0.0)),
        (lambda g, x: x / 4.0, lambda g, x: x * 0.25),
        (lambda g, x: 1.0 - (-x), lambda g, x: x + 1.0),
        (lambda g, x: g.power(x, 1), lambda g, x: x),
        (lambda g, x: g.power(x, 0), lambda g, x: g.number(1.0)),
        (lambda g, x: g.apply("select", True, x, 2.0), lambda g, x: x),
        (lambda g, x: g.apply("sin", g.number(0.5)), lambda g, x: g.number(math.sin(0.5))),
    ],
)
def test_expressions_are_simplified(build, plain):
    graph = Graph()
    x = graph.variable("z", 0)
    assert build(graph, x) is plain(graph, x)


@pytest.mark.parametrize("exponent", [0, 0.5, 1, 1.5, 2, 3, 5, 7, 16, 17, 2.3, -0.5, -1, -2, -3, -1.5])
def test_powers_have_the_value_of_pow(exponent):
    graph = Graph()
    function = CompiledFunction([graph.power(graph.variable("z", 0), exponent)], interpreted=True)
    for x in (0.3, 1.7, 12.0):
        assert function(0.0, np.array([[x]]), np.empty(0))[0, 0] == pytest.approx(x**exponent, rel=4e-16 * 20)


@pytest.mark.parametrize("operation", sorted(set(NUMERICAL) - {"and", "or", "not"}))
def test_every_operation_has_the_same_value_as_code_and_on_a_tape(operation):
    graph = Graph()
    variables = [graph.variable("z", place) for place in range(3)]
    count = 3 if operation == "select" else 1 if operation in _of_one() else 2
    given_ = [graph.apply("lt", variables[0], variables[1]), *variables[1:]] if operation == "select" else variables[:count]
    result = graph.apply(operation, *given_)
    code, interpreted = CompiledFunction([result]), CompiledFunction([result], interpreted=True)
    states = np.array([[0.3, 0.7, 0.2], [0.9, 0.4, 0.9], [0.5, 0.5, 0.1]])
    if operation == "acosh":
        states = states + 1
    wanted = [
        float(evaluate(operation, bool(a < b), b, c) if count == 3 else evaluate(operation, *(a, b, c)[:count]))
        for a, b, c in states.tolist()
    ]
    for function in (code, interpreted):
        np.testing.assert_allclose(function(0.0, states, np.empty(0))[:, 0], wanted, rtol=3e-16, atol=0)


def _of_one():
    two = {"add", "sub", "mul", "div", "pow", "atan2", "min", "max", "lt", "le", "eq", "ne", "and", "or"}
    return set(NUMERICAL) - two - {"select"}


def test_conditions_are_combined():
    graph = Graph()
    x, y = graph.variable("z", 0), graph.variable("z", 1)
    a, b = graph.apply("lt", x, 0.5), graph.apply("lt", y, 0.5)
    results = [graph.real(graph.apply(name, *values)) for name, values in (("and", (a, b)), ("or", (a, b)), ("not", (a,)))]
    for function in (CompiledFunction(results), CompiledFunction(results, interpreted=True)):
        found = function(0.0, np.array([[0.1, 0.1], [0.1, 0.9], [0.9, 0.9]]), np.empty(0))
        np.testing.assert_array_equal(found, [[1, 1, 0], [0, 1, 0], [0, 0, 1]])


def test_a_long_function_is_interpreted_and_has_the_same_value(monkeypatch):
    graph = Graph()
    z = [graph.variable("z", place) for place in range(40)]
    parameters, t = [graph.variable("p", place) for place in range(3)], graph.variable("t")
    results = [(z[i] - parameters[i % 3]) * graph.apply("sin", z[(i + 1) % 40]) + t for i in range(40)]
    states = np.random.default_rng(0).normal(size=(5, 40))
    short = CompiledFunction(results)(0.7, states, np.array([1.0, 2.0, 3.0]))
    monkeypatch.setattr("systems.compiled.function.LONGEST", 10)
    long = CompiledFunction(results)
    assert long.data.size > 0
    np.testing.assert_allclose(long(0.7, states, np.array([1.0, 2.0, 3.0])), short, rtol=1e-15, atol=1e-16)


def test_a_tape_has_one_group_for_each_level_and_kind_whatever_the_dimension():
    def groups(n):
        graph = Graph()
        z = [graph.variable("z", place) for place in range(n)]
        return len(tape.Tape([(a * b + 1.0) for a, b in pairwise(z)])._groups())

    assert groups(200) == groups(4) == 3


def test_code_reads_all_arguments_before_it_writes():
    graph = Graph()
    x, y = graph.variable("z", 0), graph.variable("z", 1)
    lines = statements([y, x])
    assert [line.split(" = ")[0] for line in lines] == ["z0", "z1", "out[0]", "out[1]"]


def expressions(depth=3):
    """Pairs of the same function for torch and for a graph."""
    leaf = st.one_of(
        st.integers(0, 2).map(lambda i: ("variable", i)), st.floats(-3, 3, allow_subnormal=False).map(lambda x: ("number", x))
    )
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.tuples(st.sampled_from(ONE), inner),
            st.tuples(st.sampled_from(TWO), inner, inner),
            st.tuples(st.just("where"), inner, inner),
        ),
        max_leaves=2**depth,
    )


def built(tree, z):
    """Return the value of a tree for a state in torch."""
    kind, *parts = tree
    if kind == "variable":
        return z[..., parts[0]]
    if kind == "number":
        return torch.full_like(z[..., 0], parts[0])
    values = [built(part, z) for part in parts]
    if kind == "where":
        return torch.where(values[0] > values[1], values[0] * 2, values[1] - 1)
    if kind == "sqrt":
        return (values[0].square() + 0.1).sqrt()
    if kind == "div":
        return values[0] / (values[1].square() + 0.5)
    if kind in ("exp", "sinh", "expm1"):
        return getattr(torch, kind)(values[0].clamp(-5, 5))
    return getattr(torch, kind)(*values)


@settings(max_examples=60, deadline=None)
@given(tree=expressions(), seed=st.integers(0, 2**31))
def test_random_functions_and_their_derivatives_agree_with_torch(tree, seed):
    from systems.compiled.trace import trace

    generator = torch.Generator().manual_seed(seed)
    z, w = torch.randn(2, 6, 3, generator=generator, dtype=torch.float64)
    graph = Graph()
    variables = [graph.variable("z", place) for place in range(3)]
    directions = [graph.variable("z", 3 + place) for place in range(3)]
    (value,) = trace(lambda z: built(tree, z).reshape(1), [z[0]], [np.array(variables, dtype=object)], graph)
    (slope,) = directional([value], dict(zip(variables, directions, strict=True)))
    function = CompiledFunction([value, slope], interpreted=True)
    found = function(0.0, torch.cat([z, w], dim=-1).numpy(), np.empty(0))
    wanted, derivative = torch.func.jvp(lambda z: built(tree, z), (z,), (w,))
    for ours, theirs, precision in ((found[:, 0], wanted.numpy(), 1e-13), (found[:, 1], derivative.numpy(), 1e-10)):
        known = np.isfinite(theirs)  # torch has NaN where 0 is divided by 0, which is 0 by the simpler expression
        size = np.abs(theirs[known]).max(initial=1.0)
        np.testing.assert_allclose(ours[known], theirs[known], rtol=10 * precision, atol=precision * size)


def test_a_jacobian_has_a_row_for_each_result():
    graph = Graph()
    x, y = graph.variable("z", 0), graph.variable("z", 1)
    matrix = jacobian([x * y, y], [x, y])
    assert matrix == [[y, x], [graph.number(0.0), graph.number(1.0)]]
