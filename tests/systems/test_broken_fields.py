"""check_system names what is broken in names, samples and vector fields."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from systems import System
from systems.hamiltonian import HenonHeiles
from systems.oscillators import HarmonicOscillator
from systems.sampling import annulus
from systems.testing import check_system


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
}


@pytest.mark.parametrize("system", BROKEN, ids=lambda cls: cls.__name__)
def test_what_is_broken_is_named(system):
    with pytest.raises(AssertionError, match=BROKEN[system]):
        check_system(system())
