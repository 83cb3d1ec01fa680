"""Denoised states are nearer to the exact orbits than measured ones and those of the Kalman smoother without a flow."""

from math import pi

import pytest
import torch

import systems
from physlearn import Forecaster
from physlearn.forecasting.smoothed import Smoothed
from systems import InputError, Orbit


def noisy(truth, part, seed=0):
    size = truth.z.flatten(0, -2).std(0)
    draw = torch.randn(truth.z.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return Orbit(truth.t, truth.z + part * size * draw, coordinates=truth.coordinates, periods=truth.periods)


def error(z, truth):
    return float(((z - truth.z) / truth.z.flatten(0, -2).std(0)).square().mean().sqrt())


def learned(data):
    return Forecaster("hnn-mechanical", hidden=(30,), seed=0).fit(data, epochs=60, progress=False)


@pytest.fixture(scope="module")
def pendulum():
    """A pendulum learned from exact rates, its orbits, and their states with one percent of noise."""
    system = systems.get("pendulum")
    truth = system.orbit(system.sample(5, seed=1), torch.linspace(0, 20, 201, dtype=torch.float64))
    return learned(truth), truth, noisy(truth, 0.01)


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_states_are_half_as_wrong_as_those_of_a_smoother_that_knows_no_flow(pendulum, noise):
    f, truth, _ = pendulum
    measured = noisy(truth, noise)
    found = f.denoised(measured)
    smooth = torch.stack([one.z for one in Smoothed.of(measured).orbits])
    assert error(found.z, truth) < error(smooth, truth) / 2 < error(measured.z, truth) / 4
    size = truth.z.flatten(0, -2).std(0)
    for name, one in zip(truth.coordinates, noise * size, strict=True):
        assert found.provenance["denoised"]["noise"][name] == pytest.approx(float(one), rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.01, 0.1])
@pytest.mark.parametrize("name", ["pendulum", "henon-heiles", "lorenz"])
def test_the_noisy_states_from_which_a_flow_was_learned_are_denoised_along_it(program, name, noise):
    found = program("denoised_table").of_system(name, noise)
    assert found["denoised"] < found["spline"] / 2 < 0.6 * found["measured"] / 2
    assert 0.3 < found["within"] < 0.75  # of 0.68, less what the flow has learned wrongly


def test_exact_states_come_back_within_the_error_of_the_model(pendulum):
    f, truth, _ = pendulum
    step = f.forecast(truth.z[:, :-1].flatten(0, 1), truth.t[:2], progress=False).z[:, 1]
    of_model = float((step - truth.z[:, 1:].flatten(0, 1)).square().mean().sqrt())
    found = f.denoised(truth)
    assert float((found.z - truth.z).square().mean().sqrt()) < of_model
    torch.testing.assert_close(found.z, truth.z, atol=1e-4, rtol=0)


def test_what_was_not_measured_is_filled_in_between_and_at_other_times(pendulum):
    f, truth, measured = pendulum
    z = measured.z.clone()
    z[torch.rand(z.shape, generator=torch.Generator().manual_seed(3)) < 0.3] = torch.nan
    z[:, 60:90], z[0, :5] = torch.nan, torch.nan  # half a turn, and the beginning of the first orbit
    holes = Orbit(truth.t, z, coordinates=truth.coordinates)
    found = f.denoised(holes)
    assert found.z[0, :5].isnan().all()
    assert found.z[0, 6:].isfinite().all()
    assert error(found.z[1:, 5:196], truth[1:, 5:196]) < 0.005
    inside = found[:, 5:196]
    assert inside.errors.shape == inside.z.shape
    at = torch.linspace(3, 17, 43, dtype=torch.float64)
    between = f.denoised(holes, at)
    exact = systems.get("pendulum").orbit(truth.z[:, 0], torch.cat([torch.zeros(1).double(), at])).z[:, 1:]
    assert between.shape == (5, 43)
    assert float((between.z - exact).abs().max()) < 0.03
    again = f.denoised(holes, truth.t[20:150:3])  # more output times do not change the states
    torch.testing.assert_close(again.z, found.z[:, 20:150:3], atol=2e-3, rtol=0)


def test_shapes_dtypes_and_the_direction_of_time_are_kept(pendulum):
    f, _, measured = pendulum
    found = f.denoised(measured)
    assert isinstance(found, Orbit)
    assert found.z.dtype == found.errors.dtype == torch.float64
    one, two = f.denoised([measured[0], measured[1:4].to(torch.float32)])
    assert (one.shape, two.shape, two.z.dtype) == ((201,), (3, 201), torch.float32)
    torch.testing.assert_close(one.z, found.z[0], atol=2e-3, rtol=0)
    back = Orbit(measured.t.flip(0), measured.z.flip(1), coordinates=measured.coordinates)
    torch.testing.assert_close(f.denoised(back).z.flip(1), found.z, atol=1e-9, rtol=0)
    with torch.inference_mode():
        torch.testing.assert_close(f.denoised(measured).z, found.z)
    shifted = Orbit(measured.t + 1e6, measured.z, coordinates=measured.coordinates)
    torch.testing.assert_close(f.denoised(shifted).z, found.z, atol=1e-6, rtol=0)
    parts = [f.denoised(measured[0, :150]), f.denoised(Orbit.of([measured[0], measured[1, :150]]))]
    assert parts[1].z[1, 150:].isnan().all()
    assert parts[1].z[1, :150].isfinite().all()


def test_an_angle_may_be_some_turns_away_and_wrapped(pendulum):
    _, truth, _ = pendulum
    data = Orbit(truth.t, truth.z, truth.rate, truth.coordinates, periods={"theta": 2 * pi})
    g = learned(data)
    measured = noisy(truth, 0.01)
    turned = Orbit(truth.t, measured.z + torch.tensor([4 * pi, 0]), coordinates=truth.coordinates, periods=data.periods)
    found, away = g.denoised(measured), g.denoised(turned)
    torch.testing.assert_close(away.z - torch.tensor([4 * pi, 0]), found.z, atol=1e-6, rtol=0)
    assert away.periods == data.periods


@pytest.mark.parametrize("unit", [1e-9, pytest.param(1e9, marks=pytest.mark.slow)])
def test_units_do_not_matter(pendulum, unit):
    f, truth, measured = pendulum
    of = torch.tensor([unit, unit**2], dtype=torch.float64)  # of theta and p; the mass and the time have others
    data = Orbit(truth.t / unit, truth.z * of, truth.rate * of * unit, truth.coordinates)
    g = learned(data)
    found = g.denoised(Orbit(measured.t / unit, measured.z * of, coordinates=measured.coordinates))
    torch.testing.assert_close(found.z / of, f.denoised(measured).z, atol=2e-3, rtol=0)


def test_given_values_take_part():
    t, system = torch.linspace(0, 10, 101, dtype=torch.float64), systems.get("harmonic-oscillator")
    truths = [systems.get("harmonic-oscillator", frequency=k).orbit(system.sample(3, seed=2), t) for k in (0.5, 1.0, 2.0)]
    f = Forecaster("hnn-mechanical", parameters=("frequency",), hidden=(20,), seed=0).fit(truths, epochs=60, progress=False)
    measured = []
    for one, k in zip(truths, (0.5, 1.0, 2.0), strict=True):
        column = torch.full((*one.shape, 1), k, dtype=torch.float64)
        measured.append(Orbit(t, torch.cat([noisy(one, 0.05).z, column], -1), coordinates=(*one.coordinates, "frequency")))
    measured[1].z[0, 5, :2] = torch.nan
    for one, truth in zip(f.denoised(measured), truths, strict=True):
        assert one.coordinates == truth.coordinates
        assert error(one.z, truth) < 0.05 / 3


def test_velocities_that_were_derived_follow_from_the_positions(pendulum):
    f, truth, measured = pendulum
    positions = Orbit(truth.t, measured.z[..., :1], coordinates=("theta",)).with_velocities(names="p")
    found = f.denoised(positions)
    assert error(found.z, truth) < error(positions.z, truth) / 2
    assert error(found.z, truth) < 0.01 / 2


def test_what_cannot_be_denoised_is_refused(pendulum):
    f, truth, measured = pendulum
    with pytest.raises(InputError, match="call fit first"):
        Forecaster("hnn").denoised(measured)
    with pytest.raises(InputError, match="times within those of each orbit, such as 0 to 20"):
        f.denoised(measured, torch.tensor([10.0, 21.0]))
    with pytest.raises(InputError, match="needs 'p' as well"):
        f.denoised(Orbit(truth.t, truth.z[..., :1], coordinates=("theta",)))
    with pytest.raises(InputError, match="theta was measured 1 times in one"):
        f.denoised(measured[..., :1])
    with pytest.raises(InputError, match="Orbit"):
        f.denoised(measured.z)


def test_a_pause_of_the_recording_is_told(pendulum):
    f, _, measured = pendulum
    t = torch.cat([measured.t[:100], measured.t[100:] + 1e4])
    with pytest.raises(InputError, match="a pause of more than 200 median steps"):
        f.denoised(Orbit(t, measured.z, coordinates=measured.coordinates))
