"""Poincare sections."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from scipy.integrate import solve_ivp, trapezoid
from torch.testing import assert_close

import systems
from physlearn import models
from physlearn.chaos import Dynamics, poincare_section
from physlearn.flow import Flow
from systems import InputError
from systems.sampling import on_section


def test_an_oscillator_crosses_where_the_cosine_does(harmonic_oscillator):
    z0 = torch.tensor([1.0, 0.0], dtype=torch.float64)
    section = poincare_section(harmonic_oscillator, z0, 30, surface=("q", 0.5), direction=0, dt=0.01)
    exact = sorted(t for n in range(6) for t in (2 * math.pi * n + math.pi / 3, 2 * math.pi * n - math.pi / 3) if 0 < t < 30)
    assert_close(section.t, torch.tensor(exact, dtype=torch.float64), atol=1e-7, rtol=0)
    p = torch.tensor([-math.sin(t) for t in exact], dtype=torch.float64)
    assert_close(section.z[:, 1], p, atol=1e-7, rtol=0)


def test_each_direction_has_its_own_crossings_and_both_have_all(harmonic_oscillator):
    z0 = torch.tensor([1.0, 0.0], dtype=torch.float64)
    up, down, both = (poincare_section(harmonic_oscillator, z0, 30, surface=("q", 0.0), direction=d) for d in (1, -1, 0))
    assert (up.z[:, 1] > 0).all()
    assert (down.z[:, 1] < 0).all()
    assert_close(torch.cat([up.t, down.t]).sort().values, both.t)


def test_crossings_lie_on_the_surface_and_keep_the_energy(henon_heiles, known):
    section = poincare_section(henon_heiles, known, 100, surface=("x", 0.0), dt=0.05)
    assert len(section) > 20
    assert section.z[:, 0].abs().max() < 1e-10
    assert (henon_heiles.hamiltonian(section.z) - 1 / 8).abs().max() < 1e-6  # yoshida-4 at dt = .05: 5e-7 of E


def test_crossings_are_those_of_scipys_events(henon_heiles, known):
    def field(t, z):
        x, y, p_x, p_y = z
        return [p_x, p_y, -x - 2 * x * y, -y - x**2 + y**2]

    def event(t, z):
        return z[1] - 0.1

    event.direction = -1
    z0 = known[0]
    truth = solve_ivp(field, (0, 40), z0.numpy(), "DOP853", rtol=1e-12, atol=1e-12, events=event)
    section = poincare_section(henon_heiles, z0, 40, surface=("y", 0.1), direction=-1, dt=0.02)
    np.testing.assert_allclose(section.t.numpy(), truth.t_events[0], atol=1e-5)
    np.testing.assert_allclose(section.z.numpy(), truth.y_events[0], atol=1e-5)


def test_an_orbit_that_grazes_the_surface_is_brought_onto_it():
    """x = sin t meets .999 in pairs of crossings where it hardly moves."""

    def circle(t, z):
        return torch.stack([z[..., 1], -z[..., 0]], dim=-1)

    z0 = torch.tensor([0.0, 1.0], dtype=torch.float64)
    section = poincare_section(circle, z0, 6, surface=(0, 0.999), direction=0, dt=0.05)
    angle = math.asin(0.999)
    assert_close(section.t, torch.tensor([angle, math.pi - angle], dtype=torch.float64), atol=1e-5, rtol=0)
    assert (section.z[:, 0] - 0.999).abs().max() < 1e-10


def test_the_time_of_a_driven_flow_is_its_own_at_each_crossing():
    """dx/dt = cos t from x = -.5: x = sin t - .5 rises through 0 at pi/6 + 2 pi n."""

    def driven(t, z):
        return torch.cos(torch.as_tensor(t)).expand_as(z[..., :1]).to(z)

    section = poincare_section(driven, torch.tensor([[-0.5]], dtype=torch.float64), 20, surface=("z0", 0.0))
    exact = torch.tensor([math.pi / 6 + 2 * math.pi * n for n in range(4)], dtype=torch.float64)
    assert_close(section.t, exact[exact < 20], atol=1e-6, rtol=0)


def test_a_batch_gives_what_its_orbits_give_one_by_one(henon_heiles, known):
    section = poincare_section(henon_heiles, known.reshape(2, 1, 4), 60)
    assert section.escaped.shape == (2, 1)
    assert (section.orbit.diff() >= 0).all()
    for number, z0 in enumerate(known):
        assert_close(section.of(number), poincare_section(henon_heiles, z0, 60).z, atol=1e-12, rtol=0)


def test_an_orbit_that_escapes_is_marked_and_leaves_the_others_alone(henon_heiles, known):
    leaving = torch.tensor([[0.1, 1.2, 0.0, 0.5]], dtype=torch.float64)
    section = poincare_section(henon_heiles, torch.cat([leaving, known]), 60)
    assert section.escaped.tolist() == [True, False, False]
    assert section.z.isfinite().all()
    assert len(section.of(1)) == len(poincare_section(henon_heiles, known[0], 60))


def test_a_table_has_a_row_for_each_crossing(henon_heiles, known):
    section = poincare_section(henon_heiles, known, 30)
    frame = section.to_frame()
    assert list(frame.columns) == ["orbit", "t", "x", "y", "p_x", "p_y"]
    assert len(frame) == len(section)


def test_a_model_keeps_its_dtype():
    model = models.build("hnn", dim=4, hidden=(8,))
    z0 = torch.tensor([0.1, 0.2, 0.3, 0.1])
    section = poincare_section(model, z0, 50, surface=(0, 0.1), direction=0, dt=0.1)
    assert section.z.dtype == torch.float32
    assert not section.z.requires_grad


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"surface": ("u", 0.0)}, "no coordinate 'u'; the coordinates are x, y, p_x, p_y"),
        ({"surface": (4, 0.0)}, "no coordinate 4"),
        ({"surface": "x"}, "surface must be a coordinate and its value"),
        ({"direction": 2}, "direction must be 1, -1 or 0"),
        ({"time": 0}, "time must be a positive number"),
        ({"dt": -0.1}, "dt must be a positive number"),
        ({"escape": 0.0}, "escape must be a positive radius"),
        ({"method": "dopri8"}, "not an explicit fixed-step method"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(henon_heiles, known, options, message):
    with pytest.raises(InputError, match=message):
        poincare_section(henon_heiles, **{"z0": known, "time": 10, **options})


def test_a_flow_without_a_hamiltonian_is_drawn_in_the_plane_of_its_system(henon_heiles):
    z0 = on_section(henon_heiles, 2, 0.1)
    known = poincare_section(henon_heiles, z0, time=20, dt=0.1)
    unknown = replace(known, plane=("y", "p_x", "p_y"))
    drawn = [section.plot() for section in (known, unknown)]
    assert len({(ax.get_xlabel(), ax.get_ylabel()) for ax in drawn}) == 1
    plt.close("all")


def oscillate(t, z):
    return torch.stack([z[..., 1], -z[..., 0]], dim=-1)


@pytest.mark.parametrize("value", [0.9999, 0.99999, 0.999999])
@pytest.mark.parametrize("sense", [1, -1])
@pytest.mark.parametrize("direction", [1, -1, 0])
def test_two_crossings_within_one_step_are_both_found(value, sense, direction):
    """x = sin t is above 1 - d for 2 sqrt(2 d): half of a step and less; rk4 loses 3e-8 of the amplitude."""
    z0 = torch.tensor([0.0, sense], dtype=torch.float64)
    section = poincare_section(oscillate, z0, 20, surface=(0, sense * value), direction=direction, dt=0.05)
    angle = math.asin(value)
    times = [2 * math.pi * n + t for n in range(3) for t in (angle, math.pi - angle)]
    kept = times[:: 1 if direction == 0 else 2] if direction in (0, sense) else times[1::2]
    assert_close(section.t, torch.tensor(kept, dtype=torch.float64), atol=1e-4, rtol=0)


@pytest.mark.parametrize("value", [1.001, 1.01])
def test_a_surface_that_is_nearly_reached_is_not_crossed(value):
    z0 = torch.tensor([0.0, 1.0], dtype=torch.float64)
    assert not len(poincare_section(oscillate, z0, 20, surface=(0, value), direction=0, dt=0.2))


def test_three_crossings_within_one_step_are_all_found():
    """x = t / 10 + sin t goes up, down and up again through .5 pi / 10 + 1 - .3 between -.3 and 8."""

    def wave(t, z):
        return 0.1 + torch.cos(torch.as_tensor(t)).expand_as(z[..., :1]).to(z)

    value = 0.1 * math.pi  # at pi, going down; and once before and once after it
    found = [
        poincare_section(wave, torch.tensor([[0.0]]).double(), 9.0, surface=("z0", value), direction=0, dt=dt)
        for dt in (4.5, 0.01)
    ]
    fine = found[1].t
    assert len(fine) == 3
    assert_close(found[0].t, fine, atol=0.2, rtol=0)


def test_coarse_steps_find_what_fine_steps_find(henon_heiles):
    """Orbits that turn near the surface at all depths: as many crossings, at the same times."""
    z0 = henon_heiles.sample(40, seed=3, energy=0.08)
    coarse, fine = (poincare_section(henon_heiles, z0, 30, surface=("y", 0.15), direction=0, dt=dt) for dt in (0.3, 0.01))
    assert (coarse.orbit.bincount(minlength=40) - fine.orbit.bincount(minlength=40)).abs().sum() <= 2  # grazing to 1e-4
    assert len(fine) > 200


def test_a_rotating_pendulum_crosses_once_a_turn():
    """It turns 31.4 times: quadrature of dt = d theta / omega gives the time of a turn."""
    pendulum = systems.get("pendulum")
    theta = np.linspace(0, 2 * np.pi, 20_001)
    energy = 2.5**2 / 2 + 1 - np.cos(0.1)
    turn = trapezoid(1 / np.sqrt(2 * (energy - 1 + np.cos(theta))), theta)
    z0 = torch.tensor([[0.1, 2.5], [0.1, -2.5]], dtype=torch.float64)
    for surface in (("theta", 0.0), ("theta", 4 * math.pi), (0, 1.0)):
        section = poincare_section(pendulum, z0, 100.0, surface=surface, direction=0, dt=0.05)
        for number in range(2):
            t = section.t[section.orbit == number]
            assert len(t) in (int(100 / turn), int(100 / turn) + 1)
            assert_close(t.diff(), torch.full_like(t.diff(), turn), atol=1e-4, rtol=0)
        assert_close(section.z[:, 0], torch.full_like(section.t, surface[1]))
    up, down = (
        poincare_section(pendulum, z0, 100.0, surface=("theta", 0.0), direction=direction, dt=0.05) for direction in (1, -1)
    )
    assert set(up.orbit.tolist()) == {0}
    assert set(down.orbit.tolist()) == {1}


def test_a_rotation_of_more_than_a_turn_in_a_step_crosses_at_each():
    flow = Flow(
        field=lambda t, z: torch.full_like(z, 7.0),
        name="wheel",
        coordinates=("phi",),
        periods={"phi": 1.0},
        autonomous=True,
    )
    section = poincare_section(flow, torch.tensor([0.5], dtype=torch.float64), 2.0, surface=("phi", 0.0), dt=0.5)
    assert_close(section.t, (torch.arange(14, dtype=torch.float64) + 0.5) / 7, atol=1e-9, rtol=0)


def test_a_double_pendulum_crosses_as_scipys_events_say():
    """Up to t = 5; later the errors of rk4 have grown, since the orbit is chaotic."""
    double = systems.get("double-pendulum")
    z0 = torch.tensor([2.0, 2.5, 0.0, 0.0], dtype=torch.float64)
    section = poincare_section(double, z0, 5.0, surface=("theta_1", 0.0), direction=0, dt=0.005)

    def event(t, z):
        return math.sin(z[0] / 2)

    def field(t, z):
        return double.vector_field(t, torch.from_numpy(z)).numpy()

    truth = solve_ivp(field, (0, 5), z0.numpy(), "DOP853", rtol=1e-12, atol=1e-12, events=event)
    np.testing.assert_allclose(section.t.numpy(), truth.t_events[0], atol=1e-4)
    assert section.z[:, 1].abs().max() <= math.pi + 1e-12


@pytest.mark.parametrize("name", ["lorenz", "henon-heiles", "forced-duffing"])
def test_the_surface_is_the_systems_own_by_default(name):
    system = systems.get(name)
    system = system if system.autonomous else systems.Suspension(system)
    z0 = system.sample(2, seed=0)
    section = poincare_section(system, z0, 12)
    assert section.surface == system.surface
    assert len(section)
    assert Dynamics.of(system, z0, 2.0, dt=0.05).section.surface == system.surface
    assert poincare_section(lambda t, z: system.vector_field(t, z), z0, 1.0, dt=0.1).surface == ("z0", 0.0)


def test_sections_do_not_depend_on_the_autograd_mode(henon_heiles, known):
    outside = poincare_section(henon_heiles, known, 20, dt=0.2)
    with torch.inference_mode():
        inside = poincare_section(henon_heiles, known * 1.0, 20, dt=0.2)
    assert_close(inside.z, outside.z)


def fast_oscillator(t, z):
    return torch.stack([z[..., 1], -400 * z[..., 0]], -1)


@pytest.mark.parametrize(("time", "dt"), [(40.0, 0.1), (20.0, 0.25), (10.0, 0.5), (20.0, 0.5), (40.0, 1.0), (10.0, 3.0)])
def test_a_step_that_is_too_long_for_the_flow_is_refined_or_reported(time, dt):
    """With omega = 20, it crosses x = 0 upwards once per period; rk4 is unstable if omega dt exceeds 2.8."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = poincare_section(fast_oscillator, torch.tensor([1.0, 0.0], dtype=torch.float64), time, dt=dt, surface=(0, 0.0))
    if dt <= 0.25:
        assert abs(len(found) - time * 20 / (2 * math.pi)) <= 1
    else:
        assert bool(found.unresolved)
