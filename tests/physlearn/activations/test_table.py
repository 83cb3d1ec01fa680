"""A table is a spline: its values, derivatives and gradients, for any shape, dtype and transform."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import make_interp_spline
from torch.testing import assert_close

from physlearn.activations import (
    Mixture,
    Table,
    piecewise_cubic,
    piecewise_cubic_loops,
)
from systems import InputError

KINDS = {"linear": 1, "quadratic": 2, "cubic": 3}
LOW, HIGH, POINTS = -3.0, 5.0, 17
STEP = (HIGH - LOW) / (POINTS - 1)
GRID = np.linspace(LOW, HIGH, POINTS)
BEYOND = {"linear": 0.0, "quadratic": STEP / 2, "cubic": 0.0}  # the quadratic's pieces are centred on the grid's points


def values(seed=0, *shape, dtype=torch.float64):
    return torch.randn(*shape, POINTS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def table(kind, seed=0, *shape, dtype=torch.float64):
    return Table(values(seed, *shape, dtype=dtype), (LOW, HIGH), kind)


def derivatives(f, x):
    return torch.stack([f.value(x), f.first(x), f.second(x)])


def points(n=200, seed=1, low=LOW - 2, high=HIGH + 2, dtype=torch.float64):
    """Inside and outside, none within 1e-3 of where two cells meet."""
    x = torch.rand(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * (high - low) + low
    s = 2 * (x - LOW) / STEP
    return x[(s - s.round()).abs() > 4e-3 / STEP].to(dtype)


@pytest.mark.parametrize("kind", KINDS)
@given(x=st.floats(LOW, HIGH, exclude_min=True, exclude_max=True), seed=st.integers(0, 5))
def test_inside_it_is_the_spline_of_scipy_with_its_derivatives(kind, x, seed):
    spline = make_interp_spline(GRID, values(seed).numpy(), k=KINDS[kind])
    found = derivatives(table(kind, seed), torch.tensor([x], dtype=torch.float64))
    at_corner = abs((x - LOW) / STEP * 2 - round((x - LOW) / STEP * 2)) < 1e-9
    for order in range(3):
        if order >= min(KINDS[kind], 2) and at_corner:
            continue  # the derivative jumps, between cells or at the ends
        expected = spline(x, order) if order <= KINDS[kind] else 0.0
        assert found[order].item() == pytest.approx(float(expected), abs=1e-10 / STEP**order)


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_through_the_values_that_it_was_given(kind):
    assert_close(table(kind)(torch.from_numpy(GRID)), values(), atol=1e-13, rtol=0)


@pytest.mark.parametrize(("kind", "degree"), KINDS.items())
def test_polynomials_up_to_its_degree_are_exact(kind, degree):
    polynomial = np.polynomial.Polynomial([0.3, -1.2, 0.7, 0.4][: degree + 1])
    f = Table.capture(lambda x: torch.from_numpy(polynomial(x.numpy())), (LOW, HIGH), POINTS, kind, dtype=torch.float64)
    x = points(low=LOW, high=HIGH)
    for order, found in enumerate(derivatives(f, x)):
        exact = polynomial.deriv(order) if order else polynomial
        if order <= degree - (degree == 1):
            np.testing.assert_allclose(found, exact(x.numpy()), atol=1e-11)


@pytest.mark.parametrize(("kind", "degree"), KINDS.items())
def test_neighbouring_cells_agree_in_all_derivatives_below_the_degree(kind, degree):
    f = table(kind)
    borders = f.grid.start + f.grid.step * torch.arange(2, f.coefficients.shape[0] - 1, dtype=torch.float64)
    width = 1e-9
    before, after = derivatives(f, borders - width), derivatives(f, borders + width)
    for order in range(degree):
        most = derivatives(f, points())[min(order + 1, 2)].abs().max()
        jump = (after[order] - before[order]).abs().max()
        assert jump < 1e-6 * (1 + most) / STEP**2
    jumps = (after[degree] - before[degree]).abs() if degree < 3 else None
    assert jumps is None or jumps.max() > 1e-2  # and no smoother than that


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", [-1, 1])
def test_beyond_its_ends_it_goes_on_along_the_tangent(kind, side):
    f = table(kind)
    end = torch.tensor([LOW - BEYOND[kind] if side < 0 else HIGH + BEYOND[kind]], dtype=torch.float64)
    just_inside = end - side * 1e-12
    value, slope = f(just_inside), f.first(just_inside)
    x = end + side * torch.tensor([1e-12, 0.3, 7.0, 1e3], dtype=torch.float64)
    assert_close(f(x), value + slope * (x - end), rtol=1e-9, atol=1e-9)
    assert_close(f.first(x), slope.expand(4), rtol=1e-9, atol=1e-9)
    assert not f.second(x).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", [-1, 1])
def test_its_slope_does_not_jump_at_its_ends(kind, side):
    f = table(kind)
    end = LOW - BEYOND[kind] if side < 0 else HIGH + BEYOND[kind]
    inside, outside = (f.first(torch.tensor([end + s * 1e-10], dtype=torch.float64)) for s in (-side, side))
    assert_close(inside, outside, atol=1e-7, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_agree_with_finite_differences(kind):
    f, x, h = table(kind), points(), 1e-5
    assert_close(f.first(x), (f(x + h) - f(x - h)) / (2 * h), atol=1e-7, rtol=0)
    assert_close(f.second(x), (f.first(x + h) - f.first(x - h)) / (2 * h), atol=1e-7, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["value", "first", "second", "value_and_first"])
def test_gradients_by_argument_and_values_pass_gradcheck_twice(kind, how):
    def function(x, v):
        return getattr(Table(v, (LOW, HIGH), kind), how)(x)

    inputs = points(9).requires_grad_(), values().requires_grad_()
    assert torch.autograd.gradcheck(function, inputs)
    assert torch.autograd.gradgradcheck(function, inputs)


def test_the_gradient_by_a_value_is_the_spline_through_a_single_one():
    v, x = values().requires_grad_(), points(20)
    for i in (0, 3, POINTS - 1):
        (gradient,) = torch.autograd.grad(Table(v, (LOW, HIGH))(x).sum(), v)
        one = torch.zeros(POINTS, dtype=torch.float64)
        one[i] = 1
        assert_close(gradient[i], Table(one, (LOW, HIGH))(x).sum())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nan_comes_out_as_nan_and_spoils_no_neighbour(dtype):
    f = table("cubic", dtype=dtype)
    x = torch.tensor([[0.3, math.nan, 1.7]], dtype=dtype)
    for found, clean in zip(derivatives(f, x), derivatives(f, x.nan_to_num()), strict=True):
        assert found[0, 1].isnan()
        assert_close(found[:, ::2], clean[:, ::2], rtol=0, atol=0)


def test_the_gradient_at_nan_is_nan_and_that_of_others_is_right():
    f = table("cubic")
    x = torch.tensor([0.3, math.nan, 1.7], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(f(x)[::2].sum() + f(x)[1], x)
    assert gradient[1].isnan()
    assert_close(gradient[::2], f.first(x.detach())[::2])


@pytest.mark.parametrize("infinite", [math.inf, -math.inf])
def test_infinity_is_not_hidden(infinite):
    assert not table("cubic")(torch.tensor([infinite], dtype=torch.float64)).isfinite().any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_huge_arguments_stay_on_the_tangent(dtype):
    f = table("cubic", dtype=dtype)
    x = torch.tensor([-1e30, 1e30], dtype=dtype)
    slope = f.first(torch.tensor([LOW - 1, HIGH + 1], dtype=dtype))
    assert_close(f(x), slope * x)
    assert_close(f.first(x), slope)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_transforms_of_torch_func_agree_with_the_plain_way(kind):
    f, x = table(kind), points(12)
    assert_close(torch.func.vmap(f)(x.view(-1, 1)), f(x).view(-1, 1))
    assert_close(torch.func.vmap(f)(x), f(x))
    assert_close(torch.func.vmap(torch.func.grad(f))(x), f.first(x))
    assert_close(torch.func.grad(lambda y: f(y).sum())(x), f.first(x))
    assert_close(torch.func.jvp(f, (x,), (torch.full_like(x, 2.0),))[1], 2 * f.first(x))
    assert_close(torch.func.hessian(lambda y: f(y).sum())(x), f.second(x).diag())
    assert_close(torch.func.jacrev(f.first)(x), f.second(x).diag())


def test_transforms_by_the_values_agree_with_the_plain_way():
    x, v = points(12), values()
    function = lambda v: Table(v, (LOW, HIGH))(x)  # noqa: E731
    plain = torch.autograd.functional.jacobian(function, v)
    assert_close(torch.func.jacrev(function)(v), plain)
    many = values(3, 4)
    assert_close(torch.func.vmap(function)(many), torch.stack([function(one) for one in many]))
    f = Table(v, (LOW, HIGH))
    per_values = torch.func.vmap(lambda w: torch.func.functional_call(f, {"values": w}, (x,)))
    assert_close(per_values(many), torch.stack([function(one) for one in many]))
    assert_close(f(x), function(v))  # and the table is what it was


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_each_member_of_a_stack_has_its_own_table(rows):
    f = table("cubic", 2, 3)
    x = torch.randn(3, rows, 5, dtype=torch.float64) * 4
    for order, found in enumerate(derivatives(f, x)):
        alone = [derivatives(Table(f.values[r], (LOW, HIGH)), x[r])[order] for r in range(3)]
        assert_close(found, torch.stack(alone), rtol=1e-13, atol=1e-13)


def test_gradients_in_a_stack_do_not_mix():
    v = values(2, 3).requires_grad_()
    x = torch.randn(3, 4, 5, dtype=torch.float64)
    (gradient,) = torch.autograd.grad(Table(v, (LOW, HIGH))(x)[1].sum(), v)
    assert not gradient[[0, 2]].any()
    alone = v[1].detach().requires_grad_()
    assert_close(gradient[1], torch.autograd.grad(Table(alone, (LOW, HIGH))(x[1]).sum(), alone)[0])


def test_a_stack_refuses_arguments_that_are_none():
    with pytest.raises(InputError, match="stack"):
        table("cubic", 0, 2)(torch.zeros(4, 5, dtype=torch.float64))


@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0), (0, 4), (2, 3, 4)])
def test_any_shape_is_kept(shape):
    f = table("cubic")
    x = torch.rand(shape, dtype=torch.float64)
    for found in (f(x), f.first(x), f.second(x), *f.value_and_first(x)):
        assert found.shape == shape
    flat = torch.stack([f(one) for one in x.flatten()]) if x.numel() else x.flatten()
    assert_close(f(x).flatten(), flat)


def test_strides_do_not_matter():
    f = table("cubic")
    x = torch.randn(4, 6, 5, dtype=torch.float64)
    for view in (x.mT, x.permute(2, 0, 1), x[:, ::2], x[:, :1].expand(4, 6, 5)):
        assert_close(f(view), f(view.clone(memory_format=torch.contiguous_format)))
        leaf = view.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(f(leaf).square().sum(), leaf)
        assert_close(gradient, 2 * f(view) * f.first(view))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_is_kept(dtype):
    f = table("cubic", dtype=dtype)
    x = points(10, dtype=dtype)
    assert {found.dtype for found in (f(x), f.first(x), f.second(x))} == {dtype}
    assert {part.device for part in (f(x), f.coefficients)} == {x.device}


def test_single_precision_has_the_digits_of_its_arguments():
    f, x = table("cubic"), points(500, dtype=torch.float32)
    single = copy.deepcopy(f).float()
    assert_close(single(x).double(), f(x.double()), atol=2e-5, rtol=0)  # slopes of 10, rounding of x - start


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("types", [3])
def test_tensor_operations_equal_the_compiled_loops(kind, types, monkeypatch):
    """On CUDA and under transforms the same comes from tensor operations."""
    v = values(4, 2, types).requires_grad_()
    x = torch.randn(2, 6, 7, dtype=torch.float64) * 4
    x.requires_grad_()
    weight = torch.randn(2, 6, 7, dtype=torch.float64)

    def everything():
        tables = [Table(v[:, k], (LOW, HIGH), kind) for k in range(types)]
        mix = Mixture(tables)
        value, slope = mix.value_and_first(x)
        loss = (weight * value).square().sum() + (slope * value).sum() + mix.second(x).square().sum()
        first = torch.autograd.grad(loss, [x, v], create_graph=True)
        second = torch.autograd.grad(sum(part.square().sum() for part in first), [x, v])
        return [value, slope, *first, *second]

    compiled = everything()
    monkeypatch.setattr(piecewise_cubic_loops, "applies", lambda *tensors: False)
    for found, expected in zip(everything(), compiled, strict=True):
        scale = max(1.0, float(expected.detach().abs().max()))
        assert_close(found, expected, rtol=1e-9, atol=1e-11 * scale)


def test_the_compiled_loops_are_what_is_tested_here():
    assert piecewise_cubic_loops.applies(torch.zeros(1), torch.zeros(1))
    assert not piecewise_cubic_loops.applies(torch.zeros(1), torch.zeros(1, dtype=torch.float64))


def test_arguments_of_another_dtype_are_looked_up_in_theirs():
    f, x = table("cubic", dtype=torch.float32), points(20)
    found = f(x)
    assert found.dtype == torch.float64
    assert_close(found, copy.deepcopy(f).double()(x), atol=1e-5, rtol=0)


def test_inside_by_argument_only_backward_passes_skip_the_values():
    v, x = values().requires_grad_(), points(9).requires_grad_()
    with piecewise_cubic.by_argument_only():
        out = Table(v, (LOW, HIGH))(x).sum()
        skipped = torch.autograd.grad(out, [x, v], allow_unused=True, create_graph=True)
    assert not skipped[1].any() if skipped[1] is not None else True
    assert_close(skipped[0], table("cubic").first(x))
    (mixed,) = torch.autograd.grad(skipped[0].sum(), v)
    reference = torch.autograd.functional.jacobian(lambda w: Table(w, (LOW, HIGH)).first(x.detach()).sum(), v.detach())
    assert_close(mixed, reference)
