import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import chaos
from physlearn.explorer import Exploration
from physlearn.explorer.sections import GROUP, Abandoned, has_section, in_groups, sections, true_section
from systems import InputError


def test_only_hamiltonians_of_two_degrees_of_freedom_have_one():
    having = [name for name in ("pendulum", "van-der-pol", "henon-heiles", "kepler") if has_section(systems.get(name))]
    assert having == ["henon-heiles", "kepler"]


def test_all_points_of_the_true_section_have_the_energy_of_the_initial_state(exploring):
    here = exploring("henon-heiles", models=("hnn",), z0=[0.1, 0.1, 0.3, 0.1])
    (truth, true), (hnn, learned) = sections(here, time=50, orbits=4)
    assert (truth, hnn) == ("truth", "hnn")
    assert len(true)
    assert_close(true.z[:, 0], torch.zeros_like(true.z[:, 0]), atol=1e-12, rtol=0)
    energy = here.system.hamiltonian(true.z)
    assert_close(energy, torch.full_like(energy, here.energy), atol=1e-6, rtol=0)
    assert learned.z.shape[-1] == 4


def test_the_first_orbit_is_that_of_the_initial_state(exploring):
    here = exploring("henon-heiles", models=(), z0=[0.1, 0.1, 0.3, 0.1])
    ((_, section),) = sections(here, time=50, orbits=3)
    alone = chaos.poincare_section(here.system, here.z0, 50, dt=0.1)
    assert_close(section.of(0), alone.z, atol=1e-4, rtol=0)


def test_an_energy_above_the_escape_is_answered_by_a_sentence(exploring):
    with pytest.raises(InputError, match="escape energy"):
        list(sections(exploring("henon-heiles", models=(), z0=[0.9, 0.1, 0.3, 0.1])))


def test_each_true_orbit_of_kepler_crosses_at_one_point():
    """A closed orbit has one crossing, which an error of the integration would smear."""
    kepler = systems.get("kepler")
    here = Exploration(kepler, torch.tensor([0.3, 0.9, -0.8, 0.4], dtype=torch.float64))
    ((_, section),) = sections(here, time=100)
    assert (~section.unresolved).sum() > 15
    for orbit in section.orbit.unique().tolist():
        crossings = section.of(orbit)
        assert_close(crossings, crossings[:1].expand_as(crossings), atol=1e-5, rtol=0)
    energy = kepler.hamiltonian(section.z)
    assert (energy - here.energy).abs().max() < 1e-6 * abs(here.energy)


def test_the_times_of_true_crossings_are_those_of_an_integration_to_them():
    stars = systems.get("henon-heiles")
    z0 = torch.tensor([0.1, 0.1, 0.3, 0.1], dtype=torch.float64)
    section = true_section(stars, z0[None], 50.0)
    orbit = stars.orbit(z0, torch.cat([torch.zeros(1, dtype=torch.float64), section.t]), rtol=1e-12, atol=1e-12)
    assert len(section) > 5
    assert_close(section.z, orbit.z[1:], atol=1e-8, rtol=0)


def test_a_section_in_groups_is_that_of_all_until_it_is_no_longer_wanted():
    stars = systems.get("henon-heiles")
    z0 = stars.sample(2 * GROUP + 1, seed=2, energy=0.1)
    whole, groups = true_section(stars, z0, 30.0), in_groups(lambda z: true_section(stars, z, 30.0), z0)
    assert torch.equal(groups.orbit, whole.orbit)
    assert_close(groups.z, whole.z)
    assert groups.unresolved.shape == (2 * GROUP + 1,)
    left = iter([True, True, False])
    with pytest.raises(Abandoned):
        in_groups(lambda z: true_section(stars, z, 1.0), z0, lambda: next(left))
