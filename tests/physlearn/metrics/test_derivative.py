"""The derivative loss."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn.metrics import derivative_loss
from systems import InputError


@pytest.fixture
def orbit():
    system = systems.get("henon-heiles")
    return system.orbit(system.sample(3), torch.linspace(0, 2, 21))


def test_the_system_itself_has_no_loss(orbit):
    assert float(derivative_loss(systems.get("henon-heiles"), orbit)) < 1e-28


def test_the_sum_over_the_components_is_their_number_times_the_mean(orbit):
    off = torch.tensor([1.0, -2.0, 0.0, 0.5], dtype=torch.float64)
    field = systems.get("henon-heiles").vector_field
    wrong = lambda t, z: field(t, z) + off  # noqa: E731
    assert float(derivative_loss(wrong, orbit, reduction="sum")) == pytest.approx(5.25)
    assert float(derivative_loss(wrong, orbit)) == pytest.approx(5.25 / 4)


def test_a_field_that_depends_on_time_is_taken_at_the_time_of_each_sample(orbit):
    field = systems.get("henon-heiles").vector_field
    forced = lambda t, z: field(t, z) + t  # noqa: E731
    assert_close(derivative_loss(forced, orbit), orbit.t.square().mean())


def test_what_was_not_measured_does_not_count(orbit):
    z, rate = orbit.z.clone(), orbit.rate.clone()
    z[0, 3, 1], rate[1, 5] = torch.nan, torch.nan
    holed = replace(orbit, z=z, rate=rate)
    field = systems.get("henon-heiles").vector_field
    for bad in (field, lambda t, z: field(t, z)):
        assert float(derivative_loss(bad, holed)) < 1e-28
    with pytest.raises(InputError, match="no time at which"):
        derivative_loss(field, replace(orbit, z=orbit.z * torch.nan))


def test_a_field_that_is_not_finite_has_an_infinite_loss(orbit):
    for bad in (torch.nan, torch.inf):
        assert derivative_loss(lambda t, z, bad=bad: z * bad, orbit) == torch.inf


def test_the_loss_of_a_learned_flow_is_a_plain_number(orbit):
    weight = torch.eye(4, dtype=torch.float64, requires_grad=True)
    assert not derivative_loss(lambda t, z: z @ weight, orbit).requires_grad


def test_orbits_without_rates_and_unknown_reductions_are_refused(orbit):
    system = systems.get("henon-heiles")
    with pytest.raises(InputError, match="rates"):
        derivative_loss(system, replace(orbit, rate=None))
    with pytest.raises(InputError, match="'max'"):
        derivative_loss(system, orbit, reduction="max")
    with pytest.raises(InputError, match="not a flow"):
        derivative_loss(None, orbit)
