"""Lyapunov exponents."""

import pytest
import torch
from torch.testing import assert_close

from physlearn import models
from physlearn.chaos import lyapunov_exponents, lyapunov_history
from systems import InputError


def test_the_exponents_of_a_linear_flow_are_the_real_parts_of_its_eigenvalues():
    A = torch.tensor([[-0.1, 1.0, 0.3], [-1.0, -0.1, 0.2], [0.0, 0.0, -0.8]], dtype=torch.float64)
    z0 = torch.tensor([1.0, 0.5, 0.2], dtype=torch.float64)
    values = lyapunov_exponents(lambda t, z: z @ A.T, z0, 60, dt=0.1, k=3, transient=20)
    exact = torch.linalg.eigvals(A).real.sort(descending=True).values
    assert_close(values, exact, atol=5e-3, rtol=0)  # a rotation of the pair averages out as 1/T


def test_the_spectrum_of_lorenz_sums_to_its_divergence(lorenz):
    z0 = torch.tensor([1.0, 2.0, 20.0], dtype=torch.float64)
    values = lyapunov_exponents(lorenz, z0, 4, dt=0.005, k=3)
    assert_close(values.sum(), torch.tensor(-(10 + 1 + 8 / 3), dtype=torch.float64), atol=1e-4, rtol=0)


def test_the_largest_exponent_of_lorenz_is_that_of_the_books(lorenz):
    """.906: Sprott, Chaos and Time-Series Analysis (2003), .9056."""
    noise = torch.randn(500, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z0 = torch.tensor([3.0, 3.0, 15.0], dtype=torch.float64) + 5 * noise
    values = lyapunov_exponents(lorenz, z0, 25, dt=0.025, transient=15)  # to leave the unstable spirals
    assert abs(values.mean().item() - 0.906) < 0.02


def test_the_exponents_of_a_hamiltonian_flow_come_in_pairs(henon_heiles, known):
    values = lyapunov_exponents(henon_heiles, known, 30, dt=0.1, k=4)
    assert_close(values.sum(-1), torch.zeros(2, dtype=torch.float64), atol=1e-3, rtol=0)
    pairs = lyapunov_history(henon_heiles, known[1], 50, dt=0.1, k=4, transient=20)
    assert_close(pairs.values, -pairs.values.flip(-1), atol=0.03, rtol=0)  # each converges as 1/T


@pytest.mark.slow
def test_a_chaotic_orbit_of_henon_heiles_has_the_exponent_of_the_reference(henon_heiles, known):
    result = lyapunov_history(henon_heiles, known, 1000, dt=0.1)
    assert 0.03 < result.values[1, 0] < 0.06
    assert result.values[0, 0] < 0.01
    assert result.error[1, 0] < 0.02


def test_the_last_point_of_the_history_is_the_value(lorenz):
    z0 = torch.tensor([[-8.0, -8.0, 27.0], [1.0, 2.0, 20.0]], dtype=torch.float64)
    result = lyapunov_history(lorenz, z0, 3.0, dt=0.02, k=2)
    assert result.history.shape == (2, len(result.t), 2)
    assert_close(result.history[:, -1], result.values)
    assert result.t[-1] == pytest.approx(3.0)
    assert (result.error > 0).all()


def test_a_batch_gives_what_its_orbits_give_one_by_one(henon_heiles, known):
    together = lyapunov_exponents(henon_heiles, known.reshape(2, 1, 4), 10, k=2)
    assert together.shape == (2, 1, 2)
    for z0, values in zip(known, together[:, 0], strict=True):
        assert_close(lyapunov_exponents(henon_heiles, z0, 10, k=2), values, atol=1e-10, rtol=0)


def test_an_orbit_that_escapes_has_no_exponent(henon_heiles, known):
    z0 = torch.stack([torch.tensor([0.1, 1.2, 0.0, 0.5], dtype=torch.float64), known[0]])
    with pytest.warns(UserWarning, match="1 of 2 orbits escape"):
        values = lyapunov_exponents(henon_heiles, z0, 20, dt=0.1)
    assert values.isnan().squeeze().tolist() == [True, False]


@pytest.mark.parametrize("name", ["nn", "hnn", "hnn-mechanical"])
def test_a_model_is_a_flow_like_any_other(name):
    model = models.build(name, dim=4, hidden=(8,))
    values = lyapunov_exponents(model, torch.full((3, 4), 0.1), 5, dt=0.1, k=4)
    assert values.dtype == torch.float32
    assert values.isfinite().all()
    if name != "nn":
        assert values.sum(-1).abs().max() < 1e-3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k must be from 1 to 4"),
        ({"k": 5}, "k must be from 1 to 4"),
        ({"time": -1}, "time must be a positive number"),
        ({"transient": -1}, "transient must be a finite time of at least 0"),
        ({"method": "gauss-legendre-4"}, "not an explicit fixed-step method"),
        ({"z0": torch.zeros(3)}, "4 coordinates"),
        ({"z0": torch.zeros(4, dtype=torch.long)}, "floating point"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(henon_heiles, known, options, message):
    with pytest.raises(InputError, match=message):
        lyapunov_exponents(henon_heiles, **{"z0": known, "time": 10, **options})
