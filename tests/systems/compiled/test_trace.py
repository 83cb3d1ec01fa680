"""Fields are traced as their users write them, and refused with the reason where that cannot be."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pytest
import torch

import systems
from systems.compiled.operators import UntraceableError
from systems.compiled.traced import field_of_function, field_of_system
from systems.hamiltonian_system import SeparableSystem
from systems.system import System

TURN = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
WAYS = {
    "stack": lambda t, z: torch.stack([z[..., 1], -z[..., 0].sin()], -1),
    "cat": lambda t, z: torch.cat([z[..., 1:], -z[..., :1]], -1),
    "matrix": lambda t, z: z @ z.new_tensor([[0.0, 1.0], [-1.0, -0.1]]),
    "matrix on the left": lambda t, z: (TURN @ z.unsqueeze(-1)).squeeze(-1),
    "einsum": lambda t, z: torch.einsum("ij,...j->...i", z.new_tensor([[0.0, 1.0], [-2.0, 0.3]]), z),
    "constants in single precision": lambda t, z: z * torch.tensor([0.1, -2.3]) + torch.tensor(0.7),
    "outer": lambda t, z: (z.unsqueeze(-1) * z.unsqueeze(-2)).sum(-1),
    "in place": lambda t, z: torch.zeros_like(z).add_(z).mul_(2.0),
    "assignment": lambda t, z: _assigned(z),
    "assignment to zeros": lambda t, z: _assigned(z, torch.zeros(z.shape, dtype=torch.float64)),
    "flip, roll and diff": lambda t, z: z.flip(-1) + z.roll(1, -1) + torch.nn.functional.pad(z.diff(dim=-1), (0, 1)),
    "norm": lambda t, z: -z / z.norm(dim=-1, keepdim=True) ** 3,
    "where": lambda t, z: torch.where(z > 0.5, z, -z),
    "clamp": lambda t, z: z.clamp(-0.2, 0.4) + z.clamp(min=0.1) + torch.relu(z),
    "sign and mask": lambda t, z: z.sign() * (z.abs() < 0.4),
    "logic": lambda t, z: torch.where((z > 0.1) & ~(z > 0.4) | (z < -0.3), z, z**2),
    "masked fill": lambda t, z: z.masked_fill(z < 0.3, 0.5),
    "softplus by hand": lambda t, z: z.exp().log1p() + z.sigmoid() + z.tanh(),
    "powers": lambda t, z: z**3 - z.abs() ** 1.5 + 2**z + z.abs() ** z,
    "time": lambda t, z: torch.stack([z[..., 1], t.cos() - z[..., 0]], -1),
    "time as a number times a tensor": lambda t, z: z * t + torch.as_tensor(t).exp(),
    "remainder": lambda t, z: torch.remainder(z + math.pi, 2 * math.pi) - math.pi,
    "mean, prod, max": lambda t, z: z.mean(-1, keepdim=True) + z.prod(-1, keepdim=True) + z.amax(-1, keepdim=True) * z,
    "cumsum": lambda t, z: z.cumsum(-1),
    "gradient": lambda t, z: torch.func.grad(lambda z: (z.square().sum(-1) / 2 + z.cos().prod(-1)).sum())(z),
    "softmax": lambda t, z: z.exp() / z.exp().sum(-1, keepdim=True),
    "index": lambda t, z: z[..., [1, 0]] * z[..., torch.tensor([0, 0])],
    "atan2 and hypot": lambda t, z: torch.stack([torch.atan2(z[..., 0], z[..., 1]), torch.hypot(z[..., 0], z[..., 1])], -1),
    "products and quotients that are added": lambda t, z: torch.addcmul(z, z, z.cos(), value=0.5).addcdiv(z, 2 + z),
    "complex sums": lambda t, z: torch.addmv(z, torch.eye(2, dtype=torch.float64), z) if z.ndim == 1 else 2 * z,
}


def _assigned(z, out=None):
    out = torch.empty_like(z) if out is None else out
    out[..., 0] = z[..., 1]
    out[..., 1] = -(z[..., 0] ** 3)
    return out


@pytest.mark.parametrize("way", WAYS)
def test_a_field_may_be_written_in_any_way(way):
    field, z = WAYS[way], torch.tensor([[0.3, -0.7], [0.6, 0.2], [-0.4, 0.45]], dtype=torch.float64)
    traced = field_of_function(field, 2)
    traced.check(field, 0.4, z)
    found = traced(0.4, z.numpy())
    np.testing.assert_allclose(found, field(torch.tensor(0.4, dtype=torch.float64), z), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (lambda t, z: z if z.sum() > 0 else -z, "branches on the value of a tensor"),
        (lambda t, z: z * math.sin(float(z[..., 0])), "turns it into a number"),
        (lambda t, z: z.float().double(), "float32"),
        (lambda t, z: z[..., :1], "1 rates for 2 coordinates"),
        (lambda t, z: torch.fft.fft(z).real, "cannot be compiled|complex"),
        (lambda t, z: z[..., (z[..., :1] > 0).long()], "cannot be|float|int64"),
        (lambda t, z: None, "returns a NoneType"),
        (lambda t, z: torch.linalg.inv(z.unsqueeze(-1) * z.unsqueeze(-2)).sum(-1), "cannot be"),
    ],
)
def test_what_cannot_be_traced_is_refused_with_the_reason(field, reason):
    with pytest.raises(UntraceableError, match=reason):
        field_of_function(field, 2)


@pytest.mark.parametrize(
    "field",
    [
        lambda t, z: torch.from_numpy(np.sin(z.detach().numpy())),
        lambda t, z: z * torch.rand(()),
        lambda t, z: z - z.mean(0),
    ],
)
def test_a_field_that_computes_outside_of_torch_or_mixes_orbits_is_found_out(field):
    """Tracing cannot see these; the values differ."""
    z = torch.tensor([[0.3, -0.7], [0.6, 0.2], [-0.4, 0.5]], dtype=torch.float64)
    with pytest.raises(UntraceableError):
        field_of_function(field, 2).check(field, 0.0, z)


@pytest.mark.parametrize("name", systems.names())
def test_every_system_is_traced_and_its_parameters_stay_arguments(name):
    system = systems.get(name)
    z = system.sample(6, seed=0)
    traced = field_of_system(system)
    traced.check(system.vector_field, 0.3, z)
    numbers = [value for value in system.parameters.values() if isinstance(value, float)]
    assert traced.parameters.tolist() == numbers
    matrix = torch.func.vmap(torch.func.jacrev(lambda z: system.vector_field(torch.tensor(0.3, dtype=torch.float64), z)))(z)
    size = float(matrix.abs().max())
    np.testing.assert_allclose(traced.jacobian(0.3, z.numpy()), matrix, rtol=1e-11, atol=1e-11 * size)


def test_systems_with_other_parameters_share_one_traced_field():
    one, other = systems.get("van-der-pol", mu=1.0), systems.get("van-der-pol", mu=3.0)
    assert field_of_system(one).field is field_of_system(other).field
    assert field_of_system(one).parameters != field_of_system(other).parameters


@dataclass(frozen=True)
class Spring(System):
    """A spring whose stiffness is computed from its parameters in ways that tracing must not keep."""

    stiffness: float = 2.0
    order: int = 1
    coordinates: ClassVar = ("x", "v")

    @cached_property
    def pull(self):
        return -self.stiffness

    def vector_field(self, t, z):
        return torch.stack([z[..., 1], self.pull * z[..., 0] ** self.order], -1)

    def sample(self, n, *, seed=0):
        return torch.ones(n, 2, dtype=torch.float64)


class RootSpring(Spring):
    @property
    def pull(self):
        return -math.sqrt(self.stiffness)


@pytest.mark.parametrize("kind", [Spring, RootSpring])
def test_what_a_system_keeps_or_computes_from_its_parameters_is_its_own(kind):
    for stiffness in (2.0, 9.0):
        for order in (1, 3):
            system = kind(stiffness, order)
            system.vector_field(0.0, system.sample(1))  # fills the cached property
            field_of_system(system).check(system.vector_field, 0.0, system.sample(1))


class PotentialAlone(SeparableSystem):
    coordinates = ("x", "y", "p_x", "p_y")

    def potential(self, q):
        x, y = q.unbind(-1)
        return (x**2 + y**2) / 2 + x**2 * y - y**3 / 3

    def sample(self, n, *, seed=0):
        return systems.get("henon-heiles").sample(n, seed=seed)


def test_a_potential_alone_is_as_short_as_a_force_written_by_hand(henon_heiles):
    z = PotentialAlone().sample(4)
    traced = field_of_system(PotentialAlone())
    np.testing.assert_allclose(traced(0.0, z.numpy()), henon_heiles.vector_field(0.0, z), rtol=1e-15, atol=1e-16)


CONSTANTS = {"stiffness": 1.0, "amplitude": 0.0}


@dataclass(frozen=True)
class DrivenByConstants(System):
    """A field that reads constants outside of it, as cells of a notebook do."""

    coordinates: ClassVar = ("x", "v")

    def vector_field(self, t, z):
        force = CONSTANTS["amplitude"] * torch.sin(torch.as_tensor(t))
        return torch.stack([z[..., 1], force - CONSTANTS["stiffness"] * z[..., 0]], -1)

    def sample(self, n, *, seed=0):
        return torch.ones(n, 2, dtype=torch.float64)


def test_a_constant_that_changes_after_tracing_counts_at_once(monkeypatch):
    system, t = DrivenByConstants(), torch.linspace(0, 1, 5, dtype=torch.float64)
    for _ in range(2):
        assert abs(float(system.orbit([1.0, 0.0], t).z[-1, 0]) - math.cos(1.0)) < 1e-11
    monkeypatch.setitem(CONSTANTS, "stiffness", 4.0)
    assert abs(float(system.orbit([1.0, 0.0], t).z[-1, 0]) - math.cos(2.0)) < 1e-11
    with pytest.raises(systems.InputError, match="has changed since"):
        system.orbit([1.0, 0.0], t, engine="compiled")


def test_a_push_that_vanishes_at_the_first_time_is_compared_later(monkeypatch):
    system, t = DrivenByConstants(), torch.linspace(0, 1, 5, dtype=torch.float64)
    system.orbit([1.0, 0.0], t)
    monkeypatch.setitem(CONSTANTS, "amplitude", 2.0)  # resonance: x = cos t + sin t - t cos t
    assert abs(float(system.orbit([1.0, 0.0], t).z[-1, 0]) - math.sin(1.0)) < 1e-11
