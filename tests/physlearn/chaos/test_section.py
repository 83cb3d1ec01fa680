"""Poincare sections."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from scipy.integrate import solve_ivp
from torch.testing import assert_close

from physlearn import models
from physlearn.chaos import poincare_section
from systems import InputError
from systems.sampling import on_section


def test_an_oscillator_crosses_where_the_cosine_does(harmonic_oscillator):
    z0 = torch.tensor([1.0, 0.0], dtype=torch.float64)
    section = poincare_section(harmonic_oscillator, z0, 30, ("q", 0.5), direction=0, dt=0.01)
    exact = sorted(t for n in range(6) for t in (2 * math.pi * n + math.pi / 3, 2 * math.pi * n - math.pi / 3) if 0 < t < 30)
    assert_close(section.t, torch.tensor(exact, dtype=torch.float64), atol=1e-7, rtol=0)
    p = torch.tensor([-math.sin(t) for t in exact], dtype=torch.float64)
    assert_close(section.z[:, 1], p, atol=1e-7, rtol=0)


def test_each_direction_has_its_own_crossings_and_both_have_all(harmonic_oscillator):
    z0 = torch.tensor([1.0, 0.0], dtype=torch.float64)
    up, down, both = (poincare_section(harmonic_oscillator, z0, 30, ("q", 0.0), d) for d in (1, -1, 0))
    assert (up.z[:, 1] > 0).all()
    assert (down.z[:, 1] < 0).all()
    assert_close(torch.cat([up.t, down.t]).sort().values, both.t)


def test_crossings_lie_on_the_surface_and_keep_the_energy(henon_heiles, known):
    section = poincare_section(henon_heiles, known, 100, ("x", 0.0), dt=0.05)
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
    section = poincare_section(henon_heiles, z0, 40, ("y", 0.1), direction=-1, dt=0.02)
    np.testing.assert_allclose(section.t.numpy(), truth.t_events[0], atol=1e-5)
    np.testing.assert_allclose(section.z.numpy(), truth.y_events[0], atol=1e-5)


def test_an_orbit_that_grazes_the_surface_is_brought_onto_it():
    """x = sin t meets .999 in pairs of crossings where it hardly moves."""

    def circle(t, z):
        return torch.stack([z[..., 1], -z[..., 0]], dim=-1)

    z0 = torch.tensor([0.0, 1.0], dtype=torch.float64)
    section = poincare_section(circle, z0, 6, (0, 0.999), direction=0, dt=0.05)
    angle = math.asin(0.999)
    assert_close(section.t, torch.tensor([angle, math.pi - angle], dtype=torch.float64), atol=1e-5, rtol=0)
    assert (section.z[:, 0] - 0.999).abs().max() < 1e-10


def test_the_time_of_a_driven_flow_is_its_own_at_each_crossing():
    """dx/dt = cos t from x = -.5: x = sin t - .5 rises through 0 at pi/6 + 2 pi n."""

    def driven(t, z):
        return torch.cos(torch.as_tensor(t)).expand_as(z[..., :1]).to(z)

    section = poincare_section(driven, torch.tensor([[-0.5]], dtype=torch.float64), 20, ("z0", 0.0))
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
    section = poincare_section(model, z0, 50, (0, 0.1), direction=0, dt=0.1)
    assert section.z.dtype == torch.float32
    assert not section.z.requires_grad


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"surface": ("u", 0.0)}, "no coordinate 'u'; there are x, y, p_x, p_y"),
        ({"surface": (4, 0.0)}, "no coordinate 4"),
        ({"surface": "x"}, "surface must be a coordinate and its value"),
        ({"direction": 2}, "direction must be 1, -1 or 0"),
        ({"time": 0}, "time must be a positive number"),
        ({"dt": -0.1}, "dt must be a positive number"),
        ({"escape": 0.0}, "escape must be a positive radius"),
        ({"method": "dopri8"}, "no explicit method of fixed steps"),
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
