"""The largest relative energy error over t = 1000, against reference values computed elsewhere."""

import pytest
import torch

from physlearn import integrate, metrics

SPREAD = 0.25
# method: {step: errors at E = 1/12, 1/8, 1/6}
HENON_HEILES = {
    "symplectic-euler": {0.1: (4.94e-2, 5.05e-2, 4.99e-2), 0.01: (4.67e-3, 4.76e-3, 4.68e-3)},
    "leapfrog": {0.1: (2.78e-3, 2.88e-3, 2.76e-3), 0.01: (2.77e-5, 2.87e-5, 2.75e-5)},
    "implicit-midpoint": {0.1: (2.81e-4, 2.52e-4, 1.87e-4), 0.01: (2.81e-6, 2.51e-6, 1.85e-6)},
    "yoshida-4": {0.1: (8.69e-6, 8.25e-6, 7.43e-6), 0.01: (8.6e-10, 8.2e-10, 7.3e-10)},
    "gauss-legendre-4": {0.1: (1.80e-7, 2.25e-7, 1.77e-7), 0.01: (1.80e-11, 2.25e-11, 1.77e-11)},
    "yoshida-6": {0.1: (6.4e-9, 7.7e-9, 1.24e-8)},
    "gauss-legendre-6": {0.1: (2.1e-11, 2.8e-11, 3.2e-11)},
    "rk4": {0.1: (3.17e-4, 4.14e-4, 4.69e-4)},
}
LONG = ("gauss-legendre-4", "gauss-legendre-6", "implicit-midpoint")  # half a minute at any step
CASES = [
    pytest.param(method, step, errors, marks=[pytest.mark.slow] if step < 0.1 or method in LONG else [], id=f"{method}-{step}")
    for method, steps in HENON_HEILES.items()
    for step, errors in steps.items()
]
TAO = [  # method, step, error, options; H = (q^2 + 1)(p^2 + 1)/2 from (-3, 0)
    ("implicit-midpoint", 0.05, 2.9e-3, {}),
    ("implicit-midpoint", 0.01, 1.2e-4, {}),
    ("tao-4", 0.05, 7.4e-3, {"omega": 20.0}),
    ("tao-4", 0.01, 6.1e-6, {"omega": 20.0}),
]


@pytest.mark.parametrize(("method", "step", "errors"), CASES)
def test_the_energy_error_on_henon_heiles(method, step, errors, henon_heiles, regular_orbits):
    t = torch.linspace(0, 1000, 10_001, dtype=torch.float64)
    orbit = integrate(henon_heiles, regular_orbits, t, method, substeps=round(0.1 / step))
    found = metrics.energy_error(orbit, henon_heiles)
    assert found.tolist() == pytest.approx(errors, rel=SPREAD)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "step", "error", "options"), TAO)
def test_the_energy_error_on_a_hamiltonian_that_is_not_separable(method, step, error, options, tao_oscillator):
    t = torch.linspace(0, 1000, round(1000 / step) + 1, dtype=torch.float64)
    orbit = integrate(tao_oscillator, torch.tensor([-3.0, 0.0], dtype=torch.float64), t, method, **options)
    assert float(metrics.energy_error(orbit, tao_oscillator)) == pytest.approx(error, rel=SPREAD)


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", ["symplectic-euler", "leapfrog", "yoshida-4", "yoshida-6", "implicit-midpoint", "gauss-legendre-4"]
)
def test_symplectic_methods_bound_the_energy_error_for_ever(method, henon_heiles, regular_orbits):
    early, late = (float(error.max()) for error in _errors(method, henon_heiles, regular_orbits[:2]))
    assert late / early < 1.05


@pytest.mark.slow
def test_rk4_loses_energy_in_proportion_to_time(henon_heiles, regular_orbits):
    early, late = (float(error.max()) for error in _errors("rk4", henon_heiles, regular_orbits[:2]))
    assert 7 < late / early < 13


def _errors(method, system, z0):
    orbit = integrate(system, z0, torch.linspace(0, 10_000, 100_001, dtype=torch.float64), method)
    return metrics.energy_error(orbit[:, :10_001], system), metrics.energy_error(orbit, system)


def test_a_learned_hamiltonian_that_is_not_separable_would_fail_under_leapfrog_so_it_is_refused(tao_oscillator):
    """H = (q^2 + 1)(p^2 + 1)/2 kicked and drifted as if it split errs by most of its energy; see what is refused."""
    z = torch.tensor([-3.0, 0.0], dtype=torch.float64)
    energy = float(tao_oscillator.hamiltonian(z))
    h, worst = 0.01, 0.0
    for _ in range(2000):
        for part in (1, 0, 1):  # half a kick, a drift, half a kick, each at the state that the last one left
            change = tao_oscillator.vector_field(0.0, z)
            z = z.clone()
            z[part] += h / (2 if part else 1) * change[part]
        worst = max(worst, abs(float(tao_oscillator.hamiltonian(z)) / energy - 1))
    assert worst > 0.1
    with pytest.raises(ValueError, match="not separable"):
        integrate(tao_oscillator, z, torch.tensor([0.0, h]), "leapfrog")
