"""Orbits of fields that jump, against solutions that are exact between the jumps."""

from math import cos, pi, sin, sqrt

import pytest
import torch

import systems
from systems import IntegrationError

pytestmark = pytest.mark.parametrize("engine", ["compiled", "torch"])


class Jumping(systems.System):
    coordinates = ("x", "v")

    def sample(self, n, *, seed=0):
        return torch.ones(n, 2, dtype=torch.float64)


class SquareDrive(Jumping):
    autonomous = False
    period = 2.0

    def vector_field(self, t, z):
        drive = torch.sign(torch.sin(pi * torch.as_tensor(t, dtype=z.dtype)))
        return torch.stack([z[..., 1], -z[..., 0] + drive], -1)


class Step(Jumping):
    autonomous = False

    def vector_field(self, t, z):
        on = torch.as_tensor(t, dtype=z.dtype) > 2.5
        return torch.stack([z[..., 1], torch.where(on, torch.ones_like(z[..., 0]), 0 * z[..., 0])], -1)


class DryFriction(Jumping):
    def vector_field(self, t, z):
        return torch.stack([z[..., 1], -z[..., 0] - 0.1 * torch.sign(z[..., 1])], -1)


class Relay(Jumping):
    def vector_field(self, t, z):
        return torch.stack([z[..., 1], -torch.sign(z[..., 0])], -1)


def test_a_drive_may_jump_at_the_start_and_later(engine):
    x, v = 0.0, 0.0
    for centre in (1, -1, 1):  # an oscillator about each, for a time of 1
        x, v = centre + (x - centre) * cos(1) + v * sin(1), v * cos(1) - (x - centre) * sin(1)
    z = SquareDrive().orbit([0.0, 0.0], [0.0, 3.0], engine=engine).z[-1]
    assert (z - torch.tensor([x, v], dtype=torch.float64)).abs().max() < 1e-11


@pytest.mark.parametrize("start", [0.0, -1000.0])
def test_a_step_of_the_drive_is_crossed(engine, start):
    z = Step().orbit([0.0, 0.0], [start, 4.5], engine=engine).z[-1]
    assert (z - torch.tensor([2.0, 2.0], dtype=torch.float64)).abs().max() < 1e-9  # v = t - 2.5


def test_an_oscillator_with_dry_friction_loses_its_amplitude_in_equal_parts(engine):
    t = 2.25 * pi  # after turning points at 1, -0.8 and 0.6, the centre is 0.1 again
    exact = 0.1 + (0.6 - 0.1) * cos(t)
    for z0 in ([1.0, 0.0], [[1.0, 0.0]] * 8):  # one orbit, or several side by side
        z = DryFriction().orbit(z0, [0.0, t], engine=engine).z[..., -1, :]
        assert (z[..., 0] - exact).abs().max() < 1e-11


def test_a_relay_oscillates_with_parabolic_arcs(engine):
    z = Relay().orbit([1.0, 0.0], [0.0, 4 * sqrt(2)], engine=engine).z[-1]  # four arcs, each of sqrt(2)
    assert (z - torch.tensor([1.0, 0.0], dtype=torch.float64)).abs().max() < 1e-11


def test_an_orbit_that_rests_on_a_jump_ends_in_a_sentence_that_says_so(engine):
    with pytest.raises(
        IntegrationError,
        match=r"orbit 1 from z0 = \[0.05, 0.0\] cannot be followed beyond t = .*: its field jumps back and forth, so that "
        r"each step lasts only .*; smooth the jump, for example as tanh",
    ):
        DryFriction().orbit([[1.0, 0.0], [0.05, 0.0]], [0.0, 1.0], engine=engine)


def test_larger_tolerances_follow_an_orbit_that_rests_on_a_jump(engine):
    z = DryFriction().orbit([0.05, 0.0], [0.0, 0.2], rtol=1e-4, atol=1e-4, engine=engine).z[-1]
    assert (z - torch.tensor([0.05, 0.0], dtype=torch.float64)).abs().max() < 1e-3


def test_a_singularity_is_no_jump(engine):
    with pytest.raises(IntegrationError, match=r"beyond t = .*: it grows without bound or its field is not finite"):
        systems.get("kepler").orbit([1.0, 0.0, 0.0, 0.0], [0.0, 3.0], engine=engine)  # falls in pi / sqrt(8)
