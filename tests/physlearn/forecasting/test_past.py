import numpy as np
import pytest
import torch

from physlearn import Forecaster, chaos, integrate
from systems import InputError, Orbit, get

T = torch.linspace(0, 3, 31, dtype=torch.float64)


@pytest.fixture(scope="module")
def pendulum():
    system = get("pendulum")
    return system.orbit(system.sample(20, seed=0), T)


@pytest.fixture(scope="module")
def flow(pendulum):
    return Forecaster("linear").fit(pendulum, progress=False)


@pytest.fixture(scope="module")
def memory(pendulum):
    states = Orbit(T, pendulum.z, coordinates=pendulum.coordinates, periods=pendulum.periods)
    options = {"delays": 2, "spacing": 2, "degree": 5, "noise": 1e-6, "ridge": 1e-12}
    return Forecaster("next-generation-reservoir", **options).fit(states, progress=False)


def test_a_flow_starts_from_the_last_state_of_the_past(flow, pendulum):
    past, later = pendulum[..., :11], T[10:]
    torch.testing.assert_close(flow.forecast(past, later).z, flow.forecast(pendulum.z[:, 10], later).z)
    whole = flow.forecast(pendulum.z[:, 10], later, substeps=5).z
    torch.testing.assert_close(flow.forecast(past, later[4:]).z, whole[:, 4:], rtol=0, atol=1e-6)


def test_what_was_not_measured_at_the_end_is_forecast(flow, pendulum):
    z = pendulum.z[:2, :11].clone()
    z[1, 10, 0] = torch.nan
    found = flow.forecast(Orbit(T[:11], z, coordinates=pendulum.coordinates, periods=pendulum.periods), T[10:])
    assert found.t.shape == (2, 21)
    torch.testing.assert_close(found.z[0], flow.forecast(z[0, 10], T[10:]).z, rtol=0, atol=1e-6)
    torch.testing.assert_close(found.z[1], flow.forecast(z[1, 9], T[9:]).z[1:], rtol=0, atol=1e-6)


def test_a_flow_continues_a_past_backward_in_time(flow, pendulum):
    back = pendulum[..., ::-1]
    found = flow.forecast(back[..., :11], back.t[10:])
    torch.testing.assert_close(found.z, flow.forecast(back.z[:, 10], back.t[10:]).z)


def test_a_forecast_cannot_begin_before_the_past_ends(flow, memory, pendulum):
    for f in (flow, memory):
        with pytest.raises(InputError, match="the past ends at t = 1, but the forecast begins at t = 0: give times from 1 on"):
            f.forecast(pendulum[..., :11], T)
    with pytest.raises(InputError, match="forward in time only"):
        memory.forecast(pendulum[..., :11], T.flip(0))


def test_between_its_steps_a_memory_is_interpolated(memory, pendulum):
    system, past = get("pendulum"), pendulum[..., :11]
    t = torch.tensor([1.0, 1.037, 1.5, 1.783, 2.0], dtype=torch.float64)
    truth = system.orbit(pendulum.z[:, 10], t).z
    found = memory.forecast(past, t)
    torch.testing.assert_close(found.z, truth, rtol=0, atol=1e-3)
    assert found.provenance["integrator"]["between steps"] == "interpolated by polynomials"
    assert "nothing" in memory.forecast(past, T[10:]).provenance["integrator"]["between steps"]
    own = memory.forecast(past, t.expand(20, 5) + 0.01 * torch.arange(20, dtype=torch.float64).unsqueeze(-1))
    torch.testing.assert_close(own.z[0], found.z[0])
    assert own.t.shape == (20, 5)


def test_whole_turns_and_the_dtype_do_not_matter(memory, pendulum):
    past = pendulum[..., :11]
    z = past.z.clone()
    z[..., 0] += 4 * np.pi
    turned = Orbit(past.t, z, coordinates=past.coordinates, periods=past.periods)
    found, other = memory.forecast(turned, T[10:]), memory.forecast(past, T[10:])
    torch.testing.assert_close(found.z[..., 0] - 4 * np.pi, other.z[..., 0], rtol=0, atol=1e-9)
    single = memory.forecast(past.to(torch.float32), T[10:])
    assert single.z.dtype == torch.float32
    torch.testing.assert_close(single.z.double(), other.z, rtol=0, atol=1e-3)


def test_the_past_may_be_finer_and_longer_than_needed_and_needs_all_coordinates(memory, pendulum):
    system = get("pendulum")
    fine = system.orbit(pendulum.z[:, 0], torch.linspace(0, 1, 21, dtype=torch.float64))
    torch.testing.assert_close(
        memory.forecast(fine, T[10:]).z, memory.forecast(pendulum[..., 6:11], T[10:]).z, rtol=0, atol=1e-6
    )
    assert memory.memory == 3
    with pytest.raises(InputError, match="the orbit has the coordinates theta, but the forecaster needs 'p' as well"):
        memory.forecast(Orbit(past.t, past.z[..., :1], coordinates=("theta",)) if (past := fine) else None, T[10:])
    with pytest.raises(InputError, match=r"equal steps of 0\.1"):
        memory.forecast(system.orbit(pendulum.z[:, 0], torch.linspace(0, 1, 8)), T[10:])
    empty = memory.forecast(pendulum[:0, :11], T[10:])
    assert empty.z.shape == (0, 21, 2)


def test_a_memory_is_no_flow(memory, pendulum):
    z = pendulum.z[:2, 0]
    for use in (
        lambda: integrate(memory, z, T, method="rk4"),
        lambda: memory.vector_field(0.0, z),
        lambda: chaos.lyapunov_exponents(memory, z, 10.0),
    ):
        with pytest.raises(InputError, match="has no vector field, because it continues a measured past"):
            use()
    assert not hasattr(memory, "hamiltonian")
    with pytest.raises(InputError, match="no map of a state"):
        memory.as_map()
    with pytest.raises(InputError, match="leave method out"):
        memory.forecast(pendulum[..., :11], T[10:], method="rk4")
    with pytest.raises(InputError, match="leave loss out"):
        Forecaster("echo-state").fit(pendulum, loss="step", progress=False)


def test_the_score_counts_what_follows_the_past(memory, pendulum):
    assert memory.score(pendulum) > 0.95
    past, rest = memory.parted(pendulum)
    assert past.shape == (20, 3)
    assert torch.equal(past.z[:, -1], rest.z[:, 0])
