"""Times asked for and steps taken are two things: orbits do not depend on which times are asked for."""

import math
import warnings

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch.testing import assert_close

import systems
from physlearn import Forecaster, integrate, integrators
from physlearn.integrators.steps import fitting
from systems import AccuracyWarning, InputError

FIXED = [name for name in integrators.names() if not integrators.find(name).adaptive]
# of the default steps on the oscillator to t = 6, a tenth of its time scale each: the error that their order leaves
LEFT = {"euler": 0.4, "symplectic-euler": 0.06, "leapfrog": 3e-3, "implicit-midpoint": 6e-3, "tao-4": 5e-3}


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def told(orbit):
    return orbit.provenance["integrator"]


@pytest.mark.parametrize("method", FIXED)
def test_few_times_give_the_orbit_that_many_give(method, harmonic_oscillator):
    z = integrate(harmonic_oscillator, f64(1.0, 0.0), f64(0.0, 6.0), method).z[-1]
    assert_close(z, f64(math.cos(6.0), -math.sin(6.0)), rtol=0, atol=LEFT.get(method, 1e-4))


@pytest.mark.parametrize("method", ["rk4", "gauss-legendre-4", "yoshida-4"])
def test_an_orbit_is_right_after_a_gap_in_the_times(method):
    pendulum, t = systems.get("pendulum"), torch.cat([torch.arange(0, 2, 0.1), torch.arange(12, 13, 0.1)]).double()
    z0 = f64(2.0, 0.3)
    orbit = integrate(pendulum, z0, t, method)
    assert_close(orbit.z, pendulum.orbit(z0, t).z, rtol=0, atol=3e-4)
    assert told(orbit)["substeps"] == 101  # of 0.1, as long as the others
    assert told(orbit)["dt_from"] == "flow"


def test_times_backward_have_the_same_steps(harmonic_oscillator):
    orbit = integrate(harmonic_oscillator, f64(1.0, 0.0), f64(0.0, -6.0), "rk4")
    assert_close(orbit.z[-1], f64(math.cos(6.0), math.sin(6.0)), rtol=0, atol=1e-4)


def test_a_grid_that_resolves_the_flow_is_kept_bit_for_bit(henon_heiles):
    z0, t = henon_heiles.sample(3), torch.arange(20, dtype=torch.float64) * 0.1
    default, one = integrate(henon_heiles, z0, t, "rk4"), integrate(henon_heiles, z0, t, "rk4", substeps=1)
    assert torch.equal(default.z, one.z)
    assert (told(default)["substeps"], told(default)["dt_from"], told(one)["dt_from"]) == (1, "flow", "substeps")


def test_steps_are_shortened_where_the_flow_becomes_fast_on_the_way():
    """Kepler's problem from the far end of an ellipse: there its rates are a thirtieth of those at the near end."""
    kepler, z0 = systems.get("kepler"), f64(1.8, 0.0, 0.0, (1 / 9) ** 0.5)  # e = 0.8
    end = f64(0.0, 2 * math.pi)
    orbit = integrate(kepler, z0, end, "rk4")
    assert_close(orbit.z[-1], z0, rtol=0, atol=1e-3)
    assert told(orbit)["accuracy"]["resolution"] <= 0.5


def test_dt_is_the_longest_step_and_steps_end_on_the_times(harmonic_oscillator):
    times = []

    def field(t, z):
        times.append(float(t))
        return harmonic_oscillator.vector_field(t, z)

    t = f64(0.0, 0.1, 0.35, 0.75)
    orbit = integrate(field, f64(1.0, 0.0), t, "euler", dt=0.1)
    steps = [0.0, 0.1, 0.1 + 0.25 / 3, 0.1 + 0.5 / 3, 0.35, 0.45, 0.55, 0.65]
    assert [round(x, 12) for x in times[1 : 1 + len(steps)]] == [round(x, 12) for x in steps]
    assert told(orbit)["dt"] == pytest.approx(0.1)
    assert told(orbit)["dt_from"] == "dt"


def test_dt_of_float32_times_is_not_halved_by_their_rounding(harmonic_oscillator):
    t = torch.arange(200, dtype=torch.float32) * 0.1
    assert told(integrate(harmonic_oscillator, torch.tensor([1.0, 0.0]), t, "rk4", dt=0.1))["substeps"] == 1


def test_the_error_that_is_told_is_that_of_a_step(harmonic_oscillator):
    orbit = integrate(harmonic_oscillator, f64(1.0, 0.0), torch.linspace(0, 12, 61).double(), "leapfrog", substeps=1)
    # a step of leapfrog errs by h^3 / 12 in one coordinate and h^3 / 6 in the other
    assert 0.2**3 / 24 < told(orbit)["accuracy"]["step_error"] < 0.2**3 / 6
    assert told(orbit)["accuracy"]["resolution"] == pytest.approx(0.2, rel=1e-3)
    energy = harmonic_oscillator.hamiltonian(orbit.z)
    drift = float((energy - 0.5).abs().max())  # of 2 T = 1
    assert told(orbit)["accuracy"]["energy_drift"] == pytest.approx(drift, rel=0.05)


def test_who_fixes_steps_that_are_far_too_long_is_warned_with_figures(harmonic_oscillator):
    with pytest.warns(AccuracyWarning, match=r"leapfrog with steps up to 1.5 on harmonic-oscillator: the error of a step is"):
        integrate(harmonic_oscillator, f64(1.0, 0.0), torch.arange(10).double() * 1.5, "leapfrog", substeps=1)
    with pytest.warns(AccuracyWarning, match="use a smaller dt"):
        integrate(harmonic_oscillator, f64(1.0, 0.0), f64(0.0, 20.0), "rk4", dt=2.0)


def test_explicit_euler_may_be_shown_without_a_warning(harmonic_oscillator):
    """Its energy grows, which is what it is shown for; filterwarnings makes a warning an error here."""
    orbit = integrate(harmonic_oscillator, f64(1.0, 0.0), torch.arange(100).double() * 0.1, "euler", dt=0.1)
    assert told(orbit)["accuracy"]["energy_drift"] > 0.3


@pytest.mark.parametrize("dt", [0, -0.1, float("nan"), float("inf"), "0.1", True])
def test_a_dt_that_is_no_step_is_refused(dt, harmonic_oscillator):
    with pytest.raises(InputError, match="dt, the longest step, must be a positive number"):
        integrate(harmonic_oscillator, f64(1.0, 0.0), f64(0.0, 1.0), "rk4", dt=dt)


def test_a_dt_of_numpy_is_a_step(harmonic_oscillator):
    assert told(integrate(harmonic_oscillator, f64(1.0, 0.0), f64(0.0, 1.0), "rk4", dt=np.float32(0.5)))["substeps"] == 2


def test_what_cannot_be_taken_together_or_never_ends_is_refused(harmonic_oscillator):
    z0, t = f64(1.0, 0.0), f64(0.0, 1.0)
    with pytest.raises(InputError, match="substeps or dt, not both"):
        integrate(harmonic_oscillator, z0, t, "rk4", dt=0.1, substeps=2)
    with pytest.raises(InputError, match="more than the limit of 1e\\+08; use a larger dt"):
        integrate(harmonic_oscillator, z0, t, "rk4", dt=1e-12)
    with pytest.raises(InputError, match="dopri8 chooses its own steps; give rtol and atol, not dt"):
        integrate(harmonic_oscillator, z0, t, "dopri8", dt=0.1)


def test_a_stiff_flow_does_not_make_implicit_steps_short():
    orbit = integrate(lambda t, z: -1e6 * z, f64(1.0), f64(0.0, 0.1, 0.2), "gauss-legendre-4")
    assert told(orbit)["substeps"] == 1


def test_steps_fit_times_that_are_equal_to_rounding():
    t = 1e3 + torch.arange(5, dtype=torch.float32) * 0.1
    step = fitting(torch.cat([t, t[-1:] + 9]))
    assert float(t.diff().max()) == step
    assert fitting(t[:1]) is None


@pytest.fixture(scope="module")
def trained():
    oscillator, t = systems.get("harmonic-oscillator"), torch.linspace(0, 5, 51, dtype=torch.float64)
    return Forecaster("linear", dtype=torch.float64).fit(oscillator.orbit(oscillator.sample(5), t))


def test_a_forecast_does_not_depend_on_the_times_asked_for(trained):
    z0 = f64(1.0, 0.0)
    many = trained.forecast(z0, torch.linspace(0, 20, 201, dtype=torch.float64), method="rk4")
    for t in (f64(0.0, 20.0), f64(0.0, 1.0, 1.1, 20.0)):  # with a gap
        few = trained.forecast(z0, t, method="rk4")
        assert_close(few.z[-1], many.z[-1], rtol=0, atol=1e-9)
        assert told(few)["dt_from"] == "training grid"
    assert told(many)["substeps"] == 1
    assert told(trained.forecast(z0, f64(0.0, 20.0), dt=0.4))["dt"] == pytest.approx(0.4)


def test_a_forecaster_remembers_the_step_of_its_training_and_takes_files_without_it(trained, tmp_path):
    trained.save(tmp_path / "f.safetensors")
    assert trained.step == pytest.approx(0.1)
    loaded = Forecaster.load(tmp_path / "f.safetensors")
    assert loaded.step == trained.step
    loaded.step = None  # as from a file of an earlier version
    assert told(loaded.forecast(f64(1.0, 0.0), f64(0.0, 20.0)))["dt_from"] == "flow"


def test_a_training_grid_that_is_too_coarse_for_the_learned_flow_is_refined():
    """Rates are learned from states 1.5 apart: steps as long would err by a tenth each."""
    oscillator, t = systems.get("harmonic-oscillator"), torch.arange(10, dtype=torch.float64) * 1.5
    f = Forecaster("linear", dtype=torch.float64).fit(oscillator.orbit(oscillator.sample(5), t))
    end = f.forecast(f64(1.0, 0.0), f64(0.0, 6.0), method="rk4")
    assert_close(end.z[-1], f64(math.cos(6.0), -math.sin(6.0)), rtol=0, atol=0.02)
    assert told(end)["dt"] < 1


def test_a_drive_that_is_fast_beside_the_times_is_resolved_or_told():
    """v = sin 100 t, sampled by whole steps of 1 and by their halves at nearly the same phases."""

    def driven(t, z):
        return torch.stack([z[..., 1], 100 * torch.cos(100 * torch.as_tensor(t)) * torch.ones_like(z[..., 0])], -1)

    t = torch.linspace(0, 10, 11, dtype=torch.float64)
    with warnings.catch_warnings(record=True) as told_of:
        warnings.simplefilter("always")
        v = integrate(driven, f64(0.0, 0.0), t, "rk4").z[:, 1]
    wrong = float((v - torch.sin(100 * t)).abs().max()) > 0.1
    assert not wrong or any(issubclass(one.category, AccuracyWarning) for one in told_of)


def test_a_warning_points_at_the_line_of_the_user(harmonic_oscillator):
    with pytest.warns(AccuracyWarning) as told_of:
        integrate(harmonic_oscillator, f64(1.0, 0.0), torch.arange(10) * 3.0, "rk4", substeps=1)
    assert told_of[0].filename == __file__


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_rounds_the_states_but_not_the_steps(dtype):
    system = systems.get("henon-heiles")
    z0, t = torch.tensor([0.0, 0.1, 0.3, 0.0]).to(dtype), torch.linspace(0, 50, 501)
    orbit = integrate(system, z0, t, "gauss-legendre-4", progress=False)
    exact = system.orbit(z0.double(), t).z
    assert orbit.z.dtype == dtype
    assert (orbit.z.double() - exact).abs().max() < 2 * torch.finfo(dtype).eps * exact.abs().max()
    with pytest.warns(AccuracyWarning, match="give the initial states in float32 or float64"):
        integrate(lambda t, z: torch.stack([z[..., 1], -z[..., 0]], -1), z0[:2], t, "rk4", progress=False)


@pytest.mark.parametrize(
    ("method", "outputs"),
    [("rk4", 2), ("rk4", 61), ("yoshida-6", 61), pytest.param("gauss-legendre-4", 61, marks=pytest.mark.slow)],
)
def test_a_comet_is_resolved_where_it_is_fast(method, outputs):
    """On an ellipse of eccentricity 0.97, the star passes the sun in a five hundredth of the time."""
    kepler, e = systems.get("kepler"), 0.97
    t = torch.linspace(0, 30, outputs, dtype=torch.float64)
    z0 = f64(1 + e, 0.0, 0.0, ((1 - e) / (1 + e)) ** 0.5)
    orbit = integrate(kepler, z0, t, method, progress=False)
    energy = kepler.hamiltonian(orbit.z)
    assert (energy + 0.5).abs().max() < 0.02
    # Kepler's equation, with the mean anomaly counted from where the star is slowest
    mean = math.pi + 30.0
    anomaly = brentq(lambda x: x - e * math.sin(x) - mean, mean - 1, mean + 1)
    place = f64(-math.cos(anomaly) + e, -math.sqrt(1 - e**2) * math.sin(anomaly))
    assert (orbit.z[-1, :2] - place).norm() < 0.5  # rk4 without its substeps ends beyond 100


def test_euler_is_refined_or_told_where_nobody_chose_its_steps():
    oscillator = systems.get("van-der-pol")
    t = torch.cat([torch.linspace(0, 2, 21), torch.linspace(37, 39, 21)]).double()
    orbit = integrate(oscillator, oscillator.sample(1, seed=3), t, "euler", progress=False)
    assert told(orbit)["accuracy"]["step_error"] < 0.1
    assert told(orbit)["dt"] < 0.05
