"""The compiled sizes of coordinates against those that torch computes."""

import numpy as np
import pytest
import torch

import systems
from systems.compiled.natural_size import spectral_radii
from systems.compiled.scales import scales
from systems.compiled.traced import field_of_system
from systems.reference.time_scale import fastest_rate, jacobian, natural_size


@pytest.mark.parametrize("name", ["double-pendulum", "henon-heiles", "lorenz", "three-body", "van-der-pol"])
def test_sizes_and_rates_are_those_of_torch(name):
    system = systems.get(name)
    z = system.sample(20, seed=3)
    z[:5] *= 1e-3
    z[5:8, 0] = 0.0
    rate = system.vector_field(0.0, z)
    matrix = jacobian(lambda state: system.vector_field(0.0, state), z)
    size, fastest = scales(field_of_system(system), 0.0, z.numpy(), rate.numpy())
    assert np.allclose(size, natural_size(z, rate, matrix).numpy(), rtol=1e-9)
    assert np.allclose(fastest, fastest_rate(matrix).numpy(), rtol=1e-6)


def test_a_coordinate_that_stays_zero_has_no_size():
    size, fastest = scales(field_of_system(systems.get("henon-heiles")), 0.0, *(np.zeros((1, 4)) for _ in range(2)))
    assert (size == 0).all()
    assert fastest == pytest.approx(1.0)


def test_derivatives_that_are_not_finite_do_not_count():
    z, rate = torch.zeros(1, 2, dtype=torch.float64), torch.ones(1, 2, dtype=torch.float64)

    class Field:
        def jacobian(self, t, z):
            return np.array([[[np.nan, np.inf], [0.0, 0.0]]])

    size, fastest = scales(Field(), 0.0, z.numpy(), rate.numpy())
    assert (size == 0).all()
    assert (fastest == 0).all()
    assert (natural_size(z, rate, torch.zeros(1, 2, 2, dtype=torch.float64)) == 0).all()


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_spectral_radii_are_those_of_the_eigenvalues_in_any_unit(scale):
    matrices = np.random.default_rng(0).normal(size=(50, 5, 5))
    matrices[0] = 0.0
    units = scale ** np.arange(5)
    matrices = matrices * units[:, None] / units
    spectral_radii(matrices, radii := np.empty(50))
    known = np.abs(np.linalg.eigvals(matrices)).max(axis=1)
    assert (np.abs(radii - known) <= (0.1 if scale == 1 else 1e16 ** (1 / 64)) * known).all()
