"""Values of a table: a change takes effect at once, copies are independent, and wrong values are refused."""

import copy
import math

import pytest
import torch
from torch.testing import assert_close

from physlearn import Forecaster, models
from physlearn.activations import Mixture, Piecewise, Table, get
from physlearn.activations.description import describe, restore
from systems import InputError

KINDS = {"linear": 1, "quadratic": 2, "cubic": 3}
LOW, HIGH, POINTS = -3.0, 5.0, 17


def values():
    return torch.randn(POINTS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def table(kind):
    return Table(values(), (LOW, HIGH), kind)


def points(n=200):
    """Arguments inside and outside of the table."""
    return (HIGH - LOW + 4) * torch.rand(n, generator=torch.Generator().manual_seed(1), dtype=torch.float64) + LOW - 2


def changed_in_place(f):
    with torch.no_grad():
        f.values.mul_(2)


def loaded(f):
    f.load_state_dict({"values": 2 * f.values})


def replaced(f):
    f.values = 2 * f.values


@pytest.mark.parametrize("change", [changed_in_place, loaded, replaced])
def test_new_values_take_effect_at_once(change):
    f, x = table("cubic"), points()
    before = f(x)
    change(f)
    assert_close(f(x), 2 * before)


def test_new_values_take_effect_at_once_in_a_mixture():
    f, x = table("cubic"), points(20)
    mix = Mixture([f, f])
    before = mix(x)
    changed_in_place(f)
    assert_close(mix(x), 2 * before)


def test_changing_the_dtype_changes_what_is_computed():
    f, x = table("cubic"), points()
    double = f(x)
    f.to(torch.float32)
    assert f(x.float()).dtype == torch.float32
    f.to(torch.float64)
    assert_close(f(x), double, atol=1e-5, rtol=0)
    assert (f(x) != double).any()  # the values were rounded, and no old coefficients were kept


def test_a_graph_of_the_values_is_not_kept_from_before():
    f, x = Table(values().requires_grad_(), (LOW, HIGH)), points(9)
    with torch.no_grad():
        f(x)
    (first,) = torch.autograd.grad(f(x).sum(), f.values)
    (again,) = torch.autograd.grad(f(x).sum(), f.values)
    assert_close(first, again, rtol=0, atol=0)


@pytest.mark.parametrize("inside", ["built", "evaluated"])
def test_inference_mode_leaves_nothing_that_training_cannot_use(inside):
    f = table("cubic")
    with torch.inference_mode():
        found = (f if inside == "evaluated" else table("cubic"))(points())
    x = points().requires_grad_()
    assert_close(found.clone(), f(x.detach()))
    (gradient,) = torch.autograd.grad(f(x).sum(), x)
    assert_close(gradient, f.first(x.detach()))


def test_a_copy_is_equal_and_independent():
    f, x = Table(values(), (LOW, HIGH), "quadratic", "mine"), points()
    f(x)  # with something to remember
    other = copy.deepcopy(f)
    assert (other.name, other.kind, other.interval, other.curved) == (f.name, f.kind, f.interval, f.curved)
    assert_close(other(x), f(x), rtol=0, atol=0)
    changed_in_place(other)
    assert_close(other(x), 2 * f(x))


def test_a_copy_of_values_in_a_graph_is_a_leaf():
    f = Table(2 * values().requires_grad_(), (LOW, HIGH))
    f(points())
    assert not copy.deepcopy(f).values.requires_grad


@pytest.mark.parametrize("kind", KINDS)
def test_the_description_and_the_state_restore_it(kind):
    f, x = table(kind), points()
    other = restore(describe(f)).double()
    other.load_state_dict(f.state_dict())
    assert_close(other(x), f(x), rtol=0, atol=0)
    assert other.name == f.name
    pieced = restore(describe(f.piecewise)).double()
    assert isinstance(pieced, Piecewise)
    pieced.load_state_dict(f.piecewise.state_dict())
    assert_close(pieced(x), f(x), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((values(), (1.0, 1.0)), "interval"),
        ((values(), (2.0, 1.0)), "interval"),
        ((values(), (math.nan, 1.0)), "interval"),
        ((values(), (-math.inf, math.inf)), "interval"),
        ((values(), (0.0, 1.0), "quartic"), "kind"),
        ((torch.zeros(4), (0.0, 1.0), "cubic"), "at least 5"),
        ((torch.zeros(3), (0.0, 1.0), "quadratic"), "at least 4"),
        ((torch.zeros(2), (0.0, 1.0), "linear"), "at least 3"),
        ((torch.arange(9), (0.0, 1.0)), "int64"),
        ((torch.tensor(1.0), (0.0, 1.0)), "values"),
    ],
)
def test_what_is_no_table_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Table(*arguments)


@pytest.mark.parametrize(("kind", "degree"), KINDS.items())
def test_the_fewest_points_are_enough(kind, degree):
    f = Table.capture(lambda x: 2 * x - 1, (-1.0, 1.0), degree + 2, kind, dtype=torch.float64)
    x = points(30)
    assert_close(f(x), 2 * x - 1)


@pytest.mark.parametrize("model", ["hnn", "hnn-separable", "hnn-mechanical"])
@pytest.mark.parametrize("activation", [table("linear"), Mixture([get("sine"), table("linear")])], ids=["table", "mixture"])
def test_a_hamiltonian_network_refuses_linear_tables_and_says_why(model, activation):
    with pytest.raises(InputError, match="piecewise constant with linear interpolation"):
        models.build(model, 2, (4,), activation)


def test_a_hamiltonian_forecaster_refuses_linear_tables_before_it_trains(harmonic_oscillator):
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    orbits = harmonic_oscillator.orbit(harmonic_oscillator.sample(3), t)
    with pytest.raises(InputError, match="kind='cubic'"):
        Forecaster("hnn", activation=Table.capture(torch.sin, kind="linear")).fit(orbits, epochs=1, progress=False)
    Forecaster("nn", hidden=(4,), activation=Table.capture(torch.sin, kind="linear")).fit(orbits, epochs=1, progress=False)
