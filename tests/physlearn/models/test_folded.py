"""Networks, folded into shallow or deep fields, compute what the models compute."""

import ctypes

import numpy as np
import pytest
import torch

import physlearn
import systems
from physlearn import models
from physlearn.models.folded import folded
from physlearn.models.physical import PhysicalModel
from physlearn.models.units import Units
from systems.compiled.field import ParametrizedField
from systems.compiled.function import LANES
from systems.compiled.operators import UntraceableError

NAMES = ("nn", "hnn", "hnn-separable", "hnn-mechanical")
HIDDEN = ((37,), (37, 20), (9, 17, 12))
ACTIVATIONS = ("sine", "tanh", "gelu", "sine+square", "learned:henon-heiles-hnn", "softplus+silu+tanh")


def trained(name, activation="sine", hidden=(37,), seed=0):
    """Return a model with scales and units as after training, and states."""
    system = systems.get("henon-heiles")
    z = system.sample(50, seed=seed)
    rate = system.vector_field(0.0, z)
    inner = models.build(name, 4, hidden, activation, seed=seed).double()
    model = PhysicalModel(inner, Units.of(5 + 1000 * z, 1000 * rate, inner.structure))
    model.standardize(5 + 1000 * z, 1000 * rate)
    return model.double(), 5 + 1000 * z


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_field_its_parts_and_its_derivatives_are_those_of_the_model(name, hidden, activation):
    model, z = trained(name, activation, hidden)
    field = ParametrizedField(folded(model))
    field.check(model.vector_field, 0.0, z)
    wanted = model.vector_field(0.0, z).detach().numpy()
    np.testing.assert_allclose(field(0.0, z.numpy()), wanted, rtol=1e-11, atol=1e-13 * np.abs(wanted).max())
    for begin, end in ((0, 2), (2, None), (1, 3)):
        part = field.field.part(begin, end)(0.0, z.numpy(), np.empty(0))
        np.testing.assert_allclose(part, wanted[:, begin:end], rtol=1e-11, atol=1e-13 * np.abs(wanted).max())
    matrix = torch.func.vmap(torch.func.jacrev(lambda z: model.vector_field(0.0, z)))(z).detach().numpy()
    np.testing.assert_allclose(field.jacobian(0.0, z.numpy()), matrix, rtol=1e-10, atol=1e-12 * np.abs(matrix).max())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
def test_deviation_vectors_move_by_the_derivative(name, hidden):
    model, z = trained(name, "tanh+sine", hidden)
    tangent = folded(model).tangent(2)
    w = torch.randn(2, *z.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    states = torch.stack([z, *w], -1)
    found = tangent.function(0.0, states.flatten(1).numpy(), np.empty(0)).reshape(len(z), 4, 3)
    alone, beside = (
        ctypes.CFUNCTYPE(None, ctypes.c_double, *[ctypes.c_void_p] * 3)(tangent.function.wide),
        np.empty((12, LANES)),
    )
    sixteen = np.ascontiguousarray(states[:LANES].flatten(1).numpy().T)
    alone(0.0, sixteen.ctypes.data, tangent.function.data.ctypes.data, beside.ctypes.data)
    np.testing.assert_array_equal(beside.T.reshape(LANES, 4, 3), found[:LANES])
    for vector in (0, 1):
        wanted = torch.func.jvp(lambda z: model.vector_field(0.0, z), (z,), (w[vector],))[1].detach().numpy()
        np.testing.assert_allclose(found[:, :, vector + 1], wanted, rtol=1e-10, atol=1e-12 * np.abs(wanted).max())


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda: models.build("nn-splines", 4, (8,), "sine"), "the model nn-splines has no compiled form"),
        (lambda: models.build("hnn", 4, (8, 8), "mish"), "the activation mish has no compiled form"),
        (lambda: models.build("hnn", 4, (8,), "mish"), "the activation mish has no compiled form"),
        (lambda: models.build("nn", 2, (8,), "sine", angles={0: 6.28}), "angles as cosine and sine"),
    ],
)
def test_what_has_no_compiled_form_is_told(build, reason):
    with pytest.raises(UntraceableError, match=reason):
        folded(build())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("n", "hidden"), [(1, (20,)), (5, (20,)), (33, (20,)), (1, (12, 9)), (33, (12, 9))])
def test_forecasts_agree_with_torch_and_do_not_depend_on_the_batch(name, n, hidden):
    system = systems.get("henon-heiles")
    t = torch.linspace(0, 10, 51, dtype=torch.float64)
    forecaster = physlearn.Forecaster(name, hidden=hidden, seed=0)
    forecaster.fit(system.orbit(system.sample(20, seed=0), t), epochs=1, progress=False)
    z0 = system.sample(n, seed=1)
    method = forecaster.model.default_method
    compiled, plain = (
        physlearn.integrate(forecaster, z0, t, method, engine=engine, progress=False) for engine in ("auto", "torch")
    )
    assert (compiled.provenance["engine"], plain.provenance["engine"]) == ("compiled", "torch")
    assert (compiled.z - plain.z).abs().max() < 1e-11
    alone = physlearn.integrate(forecaster, z0[n - 1], t, method, progress=False)
    assert (alone.z - compiled.z[n - 1]).abs().max() < 1e-13


def test_a_forecaster_that_is_trained_again_is_compiled_again():
    system = systems.get("pendulum")
    t = torch.linspace(0, 5, 51, dtype=torch.float64)
    forecaster = physlearn.Forecaster("nn", hidden=(10,), seed=0)
    ends = []
    for epochs in (1, 5):
        forecaster.fit(system.orbit(system.sample(10), t), epochs=epochs, progress=False)
        found = [physlearn.integrate(forecaster, [1.0, 0.0], t, "rk4", engine=e, progress=False).z for e in ("auto", "torch")]
        assert (found[0] - found[1]).abs().max() < 1e-12
        ends.append(found[0][-1])
    assert not torch.equal(*ends)


@pytest.mark.parametrize("hidden", [(20,), (10, 8)], ids=str)
def test_chaos_of_a_model_is_that_of_torch(hidden, monkeypatch):
    system = systems.get("henon-heiles")
    t = torch.linspace(0, 10, 51, dtype=torch.float64)
    forecaster = physlearn.Forecaster("hnn", hidden=hidden, seed=0)
    forecaster.fit(system.orbit(system.sample(20, seed=0), t), epochs=2, progress=False)
    z0 = system.sample(3, seed=2, energy=0.1)

    def found():
        exponents = physlearn.chaos.lyapunov_exponents(forecaster, z0, 20.0, k=4)
        section = physlearn.chaos.poincare_section(forecaster, z0, 30.0)
        return exponents, physlearn.chaos.sali(forecaster, z0, 20.0), section.z, section.t

    compiled = found()
    monkeypatch.setattr("physlearn.chaos.rollout.compiled_flow", lambda *_: None)
    for ours, theirs in zip(compiled, found(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
