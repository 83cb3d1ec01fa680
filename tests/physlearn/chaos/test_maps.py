"""Exponents, alignment indices and sections of maps, against published values and exact ones."""

from math import log, pi

import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import integrate
from physlearn.chaos import classify, gali, lyapunov_exponents, poincare_section, sali
from systems import InputError
from systems.maps import FunctionMap

STANDARD = systems.maps.get("standard")


def untraceable(one):
    """The same map, whose step cannot be traced, so that torch iterates it."""
    return FunctionMap(lambda z: one.step(z) if z.sum().item() == z.sum().item() else z, one.coordinates, one.periods)


def exponents(name, n, time, **parameters):
    one = systems.maps.get(name, **parameters)
    return lyapunov_exponents(one, one.sample(n, seed=0), time, k=one.dim, transient=200).mean(0)


def test_the_exponent_of_the_logistic_map_is_ln_2():
    assert exponents("logistic", 16, 20_000)[0] == pytest.approx(log(2), abs=2e-4)


def test_the_exponents_of_the_henon_map_are_the_published_ones():
    largest, smallest = exponents("henon", 64, 20_000)
    assert largest == pytest.approx(0.41922, abs=1.5e-3)  # Sprott; 64 orbits with a standard error of 2.4e-3 each
    assert largest + smallest == pytest.approx(log(0.3), abs=1e-10)


@pytest.mark.parametrize("K", [20.0, 1000.0])
def test_the_exponents_of_the_standard_map_approach_those_of_chirikov(K):
    largest, smallest = exponents("standard", 32, 10_000, K=K)
    assert largest == pytest.approx(log(K / 2), abs=6e-3)
    assert largest + smallest == pytest.approx(0, abs=1e-9)


def test_without_kicks_the_standard_map_is_regular():
    z0 = systems.maps.get("standard", K=0.0).sample(5, seed=0)
    one = systems.maps.get("standard", K=0.0)
    assert_close(lyapunov_exponents(one, z0, 10_000), torch.zeros(5, 1, dtype=torch.float64), rtol=0, atol=log(1e4) / 1e4)


def test_maps_of_a_torus_have_their_exact_exponents():
    cat = FunctionMap(lambda z: torch.stack([2 * z[..., 0] + z[..., 1], z.sum(-1)], -1), ("x", "y"), {"x": 1.0, "y": 1.0})
    exact = torch.tensor([1.0, -1.0], dtype=torch.float64) * log((3 + 5**0.5) / 2)
    tripling = FunctionMap(lambda z: 3 * z, ("x",), {"x": 1.0})
    for form in (lambda one: one, untraceable):
        found = lyapunov_exponents(form(cat), [0.3, 0.4], 1000, k=2, transient=50)  # until the vectors have turned
        assert_close(found, exact, rtol=0, atol=1e-10)
        assert lyapunov_exponents(form(tripling), [0.3], 1000).item() == pytest.approx(log(3), abs=1e-12)


def test_orbits_that_escape_are_told():
    with pytest.warns(UserWarning, match="1 of 2 orbits escape, so that their exponents are NaN"):
        found = lyapunov_exponents(systems.maps.get("henon"), [[0.0, 0.0], [5.0, 5.0]], 1000)
    assert found.isnan().squeeze(-1).tolist() == [False, True]


def test_a_superstable_cycle_has_an_exponent_of_minus_infinity():
    one = systems.maps.get("logistic", r=2.0)
    for form in (one, untraceable(one)):
        assert lyapunov_exponents(form, [[0.5]], 100).item() == -float("inf")


def test_the_alignment_index_falls_exponentially_on_chaotic_orbits():
    z0 = torch.tensor([[pi, 0.1], [0.1, 0.05]], dtype=torch.float64)  # around the center, and near the saddle
    index = sali(systems.maps.get("standard", K=1.2), z0, 400)
    assert index[0] > 1e-3
    assert index[1] < 1e-12
    area, chord = gali(STANDARD, z0, 50, 2), sali(STANDARD, z0, 50)
    assert_close(area, chord * (1 - chord**2 / 4).sqrt())  # the sine of an angle, and the chord that belongs to it


def test_torch_and_compiled_code_agree():
    one, other = systems.maps.get("henon"), untraceable(systems.maps.get("henon"))
    z0 = one.sample(18, seed=0)
    assert_close(*(lyapunov_exponents(form, z0, 30, k=2) for form in (one, other)), rtol=0, atol=1e-9)
    assert_close(*(sali(form, z0, 10) for form in (one, other)), rtol=0, atol=1e-9)
    assert_close(*(poincare_section(form, z0, 20).z for form in (one, other)), rtol=0, atol=1e-9)


def test_the_section_of_a_map_has_all_iterates():
    one = systems.maps.get("standard", K=0.5)
    z0 = one.sample(3, seed=0)
    section = poincare_section(one, z0, 40)
    wanted = one.orbit(z0, 40).z[:, 1:].flatten(0, 1)
    off = (section.z - wanted) / (2 * pi)
    assert_close(off, off.round(), rtol=0, atol=1e-12)
    assert section.z.abs().max() <= pi
    assert section.orbit.tolist() == [0] * 40 + [1] * 40 + [2] * 40
    assert section.of(1).shape == (40, 2)
    assert section.t[:40].tolist() == list(range(1, 41))


def test_the_section_of_a_map_is_drawn_in_its_own_plane():
    ax = poincare_section(STANDARD, STANDARD.sample(3, seed=0), 40).plot()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$\\theta$", "$p$")
    assert len(ax.collections[0].get_offsets()) == 120


def test_an_orbit_has_no_points_after_its_escape():
    section = poincare_section(systems.maps.get("henon"), [[0.0, 0.0], [5.0, 5.0]], 20)
    assert section.escaped.tolist() == [False, True]
    assert section.z.isfinite().all()
    assert len(section.of(0)) == 20


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda z: sali(STANDARD, z, 10.5), "number of iterations"),
        (lambda z: sali(STANDARD, z, 10, dt=0.1), "no step length"),
        (lambda z: lyapunov_exponents(STANDARD, z, 10, method="rk4"), "not integrated by rk4"),
        (lambda z: poincare_section(STANDARD, z, 10, surface=("p", 0.0)), "its own section"),
        (lambda z: classify(STANDARD, z, 10), "has no vector field"),
        (lambda z: integrate(STANDARD, z, [0.0, 1.0], "rk4"), "has no vector field"),
    ],
)
def test_what_makes_no_sense_for_a_map_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(STANDARD.sample(2))
