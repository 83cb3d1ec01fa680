"""Two bodies against the one body that they are: Kepler's, as seen from one of them."""

import math

import pytest
import torch

import systems
from systems import InputError

DOUBLE = torch.float64


@pytest.fixture(scope="module")
def bodies():
    return systems.get("two-body")


def test_seen_from_one_of_them_the_other_is_a_planet_of_a_sun_of_both_masses(bodies):
    z0, t = bodies.sample(6, seed=1), torch.linspace(0, 15, 31, dtype=DOUBLE)
    z = bodies.orbit(z0, t).z
    apart = torch.cat([z[..., 2:4] - z[..., :2], z[..., 6:] - z[..., 4:6]], dim=-1)
    torch.testing.assert_close(systems.get("kepler", mu=2.0).orbit(apart[:, 0], t).z, apart, rtol=0, atol=1e-8)


def test_they_are_back_after_the_period_of_their_semi_major_axis(bodies):
    z0 = bodies.sample(5, seed=2, spread=0.2)
    apart, velocity = z0[:, 2:4] - z0[:, :2], z0[:, 6:] - z0[:, 4:6]
    axis = 1 / (2 / apart.norm(dim=-1) - velocity.square().sum(-1) / 2)  # vis-viva, the masses together being 2
    for start, a in zip(z0, axis.tolist(), strict=True):
        period = 2 * math.pi * math.sqrt(a**3 / 2)
        half, whole = bodies.orbit(start, [0.0, period / 2, period]).z[1:]
        torch.testing.assert_close(whole, start, rtol=0, atol=1e-8)
        assert (half - start).norm() > 0.5


def test_momentum_and_angular_momentum_are_kept(bodies):
    z0 = bodies.sample(4, seed=3)
    z0[:, 4:] += torch.tensor([0.1, -0.2, 0.05, 0.3], dtype=DOUBLE)
    z = bodies.orbit(z0, torch.linspace(0, 10, 21, dtype=DOUBLE)).z
    places, momenta = z[..., :4].unflatten(-1, (2, 2)), z[..., 4:].unflatten(-1, (2, 2))
    total = momenta.sum(-2)
    turning = (places[..., 0] * momenta[..., 1] - places[..., 1] * momenta[..., 0]).sum(-1)
    torch.testing.assert_close(total, total[:, :1].expand_as(total), rtol=0, atol=1e-9)
    torch.testing.assert_close(turning, turning[:, :1].expand_as(turning), rtol=0, atol=1e-9)


def test_without_spread_the_samples_go_in_circles(bodies):
    z = bodies.orbit(bodies.sample(6, seed=4, spread=0.0), torch.linspace(0, 20, 50, dtype=DOUBLE)).z
    distance = z[..., :2].norm(dim=-1)
    torch.testing.assert_close(distance, distance[:, :1].expand_as(distance), rtol=0, atol=1e-8)


def test_the_velocities_are_spread_as_asked_for(bodies):
    z, circles = bodies.sample(4000, seed=5, spread=0.1), bodies.sample(4000, seed=5, spread=0.0)
    ratio = (z[:, 4:6] * circles[:, 4:6]).sum(-1) / circles[:, 4:6].square().sum(-1)
    assert float(ratio.mean()) == pytest.approx(1, abs=4 * 0.1 / 4000**0.5)
    assert float(ratio.std()) == pytest.approx(0.1, rel=4 / (2 * 4000) ** 0.5)


@pytest.mark.parametrize("side", [(0.0, 1.0), (1.5, 0.5), (-1.0, 1.0)])
def test_bodies_that_could_meet_are_refused(bodies, side):
    with pytest.raises(InputError, match="side must be a range"):
        bodies.sample(3, side=side)
