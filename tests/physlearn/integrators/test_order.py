import numpy as np
import pytest
import torch

from physlearn import integrate, integrators

STEPS = {  # steps to t = 10, in the range where the error is neither rounding nor out of the asymptotic regime
    "euler": (8000, 16000, 32000),
    "symplectic-euler": (4000, 8000, 16000),
    "leapfrog": (400, 800, 1600),
    "implicit-midpoint": (400, 800, 1600),
    "rk4": (200, 400, 800),
    "yoshida-4": (400, 800, 1600),
    "gauss-legendre-4": (100, 200, 400),
    "tao-4": (800, 1600, 3200),
    "yoshida-6": (100, 200, 400),
    "gauss-legendre-6": (50, 100, 200),
}


@pytest.mark.parametrize("method", STEPS)
def test_the_global_error_falls_with_the_order_of_the_method(method, henon_heiles, regular_orbits):
    z0 = regular_orbits[0]
    end = torch.tensor([0.0, 10.0], dtype=torch.float64)
    exact = henon_heiles.orbit(z0, end, rtol=1e-13, atol=1e-14).z[-1]
    options = {"omega": 3.0} if method == "tao-4" else {}
    errors = [
        float((integrate(henon_heiles, z0, end, method, substeps=n, **options).z[-1] - exact).norm()) for n in STEPS[method]
    ]
    slope = -np.polyfit(np.log(STEPS[method]), np.log(errors), 1)[0]
    assert slope == pytest.approx(integrators.find(method).order, abs=0.1)


IMPLICIT = {
    "symplectic-euler": (4000, 8000),
    "implicit-midpoint": (400, 800),
    "gauss-legendre-4": (100, 200),
    "gauss-legendre-6": (60, 120),
}


@pytest.mark.parametrize("method", IMPLICIT)
def test_implicit_methods_keep_their_order_where_h_does_not_split(method, tao_oscillator):
    z0 = torch.tensor([1.2, -0.4], dtype=torch.float64)
    end = torch.tensor([0.0, 3.0], dtype=torch.float64)
    exact = tao_oscillator.orbit(z0, end, rtol=1e-13, atol=1e-14).z[-1]
    coarse, fine = (
        float((integrate(tao_oscillator, z0, end, method, substeps=n).z[-1] - exact).norm()) for n in IMPLICIT[method]
    )
    assert np.log2(coarse / fine) == pytest.approx(integrators.find(method).order, abs=0.1)
