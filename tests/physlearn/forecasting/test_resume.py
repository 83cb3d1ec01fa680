"""A training resumes from the present weights: two halves are a whole, or what is said of them."""

import copy

import pytest
import torch

import systems
from physlearn import Forecaster
from systems import InputError, Orbit
from systems.scalars import seeded

PENDULUM, T = systems.get("pendulum"), torch.linspace(0, 6, 41)
ORBITS = PENDULUM.orbit(PENDULUM.sample(6, seed=0), T)
OTHERS = PENDULUM.orbit(PENDULUM.sample(3, seed=1), T)
PLAIN = {"optimizer": "sgd", "schedule": "constant", "learning_rate": 1e-2, "polish": 0, "progress": False}
SHORT = {"polish": 0, "progress": False}


def rates(f):
    return f.vector_field(0.0, ORBITS.z)


def new(model="hnn", **settings):
    return Forecaster(model, hidden=(8,), seed=1, **settings)


@pytest.mark.parametrize("settings", [{}, {"activation": "sine", "dtype": torch.float64}], ids=["compiled", "torch"])
def test_two_halves_of_a_descent_without_memory_are_the_whole(settings):
    whole = new(**settings).fit(ORBITS, epochs=5, **PLAIN)
    half = new(**settings).fit(ORBITS, epochs=2, **PLAIN).fit(ORBITS, epochs=3, resume=True, **PLAIN)
    assert torch.equal(rates(half), rates(whole))
    assert half.history.equals(whole.history)
    assert list(half.history.index) == [0, 1, 2, 3, 4]


def test_a_file_is_resumed_as_the_forecaster_itself(tmp_path):
    f = new().fit(ORBITS, epochs=2, **SHORT)
    f.save(tmp_path / "f")
    again = Forecaster.load(tmp_path / "f").fit(ORBITS, epochs=2, resume=True, **SHORT)
    assert torch.equal(rates(again), rates(f.fit(ORBITS, epochs=2, resume=True, **SHORT)))
    assert len(again.history) == 4


def test_the_optimizer_and_its_schedule_start_anew():
    f = new(dtype=torch.float64).fit(ORBITS, epochs=2, **SHORT)
    model, units = copy.deepcopy(f.model.inner).requires_grad_(True), f.model.units
    z, rate = units.applied(ORBITS.z.flatten(0, 1), ORBITS.rate.flatten(0, 1))
    weights, n = 1 / rate.std(0, correction=0).square() / 2, len(z)
    optimizer, shuffle = torch.optim.Adam(model.parameters(), lr=5e-3), seeded(1)
    for _ in range(2):
        torch.randperm(n, generator=shuffle)  # the batches of the first two epochs
    steps, step = 2 * -(-n // 100), 0
    for _ in range(2):
        for batch in torch.randperm(n, generator=shuffle).split(100):
            optimizer.param_groups[0]["lr"] = 5e-3 * (1 + torch.tensor(torch.pi * step / steps).cos().item()) / 2
            optimizer.zero_grad()
            ((model(z[batch]) - rate[batch]).square().mean(0) * weights).sum().backward()
            optimizer.step()
            step += 1
    f.fit(ORBITS, epochs=2, resume=True, **SHORT)
    for found, wanted in zip(f.model.inner.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-6)


def test_better_weights_are_not_lost():
    f = new().fit(ORBITS, OTHERS, epochs=60, **SHORT)
    before, best = rates(f), f.history["validation"].min()
    f.fit(ORBITS, OTHERS, epochs=1, resume=True, learning_rate=0.5, **SHORT)
    assert f.history["validation"].iloc[-1] > 2 * best
    assert torch.equal(rates(f), before)


def test_units_remain_those_of_the_first_fit():
    f = new().fit(ORBITS, epochs=2, **SHORT)
    center = f.model.units.center.clone()
    f.fit(PENDULUM.orbit(PENDULUM.sample(2, seed=5), T), epochs=1, resume=True, **SHORT)
    assert torch.equal(f.model.units.center, center)


@pytest.mark.parametrize("loss", [pytest.param("step", marks=pytest.mark.slow), "weak"])
def test_a_loss_of_states_goes_on_without_rates(loss):
    states = [Orbit(T, z, coordinates=PENDULUM.coordinates) for z in ORBITS.z]
    f = new().fit(states, epochs=300, loss=loss, polish=0, progress=False)
    first = len(f.history)
    f.fit(states, resume=True, polish=20, progress=False)
    assert f.loss == loss
    assert len(f.history) > first
    assert f.history["training"].iloc[-1] < f.history["training"].iloc[first - 1]


def test_members_resume():
    f = new(members=2).fit(ORBITS, epochs=30, **SHORT)
    first = f.history["training"].iloc[-1]
    f.fit(ORBITS, epochs=30, resume=True, **SHORT)
    assert len(f.members) == 2
    assert len(f.history) == 60
    assert f.history["training"].iloc[-1] < first


def test_ranges_of_parameters_grow():
    soft, hard = (
        systems.get("duffing", beta=value).orbit(systems.get("duffing").sample(3, seed=int(value)), T) for value in (1.0, 2.0)
    )
    f = new(parameters=("beta",)).fit([soft, hard], epochs=1, **SHORT)
    f.fit(systems.get("duffing", beta=3.0).orbit(systems.get("duffing").sample(3), T), epochs=1, resume=True, **SHORT)
    assert f.given_ranges == {"beta": (1.0, 3.0)}


def test_what_cannot_be_resumed_is_refused(tmp_path):
    with pytest.raises(InputError, match="has not been trained"):
        new().fit(ORBITS, resume=True, **SHORT)
    with pytest.raises(InputError, match="fitted in one step"):
        Forecaster("linear").fit(ORBITS).fit(ORBITS, resume=True)
    f = new().fit(ORBITS, epochs=1, **SHORT)
    f.save(tmp_path / "f")
    long = systems.get("pendulum", inertia=2.0)
    for one in (f, Forecaster.load(tmp_path / "f")):
        with pytest.raises(InputError, match=r"inertia=1\.0 and inertia=2\.0"):
            one.fit(long.orbit(long.sample(2), T), epochs=1, resume=True, **SHORT)
    renamed = Orbit(T, ORBITS.z, rate=ORBITS.rate, coordinates=("a", "b"))
    with pytest.raises(InputError, match="give orbits of the same coordinates"):
        f.fit(renamed, epochs=1, resume=True, **SHORT)
    f.fit(ORBITS, epochs=1, loss=lambda a, b: (a - b).square().mean(), **SHORT)
    with pytest.raises(InputError, match="a loss of your own"):
        f.fit(ORBITS, epochs=1, resume=True, **SHORT)
