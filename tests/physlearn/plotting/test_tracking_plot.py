"""The picture of a tracked film is drawn whatever period its report states."""

from dataclasses import replace

import numpy as np
import pytest

from physlearn.plotting.tracking import tracking_plot
from systems.film import from_markers


@pytest.mark.parametrize("period", [-29.0, 0.0, float("nan"), 1e9])
def test_a_period_that_is_none_leaves_the_spectrum_empty(period):
    t = np.arange(200) / 30
    theta = 0.1 * np.cos(4 * t)
    tracked = from_markers(t, np.zeros((200, 2)), 300 * np.stack([np.sin(theta), np.cos(theta)], 1))
    axes = tracking_plot(replace(tracked, report=(replace(tracked.report[0], period=period),)))
    assert not axes[2].lines
    assert len(tracking_plot(tracked)[2].lines) == 1
