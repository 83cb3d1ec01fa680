"""What is drawn beside the orbits: equations, contours, and the system in space."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn.explorer import Scene
from physlearn.explorer.space import SPACES

pytest.importorskip("latex2mathml", reason="the explorer's extra is not installed")

from physlearn.explorer.contours import Contours
from physlearn.explorer.equation import coordinate, equation


@pytest.mark.parametrize("name", systems.names())
def test_each_system_has_an_equation_and_symbols_that_browsers_can_typeset(name):
    system = systems.get(name)
    for text in (equation(system), *map(coordinate, system.coordinates)):
        assert ET.fromstring(text).tag.endswith("math")
        assert "\\" not in text


def test_contours_of_the_oscillator_are_circles_and_a_potential_bounds_its_orbits():
    oscillator = systems.get("harmonic-oscillator")
    seen = oscillator.orbit(oscillator.sample(5), torch.linspace(0, 6, 50))
    lines = Contours(oscillator, Scene.of(oscillator, seen), seen).lines
    assert len(lines) > 3
    for line in lines:
        radius = np.linalg.norm(line, axis=1)
        assert np.ptp(radius) < 0.02 * radius.mean()


def test_no_orbit_crosses_the_contour_of_its_energy():
    stars = systems.get("henon-heiles")
    seen = stars.orbit(stars.sample(5, energy=0.1), torch.linspace(0, 6, 50))
    (limit,) = Contours(stars, Scene.of(stars, seen), seen).limit(0.1)
    edge = stars.potential(torch.as_tensor(limit))
    assert_close(edge, torch.full_like(edge, 0.1), atol=1e-3, rtol=0)
    assert Contours(stars, Scene.of(stars, seen), seen).limit(None) == []


@pytest.mark.parametrize("name", [name for name in SPACES if SPACES[name].upright])
def test_what_hangs_on_rods_has_the_height_of_its_potential_energy(name):
    """At rest, the energy changes with the heights of the bodies as that of unit masses does, springs aside."""
    system, places = systems.get(name), SPACES[name].places
    if name in ("pendulum-clock", "elastic-pendulum"):
        pytest.skip("the energy of the clock is not conserved, and that of a spring is not all height")
    z = system.sample(20, seed=1)
    z[:, system.dim // 2 :] = 0
    height = places(system, z)[..., 1].sum(-1)
    counterweight = system.mass_ratio * z[:, 0] if name == "swinging-atwood" else 0.0
    left = system.hamiltonian(z) - system.gravity * (height + counterweight)
    assert_close(left, left[:1].expand_as(left))


def test_the_rods_of_the_double_pendulum_keep_their_lengths():
    system = systems.get("double-pendulum")
    upper, lower = SPACES["double-pendulum"].places(system, system.sample(10)).unbind(-2)
    ones = torch.ones(10, dtype=torch.float64)
    assert_close(upper.norm(dim=-1), ones)
    assert_close((lower - upper).norm(dim=-1), ones)


def test_the_picture_in_space_holds_all_that_the_models_have_seen():
    for name, space in SPACES.items():
        system = systems.get(name)
        z = system.sample(20)
        low, high = space.extent(system, z).unbind(-1)
        places = space.places(system, z)
        assert (places > low).all(), name
        assert (places < high).all(), name
