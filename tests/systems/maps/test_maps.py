"""Maps: their tangent maps and orbits, against exact values and finite differences."""

from math import pi, sqrt

import pytest
import torch
from torch.testing import assert_close

import systems
from systems import InputError, IntegrationError, UnknownNameError
from systems.maps import FunctionMap, LogisticMap

NAMES = ("henon", "logistic", "standard")


@pytest.fixture(params=NAMES)
def one(request):
    return systems.maps.get(request.param)


def test_maps_have_names_of_their_own():
    assert set(NAMES) <= set(systems.maps.names())
    assert not set(NAMES) & set(systems.names())  # commands and tasks take the names of systems, which have a vector field


def test_an_unknown_name_or_parameter_is_refused():
    with pytest.raises(UnknownNameError, match="henon, logistic, standard"):
        systems.maps.get("baker")
    with pytest.raises(InputError, match="it has a, b"):
        systems.maps.get("henon", c=1.0)
    with pytest.raises(InputError, match="r of logistic must be a finite number"):
        systems.maps.get("logistic", r=float("nan"))


def test_samples_are_reproducible_and_stay_bounded(one):
    z0 = one.sample(20, seed=3)
    assert torch.equal(z0, one.sample(20, seed=3))
    assert not torch.equal(z0, one.sample(20, seed=4))
    assert one.orbit(z0, 500).z[..., 0].abs().max() < 7


def test_the_tangent_map_is_that_of_finite_differences(one):
    z, h = one.sample(8, seed=0), 1e-6
    z = z[(one.step(z)[:, 0] - pi).abs() < 3]  # a difference must not pass the end of the angle
    for j in range(one.dim):
        e = h * torch.eye(one.dim, dtype=torch.float64)[j]
        assert_close(one.jacobian(z)[..., j], (one.step(z + e) - one.step(z - e)) / (2 * h), rtol=1e-7, atol=1e-7)


def test_the_standard_map_preserves_area_and_the_henon_map_contracts_it():
    for name, area in (("standard", 1.0), ("henon", -0.3)):
        one = systems.maps.get(name)
        found = torch.linalg.det(one.jacobian(one.sample(10, seed=0)))
        assert_close(found, torch.full_like(found, area), rtol=0, atol=1e-14)


def test_states_that_differ_by_a_period_have_equivalent_images():
    one = systems.maps.get("standard", K=2.0)
    z = one.sample(10, seed=0)
    for shift in ([2 * pi, 0.0], [0.0, 2 * pi]):
        off = (one.step(z + torch.tensor(shift, dtype=torch.float64)) - one.step(z)) / (2 * pi)
        assert_close(off, off.round(), rtol=0, atol=1e-12)


def test_the_logistic_map_for_r_4_has_an_exact_solution():
    angle = torch.tensor([0.3, 1.1, 1.4], dtype=torch.float64)
    n = torch.arange(11, dtype=torch.float64)
    exact = (2**n * angle[:, None]).sin() ** 2
    assert_close(LogisticMap().orbit(angle.sin()[:, None] ** 2, 10).z[..., 0], exact, rtol=0, atol=1e-11)


def test_the_fixed_points_of_the_henon_map_stay():
    a, b = 1.4, 0.3
    x = (-(1 - b) + sqrt((1 - b) ** 2 + 4 * a)) / (2 * a)
    assert_close(systems.maps.get("henon").orbit([x, b * x], 1).z[1], torch.tensor([x, b * x], dtype=torch.float64))


def test_compiled_and_torch_iterate_alike(one):
    z0 = one.sample(19, seed=0)  # more than lie side by side
    compiled, torches = (one.orbit(z0, 12, engine=engine) for engine in ("compiled", "torch"))
    assert [o.provenance["engine"] for o in (compiled, torches)] == ["compiled", "torch"]
    assert_close(compiled.z, torches.z, rtol=0, atol=1e-12)
    assert compiled.t.tolist() == list(range(13))


def test_parameters_are_those_of_the_map_that_is_iterated():
    z0 = torch.tensor([[0.2]], dtype=torch.float64)
    for r in (1.5, 2.5):
        assert_close(LogisticMap(r).orbit(z0, 400).z[0, -1], torch.tensor([1 - 1 / r], dtype=torch.float64))


def test_any_batch_and_array_is_taken():
    one = systems.maps.get("henon")
    z0 = one.sample(6, seed=0)
    deep = one.orbit(z0.reshape(2, 3, 2).numpy(), 5)
    assert deep.shape == (2, 3, 6)
    assert torch.equal(deep.z.flatten(0, 1), one.orbit(z0, 5).z)
    with torch.inference_mode():
        assert torch.equal(one.orbit(z0, 5).z, deep.z.flatten(0, 1))
        assert one.jacobian(z0.numpy()).shape == (6, 2, 2)


@pytest.mark.parametrize("function", [lambda z: 2 * z % 1, lambda z: 2 * z % 1 if z.numel() else z.item()])
def test_a_function_is_a_map(function):
    doubling = FunctionMap(function, ("x",), {"x": 1.0})
    assert_close(doubling.orbit([0.3], 3).z[:, 0], torch.tensor([0.3, 0.6, 0.2, 0.4], dtype=torch.float64))
    assert doubling.sample(3).shape == (3, 1)


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_the_states_of_a_function_are_reduced_by_its_periods(engine):
    """Arnold's cat map, against whole numbers: states are multiples of 1/1024, of which no digit may be lost."""
    matrix = torch.tensor([[2.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    cat = FunctionMap(lambda z: (matrix * z[..., None, :]).sum(-1), ("x", "y"), {"x": 1.0, "y": 1.0})
    x, y = 256, 389
    orbit = cat.orbit([x / 1024, y / 1024], 400, engine=engine)
    for _ in range(400):
        x, y = (2 * x + y) % 1024, (x + y) % 1024
    assert (orbit.z[-1] * 1024).tolist() == [x, y]
    half = FunctionMap(lambda z: z - 1.3, ("x", "theta"), {"theta": 2.0})  # the other coordinate keeps its sign
    assert_close(half.orbit([0.0, 0.0], 2, engine=engine).z[-1], torch.tensor([-2.6, 1.4], dtype=torch.float64))


@pytest.mark.parametrize("periods", [{}, {"x": 1.0}])
def test_a_function_that_returns_another_shape_is_refused(periods):
    with pytest.raises(InputError, match=r"returned states of shape \(.*1\) for states of shape \(.*2\); both must be equal"):
        FunctionMap(lambda z: z[..., :1], ("x", "y"), periods).orbit([0.1, 0.2], 3)


def test_a_function_that_changed_is_not_taken_for_the_one_that_was_compiled():
    factor = [2.0]
    one = FunctionMap(lambda z: factor[0] * z, ("x",))
    assert one.orbit([1.0], 2).z[-1].item() == 4
    factor[0] = 3.0
    assert one.orbit([1.0], 2).z[-1].item() == 9


def test_an_orbit_that_diverges_is_refused():
    with pytest.raises(IntegrationError, match=r"orbit 1 from z0 = \[5.0, 5.0\] diverges at iteration 9"):
        systems.maps.get("henon").orbit([[0.0, 0.0], [5.0, 5.0]], 20)


@pytest.mark.parametrize(
    ("z0", "steps", "message"),
    [([0.1], 5, "must have 2 coordinates"), ([0.1, 0.1], -1, "at least 0"), ([0.1, 0.1], 2.5, "whole number")],
)
def test_wrong_arguments_are_refused(z0, steps, message):
    with pytest.raises(InputError, match=message):
        systems.maps.get("henon").orbit(z0, steps)


# The multiplier of a cycle of period 2^k is -1 where the cycle of twice its period appears.
@pytest.mark.parametrize(
    ("period", "low", "high", "published"),
    [(1, 2.9, 3.1, 3.0), (2, 3.4, 3.47, 3.449490), (4, 3.53, 3.55, 3.544090), (8, 3.56, 3.566, 3.564407)],
)
def test_the_periods_of_the_logistic_map_double_where_feigenbaum_says(period, low, high, published):
    z = LogisticMap(low).orbit([0.4], 10_000).z[-1]
    for _ in range(22):
        one = LogisticMap(r := (low + high) / 2)
        for _ in range(5):  # Newton's method, because the cycle may be unstable
            cycle = one.orbit(z, period).z
            multiplier = one.jacobian(cycle[:-1]).prod()
            z = z - (cycle[-1] - z) / (multiplier - 1)
        low, high = (r, high) if multiplier > -1 else (low, r)
    assert r == pytest.approx(published, abs=6e-7)
