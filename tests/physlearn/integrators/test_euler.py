"""What explicit Euler makes of closed orbits: the known bias of the paper's update."""

import numpy as np
import pytest
import torch

import systems
from physlearn import integrate


def test_it_multiplies_the_energy_of_an_oscillator_by_one_plus_the_step_squared_each_step(harmonic_oscillator):
    z0, h = torch.tensor([1.0, 0.0], dtype=torch.float64), 0.1
    energy = harmonic_oscillator.hamiltonian(
        integrate(harmonic_oscillator, z0, h * torch.arange(101, dtype=torch.float64), "euler").z
    )
    np.testing.assert_allclose(energy[1:] / energy[:-1], 1 + h**2, rtol=1e-12)


@pytest.mark.parametrize(("step", "period", "half_a_digit"), [(0.1, 11.49, 5e-3), (0.01, 8.687, 5e-4), (0.001, 8.495, 5e-4)])
def test_it_lengthens_the_period_of_the_van_der_pol_oscillator(step, period, half_a_digit):
    z0 = torch.tensor([2.0, 0.0], dtype=torch.float64)
    # the first turn leads to the limit cycle; a longer step needs more turns to average over its grid
    turns = {0.1: 40, 0.01: 4, 0.001: 2}[step]
    t = step * torch.arange(round((turns + 2) * period / step), dtype=torch.float64)
    z = integrate(systems.get("van-der-pol"), z0, t, "euler").z.numpy()
    x = z[:, 0]
    i = np.flatnonzero((x[:-1] < 0) & (x[1:] >= 0))
    crossings = t.numpy()[i] - x[i] / (x[i + 1] - x[i]) * step
    found = (crossings[-1] - crossings[1]) / (len(crossings) - 2)
    assert found == pytest.approx(period, abs=half_a_digit)


@pytest.mark.parametrize(("step", "sooner", "later"), [(0.1, 9, 14), (0.01, 50, 94)])
def test_its_stars_fly_off_below_the_escape_energy_sooner_the_longer_the_step(henon_heiles, step, sooner, later):
    t = step * torch.arange(round(150 / step) if step < 0.1 else 401, dtype=torch.float64)
    z = integrate(henon_heiles, henon_heiles.sample(40, energy=1 / 8), t, "euler").z
    outside = ~(z[..., :2].abs().amax(-1) < 2)
    assert bool(outside[:, -1].all())
    assert sooner < float(t[outside.int().argmax(-1)].median()) < later
