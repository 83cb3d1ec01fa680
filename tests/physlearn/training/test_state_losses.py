"""Losses that need states only, against exact flows."""

import math

import pytest
import torch
from torch import nn

import systems
from physlearn.models import Model
from physlearn.models.units import Units
from physlearn.training.driven import DrivenOrbit
from physlearn.training.state_losses import ShootingLoss, StepLoss, WeakLoss
from physlearn.training.windows import Windows
from systems import InputError, Orbit

HH = systems.get("henon-heiles")


class Exact(Model):
    """The flow of a system, multiplied by a weight that can be trained."""

    name, default_method = "exact", "rk4"

    def __init__(self, system=HH):
        super().__init__()
        self.system = system
        self.factor = nn.Parameter(torch.ones((), dtype=torch.float64))

    def standardize(self, z, target):
        pass

    def vector_field(self, t, z):
        return self.factor * self.system.vector_field(torch.zeros(()), z)


def orbits(n=6, t=None):
    t = torch.linspace(0, 12, 25) if t is None else t
    return HH.orbit(HH.sample(n, seed=0, energy=0.1), t)


def parts(loss):
    return loss.parts(torch.arange(len(loss)))


@pytest.mark.parametrize("length", [1, 4])
def test_the_exact_flow_has_no_step_loss(length):
    loss = StepLoss(Exact(), Units.none(4), Windows.of(orbits(), length))
    assert loss.method == "rk4, 2 substeps"
    assert float(parts(loss).detach().sum()) < 1e-7


class Driven(Exact):
    """The oscillator x'' = -x + u, whose input u follows the state."""

    def vector_field(self, t, z):
        return self.factor * torch.stack([z[..., 1], z[..., 2] - z[..., 0]], dim=-1)


def driven_orbit(spacing):
    """An exact orbit for u = cos(1.7 t) at uneven times, with the input at times of its own."""
    t = torch.rand(60, generator=torch.Generator().manual_seed(0), dtype=torch.float64).add(0.4).cumsum(0)
    z = torch.stack([(1.7 * t).cos(), -1.7 * (1.7 * t).sin()], dim=-1) / (1 - 1.7**2)
    dense = torch.arange(0, float(t[-1]) + spacing, spacing, dtype=torch.float64)
    return DrivenOrbit(t, z, given_t=dense, given=(1.7 * dense).cos().unsqueeze(-1))


@pytest.mark.parametrize("turned", [1, -1])
def test_steps_follow_an_input_that_is_known_more_often_than_the_states(turned):
    orbit = driven_orbit(0.02)[..., ::turned]
    loss = StepLoss(Driven(), Units.none(2, given=1), Windows.of(orbit, 1))
    assert float(parts(loss).detach().sum()) < 1e-7
    coarse = StepLoss(Driven(), Units.none(2, given=1), Windows.of(driven_orbit(0.5), 1))
    assert float(parts(coarse).detach().sum()) > 1e-4  # the input is linear between its times


def test_units_of_the_input_do_not_matter():
    orbit, scale = driven_orbit(0.1), torch.tensor([1, 1, 5.0]).double()
    units = Units(torch.tensor([0, 0, 3.0]).double(), scale, torch.tensor(1.0).double(), torch.zeros(2), torch.ones(2))
    other = DrivenOrbit(orbit.t, orbit.z, given_t=orbit.given_t, given=5 * orbit.given + 3)
    for make, length in ((StepLoss, 3), (WeakLoss, 10)):
        plain = parts(make(Driven(), Units.none(2, given=1), Windows.of(orbit, length)))
        torch.testing.assert_close(parts(make(Driven(), units, Windows.of(other, length))), plain)


def test_a_state_that_stays_where_it_is_has_a_step_loss_of_one():
    model = Exact()
    nn.init.zeros_(model.factor)
    loss = StepLoss(model, Units.none(4), Windows.of(orbits(), 1))
    torch.testing.assert_close(parts(loss).detach(), torch.full((4,), 0.25, dtype=torch.float64))


def test_the_units_of_the_data_do_not_matter():
    seen = orbits()
    scale, center, time = torch.tensor([1e9, 1e-9, 2.0, 3e4]).double(), torch.tensor([1.0, -3.0, 0.0, 5.0]).double(), 1e-6
    moved = Orbit(seen.t * time, center + scale * seen.z)
    units = Units(center, scale, torch.tensor(time).double(), torch.zeros(4).double(), torch.ones(4).double())
    model = Exact()
    with torch.no_grad():
        model.factor.fill_(0.9)
    for make in (StepLoss, WeakLoss):
        length = 1 if make is StepLoss else 12
        plain = parts(make(model, Units.none(4), Windows.of(seen, length)))
        torch.testing.assert_close(parts(make(model, units, Windows.of(moved, length))), plain, rtol=1e-5, atol=0)


@pytest.mark.parametrize("even", [True, False])
def test_the_exact_flow_fits_the_weak_form_at_even_and_uneven_times(even):
    steps = 0.05 * (1 + 0.5 * (2 * torch.rand(400, generator=torch.Generator().manual_seed(0)).double() - 1) * (not even))
    loss = WeakLoss(Exact(), Units.none(4), Windows.of(orbits(t=steps.cumsum(0)), 60, every=15))
    assert float(parts(loss).detach().sum()) < (1e-8 if even else 1e-4)
    wrong = Exact()
    with torch.no_grad():
        wrong.factor.fill_(1.1)
    assert float(parts(WeakLoss(wrong, Units.none(4), Windows.of(orbits(t=steps.cumsum(0)), 60))).detach().sum()) > 5e-3


def test_shooting_finds_the_initial_states_that_noise_hides():
    seen = orbits(t=torch.linspace(0, 6, 31))
    noisy = Orbit(seen.t, seen.z + 0.02 * torch.randn(seen.z.shape, generator=torch.Generator().manual_seed(0)).double())
    windows, true = Windows.of(noisy, 10), Windows.of(seen, 10).z[:, 0]
    loss = ShootingLoss(Exact(), Units.none(4), windows, windows.z[:, 0])
    assert windows.follows.tolist() == [0, 1, 1] * 6
    optimizer = torch.optim.LBFGS([loss.start], max_iter=60, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = parts(loss).sum()
        value.backward()
        return value

    optimizer.step(closure)
    before, after = (windows.z[:, 0] - true).std(), (loss.start.detach() - true).std()
    assert after < before / 2  # eleven noisy states of four coordinates, joined, determine a state


def test_windows_skip_what_was_not_measured_and_long_steps():
    t = torch.tensor([0.0, 1.0, 2.0, 3.0, 9.0, 10.0])
    z = torch.arange(12.0).reshape(6, 2).double()
    z[1, 0] = math.nan
    windows = Windows.of(Orbit(t, z), 1)
    assert windows.t.tolist() == [[0, 2], [2, 3], [3, 9], [9, 10]]
    assert windows.within(2.0).t.tolist() == [[0, 2], [2, 3], [9, 10]]
    with pytest.raises(InputError, match="steps between measured states are longer"):
        windows.within(0.5)
    with pytest.raises(InputError, match="the longest has 5"):
        Windows.of(Orbit(t, z), 5)
