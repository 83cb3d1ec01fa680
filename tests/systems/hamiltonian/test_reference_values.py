"""Hamiltonian systems against what is known of them exactly: periods, conserved quantities, frequencies of small motion."""

import math

import pytest
import torch

import systems
from physlearn import integrate
from systems import InputError
from systems.hamiltonian.three_body import FIGURE_EIGHT

DOUBLE = torch.float64


def orbit(name, z0, times, **parameters):
    system = systems.get(name, **parameters)
    return system, system.orbit(torch.tensor(z0, dtype=DOUBLE), torch.as_tensor(times, dtype=DOUBLE))


def frequencies(system, rest):
    """Of small motion about a state of rest, from the eigenvalues of the linearised field."""
    jacobian = torch.func.jacrev(lambda z: system.vector_field(0.0, z))(torch.tensor(rest, dtype=DOUBLE))
    values = torch.linalg.eigvals(jacobian)
    assert values.real.abs().max() < 1e-6
    return sorted(values.imag[values.imag > 1e-6].tolist())


@pytest.mark.parametrize(
    ("name", "z0", "period", "energy", "close"),
    [
        ("kepler", (0.4, 0.0, 0.0, 2.0), 2 * math.pi, -0.5, 1e-9),
        ("three-body", FIGURE_EIGHT, 6.32591398, -1.28714199, 1e-6),  # the digits of the start
    ],
)
def test_a_closed_orbit_comes_back(name, z0, period, energy, close):
    system, found = orbit(name, z0, [0, period / 3, period])
    assert found.z[-1].tolist() == pytest.approx(list(z0), abs=close)
    assert float(system.hamiltonian(found.z[0])) == pytest.approx(energy, abs=1e-8)
    assert (found.z[1] - found.z[0]).norm() > 0.5


def test_the_three_bodies_follow_each_other():
    _, found = orbit("three-body", FIGURE_EIGHT, [0, 6.32591398 / 3])
    places = [state[:6].reshape(3, 2) for state in found.z]
    distances = [(places[1] - place.roll(k, 0)).norm() for k in (1, 2) for place in [places[0]]]
    assert min(distances) < 1e-5


def test_a_planet_keeps_its_angular_momentum_and_the_eccentricity_it_was_drawn_with():
    kepler = systems.get("kepler", mu=2.0)
    z0 = kepler.sample(20, seed=1, eccentricity=(0.3, 0.3))
    z = kepler.orbit(z0, torch.linspace(0, 5, 40, dtype=DOUBLE)).z
    x, y, p_x, p_y = z.unbind(-1)
    momentum = x * p_y - y * p_x
    torch.testing.assert_close(momentum, momentum[:, :1].expand_as(momentum), rtol=1e-9, atol=0)
    torch.testing.assert_close(kepler.hamiltonian(z), torch.full_like(x, -1.0), rtol=0, atol=1e-9)  # -mu / 2a
    torch.testing.assert_close(momentum[:, 0].square() / 2, torch.full((20,), 1 - 0.3**2, dtype=DOUBLE), rtol=1e-9, atol=0)
    assert {1.0, -1.0} == set(momentum.sign().flatten().tolist())


@pytest.mark.parametrize("eccentricity", [(-0.1, 0.5), (0.5, 1.0), (0.5, 0.2)])
def test_what_is_no_ellipse_is_refused(eccentricity):
    with pytest.raises(InputError, match="eccentricity must be a range"):
        systems.get("kepler").sample(3, eccentricity=eccentricity)


def test_small_swings_of_the_double_pendulum_have_its_two_frequencies():
    expected = [math.sqrt(9.81 * (2 - math.sqrt(2))), math.sqrt(9.81 * (2 + math.sqrt(2)))]
    assert frequencies(systems.get("double-pendulum"), [0.0] * 4) == pytest.approx(expected, rel=1e-6)


def test_the_double_pendulum_obeys_lagrange():
    """The angular accelerations of the textbook's Lagrangian equations, unit masses and lengths."""
    pendulum = systems.get("double-pendulum")
    z = pendulum.sample(20, seed=3)
    velocity = pendulum.vector_field(0.0, z)[:, :2]
    first, second = z[:, 0], z[:, 1]
    u, v = velocity.unbind(-1)
    between = first - second
    # p_1 = 2 u + v cos, p_2 = v + u cos
    torch.testing.assert_close(z[:, 2], 2 * u + v * between.cos())
    torch.testing.assert_close(z[:, 3], v + u * between.cos())
    force = -u * v * between.sin()
    rates = pendulum.vector_field(0.0, z)[:, 2:]
    torch.testing.assert_close(rates[:, 0], force - 2 * 9.81 * first.sin())
    torch.testing.assert_close(rates[:, 1], -force - 9.81 * second.sin())


def test_small_motion_of_the_elastic_pendulum():
    pendulum = systems.get("elastic-pendulum", stiffness=5.0)
    assert frequencies(pendulum, [0.0, -1.0, 0.0, 0.0]) == pytest.approx([1.0, math.sqrt(5)], rel=1e-6)


def test_the_swinging_machine_with_a_mass_ratio_of_three_keeps_its_second_integral():
    """The integral of N. B. Tufillaro, J. Phys. (Paris) 46, 1495 (1985)."""

    def spread(mass_ratio):
        machine = systems.get("swinging-atwood", mass_ratio=mass_ratio)
        z = machine.orbit(machine.sample(5, seed=3), torch.linspace(0, 20, 81, dtype=DOUBLE)).z
        r, theta = z[..., 0], z[..., 1]
        rate, turn = z[..., 2] / (1 + mass_ratio), z[..., 3] / r**2
        sin, cos = (theta / 2).sin(), (theta / 2).cos()
        second = r**2 * turn * (rate * cos - r * turn / 2 * sin) + r**2 * sin * cos**2
        return float(second.std(-1).max())

    assert spread(3.0) < 1e-9
    assert spread(2.5) > 1e-2


def test_the_toda_ring_keeps_the_eigenvalues_of_its_lax_matrix():
    ring = systems.get("toda-ring")
    z = ring.orbit(ring.sample(4, seed=2), torch.linspace(0, 30, 16, dtype=DOUBLE)).z
    values = torch.linalg.eigvalsh(ring.lax(z))
    torch.testing.assert_close(values, values[:, :1].expand_as(values), rtol=0, atol=1e-9)
    assert values.std(-1).min() > 0.1


def test_the_longest_wave_of_the_chain_has_its_energy_and_gives_it_to_the_next():
    chain = systems.get("fput-alpha")
    start = torch.cat([(math.pi * torch.arange(1, 33, dtype=DOUBLE) / 33).sin(), torch.zeros(32, dtype=DOUBLE)])
    energies = chain.mode_energies(chain.orbit(start, torch.tensor([0.0, 2000.0], dtype=DOUBLE), rtol=1e-9, atol=1e-9).z)
    assert float(energies[0, 0]) == pytest.approx(0.07471, abs=5e-6)
    assert energies[0, 1:].max() < 1e-20
    assert energies[1, 1:4].sum() > 0.1 * energies[1].sum()
    linear = systems.get("fput-alpha", alpha=0.0)
    z = linear.orbit(start, torch.tensor([0.0, 300.0], dtype=DOUBLE)).z
    torch.testing.assert_close(linear.mode_energies(z[1]), linear.mode_energies(z[0]), rtol=0, atol=1e-10)


@pytest.mark.slow
def test_the_energy_of_the_chain_comes_back_to_the_first_mode():
    """The recurrence that surprised Fermi, Pasta, Ulam and Tsingou: near t = 10130, for 32 masses."""
    chain = systems.get("fput-alpha")
    q = torch.sin(math.pi * torch.arange(1, 33, dtype=DOUBLE) / 33)
    t = torch.arange(0, 11001, 10, dtype=DOUBLE)
    orbit = integrate(chain, torch.cat([q, 0 * q]), t, "leapfrog", substeps=100)
    first = chain.mode_energies(orbit.z)[:, 0]
    back = first[900:].argmax() + 900
    assert t[back] == pytest.approx(10130, abs=100)
    assert first[back] / first[0] > 0.95
    assert (first[:900] / first[0]).min() < 0.15


def test_the_charge_has_its_saddle_and_its_valley():
    reduced = systems.get("dipole-reduced")
    q = torch.tensor([[2.0, 0.0], [1.0, 0.0], [0.7**3, 0.7**2 * math.sqrt(1 - 0.7**2)]], dtype=DOUBLE)
    torch.testing.assert_close(reduced.potential(q), torch.tensor([1 / 32, 0.0, 0.0], dtype=DOUBLE))  # a line of the field
    assert reduced.force(q).abs().max() < 1e-14
    with pytest.raises(InputError, match="1/32"):
        reduced.sample(2, energy=0.04)


def test_the_charge_in_space_is_the_reduced_one_seen_from_the_side():
    space, reduced = systems.get("dipole"), systems.get("dipole-reduced")
    t = torch.linspace(0, 30, 16, dtype=DOUBLE)
    x, y, height, p_x, p_y, p_z = space.orbit(space.sample(3, seed=4), t).z.unbind(-1)
    flat = reduced.orbit(reduced.sample(3, seed=4), t).z
    rho = (x**2 + y**2).sqrt()
    torch.testing.assert_close(x * p_y - y * p_x, torch.ones_like(x), rtol=0, atol=1e-9)
    torch.testing.assert_close(torch.stack([rho, height, (x * p_x + y * p_y) / rho, p_z], -1), flat, rtol=0, atol=1e-6)
