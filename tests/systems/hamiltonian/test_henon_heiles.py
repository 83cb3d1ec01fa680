from math import sqrt

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import systems
from systems import InputError, IntegrationError

SADDLES = [(0.0, 1.0), (sqrt(3) / 2, -0.5), (-sqrt(3) / 2, -0.5)]


def test_the_regular_orbit_passes_the_reference_point(henon_heiles, regular_orbits):
    z = henon_heiles.orbit(regular_orbits[0], [0.0, 10.0]).z[-1]
    expected = torch.tensor([-0.00660292, -0.17072158, -0.23769052, 0.27870790], dtype=torch.float64)
    torch.testing.assert_close(z, expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("q", [(0.0, 0.0), *SADDLES])
def test_the_force_vanishes_at_the_critical_points(henon_heiles, q):
    assert float(henon_heiles.force(torch.tensor(q, dtype=torch.float64)).abs().max()) < 1e-15


@pytest.mark.parametrize("q", SADDLES)
def test_the_saddles_lie_at_the_escape_energy(henon_heiles, q):
    q = torch.tensor(q, dtype=torch.float64)
    assert float(henon_heiles.potential(q)) == pytest.approx(1 / 6, abs=1e-15)
    curvature = torch.linalg.eigvalsh(torch.func.hessian(henon_heiles.potential)(q))
    assert bool(curvature[0] < 0 < curvature[1])


def test_the_escape_energy_is_a_sixth(henon_heiles):
    assert henon_heiles.escape_energy == pytest.approx(1 / 6, abs=1e-16)


@given(s=st.floats(0, 1), side=st.integers(0, 2))
def test_the_triangle_is_a_contour_of_the_potential(henon_heiles, s, side):
    a, b = (torch.tensor(SADDLES[i % 3], dtype=torch.float64) for i in (side, side + 1))
    assert float(henon_heiles.potential(a + s * (b - a))) == pytest.approx(1 / 6, abs=1e-14)


@given(x=st.floats(-1, 1), y=st.floats(0.05, 1))
def test_up_and_down_are_not_alike(henon_heiles, x, y):
    up, down = (henon_heiles.potential(torch.tensor([x, s * y], dtype=torch.float64)) for s in (1, -1))
    # V(x, y) - V(x, -y) = 2 (x^2 y - y^3 / 3)
    assert float(up - down) == pytest.approx(2 * (x**2 * y - y**3 / 3), abs=1e-14)


@given(coupling=st.floats(0.1, 3), sign=st.sampled_from([1, -1]), seed=st.integers(0, 1000))
def test_the_coupling_is_a_choice_of_units(henon_heiles, coupling, sign, seed):
    coupling = sign * coupling
    z = henon_heiles.sample(3, seed=seed)
    scaled = systems.get("henon-heiles", coupling=coupling)
    torch.testing.assert_close(
        coupling * scaled.vector_field(0.0, z / coupling), henon_heiles.vector_field(0.0, z), rtol=1e-12, atol=1e-13
    )
    assert scaled.escape_energy == pytest.approx(1 / 6 / coupling**2)


@pytest.mark.parametrize("coupling", [0.0, float("nan"), float("inf")])
def test_a_coupling_that_makes_no_triangle_is_refused(coupling):
    with pytest.raises(InputError, match="coupling"):
        systems.get("henon-heiles", coupling=coupling)


def test_orbits_below_the_escape_energy_stay_inside_the_triangle(henon_heiles):
    orbit = henon_heiles.orbit(henon_heiles.sample(8, energy=0.16), torch.linspace(0, 100, 501, dtype=torch.float64))
    x, y = orbit.z[..., 0], orbit.z[..., 1]
    assert bool((sqrt(3) * x.abs() <= 1 - y).all())
    assert bool((y >= -0.5).all())


@pytest.mark.parametrize(("energy", "leaves"), [(0.166, False), (0.168, True)])
def test_a_star_flung_at_a_saddle_leaves_above_the_escape_energy_only(henon_heiles, energy, leaves):
    z0, t = [0.0, 0.0, 0.0, sqrt(2 * energy)], torch.linspace(0, 100, 101, dtype=torch.float64)
    if leaves:
        with pytest.raises(IntegrationError, match="grows without bound"):
            henon_heiles.orbit(z0, t)
    else:
        assert float(henon_heiles.orbit(z0, t).z[:, 1].max()) < 1


def test_a_turned_orbit_is_the_orbit_of_the_turned_star(henon_heiles):
    z0, t = henon_heiles.sample(4, energy=0.08), torch.tensor([0.0, 20.0])
    for symmetry in henon_heiles.symmetries:
        torch.testing.assert_close(
            henon_heiles.orbit(symmetry(z0), t).z, symmetry(henon_heiles.orbit(z0, t).z), rtol=0, atol=1e-9
        )


def test_three_turns_are_none(henon_heiles):
    turn, mirror = henon_heiles.symmetries
    z = henon_heiles.sample(4)
    torch.testing.assert_close(turn(turn(turn(z))), z, rtol=0, atol=1e-15)
    torch.testing.assert_close(mirror(mirror(z)), z, rtol=0, atol=0)
