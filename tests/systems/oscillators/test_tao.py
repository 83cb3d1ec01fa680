from math import sqrt

import pytest
import torch
from scipy.special import ellipk

PERIOD = 3.2610572
START = [-3.0, 0.0]


def test_the_reference_orbit_has_the_energy_five(tao_oscillator):
    assert float(tao_oscillator.hamiltonian(torch.tensor(START))) == 5


def test_its_reference_period_is_the_elliptic_integral():
    # p = 0 at |q| = 3, and dq / dt = sqrt((q^2 + 1) (9 - q^2)) on this orbit
    assert pytest.approx(4 / sqrt(10) * ellipk(9 / 10), abs=5e-8) == PERIOD


def test_the_orbit_closes_after_its_period(tao_oscillator):
    z = tao_oscillator.orbit(START, [0.0, PERIOD / 2, PERIOD]).z
    # the period is known to 5e-8, and the speed at the start is |q| = 3
    torch.testing.assert_close(z[2], z[0], rtol=0, atol=2e-7)
    torch.testing.assert_close(z[1], -z[0], rtol=0, atol=2e-7)


def test_a_quarter_of_the_period_exchanges_position_and_momentum(tao_oscillator):
    # H is the same under (q, p) -> (p, -q), a canonical map
    z = tao_oscillator.orbit(START, [0.0, PERIOD / 4]).z[1]
    torch.testing.assert_close(z, torch.tensor([0.0, 3.0], dtype=torch.float64), rtol=0, atol=2e-7)


def test_its_field_is_the_gradient_of_its_energy(tao_oscillator):
    q, p = torch.tensor([[0.7], [-1.3]], dtype=torch.float64).requires_grad_()
    energy = tao_oscillator.hamiltonian(torch.cat([q, p]))
    dq, dp = torch.autograd.grad(energy, (q, p))
    torch.testing.assert_close(tao_oscillator.vector_field(0.0, torch.cat([q, p])), torch.cat([dp, -dq]), rtol=1e-14, atol=0)


def test_its_energy_does_not_split(tao_oscillator):
    # the mixed second derivative of T(p) + V(q) would vanish
    hessian = torch.func.hessian(tao_oscillator.hamiltonian)(torch.tensor([0.7, -1.3], dtype=torch.float64))
    assert float(hessian[0, 1]) == pytest.approx(2 * 0.7 * -1.3)
    assert not tao_oscillator.separable
