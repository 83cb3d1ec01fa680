"""How a tensor lies in memory, and in how many axes its batch, changes no result: systems, integrators, metrics.

A view is compared with a plain copy of the same numbers, and a batch with its members one by one. Between the numbers of a
view lie NaN, which whatever reads past them would carry into the result.
"""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import systems
from physlearn import integrators, metrics
from physlearn.flow import Flow
from systems import HamiltonianSystem, Orbit, SeparableSystem

SHAPES = [(), (1,), (3,), (2, 3), (1, 2, 2), (0,), (2, 0)]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
METHODS = [name for name in integrators.names() if name != "dopri8"]


def plain(z):
    return z.clone(memory_format=torch.contiguous_format)


def strided(z):
    return torch.stack([z, torch.full_like(z, math.nan)], dim=-1)[..., 0]


def shifted(z):
    return torch.cat([torch.full_like(z.reshape(-1)[:1], math.nan), z.reshape(-1)])[z.numel() > 0 :].reshape(z.shape)


def transposed(z):
    return z.movedim(-1, 0).contiguous().movedim(0, -1)


def batch_last(z):
    return z.movedim(0, -1).contiguous().movedim(-1, 0) if z.ndim > 1 else z


LAYOUTS = [plain, strided, shifted, transposed, batch_last]
shapes, layouts, dtypes = st.sampled_from(SHAPES), st.sampled_from(LAYOUTS), st.sampled_from(list(TOLERANCE))


def batch_of(states, shape):
    """The first states of a list, in a batch of that shape."""
    return states[: math.prod(shape)].reshape(*shape, states.shape[-1])


def one_by_one(f, z, out):
    """What f makes of each state by itself, in the batch's shape; out: the shape that it makes of one."""
    flat = z.reshape(-1, z.shape[-1])
    rows = [f(state.clone()) for state in flat]
    shape = (*z.shape[:-1], *out)
    return torch.stack(rows).reshape(shape) if rows else z.new_zeros(shape)


@pytest.fixture(scope="module", params=systems.names())
def system(request):
    return systems.get(request.param)


@pytest.fixture(scope="module")
def states(system):
    return system.sample(6, seed=2)


@settings(max_examples=12)
@given(shape=shapes, layout=layouts, dtype=dtypes)
def test_a_system_treats_each_state_alike_however_it_lies_in_memory(system, states, shape, layout, dtype):
    z = layout(batch_of(states, shape).to(dtype))
    n, before = system.dim // 2, z.clone()
    functions = {"vector_field": (lambda z: system.vector_field(0.0, z), (system.dim,))}
    if isinstance(system, HamiltonianSystem):
        functions["hamiltonian"] = (system.hamiltonian, ())
    if isinstance(system, SeparableSystem):
        functions["kinetic + potential"] = (lambda z: system.kinetic(z[..., n:]) + system.potential(z[..., :n]), ())
        functions["velocity"] = (lambda z: system.velocity(z[..., n:]), (n,))
        functions["force"] = (lambda z: system.force(z[..., :n]), (n,))
    if hasattr(system, "divergence"):
        functions["divergence"] = (system.divergence, ())
    for name, (function, out) in functions.items():
        found = function(z)
        assert found.dtype == dtype, name
        expected = one_by_one(function, z, out)
        assert found.shape == expected.shape, name
        scale = max(float(expected.abs().max()) if expected.numel() else 0.0, 1.0)
        assert_close(found, expected, rtol=0, atol=TOLERANCE[dtype] * scale, msg=lambda text, name=name: f"{name}: {text}")
    assert torch.equal(z, before)


def one_step(method, flow, z, h):
    taken = integrators.find(method)(flow)
    return taken.state(taken.step(z.new_tensor(0.0), taken.start(z, h), h))


FLOWS = {"henon-heiles": 0.1, "tao-oscillator": 0.05, "van-der-pol": 0.1}


@pytest.mark.parametrize(
    ("method", "name"),
    [
        *((method, "henon-heiles") for method in METHODS),
        *((method, "tao-oscillator") for method in ("symplectic-euler", "implicit-midpoint", "gauss-legendre-6", "tao-4")),
        *((method, "van-der-pol") for method in ("euler", "rk4")),
    ],
)
@settings(max_examples=8)
@given(shape=st.sampled_from([shape for shape in SHAPES if 0 not in shape]), layout=layouts, dtype=dtypes)
def test_a_step_treats_each_orbit_alike_however_it_lies_in_memory(method, name, shape, layout, dtype):
    flow, h = Flow.of(systems.get(name)), FLOWS[name]
    z = layout(batch_of(systems.get(name).sample(6, seed=3), shape).to(dtype))
    before = z.clone()
    found = one_step(method, flow, z, h)
    assert found.dtype == dtype
    assert_close(
        found, one_by_one(lambda z: one_step(method, flow, z, h), z, (z.shape[-1],)), rtol=0, atol=TOLERANCE[dtype] * 4
    )
    assert torch.equal(z, before)


@pytest.mark.parametrize("shape", [(), (2,), (2, 3)])
@pytest.mark.parametrize("method", ["implicit-midpoint", "gauss-legendre-4", "gauss-legendre-6"])
def test_newtons_method_solves_stiff_steps_of_any_batch(method, shape):
    flow = Flow.of(systems.get("van-der-pol", mu=1000.0))
    states = [[2.0, 0.0], [1.9, -0.1], [-2.0, 0.1], [1.5, 0.2], [-1.7, 0.0], [1.8, -0.3]]
    z = batch_of(torch.tensor(states, dtype=torch.float64), shape)
    alone = one_by_one(lambda z: one_step(method, flow, z, 0.1), z, (2,))
    assert_close(one_step(method, flow, z, 0.1), alone, rtol=0, atol=1e-11)


@pytest.mark.parametrize("shape", [(0,), (2, 0)])
@pytest.mark.parametrize("method", integrators.names())
def test_no_orbits_are_followed_to_no_states(method, shape, henon_heiles):
    t = torch.linspace(0, 1, 5, dtype=torch.float64)
    z0 = torch.zeros(*shape, 4, dtype=torch.float64)
    assert integrators.find(method)(Flow.of(henon_heiles)).solve(z0, t, 1, False).shape == (*shape, 5, 4)
    assert henon_heiles.orbit(z0, t).z.shape == (*shape, 5, 4)


# ------------------------------------------------------------------------------------------------ metrics

T = torch.linspace(0, 30, 301, dtype=torch.float64)
WITH_TRUTH = ["valid_prediction_time", "phase_rmse", "phase_error", "marginals", "spectrum"]
OF_ENERGY = ["energy_error", "energy_rms", "energy_drift"]
OF_ONE = ["period", "amplitude", "action"]


def oscillations(shape, seed):
    """Oscillations (q, p) of different amplitudes, phases and frequencies."""
    generator = torch.Generator().manual_seed(seed)
    size, phase, w = (torch.rand(*shape, 1, generator=generator, dtype=torch.float64) for _ in range(3))
    size, w = 1 + size, 1 + 0.2 * w
    angle = w * T + 6 * phase
    return torch.stack([size * angle.sin(), size * w * angle.cos()], dim=-1)


def measured(name, forecast, truth):
    function = getattr(metrics, name)
    if name in WITH_TRUTH:
        return function(forecast, truth)
    return function(forecast, lambda z: 1 + z.square().sum(-1) / 2) if name in OF_ENERGY else function(forecast)


@pytest.mark.parametrize("name", WITH_TRUTH + OF_ENERGY + OF_ONE)
@settings(max_examples=8)
@given(shape=st.sampled_from(SHAPES), layout=layouts, dtype=dtypes)
def test_a_metric_treats_each_orbit_alike_however_it_lies_in_memory(name, shape, layout, dtype):
    assume(name != "phase_rmse" or math.prod(shape) > 0)  # torch warns of a spread of no orbits
    z, true = oscillations(shape, 1).to(dtype), oscillations(shape, 1).to(dtype) * 0.9
    found = measured(name, Orbit(T, layout(z)), Orbit(T, layout(true)))
    flat = [
        measured(name, Orbit(T, a), Orbit(T, b)) for a, b in zip(z.reshape(-1, 301, 2), true.reshape(-1, 301, 2), strict=True)
    ]
    assert found.shape[: len(shape)] == shape
    assert found.dtype.is_floating_point
    if flat:
        expected = torch.stack(flat).reshape(found.shape)
        assert torch.isfinite(expected).all()
        assert_close(found, expected, rtol=100 * TOLERANCE[dtype], atol=10 * TOLERANCE[dtype])
