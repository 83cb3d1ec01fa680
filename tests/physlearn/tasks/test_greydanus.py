"""The tasks of Greydanus et al. against what is known exactly of a spring, a pendulum and bodies."""

import math
from itertools import combinations

import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import compare, tasks
from physlearn.tasks.greydanus import NOISE, RECORDING, recorded, triangle
from systems import InputError

NAMES = ["spring", "pendulum", "two-body", "three-body"]
BODIES = NAMES[2:]


@pytest.fixture(scope="module")
def made():
    return {name: tasks.get(name, orbits=8 if name in BODIES else 25) for name in NAMES}


def without_noise(orbit):
    """The spring's states, of which dq/dt = 2 p and dp/dt = -2 q are told exactly."""
    return torch.stack([-orbit.rate[..., 1], orbit.rate[..., 0]], dim=-1) / 2


def test_the_spring_turns_by_two_in_a_unit_of_time(made):
    orbit = made["spring"].part("training")
    clean = without_noise(orbit)
    q, p = clean[:, :1].unbind(-1)
    c, s = (2 * orbit.t).cos(), (2 * orbit.t).sin()
    assert_close(clean, torch.stack([q * c + p * s, p * c - q * s], dim=-1), rtol=0, atol=1e-9)
    radius = clean[:, 0].norm(dim=-1)
    assert (radius >= 0.1).all()
    assert (radius <= 1).all()


def test_states_are_noisy_and_rates_are_not(made):
    orbit = made["spring"].part("training")
    off = orbit.z - without_noise(orbit)
    n = off.numel()
    assert float(off.square().mean().sqrt()) == pytest.approx(NOISE, rel=4 / (2 * n) ** 0.5)
    assert abs(float(off.mean())) < 4 * NOISE / n**0.5
    neighbours = (off[:, 1:] * off[:, :-1]).mean() / off.square().mean()
    assert abs(float(neighbours)) < 4 / n**0.5  # no sample's noise tells of the next


def test_the_noise_of_two_parts_is_not_the_same(made):
    off = [made["spring"].part(part).z - without_noise(made["spring"].part(part)) for part in ("training", "test")]
    assert abs(float((off[0] * off[1]).mean())) < 4 * NOISE**2 / off[0].numel() ** 0.5


def test_the_pendulum_keeps_the_published_energy(made):
    """Without noise, sin q = -(dp/dt) / 3 and p = (dq/dt) / 2; the sign of cos q is that of the noisy angle."""
    orbit = made["pendulum"].part("test")
    sine, p = -orbit.rate[..., 1] / 3, orbit.rate[..., 0] / 2
    noisy = orbit.z[..., 0].cos()
    energy = p.square() + 3 * (1 - noisy.sign() * (1 - sine.square()).clamp(min=0).sqrt())
    sure = noisy.abs() > 0.6  # five deviations of the noise
    for values, certain in zip(energy, sure, strict=True):
        kept = values[certain]
        assert_close(kept, kept[:1].expand_as(kept), rtol=0, atol=1e-6)
    assert (sure.sum(-1) > 5).sum() > 15


@pytest.mark.parametrize(("name", "training", "test"), [("spring", (25, 30), (25, 30)), ("pendulum", (25, 45), (25, 45))])
def test_the_oscillations_have_the_published_sizes(name, training, test, made):
    task = made[name]
    assert (task.part("training").shape, task.part("test").shape) == (training, test)
    assert float(task.part("test").t[-1]) == 3


def test_the_bodies_have_the_published_shares(made):
    sizes = [made[name].part(part).shape for name in BODIES for part in ("training", "test")]
    assert sizes == [(8, 50), (2, 50), (8, 20), (2, 20)]
    assert [float(made[name].part("test").t[-1]) for name in BODIES] == [20, 5]


@pytest.mark.parametrize("name", NAMES)
def test_no_orbit_is_in_two_parts_nor_forecast(name, made):
    first = {part: made[name].part(part).z[:, 0] for part in tasks.PARTS} | {"forecast": made[name].forecast.truth.z[:, 0]}
    for a, b in combinations(first, 2):
        assert torch.cdist(first[a], first[b]).min() > 0, (a, b)


@pytest.mark.parametrize("name", NAMES)
def test_fifteen_orbits_are_forecast_whose_energy_is_known(name, made):
    forecast = made[name].forecast
    energy = forecast.energy(forecast.truth.z)
    assert len(forecast.truth) == 15
    assert_close(energy, energy[:, :1].expand_as(energy), rtol=1e-9, atol=1e-9)


def test_the_energies_are_the_published_ones(made):
    z = torch.tensor([0.3, -0.7], dtype=torch.float64)
    assert float(made["spring"].forecast.energy(z)) == pytest.approx(0.3**2 + 0.7**2)
    assert float(made["pendulum"].forecast.energy(z)) == pytest.approx(0.7**2 + 3 * (1 - math.cos(0.3)))


def test_the_triangle_turns_but_for_a_kick_of_at_most_a_fifth():
    z = triangle(200, seed=3)
    places, momenta = z[:, :6].unflatten(-1, (3, 2)), z[:, 6:].unflatten(-1, (3, 2))
    radius = places.norm(dim=-1)
    assert_close(radius, radius[:, :1].expand_as(radius))
    assert (radius >= 0.9).all()
    assert (radius <= 1.2).all()
    assert_close(places.sum(1), torch.zeros(200, 2, dtype=torch.float64), rtol=0, atol=1e-12)
    force = systems.get("three-body").force(z[:, :6]).unflatten(-1, (3, 2))
    speed = (force.norm(dim=-1, keepdim=True) * radius.unsqueeze(-1)).sqrt()
    circular = speed * torch.stack([-places[..., 1], places[..., 0]], dim=-1) / radius.unsqueeze(-1)
    assert ((momenta / circular - 1).abs() < 0.2 + 1e-9).all()
    assert (momenta / circular - 1).std() > 0.1


def test_they_can_be_compared_on():
    how = {"replicates": 2, "epochs": 1, "tuned": False, "progress": False}
    table = compare(tasks.get("spring", orbits=5), variants={"sine": "sine"}, **how).table
    assert table["loss"].notna().all()


@pytest.mark.parametrize("wrong", [{"orbits": 4}, {"orbits": 7.5}, {"seed": 2**70}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError, match="orbits"):
        tasks.get("spring", **wrong)


def test_the_recording_is_cut_at_four_fifths(data):
    learned, test = recorded(data / RECORDING)
    assert (len(learned.t), len(test.t)) == (444, 111)
    task = tasks.get("real-pendulum", data=data / RECORDING)
    assert torch.equal(task.part("test").z, test.z)
    assert torch.equal(task.forecast.truth.z[0], test.z)


@pytest.mark.parametrize("rates", ["differences", "derived"])
def test_no_row_of_the_recording_is_in_two_parts(data, rates):
    task = tasks.get("real-pendulum", data=data / RECORDING, rates=rates)
    times = torch.cat([task.part(part).t for part in tasks.PARTS])
    assert (times.diff() > 0).all()


def test_the_recording_is_found_by_the_environment_or_asked_for(data, monkeypatch):
    monkeypatch.setenv("PHYSLEARN_DATA", str(data))
    assert len(tasks.get("real-pendulum").part("test").t) == 111
    monkeypatch.delenv("PHYSLEARN_DATA")
    with pytest.raises(InputError, match="set PHYSLEARN_DATA"):
        tasks.get("real-pendulum")
