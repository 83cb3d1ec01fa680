"""Given values, such as parameters, as further inputs of the networks of models."""

import numpy as np
import pytest
import torch

from physlearn import models
from physlearn.models.folded import Change, folded
from physlearn.models.physical import PhysicalModel
from physlearn.models.units import Units
from physlearn.training import Pairs, Training
from physlearn.training.ensemble import train_ensemble
from systems import InputError
from systems.compiled.field import ParametrizedField
from systems.compiled.operators import UntraceableError

NETWORKS = ("nn", "hnn", "hnn-separable", "hnn-mechanical", "nn-splines", "hnn-splines")
FOLDED = NETWORKS[:4]


def data(given=1):
    """States of four coordinates, followed by given values, and rates."""
    z = torch.randn(300, 4 + given, generator=torch.Generator().manual_seed(0))
    rate = torch.stack([z[:, 2], z[:, 3], -z[:, 0] * z[:, 4], -z[:, 1]], dim=-1)
    return Pairs(z, rate, ("x", "y", "p_x", "p_y"))


def model_of(name, given=1, seed=0):
    found = models.build(name, 4, (12,), "sine", seed, given=given)
    found.standardize(data(given).z, data(given).rate)
    return found.double()


def physical(name, given=1):
    """A model with given values in units of its own."""
    z = data(given).z.double() * torch.arange(1, 5 + given) + 0.5
    rate = data(given).rate.double()
    units = Units.of(z, rate, models.find(name).structure)
    inner = model_of(name, given)
    inner.standardize(*units.standardize(z, rate))
    return PhysicalModel(inner, units), z


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("weighted", [True, False])
def test_compiled_loops_train_as_torch_does(name, weighted):
    found = []
    for engine in ("torch", "fused"):
        model = models.build(name, 4, (8,), "sine", seed=0, given=1)
        training = Training(epochs=2, batch_size=50, weighted=weighted)
        history = train_ensemble([model], data(), data(), training, [0], engine=engine, progress=False)
        found.append((history.training[-1], history.validation[-1], torch.cat([p.flatten() for p in model.parameters()])))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other.detach(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ["hnn", "hnn-separable", "hnn-mechanical", "hnn-splines"])
def test_rates_are_the_gradient_of_the_hamiltonian_by_the_states(name):
    model, z = physical(name)
    z = z[:5].requires_grad_()
    (slope,) = torch.autograd.grad(model.hamiltonian(z).sum(), z)
    rate = model.vector_field(0.0, z.detach())
    assert rate.shape == (5, 4)
    assert slope[:, 4].abs().max() > 0
    torch.testing.assert_close(rate, torch.cat([slope[:, 2:4], -slope[:, :2]], dim=-1))


def test_the_kinetic_energy_of_a_separable_model_does_not_depend_on_given_values():
    model, z = physical("hnn-separable")
    other = z + torch.tensor([0, 0, 0, 0, 1.0])
    velocity, force = model.vector_field(0.0, z).chunk(2, dim=-1)
    same, changed = model.vector_field(0.0, other).chunk(2, dim=-1)
    assert torch.equal(velocity, same)
    assert not torch.allclose(force, changed)


@pytest.mark.parametrize("name", FOLDED)
def test_compiled_fields_take_the_values_as_constants_or_from_the_state(name):
    model, z = physical(name, given=2)
    fixed = Change(np.eye(6, 4), np.array([0, 0, 0, 0, 0.3, -0.7]), np.eye(4))
    with_values = torch.cat([z[:, :4], torch.tensor([0.3, -0.7], dtype=torch.float64).expand(len(z), 2)], dim=-1)
    rate = model.vector_field(0.0, with_values).detach()
    np.testing.assert_allclose(
        ParametrizedField(folded(model, fixed))(0.0, with_values[:, :4].numpy()), rate, rtol=1e-10, atol=1e-12
    )
    carried = Change(np.eye(6), np.zeros(6), np.eye(6, 4))
    found = ParametrizedField(folded(model, carried))(0.0, z.numpy())
    np.testing.assert_allclose(found[:, :4], model.vector_field(0.0, z).detach(), rtol=1e-10, atol=1e-12)
    assert not found[:, 4:].any()
    with pytest.raises(UntraceableError, match="given values"):
        folded(model)


@pytest.mark.parametrize("name", ["linear", "cubic", "dissipative-hnn"])
def test_other_models_refuse_given_values(name):
    with pytest.raises(InputError, match="takes no inputs or parameters: use one of nn, hnn"):
        models.build(name, 4, given=1)


def test_units_of_given_values_are_their_own():
    z, rate = data().z.double(), data().rate.double()
    plain = Units.of(z[:, :4], rate, "canonical")
    moved = z.clone()
    moved[:, 4] = 1e6 * z[:, 4] + 1e9
    units = Units.of(moved, rate, "canonical")
    assert torch.equal(units.scale[:4], plain.scale)
    assert float(units.scale[4]) == pytest.approx(1e6 * float(z[:, 4].std(correction=0)), rel=1e-6)
    stored = units.tensors
    assert torch.equal(Units.take(stored, 4, given=1).center, units.center)
    with pytest.raises(InputError, match="match the 4 coordinates"):
        Units.take(units.tensors, 4)
