"""Escape times and exits, against exact motions, another solver, and the symmetry of the Henon-Heiles system."""

import warnings
from math import exp, log, pi

import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn.chaos import escape_times
from systems import InputError
from systems.maps import FunctionMap

STARS = systems.get("henon-heiles")


@pytest.fixture(autouse=True)
def quiet():
    """A few orbits that stay long are not the subject of these tests."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="with steps of")
        yield


def at(energy, n, seed=0):
    return STARS.sample(n, seed=seed, energy=energy, bounded=False)


def test_no_orbit_escapes_below_the_saddles():
    found = escape_times(STARS, at(0.16, 100), 100)
    assert (found.exit == -1).all()
    assert found.time.isinf().all()
    assert found.z.isnan().all()


def test_each_opening_takes_a_third_of_a_microcanonical_sample():
    found = escape_times(STARS, at(0.25, 1500), 150)
    table = found.to_frame()
    assert table["exit"].tolist() == ["top", "left", "right", "none"]
    assert (abs(table["fraction"][:3] - 1 / 3) < 3 * table["error"][:3]).all()
    assert table["fraction"][3] < 0.01
    assert table["orbits"].sum() == 1500


def test_an_orbit_that_is_turned_leaves_by_the_next_opening():
    z0 = at(0.25, 60, seed=1)
    turned = STARS.symmetries[0](z0)
    first, second = (escape_times(STARS, z, 12, dt=0.02) for z in (z0, turned))
    gone = first.exit >= 0
    assert gone.sum() > 20
    assert torch.equal(second.exit[gone], (first.exit[gone] + 1) % 3)
    assert_close(second.time, first.time, rtol=0, atol=1e-6)


def test_times_and_states_are_those_of_another_solver():
    z0 = at(0.25, 12, seed=2)
    found = escape_times(STARS, z0, 10, dt=0.01)
    gone = (found.exit >= 0).nonzero()[:, 0].tolist()
    assert len(gone) >= 4
    for k in gone:
        t = found.time[k].item()
        exit_ = STARS.exits[found.names[found.exit[k]]]
        early, exact, late = STARS.orbit(z0[k], torch.tensor([0.0, t - 1e-7, t, t + 1e-7], dtype=torch.float64)).z[1:]
        assert_close(found.z[k], exact, rtol=0, atol=1e-8)
        assert exit_(early) < 0 < exit_(late)


def test_orbits_beyond_an_opening_do_not_come_back():
    found = escape_times(STARS, at(0.3, 60, seed=3), 40)
    gone = found.exit >= 0
    for name, exit_ in STARS.exits.items():
        own = found.z[gone & (found.exit == found.names.index(name))]
        later = STARS.orbit(own, torch.linspace(0, 1.0, 11, dtype=torch.float64)).z
        assert (exit_(later).diff(dim=-1) > 0).all()


def test_units_of_length_do_not_matter():
    scaled = systems.get("henon-heiles", coupling=-2.0)
    z0 = at(0.25, 30)
    first, second = escape_times(STARS, z0, 10), escape_times(scaled, -z0 / 2, 10)
    assert torch.equal(first.exit, second.exit)
    assert_close(first.time, second.time, rtol=0, atol=1e-6)


def test_an_inverted_pendulum_leaves_when_it_should():
    def saddle(t, z):
        return z * z.new_tensor([1.0, -1.0])

    z0 = torch.tensor([[[0.1, 1.0], [-0.01, 1.0]], [[2.0, 0.0], [0.0, 1.0]]], dtype=torch.float64)
    exits = {"right": lambda z: z[..., 0] - 1, "left": lambda z: -z[..., 0] - 1}
    found = escape_times(saddle, z0, 20.0, dt=0.01, exits=exits)
    assert found.exit.tolist() == [[0, 1], [0, -1]]
    assert_close(found.time[0], torch.tensor([log(10), log(100)], dtype=torch.float64), rtol=0, atol=1e-8)
    assert found.time[1].tolist() == [0.0, float("inf")]
    assert_close(found.z[0, 1], torch.tensor([-1.0, 0.01], dtype=torch.float64), rtol=0, atol=1e-8)
    assert found.z[1, 0].tolist() == [2.0, 0.0]


def test_a_drive_that_depends_on_time_is_followed():
    driven = escape_times(lambda t, z: torch.cos(t) + 0 * z, [[0.0]], 10.0, dt=0.01, exits={"up": lambda z: z[..., 0] - 0.5})
    assert driven.time.item() == pytest.approx(pi / 6, abs=1e-8)


def test_an_orbit_that_becomes_infinite_without_an_exit_is_lost():
    found = escape_times(lambda t, z: z**2, [[1.0], [-1.0]], 5.0, exits={"below": lambda z: -z[..., 0] - 2})
    assert found.exit.tolist() == [-2, -1]
    assert found.time.isnan().tolist() == [True, False]
    assert found.to_frame()["exit"].tolist() == ["below", "none", "lost"]


def test_a_map_leaves_after_a_whole_number_of_iterations():
    doubling = FunctionMap(lambda z: 2 * z, ("x",))
    found = escape_times(doubling, [[0.3], [0.1], [-1.0]], 3, exits={"right": lambda z: z[..., 0] - 1})
    assert found.time.tolist() == [2.0, float("inf"), float("inf")]
    assert found.z[0].tolist() == [1.2]


def test_what_remains_of_a_decay_falls_exponentially():
    """From a uniform sample of (0, 1), dx/dt = x leaves the interval at -ln x, so that exp(-t) remains."""
    z0 = torch.linspace(0, 1, 202, dtype=torch.float64)[1:-1, None]
    found = escape_times(lambda t, z: z, z0, 3.0, exits={"right": lambda z: z[..., 0] - 1})
    t = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    assert found.remaining(t).tolist() == pytest.approx([exp(-0.5), exp(-1), exp(-2)], abs=5e-3)


def test_exits_are_drawn_in_the_plane_of_the_initial_states():
    from systems.sampling import on_section

    found = escape_times(STARS, on_section(STARS, 50, 0.2, bounds=((-0.5, 0.9), (-0.6, 0.6))), 10)
    ax = found.plot()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$y$", "$p_{y}$")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["top", "left", "right"]
    assert len(ax.collections[0].get_offsets()) == 50
    with pytest.raises(InputError, match="no coordinate 'q'"):
        found.plot(("q", "x"))


def test_steps_that_are_too_long_are_told():
    warnings.filterwarnings("always", message="with steps of")
    with pytest.warns(UserWarning, match="leave by the same exit; use a smaller dt"):
        escape_times(STARS, at(0.19, 40), 100, dt=0.4, method="leapfrog")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: escape_times(systems.get("lorenz"), [[1.0, 1.0, 1.0]], 1), "the flow declares none"),
        (lambda: escape_times(STARS, at(0.2, 1), 1, exits={}), "exits is {}"),
        (lambda: escape_times(STARS, at(0.2, 1), 1, exits={"a": 1.0}), "functions of the states"),
        (lambda: escape_times(STARS, at(0.2, 2), 1, exits={"a": lambda z: z}), "one number per state"),
        (lambda: escape_times(STARS, at(0.2, 1), -1), "time must be a positive number"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_single_precision_no_orbits_and_inference_mode_are_taken():
    z0 = at(0.25, 10)
    exact, single, none = (escape_times(STARS, z, 10) for z in (z0, z0.float(), z0[:0]))
    assert torch.equal(single.exit, exact.exit)
    assert single.time.dtype == torch.float32
    assert none.to_frame()["orbits"].tolist() == [0, 0, 0, 0]
    with torch.inference_mode():
        assert torch.equal(escape_times(STARS, z0.numpy(), 10).exit, exact.exit)
