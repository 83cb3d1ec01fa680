"""check_system names broken symmetries, energies, splits, drives and orbits."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch

from systems import HamiltonianSystem
from systems.oscillators import ForcedDuffing, HarmonicOscillator, TaoOscillator, VanDerPol
from systems.sampling import box
from systems.testing import check_system, system_checks


@dataclass(frozen=True)
class BrokenSymmetryOfTheField(VanDerPol):
    def vector_field(self, t, z):
        return super().vector_field(t, z) + z**2

    divergence: ClassVar = None


@dataclass(frozen=True)
class BrokenSymmetryOfTheEnergy(TaoOscillator):
    def hamiltonian(self, z):
        return super().hamiltonian(z) + z[..., 0]


@dataclass(frozen=True)
class WrongDivergence(VanDerPol):
    def divergence(self, z):
        return -super().divergence(z)


@dataclass(frozen=True)
class DampedButCalledHamiltonian(HarmonicOscillator):
    reversals: ClassVar = ()

    def vector_field(self, t, z):
        return super().vector_field(t, z) - 0.01 * z * torch.tensor([0.0, 1.0]).to(z)


@dataclass(frozen=True)
class Undifferentiable(VanDerPol):
    def vector_field(self, t, z):
        return super().vector_field(t, z.detach())


@dataclass(frozen=True)
class EnergyOfWrongShape(TaoOscillator):
    symmetries: ClassVar = ()

    def hamiltonian(self, z):
        return super().hamiltonian(z).unsqueeze(-1)


@dataclass(frozen=True)
class OddDimension(HamiltonianSystem):
    name: ClassVar = "odd"
    coordinates: ClassVar = ("x", "y", "z")

    def hamiltonian(self, z):
        return z.square().sum(-1) / 2

    def sample(self, n, *, seed=0):
        return box(n, [(-1, 1)] * 3, seed)


@dataclass(frozen=True)
class WrongSignOfTheForce(HarmonicOscillator):
    def vector_field(self, t, z):
        return z.flip(-1)


@dataclass(frozen=True)
class WrongSignOfTheVelocity(TaoOscillator):
    def vector_field(self, t, z):
        return -super().vector_field(t, z)


@dataclass(frozen=True)
class SeparableInNameOnly(TaoOscillator):
    separable: ClassVar = True


@dataclass(frozen=True)
class InconsistentSplit(HarmonicOscillator):
    def kinetic(self, p):
        return super().kinetic(p) + 0.1

    def hamiltonian(self, z):
        return z.square().sum(-1) / 2


@dataclass(frozen=True)
class WrongForce(HarmonicOscillator):
    def force(self, q):
        return 1.001 * super().force(q)

    def vector_field(self, t, z):
        q, p = z.chunk(2, -1)
        return torch.cat([p, -q], -1)


@dataclass(frozen=True)
class NoOrbit(HarmonicOscillator):
    def orbit(self, z0, t, **options):
        return super().orbit(z0, t, **options).z


@dataclass(frozen=True)
class OrbitOfFewerTimes(HarmonicOscillator):
    def orbit(self, z0, t, **options):
        return super().orbit(z0, t, **options)[..., :-1]


@dataclass(frozen=True)
class OrbitWithoutNames(HarmonicOscillator):
    def orbit(self, z0, t, **options):
        return replace(super().orbit(z0, t, **options), coordinates=())


@dataclass(frozen=True)
class OrbitWithoutRates(HarmonicOscillator):
    def orbit(self, z0, t, **options):
        return replace(super().orbit(z0, t, **options), rate=None)


@dataclass(frozen=True)
class OrbitWithWrongRates(HarmonicOscillator):
    def orbit(self, z0, t, **options):
        orbit = super().orbit(z0, t, **options)
        return replace(orbit, rate=2 * orbit.rate)


@dataclass(frozen=True)
class OrbitFromElsewhere(HarmonicOscillator):
    def orbit(self, z0, t, **options):
        return super().orbit(-z0, t, **options)


@dataclass(frozen=True)
class OrbitTooFast(HarmonicOscillator):
    def orbit(self, z0, t, **options):
        return replace(super().orbit(z0, 1.01 * t, **options), t=t)


@dataclass(frozen=True)
class OrbitThatLosesEnergy(HarmonicOscillator):
    def orbit(self, z0, t, **options):
        return super().orbit(z0, t, method="RK45", rtol=1e-4, atol=1e-4)


@dataclass(frozen=True)
class DependsOnTimeUnsaid(HarmonicOscillator):
    def vector_field(self, t, z):
        return super().vector_field(t, z) * (1 + 0.1 * t)


@dataclass(frozen=True)
class DependsOnTimeInNameOnly(ForcedDuffing):
    def vector_field(self, t, z):
        return super().vector_field(0.0, z)


@dataclass(frozen=True)
class WrongPeriod(ForcedDuffing):
    period: ClassVar = 5.0


@dataclass(frozen=True)
class OneTimeForAllOnly(ForcedDuffing):
    def vector_field(self, t, z):
        return super().vector_field(t.flatten()[0] if isinstance(t, torch.Tensor) else t, z)


@dataclass(frozen=True)
class WrongDivergenceLater(ForcedDuffing):
    def vector_field(self, t, z):
        pumped = z * torch.as_tensor(self.omega * t, dtype=z.dtype, device=z.device).sin().unsqueeze(-1)
        return super().vector_field(t, z) + pumped


BROKEN = {
    BrokenSymmetryOfTheField: "vector_field under symmetry 0",
    BrokenSymmetryOfTheEnergy: "hamiltonian under symmetry 0",
    WrongDivergence: "divergence of vector_field",
    DampedButCalledHamiltonian: "divergence of vector_field",
    Undifferentiable: "Jacobian of vector_field by autodiff",
    EnergyOfWrongShape: r"hamiltonian changes shape \(8, 2\) to \(8, 1\)",
    OddDimension: "as many momenta as positions, not 3",
    WrongSignOfTheForce: r"vector_field as \(dH/dp, -dH/dq\)",
    WrongSignOfTheVelocity: r"vector_field as \(dH/dp, -dH/dq\)",
    SeparableInNameOnly: "not a SeparableSystem",
    InconsistentSplit: r"kinetic \+ potential",
    WrongForce: "velocity and force",
    DependsOnTimeUnsaid: "autonomous is True, but",
    DependsOnTimeInNameOnly: "autonomous is False, but",
    WrongPeriod: "vector_field a period later",
    OneTimeForAllOnly: "vector_field with one time per state",
    WrongDivergenceLater: "divergence of vector_field",
    NoOrbit: "returns a Tensor, not an Orbit",
    OrbitOfFewerTimes: r"orbit has states of shape \(8, 100, 2\)",
    OrbitWithoutNames: r"orbit has the coordinates \('z0', 'z1'\)",
    OrbitWithoutRates: "orbit has no rates",
    OrbitWithWrongRates: "rate",
    OrbitFromElsewhere: "the orbit's first state",
    OrbitTooFast: "the orbit's slope",
    OrbitThatLosesEnergy: "energy along the orbit",
}


@pytest.mark.parametrize("system", BROKEN, ids=lambda cls: cls.__name__)
def test_what_is_broken_is_named(system):
    with pytest.raises(AssertionError, match=BROKEN[system]):
        check_system(system())


@dataclass(frozen=True)
class SeparableButNotSaidSo(HarmonicOscillator):
    separable: ClassVar = False


def test_a_separable_system_that_denies_it_is_told_just_that():
    with pytest.raises(AssertionError, match="separable is False"):
        check_system(SeparableButNotSaidSo())


def test_each_check_has_a_name_and_fails_for_what_it_is_named_after():
    for name, check in system_checks(WrongDivergence()):
        if name == "divergence":
            with pytest.raises(AssertionError, match="divergence"):
                check()
        else:
            check()
