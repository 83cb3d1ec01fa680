import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn.explorer import Scene, scene
from systems import InputError


@pytest.mark.parametrize("name", ["pendulum", "van-der-pol", "henon-heiles"])
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


@pytest.mark.parametrize("name", scene.names())
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


@pytest.mark.parametrize("name", ["lorenz", "forced-duffing", "three-body"])
def test_a_system_without_a_plane_is_refused(name):
    with pytest.raises(InputError, match=f"{name} cannot be explored"):
        scene.check(systems.get(name))


def test_a_system_that_is_asked_for_is_offered_beside_the_others():
    assert scene.names("pendulum") == scene.names()
    assert scene.names("double-pendulum") == [*scene.names(), "double-pendulum"]
