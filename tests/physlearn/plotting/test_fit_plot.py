import numpy as np
import pytest
import torch

import systems
from physlearn.plotting import fit_plot


@pytest.fixture(scope="module")
def fit():
    """Two swings, the second shorter; momenta were measured, too."""
    pendulum, t = systems.get("pendulum"), torch.linspace(0, 20, 51, dtype=torch.float64)
    orbits = [pendulum.orbit([angle, 0.0], t[:last]) for angle, last in ((2.0, 51), (1.0, 31))]
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 51, 2)))
    data = [systems.Orbit.of(o.z + 0.05 * n[: len(o.t)], o.t, o.coordinates) for o, n in zip(orbits, noise, strict=True)]
    return systems.fit(pendulum, data, "gravity"), data


def test_a_plot_of_a_fit_shows_the_data_and_a_curve_that_is_an_orbit(fit):
    result, data = fit
    axes = fit_plot(result, run=1)
    measured, curve = axes[0].lines
    assert measured.get_ydata() == pytest.approx(data[1].z[:, 0].numpy())
    again = result.system.orbit(result.initial[1], torch.tensor(curve.get_xdata()))
    assert curve.get_ydata() == pytest.approx(again.z[:, 0].numpy(), abs=1e-6)
    assert len(curve.get_xdata()) > 300
    residuals = np.concatenate([line.get_ydata() for line in axes[-1].lines])
    assert np.mean(residuals**2) == pytest.approx(1, abs=0.4)


def test_wrong_arguments_are_refused(fit):
    with pytest.raises(systems.InputError, match="run must be between 0 and 1, not 2"):
        fit_plot(fit[0], run=2)
    with pytest.raises(systems.InputError, match="2 measured coordinates need 3 axes, not 1"):
        fit_plot(fit[0], axes=[None])
