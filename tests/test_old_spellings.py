"""The spellings of version 0.1.0 do what the new ones do, with a warning that names these."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import pyplot as plt

import systems
from physlearn import Forecaster, chaos, compare, explorer, plotting, tasks, training

STARS = systems.get("henon-heiles")
SWING = systems.get("pendulum")
CLOCK = systems.get("pendulum-clock")
Z0 = STARS.sample(2, seed=0, energy=0.1)
PLANE = SWING.sample(3, seed=0)
T = torch.linspace(0, 1, 11, dtype=torch.float64)
TRAINED = Forecaster("linear").fit(SWING.orbit(PLANE, T), progress=False)
HERE = explorer.Exploration(SWING, PLANE[0], {"linear": TRAINED}, method="euler", dt=0.5, time=10.0)
QUICK = {"variants": {"sine": "sine"}, "replicates": 1, "tuning_replicates": 1, "epochs": 1, "forecast": False}


def exponents(*args, **kwargs):
    return chaos.lyapunov_history(STARS, Z0, 2, *args, **kwargs).values


def explored(*args, **kwargs):
    here = explorer.Exploration(SWING, PLANE[0], {"linear": TRAINED}, *args, **kwargs)
    return here.forecast("linear").z


def compared(**kwargs):
    task = tasks.get("van-der-pol", orbits=5)
    return compare(task, **QUICK, progress=False, **kwargs).table.drop(columns="variant").to_numpy(float)


@pytest.mark.parametrize(
    ("new", "old", "named"),
    [
        (lambda: STARS.orbit(Z0, T, method="RK45").z, lambda: STARS.orbit(Z0, T, solver="RK45").z, "method="),
        (
            lambda: CLOCK.orbit([0.1, 0.0], T, method="RK45").z,
            lambda: CLOCK.orbit([0.1, 0.0], T, solver="RK45").z,
            "method=",
        ),
        (
            lambda: TRAINED.forecast(PLANE, T, method="euler").z,
            lambda: TRAINED.forecast(PLANE, T, integrator="euler").z,
            "method=",
        ),
        (lambda: TRAINED.forecast(PLANE, T, method="euler").z, lambda: TRAINED.forecast(PLANE, T, "euler").z, "method="),
        (lambda: TRAINED.n_parameters, lambda: TRAINED.parameters, "n_parameters"),
        (
            lambda: chaos.lyapunov_exponents(STARS, Z0, 2, dt=0.2, k=3),
            lambda: chaos.lyapunov_exponents(STARS, Z0, 2, 0.2, 3),
            "dt=, k=",
        ),
        (lambda: exponents(dt=0.2, k=3), lambda: exponents(0.2, 3), "dt=, k="),
        (lambda: chaos.sali(STARS, Z0, 2, dt=0.2), lambda: chaos.sali(STARS, Z0, 2, 0.2), "dt="),
        (lambda: chaos.gali(STARS, Z0, 2, 3, dt=0.2), lambda: chaos.gali(STARS, Z0, 2, 3, 0.2), "dt="),
        (
            lambda: chaos.classify(STARS, Z0, 10, dt=0.2, threshold=0.1).index,
            lambda: chaos.classify(STARS, Z0, 10, 0.2, 0.1).index,
            "dt=, threshold=",
        ),
        (
            lambda: chaos.is_chaotic(STARS, Z0, 10, dt=0.2, threshold=0.1),
            lambda: chaos.is_chaotic(STARS, Z0, 10, 0.2, 0.1),
            "dt=, threshold=",
        ),
        (
            lambda: chaos.poincare_section(STARS, Z0, 20, surface=("y", 0.1), direction=-1, dt=0.2).z,
            lambda: chaos.poincare_section(STARS, Z0, 20, ("y", 0.1), -1, 0.2).z,
            "surface=, direction=, dt=",
        ),
        (
            lambda: chaos.Dynamics.of(STARS, Z0, 10, surface=("y", 0.1), direction=-1, dt=0.2, progress=False).section.z,
            lambda: chaos.Dynamics.of(STARS, Z0, 10, ("y", 0.1), -1, 0.2, progress=False).section.z,
            "surface=, direction=, dt=",
        ),
        (lambda: compared(learning_rates=(1e-3, 1e-2)), lambda: compared(rates=(1e-3, 1e-2)), "learning_rates="),
        (lambda: explored(method="rk4"), lambda: explored(integrator="rk4"), "method="),
        (lambda: explored(dt=0.5), lambda: explored(step=0.5), "dt="),
        (lambda: explored(method="rk4", dt=0.5), lambda: explored("rk4", 0.5), "method=, dt="),
        (lambda: (HERE.method, HERE.dt), lambda: (HERE.integrator, HERE.step), "method|dt"),
        (lambda: HERE.method_of("linear"), lambda: HERE.integrator_of("linear"), "method_of"),
        (lambda: tasks.Forecasting(T, methods=("rk4",)), lambda: tasks.Forecasting(T, integrators=("rk4",)), "methods="),
        (
            lambda: tasks.Forecasting(T, ("rk4",)).methods,
            lambda: tasks.Forecasting(T, ("rk4",)).integrators,
            "methods",
        ),
        (lambda: training.derivative_loss, lambda: training.rate_loss, "derivative_loss"),
        (lambda: training.Training().learning_rate_at(1, 3), lambda: training.Training().rate_at(1, 3), "learning_rate_at"),
        (lambda: plotting.forest_plot, lambda: plotting.forest, "forest_plot"),
    ],
)
def test_an_old_spelling_does_the_same_with_a_warning(new, old, named):
    expected = new()
    with pytest.warns(DeprecationWarning, match=named):
        found = old()
    if isinstance(expected, torch.Tensor | np.ndarray | pd.DataFrame):
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


def test_colored_by_time_draws_a_colored_line():
    mpl.use("Agg")
    with pytest.warns(DeprecationWarning, match="plotting.colored_line"):
        draw = plotting.colored_by_time
    line = draw(plt.subplots()[1], *np.arange(12.0).reshape(3, 4))
    (other,) = plotting.colored_line(*np.arange(12.0).reshape(3, 4)).collections
    np.testing.assert_array_equal(line.get_segments(), other.get_segments())
    plt.close("all")


@pytest.mark.parametrize(
    "call",
    [
        lambda: STARS.orbit(Z0, T, method="RK45", solver="RK45"),
        lambda: TRAINED.forecast(PLANE, T, method="euler", integrator="euler"),
        lambda: TRAINED.forecast(PLANE, T, "euler", method="euler"),
        lambda: chaos.sali(STARS, Z0, 2, 0.2, dt=0.2),
        lambda: compared(learning_rates=(1e-3,), rates=(1e-3,)),
    ],
)
def test_a_call_in_both_spellings_is_refused(call):
    with pytest.raises(TypeError, match=r"got (both|\w+ both)"):
        call()
