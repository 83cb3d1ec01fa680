"""check_integrator passes sound methods, and names what is broken in broken ones."""

import pytest

from physlearn import integrators
from physlearn.integrators import Integrator, register
from physlearn.integrators.registry import INTEGRATORS
from physlearn.testing import check_integrator, integrator_checks

OPTIONS = {"tao-4": {"omega": 3.0}}  # by default, omega grows as steps get shorter
CHECKS = {
    f"{method}-{name}": check
    for method in integrators.names()
    for name, check in integrator_checks(method, **OPTIONS.get(method, {}))
}


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    """What a test registers is forgotten at its end."""
    monkeypatch.setattr(INTEGRATORS, "_registered", dict(INTEGRATORS._registered))


@pytest.mark.parametrize("name", CHECKS)
def test_every_method_passes_each_check(name):
    CHECKS[name]()


class Heun(Integrator):
    name, order, symplectic = "heun", 2, False

    def step(self, t, z, dt):
        first = self.flow.field(t, z)
        return z + dt * (first + self.flow.field(t + dt, z + dt * first)) / 2


class OrderTooHigh(Heun):
    order = 3


class OrderTooLow(Heun):
    order = 1


class NotAnOrder(Heun):
    order = 0


class ForwardOnly(Heun):
    def step(self, t, z, dt):
        return super().step(t, z, abs(dt))


class DriveOfTheBeginning(Heun):
    """Takes the field at the start of a step for both stages."""

    def step(self, t, z, dt):
        first = self.flow.field(t, z)
        return z + dt / 2 * (first + self.flow.field(t, z + dt * first))


class CalledSymplectic(Heun):
    symplectic = True


class CalledSymmetric(Heun):
    symmetric = True


class ChangesItsInput(Heun):
    def step(self, t, z, dt):
        return z.copy_(super().step(t, z, dt))


class StatesInteract(Heun):
    def step(self, t, z, dt):
        new = super().step(t, z, dt)
        return new + 0.01 * dt * new.mean() if z.ndim > 1 else new


class DtypeLost(Heun):
    def solve(self, z0, t, substeps, progress):
        return super().solve(z0.double(), t, substeps, progress)


class WrongForFunctions(Heun):
    def step(self, t, z, dt):
        return super().step(t, z, dt) * (1 if self.flow.hamiltonian else 1 + dt)


BROKEN = {
    OrderTooHigh: r"order forward in time is [12]\.\d+, but the class declares order = 3",
    OrderTooLow: "the class declares order = 1",
    NotAnOrder: "order must be a positive whole number, not 0",
    ForwardOnly: "backward in time",
    DriveOfTheBeginning: r"order for a field that depends on time is 1\.\d+, but the class declares order = 2",
    CalledSymplectic: "symplectic is True, but",
    CalledSymmetric: "symmetric is True, but steps backward miss the initial state",
    ChangesItsInput: "changes its input states",
    StatesInteract: "not independent of each other",
    DtypeLost: "does not preserve torch.float32",
    WrongForFunctions: "a flow given as a plain function",
}


@pytest.mark.parametrize("method", BROKEN, ids=lambda cls: cls.__name__)
def test_what_is_broken_is_named(method):
    register(type("Broken", (method,), {"name": "broken"}))
    with pytest.raises(AssertionError, match=BROKEN[method]):
        check_integrator("broken")


def test_a_method_of_ones_own_passes():
    register(Heun)
    check_integrator("heun")


def test_a_class_that_does_not_say_whether_it_is_symplectic_is_named():
    class Silent(Integrator):
        name, order = "silent", 1

        def step(self, t, z, dt):
            return z + dt * self.flow.field(t, z)

    register(Silent)
    with pytest.raises(AssertionError, match="'silent' does not declare 'symplectic'"):
        check_integrator("silent")


def test_a_class_under_another_name_is_named():
    INTEGRATORS.register("other")(Heun)
    with pytest.raises(AssertionError, match="registered as 'other' has the name 'heun'"):
        check_integrator("other")


def test_checks_have_names_of_their_own():
    names = [name for name, _ in integrator_checks("yoshida-4")]
    assert names == ["declarations", "states", "flows", "order", "backward", "drive", "reversibility", "symplecticity"]
