"""check_system passes sound systems, and names what is broken in broken ones."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch

import systems
from systems import HamiltonianSystem, Orbit, SeparableSystem, System
from systems.hamiltonian import HenonHeiles
from systems.oscillators import ForcedDuffing, HarmonicOscillator, TaoOscillator, VanDerPol
from systems.sampling import annulus, box
from systems.testing import check_system, system_checks


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
class Unnamed(HarmonicOscillator):
    name: ClassVar = ""


@dataclass(frozen=True)
class RepeatsAName(HarmonicOscillator):
    coordinates: ClassVar = ("q", "q")


@dataclass(frozen=True)
class SampleOfWrongShape(HarmonicOscillator):
    def sample(self, n, *, seed=0):
        return super().sample(n, seed=seed)[..., :1]


@dataclass(frozen=True)
class SampleInSinglePrecision(HarmonicOscillator):
    def sample(self, n, *, seed=0):
        return super().sample(n, seed=seed).float()


@dataclass(frozen=True)
class SampleNotFinite(HarmonicOscillator):
    def sample(self, n, *, seed=0):
        return super().sample(n, seed=seed) / 0


@dataclass(frozen=True)
class SampleDiffersEachTime(HarmonicOscillator):
    calls: ClassVar = iter(range(1000))

    def sample(self, n, *, seed=0):
        return super().sample(n, seed=seed + next(self.calls))


@dataclass(frozen=True)
class SeedIgnored(HarmonicOscillator):
    def sample(self, n, *, seed=0):
        return super().sample(n, seed=7)


@dataclass(frozen=True)
class GlobalRandomNumbers(HarmonicOscillator):
    def sample(self, n, *, seed=0):
        torch.manual_seed(seed)
        return torch.rand(n, 2, dtype=torch.float64)


@dataclass(frozen=True)
class EnergyNotRespected(HenonHeiles):
    def sample(self, n, *, seed=0, energy=0.1):
        return 0.99 * super().sample(n, seed=seed, energy=energy)


@dataclass(frozen=True)
class EnergyOnlyAtItsDefault(HenonHeiles):
    def sample(self, n, *, seed=0, energy=0.1):
        return super().sample(n, seed=seed)


@dataclass(frozen=True)
class ChangesItsInput(HarmonicOscillator):
    def vector_field(self, t, z):
        return super().vector_field(t, z.mul_(1.5))


@dataclass(frozen=True)
class FieldOfWrongShape(HarmonicOscillator):
    def vector_field(self, t, z):
        return super().vector_field(t, z)[..., :1]


@dataclass(frozen=True)
class FieldNotFinite(HarmonicOscillator):
    def vector_field(self, t, z):
        return super().vector_field(t, z).log()


@dataclass(frozen=True)
class StatesInteract(HarmonicOscillator):
    def vector_field(self, t, z):
        field = super().vector_field(t, z)
        return field - field.mean(0) if z.ndim > 1 else field


@dataclass(frozen=True)
class OneBatchAxisOnly(HarmonicOscillator):
    def vector_field(self, t, z):
        return super().vector_field(t, z) * (1 if z.ndim < 3 else 2)


@dataclass(frozen=True)
class DtypeLost(HarmonicOscillator):
    def vector_field(self, t, z):
        return super().vector_field(t, z.double())


@dataclass(frozen=True)
class DtypeLostDownward(HarmonicOscillator):
    def vector_field(self, t, z):
        return super().vector_field(t, z.float())


@dataclass(frozen=True)
class DeviceLost(System):
    name: ClassVar = "wind"
    coordinates: ClassVar = ("x", "v")

    def vector_field(self, t, z):
        return torch.ones(z.shape, dtype=z.dtype)

    def sample(self, n, *, seed=0):
        return annulus(n, 0, 1, seed)


@dataclass(frozen=True)
class TensorOfItsOwnOnTheCpu(HarmonicOscillator):
    def vector_field(self, t, z):
        return super().vector_field(t, z) * torch.ones(2, dtype=z.dtype)


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
    Unnamed: "name is empty",
    RepeatsAName: r"coordinates \('q', 'q'\) repeat a name",
    SampleOfWrongShape: r"sample\(8\) has shape \(8, 1\), not \(8, 2\)",
    SampleInSinglePrecision: "sample returns torch.float32",
    SampleNotFinite: "sample returns states that are not finite",
    SampleDiffersEachTime: "differs between two calls with the same seed",
    SeedIgnored: "same for two seeds",
    GlobalRandomNumbers: "global random numbers",
    EnergyNotRespected: r"energy of sample\(energy=0.1\)",
    EnergyOnlyAtItsDefault: r"energy of sample\(energy=0.05\)",
    ChangesItsInput: "changes the states",
    FieldOfWrongShape: r"vector_field changes shape \(8, 2\) to \(8, 1\)",
    FieldNotFinite: "vector_field is not finite",
    StatesInteract: "vector_field state by state",
    OneBatchAxisOnly: "vector_field in a batch of batches",
    DtypeLost: "vector_field does not keep torch.float32",
    DtypeLostDownward: "vector_field does not keep torch.float64|state by state",
    DeviceLost: "vector_field does not keep the device",
    TensorOfItsOwnOnTheCpu: "device",
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


def test_each_check_has_a_name_and_fails_for_what_it_is_named_after():
    for name, check in system_checks(WrongDivergence()):
        if name == "divergence":
            with pytest.raises(AssertionError, match="divergence"):
                check()
        else:
            check()
