"""Compiled orbits against exact solutions, and against torch's."""

import numpy as np
import pytest
import torch

import systems
from systems import InputError, IntegrationError
from systems.compiled.threads import solvers_of
from systems.compiled.traced import field_of_system
from systems.hamiltonian_system import SeparableSystem
from systems.system import System

REFERENCE = (0.3600558533237294, 0.5465619318523291, 3.469025849418725, 3.8677561257143266)
FLOWS = [name for name in systems.names() if name != "pendulum-clock"]  # the clock follows events


class Written(System):
    """A system that a user writes, in one method."""

    coordinates = ("x", "v")

    def __init__(self, field, period=None, autonomous=True):
        self._field, self._period = field, period

    @property
    def period(self):
        return self._period

    @property
    def parameters(self):
        return {}

    def vector_field(self, t, z):
        return self._field(t, z)

    def sample(self, n, *, seed=0):
        return torch.ones(n, 2, dtype=torch.float64)


def kepler(t, e=0.6):
    """The exact orbit with semi-major axis 1 from its pericentre."""
    anomaly = t + e * np.sin(t)
    for _ in range(60):
        anomaly = anomaly - (anomaly - e * np.sin(anomaly) - t) / (1 - e * np.cos(anomaly))
    r, b = 1 - e * np.cos(anomaly), np.sqrt(1 - e * e)
    return np.stack([np.cos(anomaly) - e, b * np.sin(anomaly), -np.sin(anomaly) / r, b * np.cos(anomaly) / r], -1)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_default_orbit_of_kepler_has_ten_digits_after_32_revolutions(sign):
    t = sign * torch.linspace(0, 200, 401, dtype=torch.float64)
    orbit = systems.get("kepler").orbit([0.4, 0.0, 0.0, 2.0], t)
    assert orbit.provenance["engine"] == "compiled"
    assert np.abs(orbit.z.numpy() - kepler(t.numpy())).max() < 1e-10


def test_a_double_pendulum_agrees_with_forty_digits():
    """Taylor series of order 30 with 40 digits (mpmath's odefun, tolerance 1e-25) from (1, .5, 0, 0) at t = 5."""
    orbit = systems.get("double-pendulum").orbit([1.0, 0.5, 0.0, 0.0], [0.0, 5.0])
    known = torch.tensor(REFERENCE, dtype=torch.float64)
    assert (orbit.z[-1] - known).abs().max() < 1e-11


@pytest.mark.parametrize("name", FLOWS)
def test_compiled_orbits_agree_with_torch(name):
    system = systems.get(name)
    z0, t = system.sample(3, seed=1), torch.linspace(0, 3, 7, dtype=torch.float64)
    compiled, plain = (system.orbit(z0, t, engine=engine) for engine in ("compiled", "torch"))
    assert (compiled.provenance["engine"], plain.provenance["engine"]) == ("compiled", "torch")
    size = plain.z.abs().amax(dim=(0, 1))
    assert float(((compiled.z - plain.z).abs() / size).max()) < 1e-11
    assert float(((compiled.rate - plain.rate).abs() / plain.rate.abs().amax()).max()) < 1e-10


def test_one_orbit_of_a_batch_is_the_orbit_alone():
    system = systems.get("henon-heiles")
    z0, t = system.sample(40, seed=0), torch.linspace(0, 30, 31, dtype=torch.float64)
    together = system.orbit(z0, t).z
    for i in (0, 7, 39):
        assert torch.equal(together[i], system.orbit(z0[i], t).z)
    deep = system.orbit(z0.reshape(4, 10, 4), t).z
    assert torch.equal(deep.reshape(40, 31, 4), together)


@pytest.mark.parametrize("name", ["double-pendulum", "fput-alpha", "lorenz", "three-body", "van-der-pol"])
@pytest.mark.parametrize("outputs", [2, 30])
def test_orbits_side_by_side_are_those_one_by_one(name, outputs, monkeypatch):
    system = systems.get(name)
    z0, t = system.sample(37, seed=2), torch.linspace(0, 4, outputs, dtype=torch.float64)
    together = system.orbit(z0, t).z
    monkeypatch.setattr("systems.compiled.adaptive.WORTH_LANES", 100)
    assert torch.equal(system.orbit(z0, t).z, together)


@pytest.mark.parametrize("threads", [1, 3])
def test_orbits_side_by_side_are_followed_in_turns_and_threads(threads, monkeypatch):
    system = systems.get("kepler")
    z0, t = system.sample(50, seed=0), torch.linspace(0, -20, 11, dtype=torch.float64)
    whole = system.orbit(z0, t).z
    monkeypatch.setattr("systems.compiled.adaptive.FIRST_TURN", 3)
    monkeypatch.setattr("systems.compiled.adaptive.STEPS_OF_A_TURN", 700)
    with solvers_of(threads):
        assert torch.equal(system.orbit(z0, t).z, whole)


def test_an_orbit_that_diverges_beside_others_is_named():
    system = systems.get("henon-heiles")
    z0 = system.sample(20, seed=0)
    z0[13] = torch.tensor([0.0, 2.0, 0.0, 1.0])
    with pytest.raises(
        IntegrationError, match=r"orbit 13 from z0 = \[0.0, 2.0, 0.0, 1.0\] cannot be followed beyond t = 2.13214"
    ):
        system.orbit(z0, [0.0, 100.0])


def test_states_do_not_depend_on_the_other_output_times():
    system = systems.get("van-der-pol")
    t = torch.linspace(0, 20, 201, dtype=torch.float64)
    many = system.orbit([1.0, 0.0], t).z
    few = system.orbit([1.0, 0.0], t[[0, 50, 200]]).z
    assert (many[[0, 50, 200]] - few).abs().max() < 1e-13


def test_long_work_goes_on_in_threads_and_gives_the_same(monkeypatch):
    system = systems.get("kepler")
    z0, t = system.sample(6, seed=0), torch.linspace(0, 50, 11, dtype=torch.float64)
    whole = system.orbit(z0, t).z
    monkeypatch.setattr("systems.compiled.adaptive.FIRST_TURN", 3)
    monkeypatch.setattr("systems.compiled.adaptive.STEPS_OF_A_TURN", 40)
    assert torch.equal(system.orbit(z0, t).z, whole)


@pytest.mark.parametrize("scale", [1e-150, 1e-9, 1.0, 1e9, 1e120])
def test_the_accuracy_does_not_depend_on_units(scale):
    system = systems.get("harmonic-oscillator")
    t = torch.linspace(0, 50, 6, dtype=torch.float64)
    orbit = system.orbit([scale, 0.0], t)
    assert ((orbit.z[:, 0] / scale - t.cos()).abs().max()) < 1e-13


def test_a_coordinate_that_stays_zero_is_followed():
    orbit = systems.get("henon-heiles").orbit([0.0, 0.1, 0.0, 0.0], [0.0, 50.0])
    assert orbit.z[-1, 0] == 0
    assert orbit.provenance["engine"] == "compiled"


def test_the_phase_of_a_drive_stays_accurate_at_large_times():
    system = systems.get("forced-duffing")
    turns = 10**6
    late = turns * system.period + torch.linspace(0, 10, 6, dtype=torch.float64)
    early = system.orbit([0.5, 0.0], late - late[0])
    assert (system.orbit([0.5, 0.0], late).z - early.z).abs().max() < 1e-7  # the times themselves have an error of 1e-9


def test_an_orbit_that_diverges_is_named():
    system = systems.get("henon-heiles")
    z0 = [[0.0, 0.1, 0.1, 0.0], [0.0, 2.0, 0.0, 1.0]]
    with pytest.raises(IntegrationError, match=r"orbit 1 from z0 = \[0.0, 2.0, 0.0, 1.0\] cannot be followed beyond t = "):
        system.orbit(z0, [0.0, 100.0])
    with pytest.raises(IntegrationError, match="orbit 0"):
        systems.get("kepler").orbit([0.0, 0.0, 1.0, 0.0], [0.0, 1.0])


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"engine": "fast"}, "there is no engine 'fast'; choose one of auto, compiled, taylor, torch"),
        ({"engine": "compiled", "method": "Radau"}, "integrated by DOP853, not by Radau; use engine='torch' or 'auto'"),
    ],
)
def test_an_engine_that_does_not_apply_is_refused(asked, reason):
    with pytest.raises(InputError, match=reason):
        systems.get("lorenz").orbit([1.0, 1.0, 1.0], [0.0, 1.0], **asked)


def test_a_field_that_branches_is_integrated_by_torch():
    branching = Written(lambda t, z: torch.stack([z[..., 1], -z[..., 0] if float(z.sum()) < 9 else z[..., 0]], -1))
    orbit = branching.orbit([1.0, 0.0], [0.0, 1.0])
    assert orbit.provenance["engine"] == "torch"
    assert abs(float(orbit.z[-1, 0]) - np.cos(1.0)) < 1e-12
    with pytest.raises(InputError, match="engine='compiled' does not apply, because it branches on the value of a tensor"):
        branching.orbit([1.0, 0.0], [0.0, 1.0], engine="compiled")


def test_a_field_that_changes_after_it_was_traced_is_noticed():
    stiffness = [1.0]
    changing = Written(lambda t, z: torch.stack([z[..., 1], -stiffness[0] * z[..., 0]], -1))
    first = changing.orbit([1.0, 0.0], [0.0, 1.0]).z[-1, 0]
    stiffness[0] = 4.0
    second = changing.orbit([1.0, 0.0], [0.0, 1.0]).z[-1, 0]
    assert abs(float(first) - np.cos(1.0)) < 1e-12
    assert abs(float(second) - np.cos(2.0)) < 1e-12


def test_compiled_orbits_run_under_any_autograd_mode():
    system, t = systems.get("toda-ring"), torch.linspace(0, 5, 3, dtype=torch.float64)
    z0 = system.sample(2)
    plain = system.orbit(z0, t).z
    with torch.inference_mode():
        assert torch.equal(system.orbit(z0, t).z, plain)
    assert torch.equal(system.orbit(z0.clone().requires_grad_(), t).z, plain)


class Cluster(SeparableSystem):
    """Twelve bodies in a plane."""

    coordinates = tuple(f"{kind}{i}" for kind in "qp" for i in range(24))

    def potential(self, q):
        r = q.unflatten(-1, (12, 2))
        i, j = torch.triu_indices(12, 12, 1)
        return -((r[..., i, :] - r[..., j, :]).square().sum(-1) + 0.1).rsqrt().sum(-1)

    def sample(self, n, *, seed=0):
        return torch.randn(n, 48, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_twelve_bodies_given_by_their_potential_alone():
    cluster, t = Cluster(), torch.linspace(0, 0.2, 3, dtype=torch.float64)
    compiled, plain = (cluster.orbit(cluster.sample(2), t, engine=engine).z for engine in ("compiled", "torch"))
    assert (compiled - plain).abs().max() < 1e-12
    field = field_of_system(cluster)
    assert field.field is field_of_system(Cluster()).field  # traced once
    z = cluster.sample(1)
    matrix = torch.func.jacrev(lambda z: cluster.vector_field(0.0, z))(z[0])
    assert np.abs(field.jacobian(0.0, z.numpy())[0] - matrix.numpy()).max() < 1e-11


def test_a_field_of_too_many_operations_goes_by_torch(monkeypatch):
    monkeypatch.setattr("systems.compiled.expression.MOST", 30)
    chain = Written(lambda t, z: sum((z * k).sin() for k in range(20)))
    assert chain.orbit([0.1, 0.2], [0.0, 0.1]).provenance["engine"] == "torch"
    with pytest.raises(InputError, match="more than 30 operations"):
        chain.orbit([0.1, 0.2], [0.0, 0.1], engine="compiled")


def test_128_masses_are_interpreted_without_a_long_compilation():
    """One second or less here; code of its own for each mass took minutes. Only the answer is checked."""

    class Chain(System):
        coordinates = tuple(f"z{i}" for i in range(256))

        def vector_field(self, t, z):
            q, p = z.chunk(2, -1)
            s = torch.nn.functional.pad(q, (1, 1)).diff(dim=-1)
            return torch.cat([p, (s + 0.25 * s**2 + s**3 + s**5 + 0.1 * s.sin() + 0.01 * s.exp()).diff(dim=-1)], -1)

        def sample(self, n, *, seed=0):
            return torch.randn(n, 256, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) / 10

    chain = Chain()
    t = torch.linspace(0, 2, 3, dtype=torch.float64)
    compiled, plain = (chain.orbit(chain.sample(1), t, engine=engine).z for engine in ("compiled", "torch"))
    assert (compiled - plain).abs().max() < 1e-12
