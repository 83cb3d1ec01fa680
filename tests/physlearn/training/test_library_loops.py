"""Fields that are linear in their coefficients: orbits and derivatives by compiled loops, and fits of a stiff field."""

import math

import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import Forecaster
from physlearn.models.library import Library
from physlearn.models.linear_field import LinearField
from physlearn.studies.measured_orbits import measured
from physlearn.training.library_loops import differentiate, follow, terms_of

NO_DRIFT = torch.zeros(4, dtype=torch.float64)


def hamiltonian(system):
    """The field of a system, and its coefficients."""
    if system == "henon-heiles":
        library, wanted = Library.complete(3, 4), {(2, 0, 0, 0): 0.5, (0, 2, 0, 0): 0.5, (0, 0, 2, 0): 0.5, (0, 0, 0, 2): 0.5}
        wanted |= {(2, 1, 0, 0): 1.0, (0, 3, 0, 0): -1 / 3}
    else:
        library, wanted = Library.complete(2, 2, {0: 2 * math.pi}), {(0, 2, 0): 0.5, (1, 0, 0): -1.0}
    size = library.size
    field = LinearField.of(library, True, NO_DRIFT[:size], torch.ones(size, dtype=torch.float64))
    return field, torch.tensor([wanted.get(term, 0.0) for term in library.terms[1:]], dtype=torch.float64)


def orbits(field, c, start, t, substeps):
    found = torch.empty(*t.shape, field.dim, dtype=torch.float64)
    follow(terms_of(field, c), start.numpy(), t.numpy(), substeps, found.numpy())
    return found


@pytest.mark.parametrize("system", ["henon-heiles", "pendulum"])
def test_orbits_of_a_library_are_those_of_the_system(system):
    field, c = hamiltonian(system)
    world = systems.get(system)
    start, t = world.sample(3, seed=0), torch.linspace(0, 20, 51, dtype=torch.float64)
    found = orbits(field, c, start, t.expand(3, 51).contiguous(), torch.full((50,), 3).numpy())
    assert_close(found, world.orbit(start, t).z, atol=1e-9, rtol=0)


@pytest.mark.parametrize("system", ["henon-heiles", "pendulum"])
def test_derivatives_by_states_and_coefficients_are_those_of_finite_differences(system):
    field, c = hamiltonian(system)
    start, substeps = systems.get(system).sample(2, seed=1), torch.full((8,), 10).numpy()
    t = torch.tensor([[0.0, 0.4, 0.9, 1.0, 1.7, 2.1, 2.6, 3.0, 3.0]] * 2, dtype=torch.float64)
    found = torch.empty(2, 9, field.dim, field.dim + len(c), dtype=torch.float64)
    differentiate(terms_of(field, c), start.numpy(), t.numpy(), substeps, found.numpy())
    unknown = torch.eye(field.dim + len(c), dtype=torch.float64) * 1e-5

    def moved(by):
        return orbits(field, c + by[field.dim :], start + by[: field.dim], t, substeps)

    for i, by in enumerate(unknown):
        assert_close(found[..., i], (moved(by) - moved(-by)) / 2e-5, atol=1e-6, rtol=1e-6)


def test_the_stiff_van_der_pol_oscillator_is_found_where_rates_of_splines_lead_astray():
    _, seen = measured("van-der-pol", 6, 0.01, seed=100)
    f = Forecaster("sparse", seed=0).fit(seen, progress=False)
    z = systems.get("van-der-pol").sample(50, seed=1)
    true = systems.get("van-der-pol").vector_field(0.0, z)
    assert_close(f.vector_field(0.0, z.float()).double(), true, atol=0.1 * float(true.std()), rtol=0)
