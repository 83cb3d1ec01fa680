"""Orbits by Taylor series against exact solutions, extended precision, and the compiled engine."""

import re
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import systems
from systems import InputError, IntegrationError
from systems.compiled.expression import Graph
from systems.compiled.function import CompiledFunction
from systems.compiled.threads import solvers_of
from systems.compiled.traced import field_of_system
from systems.system import System

heyoka = pytest.importorskip("heyoka", reason="heyoka is not installed (extra taylor)", exc_type=ImportError)

from systems.compiled.taylor import orbits, series  # noqa: E402

FLOWS = [name for name in systems.names() if name != "pendulum-clock"]  # the clock follows events
FORTY_DIGITS = (0.3600558533237294, 0.5465619318523291, 3.469025849418725, 3.8677561257143266)


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


def of(x_rate, v_rate, **options):
    return Written(lambda t, z: torch.stack([x_rate(t, z[..., 0], z[..., 1]), v_rate(t, z[..., 0], z[..., 1])], -1), **options)


WRITTEN = {
    "anharmonic": of(lambda t, x, v: v, lambda t, x, v: -(x**3)),
    "damped": of(lambda t, x, v: v, lambda t, x, v: -x - 0.1 * v * torch.sqrt(1 + v * v)),
    "morse": of(lambda t, x, v: v, lambda t, x, v: -2 * torch.exp(-x) * (1 - torch.exp(-x))),
    "driven": of(lambda t, x, v: v, lambda t, x, v: -torch.sin(x) + 0.3 * torch.cos(0.7 * t), period=2 * np.pi / 0.7),
    "pushed": of(lambda t, x, v: v, lambda t, x, v: -x + torch.exp(-((t - 5) ** 2))),
    "predator": of(lambda t, x, v: x * (1 - v), lambda t, x, v: v * (x - 1) / (1 + 0.1 * x)),
    "neuron": of(lambda t, x, v: torch.tanh(2 * x - v), lambda t, x, v: torch.sigmoid(x) - 0.5 * v),
    "glider": of(lambda t, x, v: v - torch.cos(x) / v, lambda t, x, v: -torch.sin(x) - 0.1 * v * v),
    "rational": of(lambda t, x, v: v / (1 + x * x), lambda t, x, v: -x / (1 + v * v) ** 2),
    "special": of(lambda t, x, v: torch.erf(v), lambda t, x, v: -torch.atan(x) + 0.1 * torch.log1p(x * x)),
}


def exact_kepler(t, e=0.6):
    """Return the exact orbit with semi-major axis 1 from its pericentre."""
    anomaly = t + e * np.sin(t)
    for _ in range(60):
        anomaly = anomaly - (anomaly - e * np.sin(anomaly) - t) / (1 - e * np.cos(anomaly))
    r, b = 1 - e * np.cos(anomaly), np.sqrt(1 - e * e)
    return np.stack([np.cos(anomaly) - e, b * np.sin(anomaly), -np.sin(anomaly) / r, b * np.cos(anomaly) / r], -1)


@pytest.mark.parametrize("sign", [1, -1])
def test_kepler_has_eleven_digits_after_32_revolutions(sign):
    t = sign * torch.linspace(0, 200, 401, dtype=torch.float64)
    orbit = systems.get("kepler").orbit([0.4, 0.0, 0.0, 2.0], t, engine="taylor")
    assert orbit.provenance["engine"] == "taylor"
    assert orbit.provenance["solver"] == {"name": "taylor", "rtol": 0.0, "atol": 2.2e-16}
    assert np.abs(orbit.z.numpy() - exact_kepler(t.numpy())).max() < 2e-11  # the speed at the pericentre is wrong by 7e-12
    assert np.abs(orbit.z[-1].numpy() - exact_kepler(t.numpy())[-1]).max() < 3e-12


def test_a_double_pendulum_agrees_with_forty_digits():
    """Taylor series of order 30 with 40 digits (mpmath's odefun, tolerance 1e-25) from (1, .5, 0, 0) at t = 5."""
    orbit = systems.get("double-pendulum").orbit([1.0, 0.5, 0.0, 0.0], [0.0, 5.0], engine="taylor")
    assert (orbit.z[-1] - torch.tensor(FORTY_DIGITS, dtype=torch.float64)).abs().max() < 1e-13


@pytest.mark.parametrize("name", FLOWS)
def test_orbits_agree_with_the_compiled_engine(name):
    system = systems.get(name)
    t = torch.linspace(0, 3, 7, dtype=torch.float64)
    _agree(system, system.sample(9, seed=1), t, 1e-12)


@pytest.mark.parametrize("name", ["double-pendulum", "forced-duffing", "henon-heiles", "kepler", "three-body"])
def test_orbits_go_backward(name):
    system = systems.get(name)
    _agree(system, system.sample(2, seed=1), -torch.linspace(0, 3, 7, dtype=torch.float64), 1e-13)


@pytest.mark.parametrize("name", WRITTEN)
def test_written_systems_agree_with_the_compiled_engine(name):
    t = torch.linspace(0.5, 20, 14, dtype=torch.float64)
    _agree(WRITTEN[name], torch.tensor([[0.3, 0.8], [1.2, 0.5]], dtype=torch.float64), t, 1e-11)


def _agree(system, z0, t, tolerance):
    taylor, compiled = (system.orbit(z0, t, engine=engine) for engine in ("taylor", "compiled"))
    assert (taylor.provenance["engine"], compiled.provenance["engine"]) == ("taylor", "compiled")
    size = compiled.z.abs().amax(dim=(0, 1))
    assert float(((taylor.z - compiled.z).abs() / size).max()) < tolerance
    assert float((taylor.rate - compiled.rate).abs().max() / compiled.rate.abs().max()) < 100 * tolerance


@pytest.mark.parametrize("n", [2, 3, 8, 11])
def test_a_batch_is_its_orbits_one_by_one_up_to_rounding(n):
    system = systems.get("kepler")
    z0, t = system.sample(n, seed=4), torch.linspace(0, 10, 5, dtype=torch.float64)
    together = system.orbit(z0, t, engine="taylor").z
    alone = torch.stack([system.orbit(one, t, engine="taylor").z for one in z0])
    assert (together - alone).abs().max() < 1e-13
    assert torch.equal(system.orbit(z0.reshape(1, n, 4), t, engine="taylor").z[0], together)


def test_states_do_not_depend_on_the_other_output_times():
    system, t = systems.get("van-der-pol"), torch.linspace(0, 20, 201, dtype=torch.float64)
    many, few = (system.orbit([1.0, 0.0], times, engine="taylor").z for times in (t, t[[0, 50, 200]]))
    assert (many[[0, 50, 200]] - few).abs().max() < 1e-13


@pytest.mark.parametrize("n", [1, 5])
@pytest.mark.parametrize("outputs", [2, 40])
def test_work_that_is_divided_into_turns_and_threads_gives_the_same(n, outputs, monkeypatch):
    system = systems.get("forced-duffing")
    z0, t = system.sample(n, seed=0), torch.linspace(0, 8 * system.period, outputs, dtype=torch.float64)
    whole = system.orbit(z0, t, engine="taylor").z
    monkeypatch.setattr(orbits, "OPERATIONS_OF_A_STEP", 1e9)
    monkeypatch.setattr(orbits, "PERIODS_AT_ONCE", 3)
    monkeypatch.setattr(orbits, "OPERATIONS_OF_A_TURN", 7 * field_of_system(system).field.cost)
    with solvers_of(2):
        parts = system.orbit(z0, t, engine="taylor").z
    assert (parts - whole).abs().max() < 1e-11


@pytest.mark.parametrize("scale", [1e-150, 1e-9, 1e-2, 1.0, 1e9, 1e120])
def test_the_accuracy_does_not_depend_on_units(scale):
    t = torch.linspace(0, 50, 6, dtype=torch.float64)
    orbit = systems.get("harmonic-oscillator").orbit([scale, 0.0], t, engine="taylor")
    assert (orbit.z[:, 0] / scale - t.cos()).abs().max() < 1e-14


def test_each_coordinate_is_accurate_in_its_own_unit():
    """A slow oscillation of size 1 beside a fast one of size 1e-8 in a system of four coordinates."""

    class Two(Written):
        coordinates = ("x", "y", "u", "v")

    two = Two(lambda t, z: torch.stack([z[..., 2], z[..., 3], -z[..., 0], -400 * z[..., 1]], -1))
    t = torch.linspace(0, 20, 5, dtype=torch.float64)
    z = two.orbit([1.0, 1e-8, 0.0, 0.0], t, engine="taylor").z
    assert (z[:, 0] - t.cos()).abs().max() < 1e-14
    assert (z[:, 1] / 1e-8 - (20 * t).cos()).abs().max() < 1e-12


def test_the_phase_of_a_drive_stays_accurate_at_large_times():
    system = systems.get("forced-duffing")
    late = 10**6 * system.period + torch.linspace(0, 10, 6, dtype=torch.float64)
    taylor, compiled = (system.orbit([0.5, 0.0], late, engine=engine).z for engine in ("taylor", "compiled"))
    assert (taylor - compiled).abs().max() < 1e-13


def test_a_drive_of_many_periods_keeps_its_phase():
    """The response of a damped oscillator to 0.2 cos 1.3 t, after 600 periods."""
    driven = of(lambda t, x, v: v, lambda t, x, v: -x - 0.3 * v + 0.2 * torch.cos(1.3 * t), period=2 * np.pi / 1.3)
    t = 600 * driven.period + torch.linspace(0, 5, 4, dtype=torch.float64)
    z = driven.orbit([1.0, 0.0], torch.cat([t.new_zeros(1), t]), engine="taylor").z[1:]
    response = 0.2 / (1 - 1.3**2 + 0.3j * 1.3) * np.exp(1.3j * (t.numpy() - 600 * driven.period))
    assert np.abs(z[:, 0].numpy() - response.real).max() < 1e-12


@pytest.mark.parametrize("duration", [100.0, 10_000.0])
def test_a_push_that_vanishes_at_the_start_is_not_missed(duration):
    """A push exp(-(t - 60)^2) gives an oscillator at rest the amplitude sqrt(pi) exp(-1/4)."""
    pushed = of(lambda t, x, v: v, lambda t, x, v: -x + torch.exp(-((t - 60) ** 2)), autonomous=False)
    end = pushed.orbit([0.0, 0.0], [0.0, duration], engine="taylor").z[-1]
    assert float(end.norm()) == pytest.approx(np.sqrt(np.pi) * np.exp(-0.25), abs=1e-12)


@pytest.mark.parametrize("engine", ["compiled", "taylor"])
def test_an_orbit_that_diverges_is_named(engine):
    system = systems.get("henon-heiles")
    z0 = [[0.0, 0.1, 0.1, 0.0], [0.0, 2.0, 0.0, 1.0], [0.0, 3.0, 0.0, 2.0], [0.0, 0.1, 0.1, 0.0]]
    message = r"orbit 1 from z0 = \[0.0, 2.0, 0.0, 1.0\] cannot be followed beyond t = 2.13214: it grows without bound"
    with pytest.raises(IntegrationError, match=message):
        system.orbit(z0, [0.0, 100.0], engine=engine)
    with pytest.raises(IntegrationError, match=r"beyond t = 1.11072"):  # a fall into the centre: pi / sqrt(8)
        systems.get("kepler").orbit([1.0, 0.0, 0.0, 0.0], [0.0, 5.0], engine=engine)
    with pytest.raises(IntegrationError, match="orbit 0"):
        systems.get("kepler").orbit([0.0, 0.0, 1.0, 0.0], [0.0, 1.0], engine=engine)


def test_a_series_that_does_not_exist_at_the_start_is_refused():
    cusp = of(lambda t, x, v: v, lambda t, x, v: x**2.3)
    with pytest.raises(
        IntegrationError, match=r"cannot be followed to the end: .* the Taylor series of its field is not finite"
    ):
        cusp.orbit([0.0, 0.0], [0.0, 1.0], engine="taylor")


def test_too_many_steps_are_refused(monkeypatch):
    monkeypatch.setattr(orbits, "OPERATIONS_OF_A_TURN", 1)
    monkeypatch.setattr(orbits, "MOST", 1e5)
    system = systems.get("henon-heiles")
    message = (
        r"orbit 0 needs about .e\+06 steps from t = .* to 1e\+06, and engine='taylor' takes 1e\+05 at most; ask for a shorter"
    )
    with pytest.raises(IntegrationError, match=message):
        system.orbit(system.sample(3, energy=0.1), [0.0, 1e6], engine="taylor")


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (torch.abs, "abs"),
        (torch.sign, "sign"),
        (torch.floor, "floor or a remainder"),
        (lambda x: x % 1.0, "floor or a remainder"),
        (lambda x: torch.maximum(x, x * x), "max"),
        (lambda x: x.clamp(max=1.0), "min"),
        (lambda x: torch.where(x == 0, x, x * x), "=="),
    ],
)
def test_operations_without_a_series_are_refused_by_name(function, named):
    message = f"engine='taylor' does not apply, because it uses {named}, which has no Taylor series"
    with pytest.raises(InputError, match=re.escape(message)):
        Written(lambda t, z: function(z)).orbit([1.0, 0.5], [0.0, 1.0], engine="taylor")


def test_a_field_that_branches_is_refused():
    branching = Written(lambda t, z: z if float(z.sum()) < 9 else -z)
    with pytest.raises(InputError, match="engine='taylor' does not apply, because it branches on the value of a tensor"):
        branching.orbit([1.0, 0.0], [0.0, 1.0], engine="taylor")


@dataclass(frozen=True)
class Spring(System):
    stiffness: float = 4.0
    coordinates = ("x", "v")

    def vector_field(self, t, z):
        return torch.stack([z[..., 1], -self.stiffness * z[..., 0]], -1)

    def sample(self, n, *, seed=0):
        return torch.ones(n, 2, dtype=torch.float64)


def test_systems_of_one_class_share_their_integrators():
    spring, t = Spring(), torch.linspace(0, 5, 3, dtype=torch.float64)
    fields = [field_of_system(replace(spring, stiffness=k)) for k in (4.0, 9.0, 4.0)]
    assert len({id(series.series_of(field.field)) for field in fields}) == 1
    for stiffness, z0 in ((4.0, [1.0, 0.0]), (9.0, [1.0, 0.0]), (4.0, [1.0, 0.0]), (9.0, [[1.0, 0.0]] * 9)):
        z = replace(spring, stiffness=stiffness).orbit(z0, t, engine="taylor").z
        assert (z[..., 0] - (stiffness**0.5 * t).cos()).abs().max() < 1e-13
    free = series.series_of(fields[0].field)._free
    assert {lanes for _, lanes, _ in free} == {1, heyoka.recommended_simd_size()}
    assert all(len(kept) == 1 for kept in free.values())


def test_tolerances_set_the_accuracy():
    t = torch.tensor([0.0, 50.0], dtype=torch.float64)
    errors = []
    for tolerance in (1e-6, 1e-9, 1e-12):
        z = systems.get("kepler").orbit([0.4, 0.0, 0.0, 2.0], t, rtol=tolerance, atol=0, engine="taylor").z
        errors.append(np.abs(z[-1].numpy() - exact_kepler(t.numpy())[-1]).max())
    assert errors[0] < 1e-3
    assert errors[1] < 1e-6
    assert errors[2] < 1e-9
    assert errors[0] > errors[1] > errors[2]


def test_a_tolerance_below_rounding_is_as_the_finest():
    """An order of 346, which it asks for, would take minutes to compile."""
    kepler, t = systems.get("kepler"), [0.0, 5.0]
    finest, smaller = (
        kepler.orbit([0.4, 0.0, 0.0, 2.0], t, engine="taylor", **given) for given in ({}, {"rtol": 0, "atol": 1e-300})
    )
    assert torch.equal(finest.z, smaller.z)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0, 3), (2, 3)])
def test_nothing_to_integrate_is_no_error(shape):
    for t in ([0.0, 1.0], [5.0]) if 0 in shape else ([5.0],):
        z0 = torch.ones(shape, dtype=torch.float64)
        assert systems.get("lorenz").orbit(z0, t, engine="taylor").z.shape == (*shape[:-1], len(t), 3)


def test_times_that_rounding_makes_equal_have_the_same_state():
    pushed = of(lambda t, x, v: v, lambda t, x, v: -x + torch.cos(t), period=2 * np.pi)
    z = pushed.orbit([1.0, 0.0], [0.0, 1.0, 100.0, 100.0 + 1.5e-14, 120.0], engine="taylor").z
    assert (z[2] - z[3]).abs().max() < 1e-12


ONE = ("neg", "exp", "sin", "cos", "tanh", "sqrt", "atan", "expm1", "erf", "sinh", "asinh", "cosh")
TWO = ("add", "sub", "mul", "div", "atan2", "pow")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ONE + TWO), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=10))
def test_expressions_have_the_same_value_in_heyoka(steps):
    graph = Graph()
    made = [graph.variable("z", 0), graph.variable("z", 1), graph.variable("p", 0), graph.variable("t"), graph.number(0.3)]
    for operation, first, second in steps:
        a, b = made[first % len(made)], made[second % len(made)]
        if operation in ("sqrt", "pow"):
            a = a * a + 0.1  # no square root of a negative number
        made.append(graph.apply(operation, a) if operation in ONE else graph.apply(operation, a, b))
    results = [*made[5:], made[2], made[3]]
    z, p, t = np.array([0.7, -0.4]), np.array([1.3]), 0.9
    function = heyoka.cfunc(series.translated(results), [heyoka.expression("z0"), heyoka.expression("z1")])
    found = function(z, time=t, pars=p)
    wanted = CompiledFunction(results, interpreted=True)(t, z[None], p)[0]
    _same_unless_ill_conditioned(found, wanted)


def _same_unless_ill_conditioned(found, wanted):
    usual = np.isfinite(wanted) & (np.abs(wanted) < 1e8)  # exp and pow of large numbers lose digits
    assert np.allclose(found[usual], wanted[usual], rtol=1e-9, atol=1e-9)
