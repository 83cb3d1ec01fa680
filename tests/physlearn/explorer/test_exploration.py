from dataclasses import replace
from math import pi

import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import integrators
from physlearn.explorer import Exploration, scene
from physlearn.explorer.exploration import distance
from systems import HamiltonianSystem, Orbit


def test_the_true_orbit_of_the_harmonic_oscillator_is_a_circle(exploring):
    here = exploring("harmonic-oscillator", models=(), z0=[1.0, 0.0], dt=pi / 10, time=2 * pi)
    truth = here.truth()
    assert_close(truth.z, torch.stack([truth.t.cos(), -truth.t.sin()], -1), atol=1e-8, rtol=0)


@pytest.mark.parametrize("name", [name for name in systems.names() if isinstance(systems.get(name), HamiltonianSystem)])
def test_what_is_shown_as_the_truth_has_an_energy_error_below_one_in_a_million(name):
    system, pace = systems.get(name), scene.PACES.get(name, scene.Pace())
    for z0 in system.sample(3, seed=4):
        h = system.hamiltonian(Exploration(system, z0, time=pace.time, dt=pace.step).truth().z)
        assert (h - h[0]).abs().max() < 1e-6 * h[0].abs()


def test_the_true_equations_by_euler_gain_energy_as_the_theory_says(exploring):
    here = exploring("harmonic-oscillator", models=(), z0=[1.0, 0.0], dt=0.1, time=2.0)
    energies = here.energy_along(here.integrated("euler"))
    assert_close(energies, 0.5 * (1 + 0.1**2) ** torch.arange(21, dtype=torch.float64))


def test_a_regular_orbit_is_known_throughout_and_a_chaotic_one_for_a_time():
    swing = Exploration(systems.get("pendulum"), torch.tensor([1.0, 0.0], dtype=torch.float64), time=50.0)
    assert swing.horizon(swing.truth()) == 50.0
    storm = Exploration(systems.get("lorenz"), torch.tensor([1.0, 1.0, 20.0], dtype=torch.float64), time=60.0, dt=0.05)
    assert 10 < storm.horizon(storm.truth()) < 40


def test_the_truth_is_told_at_the_times_of_the_models_and_between(exploring):
    here = exploring("pendulum", dt=0.5, time=10.0)
    truth, learned = here.truth(), here.forecast("hnn")
    assert len(truth.t) > 200
    assert_close(truth.t[:: (len(truth.t) - 1) // (len(learned.t) - 1)], learned.t)
    assert learned.t[-1] == 10.0


def test_every_orbit_begins_at_the_initial_state(exploring):
    here = exploring("henon-heiles", z0=[0.1, 0.2, 0.2, -0.1], time=2.0)
    orbits = here.orbits()
    assert list(orbits) == ["truth", "nn", "hnn"]
    assert all(torch.equal(orbit.z[0], here.z0) for orbit in orbits.values())


def test_each_model_has_the_integrator_that_suits_it_unless_one_is_chosen(exploring):
    here = exploring("pendulum")
    assert (here.method_of("nn"), here.method_of("hnn")) == ("rk4", "gauss-legendre-4")
    assert replace(here, method="euler").method_of("hnn") == "euler"
    assert replace(here, method="euler").forecast("nn").provenance["integrator"]["name"] == "euler"


def test_an_integrator_that_does_not_apply_is_answered_by_the_sentence_of_the_library(exploring):
    here = exploring("pendulum", models=("nn", "hnn", "hnn-separable"), method="leapfrog", time=2.0)
    orbits = here.orbits()
    assert isinstance(orbits["truth"], Orbit)
    assert isinstance(orbits["hnn-separable"], Orbit)
    with pytest.raises(integrators.NotSeparableError) as refused:
        here.forecast("hnn")
    assert orbits["hnn"] == str(refused.value)
    assert "needs a separable Hamiltonian" in orbits["nn"]


@pytest.mark.parametrize("integrator", integrators.names())
def test_every_integrator_rolls_a_model_out_or_says_why_not(exploring, integrator):
    orbits = exploring("henon-heiles", models=("hnn", "hnn-mechanical"), z0=[0.1, 0.2, 0.2, -0.1], time=1.0).orbits()
    assert all(isinstance(orbit, Orbit | str) for orbit in orbits.values())


def test_a_true_orbit_that_escapes_is_answered_by_a_sentence_and_the_models_go_on(exploring):
    orbits = exploring("henon-heiles", models=("hnn",), z0=[1.0, 1.0, 0.5, 0.5]).orbits()
    assert "cannot be followed" in orbits["truth"]
    assert isinstance(orbits["hnn"], Orbit)


def test_the_energy_along_the_truth_is_that_of_the_initial_state(exploring):
    here = exploring("pendulum", models=(), z0=[1.0, 0.5])
    assert here.energy == pytest.approx(0.125 + 1 - torch.tensor(1.0).cos().item())
    energies = here.energy_along(here.truth())
    assert_close(energies, torch.full_like(energies, here.energy), atol=1e-6, rtol=0)


def test_a_system_without_a_hamiltonian_has_no_energy_but_a_distance_to_the_truth(exploring):
    here = exploring("van-der-pol", models=("nn",), dt=0.05, time=2.0)
    truth = here.truth()
    assert here.energy is None
    assert here.energy_along(truth) is None
    assert_close(distance(truth, truth), torch.zeros(len(truth.t), dtype=torch.float64))
    assert distance(here.forecast("nn"), truth)[0] == 0
