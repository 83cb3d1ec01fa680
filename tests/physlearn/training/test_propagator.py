"""Linear flows found from their steps, against the flows whose steps they are."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from physlearn import Forecaster
from physlearn.training.propagator import linear_rates
from systems import InputError, Orbit


def steps(spacing, states=2, n=30):
    """Orbits of an oscillator around (5, 0), by its exact rotation."""
    z0 = torch.randn(n, 2, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    t = spacing * torch.arange(states, dtype=torch.float64)
    q, p = z0[:, 0] * t.cos() + z0[:, 1] * t.sin(), z0[:, 1] * t.cos() - z0[:, 0] * t.sin()
    return Orbit(t, torch.stack([q + 5, p], -1), coordinates=("q", "p"))


@pytest.mark.parametrize("states", [2, 3])
@pytest.mark.parametrize("spacing", [1.0, -0.3])
def test_a_linear_model_is_exact_for_orbits_of_two_or_three_states(spacing, states):
    f = Forecaster("linear", dtype=torch.float64).fit(steps(spacing, states))
    field = f.vector_field(0.0, torch.tensor([[6.0, 0.0], [5.0, 1.0]], dtype=torch.float64))
    assert torch.allclose(field, torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64), rtol=0, atol=1e-12)
    assert "linear flow" in f.loss_reason


def test_rates_are_those_of_any_linear_flow_with_damping_and_drift():
    rng = np.random.default_rng(0)
    matrix, offset = rng.normal(size=(3, 3)), rng.normal(size=3)
    whole = np.zeros((4, 4))
    whole[:3, :3], whole[:3, 3] = matrix, offset
    z0 = rng.normal(size=(10, 3))
    z1 = (np.column_stack([z0, np.ones(10)]) @ expm(0.4 * whole).T)[:, :3]
    orbits = [Orbit([0.0, 0.4], np.stack(pair), coordinates=("a", "b", "c")) for pair in zip(z0, z1, strict=True)]
    for one in linear_rates(orbits):
        np.testing.assert_allclose(one.rate.numpy(), one.z.numpy() @ matrix.T + offset, rtol=0, atol=1e-11)


@pytest.mark.filterwarnings("ignore:the states are too far apart")
@pytest.mark.parametrize(
    ("orbits", "sentence"),
    [
        ([steps(1.0), steps(0.5)], "equally spaced in time, but the spacings are from 0.5 to 1"),
        (steps(1.0, n=2), "at least 3 steps .* these 2 steps determine 2 of its 3 columns"),
        (steps(math.pi), "an eigenvalue of -1, which is not positive: measure at shorter intervals, or give rates"),
    ],
)
def test_steps_that_tell_no_linear_flow_are_refused(orbits, sentence):
    with pytest.raises(InputError, match=sentence):
        Forecaster("linear").fit(orbits)


@pytest.mark.parametrize(
    ("model", "instead"),
    [
        ("cubic", "'polynomial-hamiltonian'"),
        ("polynomial", "loss='shooting'"),
        ("sparse", "'shooting'"),
        ("nn", "loss='step'"),
    ],
)
def test_no_model_is_fitted_to_rates_that_two_states_do_not_tell(model, instead):
    with pytest.raises(InputError, match=f"two or three states per orbit are too few to derive them.*{instead}"):
        Forecaster(model).fit(steps(1.0), loss="derivative")


def test_polynomials_are_fitted_to_two_states_by_shooting():
    f = Forecaster("polynomial", degree=1, dtype=torch.float64).fit(steps(1.0))
    assert f.loss == "shooting"
    field = f.vector_field(0.0, torch.tensor([6.0, 0.0], dtype=torch.float64))
    assert torch.allclose(field, torch.tensor([0.0, -1.0], dtype=torch.float64), rtol=0, atol=1e-8)
