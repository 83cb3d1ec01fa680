"""The participation ratio counts dimensions, and the activities that it counts them of are those of the network."""

import math

import pytest
import torch
from torch.testing import assert_close

from physlearn import models
from physlearn.analysis import activities, participation_ratio
from physlearn.models.stack import stack
from systems import InputError


def axes(variances):
    """Activities with exactly these variances along the axes, and no correlation."""
    n = len(variances)
    ends = torch.cat([torch.eye(n, dtype=torch.float64), -torch.eye(n, dtype=torch.float64)])
    return ends * torch.tensor(variances, dtype=torch.float64).sqrt()


def test_it_is_one_along_a_line_and_n_where_all_vary_alike(drawn):
    line = drawn(50, 1) * drawn(7, seed=1)
    assert_close(participation_ratio(line), torch.tensor(1.0, dtype=torch.float64))
    assert_close(participation_ratio(axes([3.0] * 7)), torch.tensor(7.0, dtype=torch.float64))
    assert_close(participation_ratio(axes([3.0] * 7), normalized=True), torch.tensor(1.0, dtype=torch.float64))


@pytest.mark.parametrize(("samples", "neurons"), [(40, 7), (7, 40), (9, 9)])
def test_it_is_the_papers_ratio_of_eigenvalues_of_the_covariance(drawn, samples, neurons):
    x = drawn(samples, neurons) @ drawn(neurons, neurons, seed=1) + 5
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T))
    assert_close(participation_ratio(x), eigenvalues.sum() ** 2 / eigenvalues.square().sum())


def test_it_does_not_see_the_mean_the_unit_or_the_axes(drawn):
    x = drawn(60, 8) * torch.arange(1, 9)
    rotation = torch.linalg.qr(drawn(8, 8, seed=1))[0]
    for other in (x + 1e3 * drawn(8, seed=2), 1e120 * x, 1e-120 * x, x @ rotation, x.flip(0)):
        assert_close(participation_ratio(other), participation_ratio(x), rtol=1e-9, atol=0)


def test_independent_noise_seems_to_have_fewer_dimensions_than_neurons_by_as_many_as_samples_are_few(drawn):
    """Of N neurons and M samples, tr C is about N and tr C^2 about N (1 + N / M)."""
    N, M = 60, 240
    found = participation_ratio(drawn(40, M, N)).mean()
    assert abs(float(found) - N / (1 + N / M)) < 0.5


def test_a_stack_gives_what_its_layers_give_in_their_dtype(drawn):
    x = drawn(3, 2, 20, 5)
    together = participation_ratio(x)
    assert together.shape == (3, 2)
    assert_close(together[2, 1], participation_ratio(x[2, 1]))
    assert participation_ratio(x.float()).dtype == torch.float32


@pytest.mark.parametrize("constant", [0.1, 0.0, 1e30, math.nan])
def test_what_does_not_vary_or_is_no_number_has_no_dimension(constant):
    assert participation_ratio(torch.full((10, 4), constant)).isnan()


@pytest.mark.parametrize("wrong", [torch.zeros(4), torch.zeros(4, 0), torch.zeros(4, 2, dtype=torch.long)])
def test_what_are_no_activities_is_refused(wrong):
    with pytest.raises(InputError, match=r"floats \(..., samples, neurons\)"):
        participation_ratio(wrong)


def test_activities_are_the_layers_of_the_network_one_after_the_other(build, drawn):
    model, _ = build("nn", "tanh")
    x = drawn(9, 4)
    first = torch.tanh(model.states(x) @ model.network.layers[0].weight.T + model.network.layers[0].bias)
    second = torch.tanh(first @ model.network.layers[1].weight.T + model.network.layers[1].bias)
    assert_close(activities(model, x), first)
    assert_close(activities(model, x, layer=1), second)


def test_the_activities_of_a_hamiltonian_network_are_those_that_its_energy_is_the_sum_of(build, drawn):
    model, _ = build("hnn", "mixture", hidden=(6,))
    x = drawn(9, 4)
    a = activities(model, x)
    assert_close(model.energy.gradient_scale * (a @ model.energy.network.layers[-1].weight[0]), model.hamiltonian(x))


def test_networks_of_one_model_stand_side_by_side(build, drawn):
    model, _ = build("hnn-separable", "sine", hidden=(6,))
    x = drawn(9, 4)
    a = activities(model, x)
    assert a.shape == (9, 12)
    energies = [model.potential_energy, model.kinetic_energy]
    parts = [e.gradient_scale * (b @ e.network.layers[-1].weight[0]) for e, b in zip(energies, a.chunk(2, dim=1), strict=True)]
    assert_close(sum(parts), model.hamiltonian(x))


@pytest.mark.parametrize("name", ["nn", "hnn"])
def test_the_activities_of_a_stack_are_those_of_its_members(name, drawn):
    members = [models.build(name, 4, (6, 5), "tanh", seed).double() for seed in range(3)]
    x = drawn(3, 9, 4)
    found = activities(stack(members), x, layer=1)
    assert_close(found, torch.stack([activities(model, own, layer=1) for model, own in zip(members, x, strict=True)]))
    assert participation_ratio(found).shape == (3,)


def test_any_part_of_any_module_can_be_named(drawn):
    model = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2)).double()
    x = drawn(9, 3)
    assert_close(activities(model, x, "1"), model[1](model[0](x)).detach())
    assert not activities(model, x, "1").requires_grad
    assert not model[1]._forward_hooks


def test_layers_that_there_are_not_are_told(build, drawn):
    model, _ = build()
    for there_is_not, said in ((2, "from 0 to 1"), (-1, "from 0 to 1"), ("states.mean", "no part 'states.mean'; choose from")):
        with pytest.raises(InputError, match=said):
            activities(model, drawn(9, 4), there_is_not)
    with pytest.raises(InputError, match="name the part"):
        activities(torch.nn.Linear(3, 2), drawn(9, 3))
