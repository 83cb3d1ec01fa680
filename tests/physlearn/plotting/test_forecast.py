"""Forecasts against the truth."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose

import systems
from physlearn import integrate
from physlearn.metrics import phase_error
from physlearn.plotting import forecast_plot, phase_error_plot
from systems import InputError, Orbit

OSCILLATOR = systems.get("harmonic-oscillator")


@pytest.fixture
def forecasts(swing):
    return {m: integrate(OSCILLATOR, swing.z[0], swing.t, m) for m in ("euler", "leapfrog")}


def data(ax):
    return {line.get_label(): line.get_ydata() for line in ax.lines}


def test_truth_and_forecasts_are_drawn_as_they_are(swing, forecasts):
    upper, lower = forecast_plot(swing, forecasts, OSCILLATOR, coordinate="p")
    drawn = data(upper)
    assert list(drawn) == ["truth", "euler", "leapfrog"]
    assert_allclose(drawn["truth"], swing.z[:, 1])
    for name, orbit in forecasts.items():
        assert_allclose(drawn[name], orbit.z[:, 1])
    assert upper.get_ylabel() == "$p$"
    assert [text.get_text() for text in upper.get_legend().get_texts()] == list(drawn)
    assert lower.get_xlabel() == "$t$"
    assert upper.get_xlim() == lower.get_xlim() == (0, 10)
    upper.figure.canvas.draw()


def test_the_energy_error_is_relative_and_logarithmic(swing, forecasts):
    _, lower = forecast_plot(swing, forecasts, OSCILLATOR)
    assert lower.get_yscale() == "log"
    assert "H - E" in lower.get_ylabel()
    euler = lower.lines[0].get_ydata()
    assert_allclose(euler, 1.01 ** np.arange(1, 101) - 1)  # exactly, for explicit Euler with h = .1
    low, high = lower.get_ylim()
    assert low < euler.max() < high


def test_an_energy_may_be_a_function_and_its_absence_gives_the_distance(swing, forecasts):
    by_function = forecast_plot(swing, forecasts, OSCILLATOR.hamiltonian)[1]
    by_system = forecast_plot(swing, forecasts, OSCILLATOR)[1]
    assert_allclose(by_function.lines[1].get_ydata(), by_system.lines[1].get_ydata())
    for system in (None, systems.get("van-der-pol")):
        _, lower = forecast_plot(swing, forecasts, system)
        assert lower.get_ylabel() == "distance"
        errors = (forecasts["euler"].z - swing.z) / swing.z.std(0, correction=0)
        expected = errors.square().mean(-1).sqrt()[1:]
        assert_allclose(lower.lines[0].get_ydata(), expected)


@pytest.mark.parametrize("system", [OSCILLATOR, None])
def test_a_diverging_forecast_is_cut_off_where_it_leaves_and_the_truth_sets_the_limits(swing, diverging, system):
    upper, lower = forecast_plot(swing, {"diverging": diverging}, system)
    low, high = upper.get_ylim()
    assert -2 < low < -1 < 1 < high < 2
    path = upper.lines[1].get_ydata()
    assert_allclose(path[:50], swing.z[:50, 0])
    gone = np.flatnonzero(np.isnan(path))
    assert_allclose(gone, np.arange(gone[0], 101))  # it does not come back
    assert not low < path[gone[0] - 1] < high
    assert lower.get_ylim()[1] < 1e4
    upper.figure.canvas.draw()


def test_an_exact_forecast_and_a_truth_at_rest_are_drawn(swing):
    forecast_plot(swing, {"exact": swing}, OSCILLATOR)[0].figure.canvas.draw()
    forecast_plot(swing, {}, OSCILLATOR)[0].figure.canvas.draw()
    rest = Orbit(swing.t, torch.ones_like(swing.z), coordinates=("q", "p"))
    forecast_plot(rest, {"exact": rest}, OSCILLATOR)[0].figure.canvas.draw()


def test_of_a_batch_the_first_is_drawn(galaxy):
    upper, _ = forecast_plot(galaxy, {"same": galaxy}, systems.get("henon-heiles"))
    assert_allclose(upper.lines[0].get_ydata(), galaxy.z[0, :, 0])


def test_many_forecasts_share_the_legend_and_the_colours(swing):
    upper, _ = forecast_plot(swing, {f"forecast number {i}": swing for i in range(10)})
    assert len(upper.get_legend().get_texts()) == 11
    assert len(upper.lines) == 11
    colors = [line.get_color() for line in upper.lines[1:8]]
    assert len(set(colors)) == 7
    upper.figure.canvas.draw()


def test_axes_that_are_given_are_the_ones_drawn_on(swing, forecasts):
    figure, given = plt.subplots(2, 1)
    assert forecast_plot(swing, forecasts, axes=tuple(given)) == tuple(given)
    assert plt.get_fignums() == [figure.number]
    with pytest.raises(InputError, match="two axes, not 1"):
        forecast_plot(swing, forecasts, axes=(given[0],))


def test_what_does_not_go_together_is_refused(swing, galaxy):
    with pytest.raises(InputError, match="'late'"):
        forecast_plot(swing, {"late": Orbit(swing.t + 1, swing.z, coordinates=("q", "p"))})
    with pytest.raises(InputError, match="'galaxy'"):
        forecast_plot(swing, {"galaxy": galaxy})
    with pytest.raises(InputError, match="q, p"):
        forecast_plot(swing, {}, coordinate="x")
    zero = Orbit(swing.t, torch.zeros_like(swing.z), coordinates=("q", "p"))
    with pytest.raises(InputError, match="zero energy"):
        forecast_plot(swing, {"zero": zero}, OSCILLATOR)


def test_the_phase_error_of_a_fast_clock_rises(swing):
    fast = Orbit(swing.t, torch.stack([(1.1 * swing.t).cos(), -(1.1 * swing.t).sin()], -1), coordinates=("q", "p"))
    ax = phase_error_plot(swing.t, {"fast": phase_error(fast, swing)})
    error = data(ax)["fast"]
    assert error[0] == 0
    assert error[-1] == pytest.approx(1.0, abs=0.1)
    figure, given = plt.subplots()
    assert phase_error_plot(swing.t, {"fast": phase_error(fast, swing)}, ax=given) is given
    assert figure.number in plt.get_fignums()


def test_axes_tell_the_units_and_times_that_were_not_measured_are_left_out():
    t = torch.linspace(0, 10, 101)
    truth = Orbit(t, torch.stack([t.sin(), t.cos()], -1), coordinates=("x", "v"), units={"x": "m", "t": "s"})
    holes = truth.z.clone()
    holes[20:40, 1] = torch.nan
    upper, lower = forecast_plot(replace(truth, z=holes), {"one": truth})
    assert (upper.get_ylabel(), lower.get_xlabel()) == ("$x$ [m]", "$t$ [s]")
    assert len(upper.lines[0].get_xdata()) == 81
