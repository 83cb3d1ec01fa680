"""check_system passes sound systems."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

import systems
from systems import Orbit, SeparableSystem
from systems.hamiltonian import HenonHeiles
from systems.oscillators import HarmonicOscillator, VanDerPol
from systems.sampling import annulus
from systems.testing import check_system


@pytest.mark.parametrize("name", systems.names())
def test_every_system_passes(name):
    check_system(systems.get(name))


@pytest.mark.parametrize(
    "system",
    [
        VanDerPol(mu=0.1),
        VanDerPol(mu=1.0),
        HarmonicOscillator(frequency=3.0),
        HenonHeiles(coupling=0.5),
        HenonHeiles(coupling=-1.5),
    ],
    ids=repr,
)
def test_systems_pass_with_other_parameters(system):
    check_system(system)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_verdict_does_not_hang_on_the_seed(seed):
    check_system(HenonHeiles(), n=5, seed=seed)


@dataclass(frozen=True)
class EnergyByChoice(HarmonicOscillator):
    def sample(self, n, *, seed=0, energy=None):
        z = super().sample(n, seed=seed)
        return z if energy is None else z * (energy / self.hamiltonian(z)).sqrt().unsqueeze(-1)


def test_a_sample_may_leave_the_energy_open():
    check_system(EnergyByChoice())


@dataclass(frozen=True)
class Drift(SeparableSystem):
    """Quartic kinetic energy, so that velocity is not the momentum."""

    name: ClassVar = "drift"
    coordinates: ClassVar = ("q", "p")

    def kinetic(self, p):
        return p.pow(4).sum(-1) / 4

    def potential(self, q):
        return q.square().sum(-1) / 2

    def sample(self, n, *, seed=0):
        return annulus(n, 0.2, 1.0, seed)


def test_a_new_system_needs_no_more_than_its_energy_and_a_sample():
    check_system(Drift())


def test_the_orbit_of_a_new_system_is_an_orbit():
    assert isinstance(Drift().orbit([0.5, 0.5], [0.0, 1.0]), Orbit)
