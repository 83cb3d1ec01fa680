"""High-accuracy orbits against exact solutions."""

from math import pi

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import systems
from systems import InputError, IntegrationError
from systems.reference.solvers import solve


def times(*values):
    return torch.tensor(values, dtype=torch.float64)


def rotation(t, z):
    return torch.stack([z[..., 1], -z[..., 0]], dim=-1)


def rotated(t, z0):
    q, p = z0[..., None, :].unbind(-1)
    return torch.stack([q * t.cos() + p * t.sin(), p * t.cos() - q * t.sin()], dim=-1)


@pytest.mark.parametrize("solver", ["DOP853", "dopri8", "RK45", "Radau", "BDF", "LSODA"])
@pytest.mark.parametrize("direction", [1, -1])
def test_every_solver_is_as_good_as_its_tolerance(solver, direction):
    t = direction * torch.linspace(0, 2 * pi, 9, dtype=torch.float64)
    z = solve(rotation, times(1.0, 0.0), t, solver, rtol=1e-8, atol=1e-8)
    # local errors of 1e-8 a step add up over some hundreds of steps at most
    torch.testing.assert_close(z, rotated(t, times(1.0, 0.0)), rtol=0, atol=3e-6 if solver == "BDF" else 1e-6)


@pytest.mark.parametrize("solver", ["DOP853", "dopri8"])
@pytest.mark.parametrize("count", [2, 3, 11])
def test_the_default_tolerances_give_ten_digits_at_every_time_the_last_one_too(solver, count):
    # local errors of 1e-12 add up over some hundreds of steps at most, whatever times are asked for
    t = torch.linspace(0, 10, count, dtype=torch.float64)
    torch.testing.assert_close(solve(rotation, times(1.0, 0.0), t, solver), rotated(t, times(1.0, 0.0)), rtol=0, atol=1e-10)


def test_the_two_solvers_agree_on_orbits_that_no_formula_gives(henon_heiles):
    t = torch.linspace(0, 20, 5, dtype=torch.float64)
    z0 = henon_heiles.sample(3, energy=0.08)
    scipy, torchdiffeq = (henon_heiles.orbit(z0, t, method=solver).z for solver in ("DOP853", "dopri8"))
    torch.testing.assert_close(torchdiffeq, scipy, rtol=0, atol=1e-9)


def test_a_field_may_depend_on_time():
    t = times(0.0, 0.5, 1.0, 2.0)
    for solver in ("DOP853", "dopri8"):
        z = solve(lambda t, z: t * z, times(1.0), t, solver)
        torch.testing.assert_close(z[:, 0], (t**2 / 2).exp(), rtol=1e-10, atol=0)


@given(start=st.floats(-5, 5), duration=st.floats(0.1, 5), direction=st.sampled_from([1, -1]))
def test_integration_starts_at_the_first_time_whatever_it_is(start, duration, direction):
    t = times(start, start + direction * duration)
    z = solve(lambda t, z: t.cos().expand_as(z), times(0.0), t)
    torch.testing.assert_close(z[-1, 0], t[1].sin() - t[0].sin(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("batch", [(), (1,), (5,), (2, 3), (40,)])
def test_batches_of_any_shape_keep_it(batch):
    z0 = torch.randn(*batch, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    t = torch.linspace(0, 3, 4, dtype=torch.float64)
    torch.testing.assert_close(solve(rotation, z0, t), rotated(t, z0), rtol=0, atol=1e-10)


def test_one_difficult_orbit_in_a_batch_is_as_accurate_as_alone():
    fast = lambda t, z: z[..., 2:] * rotation(t, z[..., :2])  # noqa: E731
    field = lambda t, z: torch.cat([fast(t, z), torch.zeros_like(z[..., 2:])], -1)  # noqa: E731
    z0 = torch.tensor([[1.0, 0.0, 0.1]] * 31 + [[1.0, 0.0, 20.0]], dtype=torch.float64)
    t = times(0.0, 10.0)
    z = solve(field, z0, t)[-1, -1, :2]
    torch.testing.assert_close(z, rotated(20 * t, times(1.0, 0.0))[-1], rtol=0, atol=1e-8)


def test_the_times_asked_for_do_not_steer_the_orbit():
    sparse = solve(rotation, times(1.0, 0.0), times(0.0, 10.0))[-1]
    dense = solve(rotation, times(1.0, 0.0), torch.linspace(0, 10, 501, dtype=torch.float64))[-1]
    torch.testing.assert_close(sparse, dense, rtol=0, atol=1e-11)


def test_one_time_gives_the_initial_states():
    z0 = torch.ones(3, 2, dtype=torch.float64)
    torch.testing.assert_close(solve(rotation, z0, times(4.0)), z0[:, None], rtol=0, atol=0)


def square(t, z):
    """z' = z^2 from 1 is infinite at t = 1."""
    return z**2


def test_an_orbit_that_blows_up_is_named_with_the_time_it_reached():
    z0 = times(-1.0, 0.1, 1.0).unsqueeze(-1)
    with pytest.raises(
        IntegrationError, match=r"orbit 2 from z0 = \[1.0\] cannot be followed beyond t = 0.9: it grows without bound"
    ):
        solve(square, z0, 0.3 * torch.arange(6, dtype=torch.float64))


def test_the_orbit_that_blows_up_is_named_by_its_place_in_the_whole_batch():
    z0 = torch.full((50, 1), -1.0, dtype=torch.float64)
    z0[45] = 1.0
    with pytest.raises(IntegrationError, match=r"orbit 45 "):
        solve(square, z0, times(0.0, 2.0))


def test_dopri8_says_when_an_orbit_blows_up():
    with pytest.raises(IntegrationError, match="dopri8 cannot follow"):
        solve(square, times(1.0), times(0.0, 2.0), "dopri8", rtol=1e-6, atol=1e-6)


def test_a_field_that_is_not_finite_at_the_start_is_an_error_at_once_with_every_solver(run_apart):
    told = run_apart("""
        import torch
        from systems import IntegrationError
        from systems.reference import solve
        t = torch.tensor([0.0, 1.0], dtype=torch.float64)
        for solver in ("LSODA", "Radau", "BDF", "dopri8", "RK45", "DOP853"):
            for start in (0.0, 1.0):
                try:
                    solve(lambda t, z: torch.nan * z, torch.full((2, 1), start, dtype=torch.float64), t, solver)
                except IntegrationError as error:
                    print("told")
    """)
    assert told.count("told") == 12


def test_a_field_that_ends_somewhere_is_an_error_there():
    with pytest.raises(IntegrationError, match="not finite"):
        solve(lambda t, z: 1 + (1 - z).sqrt(), times(0.0), times(0.0, 5.0))


@pytest.mark.parametrize("solver", ["DOP853", "LSODA", "Radau"])
def test_the_time_reached_is_the_last_with_a_finite_state_with_every_solver(solver):
    # z = 1 - (1 - t / 2)^2 solves z' = sqrt(1 - z) up to t = 2; beyond t = 1.2, z > 0.84, it is not defined here
    field = lambda t, z: torch.where(z > 0.84, torch.nan, (1 - z).sqrt())  # noqa: E731
    with pytest.raises(IntegrationError, match=r"beyond t = 1:"):
        solve(field, times(0.0), times(0.0, 0.5, 1.0, 1.5, 2.0), solver)


def test_an_unknown_solver_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"no solver 'RK4'; choose one of DOP853, .*dopri8"):
        solve(rotation, times(1.0, 0.0), times(0.0, 1.0), "RK4")


# System.orbit


def test_an_orbit_is_in_double_precision_whatever_the_states_are_given_in(harmonic_oscillator):
    orbit = harmonic_oscillator.orbit(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
    assert {orbit.t.dtype, orbit.z.dtype, orbit.rate.dtype} == {torch.float64}


def test_states_and_times_may_be_lists(harmonic_oscillator):
    np.testing.assert_allclose(harmonic_oscillator.orbit([1, 0], [0, pi]).z[-1], [-1, 0], rtol=0, atol=1e-10)


def test_the_rates_of_an_orbit_are_the_field_along_it():
    system = systems.get("van-der-pol")
    orbit = system.orbit(system.sample(3), torch.linspace(0, 1, 5, dtype=torch.float64))
    torch.testing.assert_close(orbit.rate, system.vector_field(0.0, orbit.z), rtol=1e-14, atol=1e-14)


def test_an_orbit_tells_how_it_came_about():
    system = systems.get("van-der-pol", mu=1.5)
    told = system.orbit([1.0, 0.0], [0.0, 1.0], method="Radau", rtol=1e-6).provenance
    assert told["system"] == "van-der-pol"
    assert told["parameters"] == {"mu": 1.5}
    assert told["solver"] == {"name": "Radau", "rtol": 1e-6, "atol": 1e-12}


@pytest.mark.parametrize(
    ("z0", "t", "message"),
    [
        ([1.0, 0.0, 0.0], [0.0, 1.0], r"2 coordinates \(q, p\) on their last axis, not shape \(3,\)"),
        (1.0, [0.0, 1.0], "2 coordinates"),
        ([1.0, float("nan")], [0.0, 1.0], "NaN or infinite"),
        ([1.0, float("inf")], [0.0, 1.0], "NaN or infinite"),
        ([1.0, 0.0], [0.0, 1.0, 0.5], "strictly increase"),
        ([1.0, 0.0], [0.0, float("nan")], "finite"),
        ([1.0, 0.0], [], "at least one time"),
        ([1.0, 0.0], 1.0, "list of at least one time"),
        ([1.0, 0.0], [[0.0, 1.0], [2.0, 3.0]], "one row for each of the states"),
    ],
)
def test_states_and_times_that_make_no_orbit_are_refused(harmonic_oscillator, z0, t, message):
    with pytest.raises(InputError, match=message):
        harmonic_oscillator.orbit(z0, t)


def test_no_orbits_at_all_are_an_empty_batch(harmonic_oscillator):
    assert harmonic_oscillator.orbit(torch.zeros(0, 2), [0.0, 1.0]).z.shape == (0, 2, 2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_orbits_on_a_gpu_are_those_on_the_cpu(henon_heiles):
    t = torch.linspace(0, 10, 11, dtype=torch.float64)
    z0 = henon_heiles.sample(5)
    on_gpu = henon_heiles.orbit(z0.cuda(), t)
    assert on_gpu.z.is_cuda
    torch.testing.assert_close(on_gpu.z.cpu(), henon_heiles.orbit(z0, t).z, rtol=0, atol=1e-9)


@pytest.mark.slow
def test_an_orbit_that_rests_on_a_jump_of_its_field_does_not_keep_dopri8_for_ever():
    def dry_friction(t, z):
        x, v = z.unbind(-1)
        return torch.stack([v, -x - 0.1 * v.sign()], -1)

    z0, t = torch.tensor([[0.05, 0.0]], dtype=torch.float64), torch.linspace(0, 1, 2, dtype=torch.float64)
    with pytest.raises(IntegrationError, match=r"orbit 0 from z0 = \[0.05, 0.0\] .* its field jumps back and forth"):
        solve(dry_friction, z0, t, "dopri8")
