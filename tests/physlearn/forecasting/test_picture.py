"""Pictures of forecasts."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from matplotlib.contour import QuadContourSet

import systems
from physlearn.forecasting import picture


def test_the_whole_well_is_drawn_behind_the_truth_and_all_forecasts():
    system = systems.get("henon-heiles")
    truth = system.orbit(system.sample(2, energy=1 / 12, seed=0), torch.linspace(0, 20, 201, dtype=torch.float64))
    lost = replace(truth, z=truth.z * (1 + truth.t[:, None] ** 2))
    table = pd.DataFrame(
        {"valid_time_median": [20, 1, 20], "derivative_loss": [0, 1, 1]}, index=["truth", "nn + euler", "hnn + rk4"]
    )
    report = SimpleNamespace(truth=truth, table=table, forecasts={"nn + euler": lost, "hnn + rk4": truth})
    portraits = picture.of_forecast(report, system).get_axes()[:3]
    drawn = []
    for ax in portraits:
        lines = [artist for artist in ax.collections if isinstance(artist, QuadContourSet)]
        drawn.append([(level, path) for one in lines for level, path in zip(one.levels, one.get_paths(), strict=True)])
        np.testing.assert_allclose(ax.viewLim.bounds, portraits[0].viewLim.bounds)
    assert len({tuple(level for level, _ in panel) for panel in drawn}) == 1
    for level, path in drawn[1]:
        (line, *rest) = path.to_polygons(closed_only=False)
        if level < system.escape_energy:  # a closed curve
            assert not rest
            np.testing.assert_allclose(line[0], line[-1])
