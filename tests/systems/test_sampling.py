"""Initial states are spread as they say. The p-values are of fixed seeds; p > 0.001 fails one seed in a thousand."""

from math import pi, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

import systems
from systems import InputError
from systems.sampling import annulus, box

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
        ({"energy": [0.1, 0.1]}, r"a number or 3 numbers, not of shape \(2,\)"),
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
    with pytest.raises(InputError, match="between 0 and pi"):
        systems.get("pendulum").sample(3, amplitude=amplitude)
