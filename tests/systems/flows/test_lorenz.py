import pytest
import torch

import systems


def test_its_fixed_points_lose_stability_where_theory_says():
    """Hopf's bifurcation at rho = sigma (sigma + beta + 3) / (sigma - beta - 1) = 24.737 for sigma = 10, beta = 8/3."""
    growth = {}
    for rho in (24.73, 24.75):
        lorenz = systems.get("lorenz", rho=rho)
        side = (lorenz.beta * (rho - 1)) ** 0.5
        rest = torch.tensor([side, side, rho - 1], dtype=torch.float64)
        assert lorenz.vector_field(0.0, rest).abs().max() < 1e-12
        jacobian = torch.func.jacrev(lambda z, lorenz=lorenz: lorenz.vector_field(0.0, z))(rest)
        growth[rho] = float(torch.linalg.eigvals(jacobian).real.max())
    assert growth[24.73] < 0 < growth[24.75]


def test_the_mean_of_the_square_of_x_times_y_is_that_of_stationarity():
    """On the attractor <dz/dt> = 0, so <xy> = beta <z>; over a finite time, up to the change of z over it."""
    lorenz = systems.get("lorenz")
    t = torch.linspace(0, 60, 12001, dtype=torch.float64)
    z = lorenz.orbit(lorenz.sample(1, seed=0)[0], t, rtol=1e-9, atol=1e-9).z[1000:]
    product, height = torch.trapezoid(z[:, 0] * z[:, 1], t[1000:]), torch.trapezoid(z[:, 2], t[1000:])
    assert float(product - lorenz.beta * height) == pytest.approx(float(z[-1, 2] - z[0, 2]), abs=1e-3 * float(product))
