"""Libraries of products: their values, derivatives and changes of variables, and the choice among them."""

from math import prod

import numpy as np
import pytest
import torch
from torch.func import jacrev, vmap
from torch.testing import assert_close

from physlearn import models
from physlearn.models.degree_selection import best_polynomial
from physlearn.models.library import Library, hamiltonian_field
from physlearn.models.term_selection import select
from systems import InputError
from systems.hamiltonian_system import rotate

ANGLES = [{}, {1: 1.3}]


def states(n=20, dim=4, seed=0):
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("angles", ANGLES, ids=["coordinates", "an angle"])
def test_derivatives_are_those_of_autograd(angles):
    library, z = Library.complete(3, 4, angles), states()
    assert len(library) == Library.count(3, 4, len(angles))
    wanted = vmap(jacrev(library.values))(z)
    for i in range(4):
        assert_close(library.values(z) @ torch.from_numpy(library.slopes(i)).T, wanted[..., i])


@pytest.mark.parametrize("angles", ANGLES, ids=["coordinates", "an angle"])
def test_the_field_of_a_hamiltonian_is_its_symplectic_gradient(angles):
    library, z = Library.complete(3, 4, angles), states()
    field, parts = hamiltonian_field(library)
    c = states(len(library), 1, seed=1)[:, 0]
    slope = vmap(jacrev(lambda x: library.values(x) @ c))(z)
    assert_close(field.values(z) @ torch.einsum("k,kmd->md", c, torch.from_numpy(parts)), rotate(slope))


def test_products_of_shifted_coordinates_are_products_of_the_coordinates():
    library, z = Library.complete(3, 2), states(dim=2)
    center, scale = np.array([0.3, -1.0]), np.array([2.0, 0.5])
    other, change = library.shifted(center, scale)
    u = (z - torch.from_numpy(center)) / torch.from_numpy(scale)
    assert_close(other.values(z) @ torch.from_numpy(change), library.values(u))


def test_the_degree_of_noisy_values_of_a_cubic_is_three_and_the_errors_hold():
    """With a noise of 0.1, coefficients are within 5 standard errors, which are those of ordinary least squares."""
    z = states(400, 2)
    library = Library.complete(6, 2)
    truth = torch.zeros(len(library), 1, dtype=torch.float64)
    truth[[0, 2, 4, 7]] = torch.tensor([[1.0], [-2.0], [0.5], [0.3]], dtype=torch.float64)
    y = library.values(z) @ truth + 0.1 * states(400, 1, seed=3)
    found = best_polynomial(library.values, z, y, {d: Library.count(d, 2) for d in range(1, 7)})
    assert found.degree == 3
    design = library.values(z)[:, :10].numpy()
    covariance = np.linalg.inv(design.T @ design)
    np.testing.assert_allclose(np.diag(found.covariance), np.diag(covariance), rtol=0.05)  # a ridge makes them smaller
    assert float(found.variance) == pytest.approx(0.01, rel=0.2)
    error = np.sqrt(np.diag(covariance)) * 0.1
    assert (np.abs(found.coefficients[:, 0].numpy() - truth[:10, 0].numpy()) < 5 * error).all()


def test_terms_are_chosen_that_backward_elimination_alone_would_miss():
    """Two nearly equal columns, of which the second is in the data: it is exchanged for the first."""
    random = np.random.default_rng(0)
    x = random.normal(size=(300, 6))
    x[:, 1] = x[:, 0] + 0.3 * x[:, 1]
    y = x @ [0, 2.0, 0, 0, -1.0, 0] + 0.5 * random.normal(size=300)
    matrix = np.stack([part.T @ part for part in np.split(x / 0.5, 10)])
    right = np.stack([part.T @ one for part, one in zip(np.split(x / 0.5, 10), np.split(y / 0.5, 10), strict=True)])
    found = select(matrix, right, np.zeros(6), 300)
    assert found.chosen == [1, 4]
    assert found.frequency[[1, 4]].min() > 0.9 > found.frequency[[0, 2, 3, 5]].max()


@pytest.mark.parametrize(
    ("name", "dim", "degree", "message"),
    [
        ("polynomial", 3, 0, "degree must be from 1"),
        ("polynomial-hamiltonian", 4, 1, "degree must be from 2"),
        ("polynomial", 64, 3, "47905 terms of degree 3 for 64 coordinates"),
        ("sparse-hamiltonian", 3, None, "as many momenta"),
        ("polynomial", 3, 2.5, "whole"),
    ],
)
def test_what_cannot_be_fitted_is_refused(name, dim, degree, message):
    with pytest.raises(InputError, match=message):
        models.build(name, dim, degree=degree)


def test_monomials_are_all_products_of_powers_up_to_the_degree_and_lower_degrees_come_first():
    x = torch.tensor([2.0, 3.0, 5.0], dtype=torch.float64)
    powers = [(a, b, c) for a in range(5) for b in range(5) for c in range(5) if a + b + c <= 4]
    expected = sorted(prod(float(v) ** p for v, p in zip(x, power, strict=True)) for power in powers)
    library = Library.complete(4, 3)
    found = library.values(x)
    assert sorted(found.tolist()) == expected
    assert len(found) == len(library) == Library.count(4, 3) == len(powers)
    assert torch.equal(Library.complete(2, 3).values(x), found[: Library.count(2, 3)])
