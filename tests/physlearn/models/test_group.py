"""Groups of symmetries: closure, properties, and refusals."""

import math

import numpy as np
import pytest
import torch

import systems
from physlearn.models.group import Group
from systems import InputError

FLIP = np.diag([1.0, -1.0])


def turn(angle):
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("parts", "mirror", "order"), [(3, False, 3), (3, True, 6), (4, True, 8), (7, False, 7)])
def test_generators_are_closed_to_cyclic_and_dihedral_groups(parts, mirror, order, dtype):
    generators = [turn(2 * math.pi / parts), *([FLIP] if mirror else [])]
    group = Group.generated([one.astype(dtype) for one in generators])
    assert len(group) == order
    products = torch.einsum("aij,bjk->abik", group.matrices, group.matrices).flatten(0, 1)
    nearest = (products.unsqueeze(1) - group.matrices).abs().amax((-2, -1)).amin(1)
    assert nearest.max() < 1e-5
    assert torch.equal(group.matrices[0], torch.eye(2).double())


@pytest.mark.parametrize("one", [-np.eye(2), (-torch.eye(2)).float(), [[-1, 0], [0, -1]], [-np.eye(2)], (-np.eye(2), 1)])
def test_a_symmetry_may_be_given_in_many_ways(one):
    group = Group.generated(one)
    assert len(group) == 2
    assert group.signs.tolist() == [1, 1]


def test_signs_multiply():
    group = Group.generated([(FLIP, -1), -np.eye(2)])
    assert sorted((one.diagonal().tolist(), float(sign)) for one, sign in zip(group.matrices, group.signs, strict=True)) == [
        ([-1, -1], 1),
        ([-1, 1], -1),
        ([1, -1], -1),
        ([1, 1], 1),
    ]
    assert Group.listed([(matrix, sign) for matrix, sign in group.plain]).signs.tolist() == group.signs.tolist()


@pytest.mark.parametrize("name", systems.names())
def test_the_declared_symmetries_of_every_system_are_finite(name):
    cls = type(systems.get(name))
    if not cls.symmetries and not cls.reversals:
        with pytest.raises(InputError, match="declares no symmetry"):
            Group.of_system(cls)
        return
    system = systems.get(name)
    group, z = Group.of_system(cls), system.sample(4)
    images, rates = group.images(z, system.vector_field(0.0, z))
    scale = rates.abs().amax(0)
    assert ((system.vector_field(0.0, images) - rates) / scale).abs().max() < 1e-9
    if isinstance(system, systems.HamiltonianSystem):
        group.check_canonical(name)


def test_what_is_no_finite_group_is_refused():
    for wrong, message in [
        (turn(1.0), "more than 200"),
        (2 * np.eye(2), "determinant"),
        (np.ones((2, 3)), "must be a matrix"),
        ([np.eye(2), np.eye(4)], "same shape"),
        ([], "same shape"),
        ("mirror", "not 'mirror'"),
        ((np.eye(2), 2), "-1 if it reverses time"),
        ((np.eye(2), -1), "stands still"),
        (np.full((2, 2), np.nan), "determinant"),
    ]:
        with pytest.raises(InputError, match=message):
            Group.generated(wrong)


def test_a_map_that_is_not_canonical_is_refused_by_hamiltonian_models():
    with pytest.raises(InputError, match="canonical"):
        Group.generated(FLIP).check_canonical("hnn")
    Group.generated((FLIP, -1)).check_canonical("hnn")
    with pytest.raises(InputError, match="mixes positions with momenta"):
        Group.generated(turn(math.pi / 2)).check_split("hnn-separable")
