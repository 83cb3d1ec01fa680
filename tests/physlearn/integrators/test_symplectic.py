import pytest
import torch
from torch.testing import assert_close

from physlearn import integrate, integrators
from physlearn.flow import Flow

SYMPLECTIC = [name for name in integrators.names() if integrators.find(name).symplectic]
IMPLICIT = ["symplectic-euler", "implicit-midpoint", "gauss-legendre-4", "gauss-legendre-6"]
SYMMETRIC = ["leapfrog", "yoshida-4", "yoshida-6", "implicit-midpoint", "gauss-legendre-4", "gauss-legendre-6"]


def j(n):
    zero, one = torch.zeros(n, n, dtype=torch.float64), torch.eye(n, dtype=torch.float64)
    return torch.cat([torch.cat([zero, one], 1), torch.cat([-one, zero], 1)], 0)


def defect(system, method, z, h=0.1):
    """The largest element of M^T J M - J, with M the Jacobian of one step by automatic differentiation."""
    t = torch.tensor([0.0, h], dtype=torch.float64)
    m = torch.func.jacrev(lambda z: integrate(system, z, t, method).z[-1])(z)
    form = j(len(z) // 2)
    return float((m.T @ form @ m - form).abs().max())


Z = torch.tensor([0.1, 0.2, 0.25, -0.15], dtype=torch.float64)


@pytest.mark.parametrize("method", SYMPLECTIC)
def test_one_step_preserves_the_symplectic_form(method, henon_heiles):
    assert defect(henon_heiles, method, Z) < 1e-12


@pytest.mark.parametrize(("method", "known"), [("euler", 1.4e-2), ("rk4", 4e-8)])
def test_methods_that_are_not_symplectic_do_not(method, known, henon_heiles):
    assert defect(henon_heiles, method, Z) == pytest.approx(known, rel=0.25)


@pytest.mark.parametrize("method", IMPLICIT)
def test_implicit_methods_preserve_it_where_h_does_not_split(method, tao_oscillator):
    assert defect(tao_oscillator, method, torch.tensor([0.7, -0.4], dtype=torch.float64), 0.05) < 1e-12


def test_tao_is_symplectic_in_the_doubled_space_and_only_there(tao_oscillator):
    h, z = 0.05, torch.tensor([0.7, -0.4], dtype=torch.float64)
    method = integrators.find("tao-4")(Flow.of(tao_oscillator), omega=6.0)
    doubled = method.start(z, h) + torch.tensor([0.0, 0.0, 0.01, -0.02], dtype=torch.float64)  # (q, p, x, y)
    m = torch.func.jacrev(lambda w: method.step(torch.tensor(0.0), w, h))(doubled)
    form = torch.block_diag(j(1), j(1))
    assert_close(m.T @ form @ m, form, atol=1e-12, rtol=0)
    assert defect(tao_oscillator, "tao-4", z, h) > 1e-9


@pytest.mark.parametrize("method", SYMMETRIC)
def test_symmetric_methods_come_back(method, henon_heiles, regular_orbits):
    t = torch.linspace(0, 5, 51, dtype=torch.float64)
    there = integrate(henon_heiles, regular_orbits, t, method)
    back = integrate(henon_heiles, there.z[:, -1], t.flip(0), method)
    assert_close(back.z.flip(1), there.z, atol=1e-12, rtol=0)


def test_symplectic_euler_does_not_come_back(henon_heiles, regular_orbits):
    t = torch.linspace(0, 5, 51, dtype=torch.float64)
    there = integrate(henon_heiles, regular_orbits, t, "symplectic-euler")
    back = integrate(henon_heiles, there.z[:, -1], t.flip(0), "symplectic-euler")
    assert float((back.z[:, -1] - regular_orbits).abs().max()) > 1e-3
