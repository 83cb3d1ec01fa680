"""An implicit step whose sweeps stop shrinking is solved where what is left is rounding, and refused where it is more."""

import pytest
import torch

from physlearn import ConvergenceError, integrators
from physlearn.flow import Flow

STEP = 0.1


def jumping(jump):
    """A rate that is 1 by more than ``jump`` below the middle of the step, and by less above it: no step solves that."""

    def field(t, z):
        above = z >= 1 + STEP / 2
        return 1 + jump / STEP * (1 - 2 * above.to(z))

    return field


def one_step(jump):
    method = integrators.find("implicit-midpoint")(Flow.of(jumping(jump)))
    z = torch.ones(1, dtype=torch.float64)
    return method.step(torch.tensor(0.0, dtype=torch.float64), method.start(z, STEP), STEP)[0]


@pytest.mark.parametrize("jump", [1e-11, 1e-10, 1e-8])
def test_a_residual_above_rounding_is_no_solution(jump):
    with pytest.raises(ConvergenceError):
        one_step(jump)


def test_a_residual_of_rounding_is_a_solution():
    assert abs(float(one_step(1e-15)) - (1 + STEP)) < 1e-14
