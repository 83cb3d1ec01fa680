"""The construction of digits: each signal in its row and column, a quarter turn from how it is written."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from physlearn.plotting import digit_construction
from systems import InputError
from systems.mnist1d import STEPS, construction


def test_each_digit_has_a_row_and_each_step_a_column():
    ax = digit_construction(construction(0))
    lines = ax.get_lines()
    assert len(lines) == 10 * len(STEPS)
    assert [label.get_text() for label in ax.get_xticklabels()] == list(STEPS)
    for k, line in enumerate(lines):
        column, row = divmod(k, 10)
        x, y = line.get_data()
        assert (np.round(x) == column).all()
        assert (np.round(y) == row).all()
    ax.figure.canvas.draw()


def test_the_position_runs_to_the_right_and_the_value_upwards_on_one_scale():
    rising = torch.linspace(0, 2, 7).expand(2, -1)
    ax = digit_construction({"large": rising, "small": rising / 4})
    assert ax.yaxis_inverted()
    large, small = (ax.get_lines()[k].get_data() for k in (0, 2))
    assert (np.diff(large[0]) > 0).all()
    assert (np.diff(large[1]) < 0).all()
    assert_allclose(np.ptp(large[1]), 4 * np.ptp(small[1]))


@pytest.mark.parametrize("steps", [{}, {"a": torch.zeros(2, 3), "b": torch.zeros(3, 3)}, {"a": torch.zeros(5)}])
def test_steps_that_do_not_go_together_are_refused(steps):
    with pytest.raises(InputError, match="a signal of each digit"):
        digit_construction(steps)
