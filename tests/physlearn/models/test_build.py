import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import models


def test_an_unknown_model_is_a_key_error_that_lists_the_names():
    with pytest.raises(KeyError, match="hnn-mechanical"):
        models.build("hamiltonian", 4)


def test_an_unknown_activation_is_a_key_error_that_lists_the_names():
    with pytest.raises(KeyError, match="sine"):
        models.build("nn", 4, activation="sinus")


@pytest.mark.parametrize("name", ["hnn", "hnn-separable", "hnn-mechanical", "cubic"])
def test_an_odd_number_of_coordinates_has_no_hamiltonian(name):
    with pytest.raises(systems.InputError, match="3 coordinates"):
        models.build(name, 3)


@pytest.mark.parametrize("hidden", [(), (0,), (10, -1)])
def test_widths_have_to_be_positive(hidden):
    with pytest.raises(systems.InputError, match="hidden"):
        models.build("nn", 2, hidden)


def test_weights_are_a_function_of_the_seed_alone():
    torch.manual_seed(1)
    first = models.build("hnn", 4, seed=5).state_dict()
    state = torch.get_rng_state()
    second = models.build("hnn", 4, seed=5).state_dict()
    assert torch.equal(state, torch.get_rng_state())
    for name in first:
        assert torch.equal(first[name], second[name])
    other = models.build("hnn", 4, seed=6).state_dict()
    assert not torch.equal(first["energy.network.layers.0.weight"], other["energy.network.layers.0.weight"])


def test_the_separable_networks_start_from_different_weights():
    model = models.build("hnn-separable", 4)
    kinetic, potential = (m.network.layers[0].weight for m in (model.kinetic_energy, model.potential_energy))
    assert not torch.equal(kinetic, potential)


def test_the_linear_model_finds_a_linear_flow():
    random = torch.Generator().manual_seed(0)
    matrix, offset = (
        torch.randn(3, 3, generator=random, dtype=torch.float64),
        torch.randn(3, generator=random, dtype=torch.float64),
    )
    z = torch.randn(50, 3, generator=random, dtype=torch.float64)
    model = models.build("linear", 3).double()
    model.solve(z, z @ matrix.T + offset)
    assert_close(model.matrix, matrix)
    assert_close(model.offset, offset)


def test_the_cubic_hamiltonian_is_exact_for_henon_heiles():
    system = systems.get("henon-heiles")
    z = system.sample(200, energy=0.12)
    model = models.build("cubic", 4).double()
    model.standardize(z, system.vector_field(0.0, z))
    model.solve(z, system.vector_field(0.0, z))
    unseen = system.sample(50, seed=1, energy=0.16)
    assert_close(model.vector_field(0.0, unseen), system.vector_field(0.0, unseen), atol=1e-10, rtol=0)
    difference = model.hamiltonian(unseen) - system.hamiltonian(unseen)
    assert float(difference.std()) < 1e-10  # equal up to a constant
