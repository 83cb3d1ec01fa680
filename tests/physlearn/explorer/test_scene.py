import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn.explorer import Scene, scene


@pytest.mark.parametrize("name", ["pendulum", "van-der-pol", "henon-heiles", "lorenz"])
def test_the_points_that_are_dragged_tell_the_state(name, shelf):
    system = systems.get(name)
    there = Scene.of(system, shelf.orbits(system)[0])
    for z in system.sample(5, seed=3):
        assert_close(there.state(there.points(z)), z)


def test_the_arrow_of_a_momentum_goes_with_the_position(shelf):
    system = systems.get("henon-heiles")
    there = Scene.of(system, shelf.orbits(system)[0])
    z = torch.tensor([0.1, 0.2, 0.3, -0.1], dtype=torch.float64)
    moved = there.state(there.points(z) + torch.tensor([0.05, -0.02]))
    assert_close(moved, z + torch.tensor([0.05, -0.02, 0.0, 0.0]))


@pytest.mark.parametrize("name", ["pendulum", "henon-heiles", "kepler", "three-body", "lorenz", "dipole"])
def test_what_the_models_have_seen_lies_within_the_picture(name, shelf):
    system = systems.get(name)
    seen = shelf.orbits(system)[0]
    there = Scene.of(system, seen)
    assert (seen.z > there.extent[:, 0]).all()
    assert (seen.z < there.extent[:, 1]).all()


def test_positions_of_two_degrees_of_freedom_have_the_same_scale(shelf):
    system = systems.get("elastic-pendulum")
    wide, high = Scene.of(system, shelf.orbits(system)[0]).extent[:2].diff().flatten()
    assert wide == pytest.approx(float(high))


def test_several_bodies_are_dragged_one_by_one_and_keep_their_momenta():
    system = systems.get("three-body")
    there = Scene.of(system, system.orbit(system.sample(3), torch.linspace(0, 2, 20)))
    z = system.sample(1, seed=3)[0]
    points = there.points(z)
    points[1] += torch.tensor([0.1, 0.2])
    change = torch.zeros(12, dtype=torch.float64)
    change[2:4] = torch.tensor([0.1, 0.2])
    assert_close(there.state(points, z), z + change)


def test_all_systems_are_offered():
    assert set(scene.names()) == set(systems.names())
    assert scene.names("pendulum") == scene.names()
    assert scene.names("my-own") == [*scene.names(), "my-own"]
