"""A step that ends exactly on the surface is one crossing, not none and not two."""

import pytest
import torch

from physlearn.chaos import poincare_section


def drifting(speed):
    def field(t, z):
        return torch.full_like(z, speed)

    return field


@pytest.mark.parametrize("speed", [1.0, -1.0])
@pytest.mark.parametrize("both", [False, True])
def test_a_step_that_ends_on_the_surface_crosses_it_once(speed, both):
    z0 = torch.tensor([-speed], dtype=torch.float64)  # binary fractions: the fourth step ends on 0 to the last bit
    section = poincare_section(drifting(speed), z0, 3.0, surface=(0, 0.0), direction=0 if both else int(speed), dt=0.25)
    assert section.t.tolist() == pytest.approx([1.0], abs=1e-12)
    against = poincare_section(drifting(speed), z0, 3.0, surface=(0, 0.0), direction=-int(speed), dt=0.25)
    assert len(against) == 0


def test_a_touch_is_no_crossing_upwards():
    """x = -(t - 1)^2 comes up to 0 and goes down again."""

    def parabola(t, z):
        return (-2 * (torch.as_tensor(t, dtype=z.dtype) - 1)).expand_as(z)

    z0 = torch.tensor([-1.0], dtype=torch.float64)
    rising = poincare_section(parabola, z0, 2.0, surface=(0, -0.25), direction=1, dt=0.125)
    assert rising.t.tolist() == pytest.approx([0.5], abs=1e-9)
    falling = poincare_section(parabola, z0, 2.0, surface=(0, -0.25), direction=-1, dt=0.125)
    assert falling.t.tolist() == pytest.approx([1.5], abs=1e-9)
