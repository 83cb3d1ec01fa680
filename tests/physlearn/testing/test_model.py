"""check_model passes sound models, and names what is broken in broken ones."""

import pytest
import torch
from torch import nn

from physlearn import models
from physlearn.models import HamiltonianNetwork, MechanicalHamiltonianNetwork, VectorFieldNetwork, register
from physlearn.models.registry import MODELS
from physlearn.testing import check_model, model_checks
from systems import UnknownNameError

CHECKS = {f"{model}-{name}": check for model in models.names() for name, check in model_checks(model)}


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    """What a test registers is forgotten at its end."""
    monkeypatch.setattr(MODELS, "_registered", dict(MODELS._registered))


@pytest.mark.parametrize("name", CHECKS)
def test_every_model_passes_each_check(name):
    CHECKS[name]()


def test_an_unknown_model_is_refused():
    with pytest.raises(UnknownNameError, match="no model 'hamiltonian'"):
        check_model("hamiltonian")


class UnknownStructure(VectorFieldNetwork):
    structure = "symplectic"


class SeparableInNameOnly(HamiltonianNetwork):
    separable = True


class HamiltonianOfAnyCoordinates(HamiltonianNetwork):
    structure = "general"


class GlobalRandomNumbers(VectorFieldNetwork):
    def __init__(self, *given):
        super().__init__(*given)
        torch.rand(1)


class SeedIgnored(VectorFieldNetwork):
    def __init__(self, dim, hidden, activation, generator, angles):
        generator.seed()
        super().__init__(dim, hidden, activation, generator, angles)


class ChangesItsInput(VectorFieldNetwork):
    def vector_field(self, t, z):
        return super().vector_field(t, z.mul_(1.5))


class FieldOfWrongShape(VectorFieldNetwork):
    def vector_field(self, t, z):
        return super().vector_field(t, z)[..., :1]


class StatesInteract(VectorFieldNetwork):
    def vector_field(self, t, z):
        field = super().vector_field(t, z)
        return field - field.mean(0) if z.ndim > 1 else field


class DependsOnTime(VectorFieldNetwork):
    def vector_field(self, t, z):
        return super().vector_field(t, z) * (1 + t)


class DtypeLost(VectorFieldNetwork):
    def vector_field(self, t, z):
        return super().vector_field(t, z).double()


class Undifferentiable(VectorFieldNetwork):
    def vector_field(self, t, z):
        return super().vector_field(t, z.detach())


class UnusedWeights(VectorFieldNetwork):
    def __init__(self, *given):
        super().__init__(*given)
        self.unused = nn.Parameter(torch.zeros(3))


class WrongSignOfTheForce(HamiltonianNetwork):
    def vector_field(self, t, z):
        return super().vector_field(t, z) * torch.tensor([1.0, 1.0, -1.0, -1.0]).to(z)


class InconsistentSplit(MechanicalHamiltonianNetwork):
    def kinetic(self, p):
        return super().kinetic(p) + 1

    def hamiltonian(self, z):
        return super().hamiltonian(z) - 1


class NoAxisForTheStack(VectorFieldNetwork):
    def __init__(self, *given):
        super().__init__(*given)
        self.factor = nn.Parameter(torch.ones(4))

    def vector_field(self, t, z):
        return super().vector_field(t, z) * self.factor


class NotPeriodic(VectorFieldNetwork):
    def vector_field(self, t, z):
        return super().vector_field(t, z) + z


class WrongGradientByAWeight(VectorFieldNetwork):
    def vector_field(self, t, z):
        bias = self.network.layers[-1].bias
        return super().vector_field(t, z) + 3 * (bias.detach() - bias)


class FewerNumbersThanClaimed(VectorFieldNetwork):
    @classmethod
    def fewest_numbers(cls, dim, hidden, angles):
        return 10**6


class NotAllSaved(VectorFieldNetwork):
    def standardize(self, z, rate):
        super().standardize(z, rate)
        self.kept = z.mean()

    def vector_field(self, t, z):
        return super().vector_field(t, z) * (2 if hasattr(self, "kept") else 1)


BROKEN = {
    UnknownStructure: "structure must be one of",
    SeparableInNameOnly: "separable is True, but there is no kinetic",
    HamiltonianOfAnyCoordinates: "but structure is 'general'",
    GlobalRandomNumbers: "global random generator",
    SeedIgnored: "weights differ between two models with the same seed",
    ChangesItsInput: "changes its input states",
    FieldOfWrongShape: r"vector_field returns shape \(64, 1\) for states of shape \(64, 4\)",
    StatesInteract: "vector_field state by state",
    DependsOnTime: "vector_field at another time",
    DtypeLost: "returns torch.float64 for states in float32",
    Undifferentiable: "Jacobian of vector_field by autodiff",
    UnusedWeights: "the loss does not depend on the parameter unused",
    WrongSignOfTheForce: r"vector_field as \(dH/dp, -dH/dq\)",
    NoAxisForTheStack: "a stack of two models",
    InconsistentSplit: r"kinetic \+ potential",
    NotPeriodic: "after a shift of an angle by its period",
    WrongGradientByAWeight: "the gradient of the loss with respect to the parameters",
    FewerNumbersThanClaimed: "cannot be loaded",
    NotAllSaved: "the forecast of a model that was saved and loaded",
}


@pytest.mark.parametrize("model", BROKEN, ids=lambda cls: cls.__name__)
def test_what_is_broken_is_named(model):
    register(type("Broken", (model,), {"name": "broken"}))
    with pytest.raises(AssertionError, match=BROKEN[model]):
        check_model("broken")


def test_a_class_under_another_name_is_named():
    MODELS.register("other")(VectorFieldNetwork)
    with pytest.raises(AssertionError, match="registered as 'other' has the name 'nn'"):
        check_model("other")


def test_a_model_of_two_coordinates_passes():
    check_model("hnn-mechanical", dim=2, seed=3)
