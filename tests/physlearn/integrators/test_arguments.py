"""Edges of what integrate takes, and what it says of the rest."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import integrate, integrators
from systems import InputError


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("method", integrators.names())
def test_one_time_gives_the_initial_states_alone(method, henon_heiles):
    z0 = henon_heiles.sample(3)
    assert torch.equal(integrate(henon_heiles, z0, f64(2.0), method).z, z0.unsqueeze(-2))


@pytest.mark.parametrize("method", integrators.names())
def test_no_orbits_are_an_empty_batch(method, henon_heiles):
    z0 = torch.zeros(0, 4, dtype=torch.float64)
    assert integrate(henon_heiles, z0, f64(0.0, 0.1, 0.2), method).z.shape == (0, 3, 4)


@pytest.mark.parametrize(
    ("t", "message"),
    [
        (torch.zeros(0), "at least one time"),
        (torch.tensor(1.0), "list of at least one time"),
        (torch.tensor([0.0, 1.0, 1.0]), "strictly increase or strictly decrease"),
        (torch.tensor([0.0, float("inf")]), "finite"),
    ],
)
@pytest.mark.parametrize("method", ["rk4", "dopri8"])
def test_times_that_are_no_times_are_refused(method, t, message, henon_heiles):
    with pytest.raises(InputError, match=message):
        integrate(henon_heiles, henon_heiles.sample(2), t, method)


@pytest.mark.parametrize("substeps", [0, -3, 1.5])
def test_substeps_are_a_whole_number(substeps, henon_heiles):
    with pytest.raises(InputError, match="substeps"):
        integrate(henon_heiles, henon_heiles.sample(1), f64(0.0, 0.1), "rk4", substeps=substeps)


def test_substeps_may_be_a_whole_number_of_numpy(henon_heiles):
    integrate(henon_heiles, henon_heiles.sample(1), f64(0.0, 0.1), "rk4", substeps=np.int64(2))


@pytest.mark.parametrize(
    ("method", "option"),
    [
        ("rk4", "tolerence"),
        ("tao-4", "tolerance"),
        ("implicit-midpoint", "omega"),
        ("rk4", "self"),
        ("symplectic-euler", "options"),
    ],
)
def test_what_is_no_option_of_the_method_is_refused(method, option, henon_heiles):
    with pytest.raises(InputError, match=f"{method} has no option '{option}'"):
        integrate(henon_heiles, henon_heiles.sample(1), f64(0.0, 0.1), method, **{option: 1})


@pytest.mark.parametrize("flow", [None, 3, "henon-heiles", systems.find("pendulum")], ids=repr)
def test_what_is_no_flow_is_refused_with_what_to_give(flow):
    with pytest.raises(InputError, match="not a flow; pass a system, a trained model or a function"):
        integrate(flow, f64(1.0, 0.0), f64(0.0, 0.1), "rk4")


@pytest.mark.parametrize("method", ["rk4", "implicit-midpoint", "dopri8"])
@pytest.mark.parametrize("field", [lambda t, z: z[..., :1], lambda t, z: z[..., None, :]], ids=["one", "deeper"])
def test_a_field_that_loses_the_shape_of_the_state_is_refused(method, field):
    with pytest.raises(InputError, match="shape"):
        integrate(field, torch.ones(3, 2, dtype=torch.float64), f64(0.0, 0.1), method)


def test_whole_numbers_are_no_states():
    with pytest.raises(InputError, match="floating point"):
        integrate(systems.get("pendulum"), torch.tensor([1, 0]), f64(0.0, 0.1), "rk4")


@pytest.mark.parametrize("method", integrators.names())
def test_times_are_kept_to_the_last_bit_though_states_are_float32(method, harmonic_oscillator):
    t = 1e6 + 1e-3 * torch.arange(5, dtype=torch.float64)
    options = {"rtol": 1e-5, "atol": 1e-5} if method == "dopri8" else {}
    orbit = integrate(harmonic_oscillator, torch.tensor([1.0, 0.0]), t, method, **options)
    assert torch.equal(orbit.t, t)
    # times of float32 at a million are 0.06 apart: steps taken from them would be none, or far too long
    assert_close(orbit.z[-1, 1].double(), -(t[-1] - t[0]).sin(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("method", integrators.names())
def test_the_initial_states_are_left_as_they_are_and_not_shared(method, harmonic_oscillator):
    z0 = f64(1.0, 0.0)
    orbit = integrate(harmonic_oscillator, z0, f64(0.0, 0.1), method)
    z0 += 7
    assert_close(orbit.z[0], f64(1.0, 0.0), rtol=0, atol=0)


@pytest.mark.parametrize("method", integrators.names())
def test_unequal_steps_are_taken_as_asked(method, harmonic_oscillator):
    t = f64(0.0, 0.001, 0.011, 0.012, 0.03)
    options = {"omega": 10.0} if method == "tao-4" else {}
    z = integrate(harmonic_oscillator, f64(1.0, 0.0), t, method, **options).z
    assert_close(z, torch.stack([t.cos(), -t.sin()], -1), rtol=0, atol=5e-4)
