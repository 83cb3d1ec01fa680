import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import chaos
from physlearn.explorer.interruptible import Abandoned, while_wanted
from physlearn.explorer.sections import has_section, sections
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
    assert_close(energy, torch.full_like(energy, here.energy), atol=1e-4, rtol=0)
    assert learned.z.shape[-1] == 4


def test_the_first_orbit_is_that_of_the_initial_state(exploring):
    here = exploring("henon-heiles", models=(), z0=[0.1, 0.1, 0.3, 0.1])
    ((_, section),) = sections(here, time=50, orbits=3)
    alone = chaos.poincare_section(here.system, here.z0, 50, dt=0.1)
    assert_close(section.of(0), alone.z)


def test_an_energy_above_the_escape_is_answered_by_a_sentence(exploring):
    with pytest.raises(InputError, match="escape energy"):
        list(sections(exploring("henon-heiles", models=(), z0=[0.9, 0.1, 0.3, 0.1])))


def test_sections_are_left_as_soon_as_they_are_no_longer_wanted(exploring, monkeypatch):
    here = exploring("henon-heiles", models=("hnn",), z0=[0.1, 0.1, 0.3, 0.1])
    found = iter(sections(here, lambda: len(drawn) < 1, time=50, orbits=3))
    drawn = []
    drawn.append(next(found))
    with pytest.raises(Abandoned):
        next(found)


def test_a_section_by_torch_is_left_while_it_is_computed(exploring, monkeypatch):
    monkeypatch.setattr("physlearn.chaos.rollout.compiled_flow", lambda *_: None)
    asked = []

    def wanted():
        asked.append(True)
        return len(asked) < 10

    with pytest.raises(Abandoned):
        list(sections(exploring("henon-heiles", models=(), z0=[0.1, 0.1, 0.3, 0.1]), wanted))
    assert len(asked) == 10


def test_a_flow_that_is_wanted_is_the_flow(exploring):
    here = exploring("henon-heiles", models=("nn", "hnn-separable"), z0=[0.1, 0.1, 0.3, 0.1])
    for flow in (here.system, *here.models.values()):
        watched = while_wanted(flow, lambda: True)
        assert_close(watched.field(torch.tensor(0.0), here.z0), flow.vector_field(0.0, here.z0))
        assert (watched.velocity is None) == (not getattr(flow, "separable", False))
