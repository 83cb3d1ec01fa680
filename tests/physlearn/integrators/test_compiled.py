"""Compiled integration gives what torch gives, and says which engine ran."""

from dataclasses import replace
from math import cos, e

import pytest
import torch

import physlearn
import systems
from physlearn.integrators import ConvergenceError, Flow, find, integrate, names, register
from physlearn.integrators.registry import INTEGRATORS
from physlearn.integrators.rk4 import RungeKutta4
from systems import InputError

METHODS = [name for name in names() if name != "dopri8"]
FLOWS = [name for name in systems.names() if name != "pendulum-clock"]
FEW = ("henon-heiles", "lorenz", "forced-duffing", "double-pendulum")  # on which the fast tests try all methods


def both(flow, z0, t, method, **options):
    found = [integrate(flow, z0, t, method, engine=engine, progress=False, **options) for engine in ("compiled", "torch")]
    assert [orbit.provenance["engine"] for orbit in found] == ["compiled", "torch"]
    return found


def fits(system, method):
    """Whether a method applies to a system."""
    if method in ("leapfrog", "yoshida-4", "yoshida-6"):
        return getattr(system, "separable", False)
    return system.canonical or method not in ("symplectic-euler", "tao-4")


def pairs():
    """Each system with each method that applies to it; the fast tests try one method on most systems, each in its turn."""
    for k, name in enumerate(FLOWS):
        methods = [method for method in METHODS if fits(systems.get(name), method)]
        for method in methods:
            fast = name in FEW or method == methods[k % len(methods)]
            yield pytest.param(name, method, marks=[] if fast else pytest.mark.slow)


@pytest.mark.filterwarnings("ignore::systems.AccuracyWarning")
@pytest.mark.parametrize(("name", "method"), list(pairs()))
def test_every_method_agrees_with_torch_on_every_system(name, method):
    system = systems.get(name)
    z0, t = system.sample(3, seed=2), torch.linspace(0, 0.4, 5, dtype=torch.float64)
    compiled, plain = both(system, z0, t, method)
    size = plain.z.abs().amax(dim=(0, 1)).clamp(min=1e-300)
    assert float(((compiled.z - plain.z).abs() / size).max()) < 1e-12
    told = [orbit.provenance["integrator"] for orbit in (compiled, plain)]
    assert told[0].keys() == told[1].keys()
    assert told[0]["substeps"] == told[1]["substeps"]
    for measure, value in told[1].get("accuracy", {}).items():
        if value is not None:
            assert told[0]["accuracy"][measure] == pytest.approx(value, rel=1e-3, abs=1e-11), measure


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [1, 2, 16, 17, 40])
def test_an_orbit_does_not_depend_on_the_others(method, n):
    system = systems.get("henon-heiles")
    z0, t = system.sample(n, seed=0), torch.linspace(0, 3, 16, dtype=torch.float64)
    together = integrate(system, z0, t, method, engine="compiled", progress=False)
    alone = integrate(system, z0[n - 1], t, method, engine="compiled", progress=False)
    assert together.z.shape == (n, 16, 4)
    if method != "tao-4":  # whose spring depends on the sizes of all orbits
        assert torch.equal(together.z[n - 1], alone.z)
    torch.testing.assert_close(together.z[n - 1], alone.z, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["rk4", "gauss-legendre-4"])
def test_time_runs_backwards_in_gaps_and_through_the_phase_of_a_drive(method):
    system = systems.get("forced-duffing")
    t = torch.tensor([5.0, 4.9, 4.0, 3.95, 1.0], dtype=torch.float64)
    compiled, plain = both(system, [[0.3, 0.1], [1.0, -0.2]], t, method)
    assert (compiled.z - plain.z).abs().max() < 1e-9
    assert compiled.provenance["integrator"]["substeps"] > 1


def test_a_function_is_compiled_each_time_as_it_is_now():
    stiffness = [1.0]

    def spring(t, z):
        return torch.stack([z[..., 1], -stiffness[0] * z[..., 0]], -1)

    t = torch.linspace(0, 1, 101, dtype=torch.float64)
    for stiffness[0] in (1.0, 4.0):
        compiled, plain = both(spring, [1.0, 0.0], t, "rk4")
        assert torch.equal(compiled.z, plain.z)


def test_a_flow_with_another_field_than_that_of_its_system_is_not_taken_for_the_system(henon_heiles):
    z0, t = henon_heiles.sample(2, seed=0), torch.linspace(0, 1, 11, dtype=torch.float64)
    assert integrate(henon_heiles, z0, t, "rk4", progress=False).provenance["engine"] == "compiled"
    henon_heiles.orbit(z0, t)
    decay = replace(Flow.of(henon_heiles), field=lambda t, z: -z, hamiltonian=None, velocity=None, force=None)
    orbit = integrate(decay, z0, t, "rk4", progress=False)
    assert orbit.provenance["engine"] == "torch"
    assert (orbit.z[:, -1] - z0 / e).abs().max() < 1e-6
    halved = replace(Flow.of(henon_heiles), hamiltonian=None, force=lambda q: henon_heiles.force(q) / 2)
    compiled, plain = (integrate(halved, z0, t, "leapfrog", engine=engine, progress=False) for engine in ("auto", "torch"))
    assert torch.equal(compiled.z, plain.z)


def test_gradients_and_single_precision_go_by_torch():
    system = systems.get("pendulum")
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    z0 = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    orbit = integrate(system, z0, t, "leapfrog", progress=False)
    assert orbit.provenance["engine"] == "torch"
    assert orbit.z.requires_grad
    with torch.no_grad():
        assert integrate(system, z0, t, "leapfrog", progress=False).provenance["engine"] == "compiled"
    assert integrate(system, z0.detach().float(), t, "leapfrog", progress=False).provenance["engine"] == "torch"


@pytest.mark.parametrize(
    ("z0", "method", "reason"),
    [
        (torch.ones(2), "rk4", "the states are in float32, and compiled code computes in float64"),
        (torch.ones(2, dtype=torch.float64, requires_grad=True), "rk4", "gradients are recorded"),
        (torch.ones(2, dtype=torch.float64), "dopri8", "dopri8 has no compiled form"),
    ],
)
def test_the_compiled_engine_says_why_it_does_not_apply(z0, method, reason):
    with pytest.raises(InputError, match=f"engine='compiled' does not apply, because {reason}"):
        integrate(systems.get("pendulum"), z0, [0.0, 1.0], method, engine="compiled", progress=False)


def test_a_learned_model_goes_by_torch():
    model = physlearn.models.build("nn", 2, seed=0).double()
    orbit = integrate(model, torch.ones(2, dtype=torch.float64), [0.0, 0.1], "rk4", progress=False)
    assert orbit.provenance["engine"] == "torch"


def test_a_method_that_is_derived_from_another_takes_its_own_steps(monkeypatch):
    """A compiled form belongs to one class, not to those derived from it."""
    monkeypatch.setattr(INTEGRATORS, "_registered", dict(INTEGRATORS._registered))

    @register
    class Half(RungeKutta4):
        name = "half-of-rk4"

        def step(self, t, z, dt):
            return super().step(t, z, dt / 2)

    orbit = integrate(systems.get("harmonic-oscillator"), [1.0, 0.0], [0.0, 0.1], "half-of-rk4", substeps=1, progress=False)
    assert orbit.provenance["engine"] == "torch"
    assert abs(float(orbit.z[-1, 0]) - cos(0.05)) < 1e-7


def test_an_implicit_step_that_is_far_too_long_is_refused_as_by_torch():
    system = systems.get("double-pendulum")
    z0, t = system.sample(3, seed=0), torch.linspace(0, 400, 3, dtype=torch.float64)
    messages = []
    for engine in ("auto", "torch"):
        with pytest.raises(ConvergenceError) as refused:
            integrate(system, z0, t, "gauss-legendre-4", substeps=1, engine=engine, progress=False)
        messages.append(str(refused.value))
    assert messages[0] == messages[1]


@pytest.mark.filterwarnings("ignore::systems.AccuracyWarning")
def test_newtons_method_solves_long_steps_of_a_stiff_flow():
    def stiff(t, z):
        return torch.stack([-60 * (z[..., 0] - torch.as_tensor(t).cos()), z[..., 0] - z[..., 1]], -1)

    t = torch.linspace(0, 2, 21, dtype=torch.float64)
    compiled, plain = both(stiff, [[0.0, 0.0], [1.0, 3.0]], t, "implicit-midpoint", substeps=1)
    assert (compiled.z - plain.z).abs().max() < 1e-12


def test_tao_reports_what_it_does():
    compiled, plain = both(systems.get("tao-oscillator"), [[-3.0, 0.0], [1.0, 0.5]], torch.linspace(0, 1, 21), "tao-4")
    for name in ("omega", "copy_gap"):
        told = [orbit.provenance["integrator"][name] for orbit in (compiled, plain)]
        assert told[0] == pytest.approx(told[1], rel=1e-6)


def test_all_methods_but_the_adaptive_one_have_a_compiled_form():
    from physlearn.integrators.compiled import FORMS

    assert {cls.name for cls in FORMS} == {*METHODS, "iteration"}  # maps are iterated, too
    assert all(find(cls.name) is cls for cls in FORMS if cls.name in METHODS)
