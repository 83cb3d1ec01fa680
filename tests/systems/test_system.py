"""What a system tells of itself."""

import pytest
import torch

import systems
from systems import InputError


class Quartic(systems.SeparableSystem):
    """H = p^2/2 + q^4."""

    name = "quartic"
    coordinates = ("q", "p")

    def potential(self, q):
        return q.pow(4).sum(-1)

    def sample(self, n, *, seed=0):
        return torch.ones(n, 2, dtype=torch.float64)


class Stiff(Quartic):
    def __init__(self, stiffness):
        self.stiffness = stiffness


def test_a_system_without_parameters_need_not_be_a_dataclass():
    orbit = Quartic().orbit(Quartic().sample(1), torch.linspace(0, 1, 3, dtype=torch.float64))
    energy = Quartic().hamiltonian(orbit.z)
    torch.testing.assert_close(energy, energy[..., :1].expand_as(energy))
    assert Quartic().parameters == {}


def test_one_with_parameters_is_told_to_be_a_dataclass():
    with pytest.raises(InputError, match="Stiff keeps 'stiffness', but is not a dataclass; write @dataclass"):
        Stiff(2.0).orbit(torch.ones(2, dtype=torch.float64), torch.linspace(0, 1, 3, dtype=torch.float64))
