"""Steps too long for fixed-point sweeps are solved all the same, as an independent root finder solves them."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.optimize import root

import physlearn
import systems

pytestmark = pytest.mark.filterwarnings("ignore::systems.AccuracyWarning")
integrate = partial(physlearn.integrate, substeps=1)  # the steps are tested, however long they are

CASES = [
    ("tao-oscillator", {}, [1.0, 2.0], 0.8),
    ("pendulum", {}, [2.5, 0.0], 5.0),
    ("van-der-pol", {"mu": 20.0}, [2.0, 0.0], 0.1),
    ("van-der-pol", {"mu": 1000.0}, [2.0, 0.0], 0.1),
    ("van-der-pol", {"mu": 1000.0}, [1.5, -0.3], 0.1),
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]} {case[1]} {case[3]}")
def case(request):
    name, parameters, z0, h = request.param
    return systems.get(name, **parameters), torch.tensor(z0, dtype=torch.float64), h


def midpoint(system, z0, z, h):
    return z0 + h * system.vector_field(0.0, (z0 + z) / 2)


def test_sweeps_do_not_settle_on_these_steps(case):
    system, z0, h = case
    z = z0
    for _ in range(50):
        z = midpoint(system, z0, z, h)
    assert not float((midpoint(system, z0, z, h) - z).abs().max()) < 1e-8


def test_long_steps_agree_with_an_independent_root_finder(case):
    system, z0, h = case

    def residual(z):
        z = torch.from_numpy(z)
        return (z - midpoint(system, z0, z, h)).numpy()

    first = (z0 + h * system.vector_field(0.0, z0)).numpy()
    found = root(residual, first, tol=1e-14)
    assert np.abs(found.fun).max() < 1e-12
    step = integrate(system, z0, torch.tensor([0.0, h], dtype=torch.float64), "implicit-midpoint").z[-1]
    np.testing.assert_allclose(step.numpy(), found.x, rtol=0, atol=1e-11)
