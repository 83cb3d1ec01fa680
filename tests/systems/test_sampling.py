"""Initial states are spread as they say. The p-values are of fixed seeds; p > 0.001 fails one seed in a thousand."""

from math import pi, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

import systems
from physlearn.chaos import poincare_section
from systems import InputError, SeparableSystem
from systems.sampling import annulus, box, on_section

N = 4000


def assert_uniform(x, low=0.0, high=1.0):
    assert kstest((np.asarray(x) - low) / (high - low), "uniform").pvalue > 1e-3


def test_a_box_is_filled_uniformly():
    x, y = box(N, [(-1.0, 3.0), (5.0, 6.0)], seed=1).T
    assert_uniform(x, -1, 3)
    assert_uniform(y, 5, 6)


def test_the_sides_of_a_box_are_independent():
    x, y = box(N, [(0.0, 1.0), (0.0, 1.0)], seed=2).T
    assert abs(np.corrcoef(x, y)[0, 1]) < 3.3 / sqrt(N)


def test_an_annulus_is_filled_uniformly_by_area():
    x, y = annulus(N, 0.5, 2.0, seed=3).T
    assert_uniform(x**2 + y**2, 0.25, 4.0)
    assert_uniform(torch.atan2(y, x), -pi, pi)


@pytest.mark.parametrize(("inner", "outer"), [(1.0, 1.0), (2.0, 1.0), (-0.5, 1.0), (0.0, float("nan"))])
def test_an_annulus_without_area_is_refused(inner, outer):
    with pytest.raises(InputError, match="0 <= inner < outer"):
        annulus(3, inner, outer, seed=0)


@pytest.mark.parametrize("name", systems.names())
@pytest.mark.parametrize("n", [0, -1])
def test_no_states_are_no_sample(name, n):
    with pytest.raises(InputError, match=f"at least 1, not {n}"):
        systems.get(name).sample(n)


@pytest.mark.parametrize("name", systems.names())
def test_one_state_is_a_sample(name):
    system = systems.get(name)
    assert system.sample(1).shape == (1, system.dim)


# the microcanonical ensemble of Henon-Heiles


@given(energy=st.floats(0.005, 0.166), seed=st.integers(0, 2**31))
def test_samples_have_the_energy_asked_for(henon_heiles, energy, seed):
    z = henon_heiles.sample(5, seed=seed, energy=energy)
    np.testing.assert_allclose(henon_heiles.hamiltonian(z), energy, rtol=1e-12)


def test_each_sample_has_its_own_energy_where_as_many_are_given(henon_heiles):
    energies = torch.linspace(0.02, 0.16, 50, dtype=torch.float64)
    np.testing.assert_allclose(henon_heiles.hamiltonian(henon_heiles.sample(50, energy=energies)), energies, rtol=1e-12)


def test_energies_of_a_range_are_uniform_in_it(henon_heiles):
    assert_uniform(henon_heiles.hamiltonian(henon_heiles.sample(N, energy_range=(0.02, 0.125))), 0.02, 0.125)


@pytest.mark.parametrize("energy", [0.1, 0.166, 0.3])
def test_samples_lie_inside_the_triangle_even_where_the_potential_is_low_outside_of_it(henon_heiles, energy):
    x, y, *_ = henon_heiles.sample(N, energy=energy, bounded=False).T
    assert bool((sqrt(3) * x.abs() <= 1 - y).all())
    assert bool((y >= -0.5).all())


@pytest.mark.parametrize("energy", [0.05, 0.125, 0.166])
def test_positions_are_uniform_over_the_allowed_region(henon_heiles, energy):
    z = henon_heiles.sample(N, seed=5, energy=energy)
    grid = torch.stack(torch.meshgrid(*[torch.linspace(-1, 1, 1501, dtype=torch.float64)] * 2, indexing="ij"), -1)
    x, y = grid.unbind(-1)
    allowed = (henon_heiles.potential(grid) < energy) & (y > -0.5) & (sqrt(3) * x.abs() <= 1 - y)
    for axis in (0, 1):
        area = allowed.sum(1 - axis).cumsum(0).double()
        cdf = lambda q, area=area: np.interp(q, np.linspace(-1, 1, 1501), area / area[-1])  # noqa: E731
        assert kstest(z[:, axis].numpy(), cdf).pvalue > 1e-3


def test_momenta_point_in_all_directions_alike_wherever_the_star_is(henon_heiles):
    x, y, p_x, p_y = henon_heiles.sample(N, seed=6, energy=0.125).T
    direction = torch.atan2(p_y, p_x)
    assert_uniform(direction, -pi, pi)
    # relative to the position as well, which ties the two together
    assert_uniform((direction - torch.atan2(y, x)) % (2 * pi), 0, 2 * pi)


def test_the_thirds_of_the_triangle_are_visited_alike(henon_heiles):
    x, y, *_ = henon_heiles.sample(N, seed=7, energy=0.125).T
    third = ((torch.atan2(y, x) - pi / 2 + pi / 3) % (2 * pi) / (2 * pi / 3)).long()
    counts = torch.bincount(third, minlength=3)
    assert bool(((counts - N / 3).abs() < 3.3 * sqrt(N * 2 / 9)).all())


@pytest.mark.parametrize("coupling", [0.5, -1.0, 2.0])
def test_the_well_scales_with_the_coupling(henon_heiles, coupling):
    scaled = systems.get("henon-heiles", coupling=coupling)
    z = scaled.sample(200, seed=8, energy=0.125 / coupling**2)
    # coupling * z solves the equations of coupling one
    np.testing.assert_allclose(henon_heiles.hamiltonian(coupling * z), 0.125, rtol=1e-12)
    x, y = coupling * z[:, 0], coupling * z[:, 1]
    assert bool((sqrt(3) * x.abs() <= 1 - y).all())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"energy": 0.4}, r"energy=0.4 is not below the escape energy 0.166667.*bounded=False"),
        ({"energy": 1 / 6}, "escape energy"),
        ({"energy": 0.0}, "above 0"),
        ({"energy": -0.1}, r"energy=-0.1 must be above 0"),
        ({"energy": [0.1, 0.1]}, r"a number or 3 numbers, not an array of shape \(2,\)"),
        ({"energy": [0.1, 0.1, 0.2]}, "energy=0.2 is not below"),
        ({"energy_range": (0.17, 0.2)}, "escape energy"),
    ],
)
def test_energies_without_bounded_motion_are_refused(henon_heiles, arguments, message):
    with pytest.raises(InputError, match=message):
        henon_heiles.sample(3, seed=1, **arguments)


@pytest.mark.parametrize("energy_range", [(0.1, 0.17), (-0.001, 0.1)])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_range_that_reaches_beyond_bounded_motion_is_refused_whatever_energies_are_drawn(henon_heiles, energy_range, seed):
    with pytest.raises(InputError, match="energy"):
        henon_heiles.sample(1, seed=seed, energy_range=energy_range)


def test_an_energy_that_is_no_number_is_refused_at_once(run_apart):
    told = run_apart("""
        from math import inf, nan
        import systems
        for arguments in ({"energy": nan}, {"energy": inf}, {"energy": [0.1, nan]}, {"energy_range": (0.1, nan)}):
            try:
                systems.get("henon-heiles").sample(2, **arguments)
            except systems.InputError:
                print("refused")
    """)
    assert told.count("refused") == 4


def test_the_amplitudes_of_pendulums_are_uniform():
    pendulum = systems.get("pendulum")
    z = pendulum.sample(N, seed=9, amplitude=(0.5, 2.0))
    assert_uniform(torch.acos(1 - pendulum.hamiltonian(z)), 0.5, 2.0)


def test_pendulums_swing_to_both_sides():
    assert abs(float((systems.get("pendulum").sample(N)[:, 1] > 0).double().mean()) - 0.5) < 3.3 * 0.5 / sqrt(N)


@pytest.mark.parametrize("amplitude", [(1.0, 0.5), (-0.1, 1.0), (0.5, 3.2), (float("nan"), 1.0)])
def test_amplitudes_that_are_no_swing_are_refused(amplitude):
    with pytest.raises(InputError, match="0 <= low <= high < pi"):
        systems.get("pendulum").sample(3, amplitude=amplitude)


@pytest.mark.parametrize(
    ("name", "surface", "energy", "direction", "bounds"),
    [
        ("henon-heiles", ("x", 0.0), 0.125, 1, None),
        ("henon-heiles", ("y", 0.1), 0.1, -1, None),
        ("general-henon-heiles", ("x", 0.0), 0.01, 1, None),
        ("dipole-reduced", ("z", 0.0), 0.02, 1, None),
        ("double-pendulum", ("theta_1", 0.0), -15.0, 1, ((-2.0, 2.0), (-4.0, 4.0))),  # its momenta are coupled
        ("elastic-pendulum", ("x", 0.0), -0.8, -1, ((-1.4, -0.6), (-0.5, 0.5))),
        ("elastic-pendulum", ("x", 0.0), -0.85, 1, None),
    ],
)
def test_states_on_a_section_lie_there_with_the_energy_and_cross_in_the_direction(name, surface, energy, direction, bounds):
    system = systems.get(name)
    z = on_section(system, 37, energy, surface=surface, direction=direction, bounds=bounds)
    across = system.coordinates.index(surface[0])
    assert z.shape == (37, 4)
    assert len(torch.unique(z, dim=0)) == 37
    torch.testing.assert_close(system.hamiltonian(z), torch.full((37,), energy, dtype=torch.float64), rtol=0, atol=1e-9)
    assert (z[:, across] == surface[1]).all()
    assert (direction * system.vector_field(0.0, z)[:, across] > 0).all()


def test_the_grid_fills_the_section_as_the_ensemble_does():
    """Of y where orbits of the microcanonical ensemble cross x = 0: quartiles on the grid and of the crossings."""
    system = systems.get("henon-heiles")
    grid = on_section(system, 2000, 0.15)[:, 1]
    crossings = poincare_section(system, system.sample(400, seed=0, energy=0.15), 60, dt=0.1).z[:, 1]
    share = torch.tensor([0.1, 0.25, 0.5, 0.75, 0.9], dtype=torch.float64)
    torch.testing.assert_close(grid.quantile(share), crossings.quantile(share), rtol=0, atol=0.03)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("kepler", {"surface": ("p_x", 0.0)}, "a position, x or y"),
        ("henon-heiles", {"direction": 0}, "direction must be 1 or -1"),
        ("henon-heiles", {"surface": ("x", 2.0)}, "no 5 states of energy 0.1 where x = 2"),
        ("henon-heiles", {"energy": 0.3}, "escape energy"),
        ("henon-heiles", {"n": 0}, "at least 1"),
        ("double-pendulum", {"energy": -40.0}, "no 5 states of energy -40 where theta_1 = 0"),
        ("lorenz", {}, "a Hamiltonian system with two degrees of freedom, not lorenz"),
        ("pendulum", {}, "two degrees of freedom"),
    ],
)
def test_states_that_cannot_be_on_a_section_are_refused(name, options, message):
    options = {"n": 5, "energy": 0.1, **options}
    with pytest.raises(InputError, match=message):
        on_section(systems.get(name), **options)


def test_an_energy_that_is_not_quadratic_in_the_momentum_is_refused():
    class Quartic(SeparableSystem):
        name, coordinates = "quartic", ("x", "y", "p_x", "p_y")

        def kinetic(self, p):
            return p.pow(4).sum(-1)

        def potential(self, q):
            return q.square().sum(-1)

        def sample(self, n, *, seed=0):
            return box(n, [(-1, 1)] * 4, seed)

    with pytest.raises(InputError, match="the energy of quartic is not quadratic in p_x"):
        on_section(Quartic(), 5, 0.5, bounds=((-1, 1), (-1, 1)))
