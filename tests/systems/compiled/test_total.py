"""A sum of compiled fields is the sum of the fields, with its derivatives, by all of its functions."""

import numpy as np
import torch

import systems
from systems.compiled.field import ParametrizedField
from systems.compiled.total import Total
from systems.compiled.traced import field_of_function, field_of_system

PENDULUM = systems.get("pendulum", gravity=2.0)
Z = np.random.default_rng(0).normal(size=(7, 2))


def damping(t, z):
    return torch.stack([torch.zeros_like(z[..., 0]), -0.3 * z[..., 1] ** 3 + t], dim=-1)


def whole():
    return Total([field_of_system(PENDULUM), field_of_function(damping, 2)])


def wanted(t, z):
    z = torch.from_numpy(z)
    return (PENDULUM.vector_field(t, z) + damping(t, z)).numpy()


def test_rates_and_some_of_them_are_sums():
    field = whole()
    np.testing.assert_allclose(field.function(0.7, Z, np.empty(0)), wanted(0.7, Z), rtol=1e-14)
    np.testing.assert_allclose(field.part(1, None)(0.7, Z, np.empty(0)), wanted(0.7, Z)[:, 1:], rtol=1e-14)
    assert field.dim == 2
    assert field.driven


def test_derivatives_are_those_of_differences():
    slopes = whole().jacobian(0.7, Z, np.empty(0)).reshape(7, 2, 2)
    h = 1e-6
    for k in range(2):
        shift = h * np.eye(2)[k]
        np.testing.assert_allclose(slopes[..., k], (wanted(0.7, Z + shift) - wanted(0.7, Z - shift)) / (2 * h), atol=1e-8)


def test_tangent_vectors_move_by_the_derivative():
    field = ParametrizedField(whole())
    v = np.random.default_rng(1).normal(size=(7, 2))
    moved = field.tangent(1)(0.7, np.stack([Z, v], axis=-1).reshape(7, 4)).reshape(7, 2, 2)
    np.testing.assert_allclose(moved[..., 0], wanted(0.7, Z), rtol=1e-14)
    np.testing.assert_allclose(moved[..., 1], np.einsum("nij,nj->ni", field.jacobian(0.7, Z), v), rtol=1e-12)
