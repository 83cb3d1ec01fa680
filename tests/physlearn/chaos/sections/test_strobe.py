"""The stroboscopic section of a driven flow, against orbits of another solver at multiples of the period."""

from math import pi

import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn.chaos import poincare_section
from systems import InputError

DRIVEN = systems.get("forced-duffing")
Z0 = DRIVEN.sample(3, seed=0)


@pytest.mark.parametrize(("phase", "part"), [(0.0, 1.0), (pi / 2, 0.25), (-pi / 2, 0.75), (4 * pi, 1.0)])
def test_points_are_those_of_an_accurate_orbit_at_multiples_of_the_period(phase, part):
    section = poincare_section(DRIVEN, Z0, 4.2 * DRIVEN.period, surface=("phase", phase), dt=0.004)
    t = (part + torch.arange(4, dtype=torch.float64)) * DRIVEN.period
    exact = DRIVEN.orbit(Z0, torch.cat([t.new_zeros(1), t])).z[:, 1:]
    assert_close(section.z.reshape(3, 4, 2), exact, rtol=0, atol=1e-9)
    assert_close(section.t, t.repeat(3), rtol=1e-14, atol=0)
    assert section.orbit.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert (section.surface, section.plane) == (("phase", phase), ("x", "v"))


def test_torch_and_compiled_code_agree():
    def plain(t, z):
        return DRIVEN.vector_field(t, z) if z.sum().item() == z.sum().item() else z

    flow = systems_flow(plain)
    found = [poincare_section(one, Z0, 20.0, surface=("phase", 1.0), dt=0.1) for one in (DRIVEN, flow)]
    assert_close(found[0].z, found[1].z, rtol=0, atol=1e-9)
    assert_close(found[0].t, found[1].t, rtol=1e-12, atol=0)


def systems_flow(field):
    from physlearn.integrators import Flow

    return Flow(field, "plain", ("x", "v"), period=DRIVEN.period)


def test_an_attracting_cycle_is_one_point():
    weak = systems.get("forced-duffing", gamma=0.2)
    section = poincare_section(weak, weak.sample(8, seed=0), 80 * weak.period, surface=("phase", 0.0))
    late = section.z[section.t > 70 * weak.period].reshape(8, -1, 2)
    assert_close(late, late[:, :1].expand_as(late), rtol=0, atol=1e-6)
    assert late[:, 0].abs().amin() > 1e-3


@pytest.mark.parametrize(
    ("flow", "surface", "time", "message"),
    [
        (systems.get("lorenz"), ("phase", 0.0), 10.0, "lorenz has no period in time"),
        (DRIVEN, ("phase", "x"), 10.0, "number of radians"),
        (DRIVEN, ("phase", float("nan")), 10.0, "number of radians"),
        (DRIVEN, ("phase", 0.0), 3.0, "shorter than the period"),
    ],
)
def test_wrong_arguments_are_refused(flow, surface, time, message):
    with pytest.raises(InputError, match=message):
        poincare_section(flow, flow.sample(1), time, surface=surface)
