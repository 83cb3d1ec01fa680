import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import NotHamiltonianError, NotSeparableError, integrate, integrators, models
from systems import InputError, IntegrationError

GENERAL = ["euler", "rk4", "implicit-midpoint", "gauss-legendre-4", "gauss-legendre-6", "dopri8"]
T = torch.linspace(0, 2, 21, dtype=torch.float64)


@pytest.mark.parametrize("method", integrators.names())
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_orbits_of_any_batch_start_at_their_initial_states(method, shape, henon_heiles):
    z0 = henon_heiles.sample(6, energy=0.1)[: max(torch.Size(shape).numel(), 1)].reshape(*shape, 4)
    before = z0.clone()
    orbit = integrate(henon_heiles, z0, T, method)
    assert orbit.z.shape == (*shape, 21, 4)
    assert torch.equal(orbit.z[..., 0, :], z0)
    assert torch.equal(z0, before)
    assert orbit.coordinates == henon_heiles.coordinates
    assert orbit.provenance["integrator"]["name"] == method


@pytest.mark.parametrize("method", [m for m in integrators.names() if m not in ("euler", "symplectic-euler")])
def test_every_method_follows_the_harmonic_oscillator_forward_and_backward(method, harmonic_oscillator):
    for t in (T, -T):
        z = integrate(harmonic_oscillator, torch.tensor([1.0, 0.0], dtype=torch.float64), t, method).z
        assert_close(z, torch.stack([t.cos(), -t.sin()], -1), atol=5e-3, rtol=0)


@pytest.mark.parametrize("method", integrators.names())
def test_float32_stays_float32_and_stays_near_float64(method, henon_heiles):
    z0 = henon_heiles.sample(2, energy=0.1)
    options = {"rtol": 1e-5, "atol": 1e-5} if method == "dopri8" else {}
    single = integrate(henon_heiles, z0.float(), T.float(), method, **options).z
    assert single.dtype == torch.float32
    assert_close(single.double(), integrate(henon_heiles, z0, T, method).z, atol=2e-4, rtol=0)


@pytest.mark.parametrize("method", GENERAL)
def test_a_plain_function_may_depend_on_time(method):
    """dz/dt = -2 t z has the solution exp(-t^2), in either direction."""
    t = torch.linspace(0, 1.5, 301, dtype=torch.float64)
    for times in (t, t.flip(0)):
        z0 = (-(times[:1] ** 2)).exp()
        z = integrate(lambda t, z: -2 * t * z, z0, times, method).z[:, 0]
        assert_close(z, (-(times**2)).exp(), atol=1e-2 if method == "euler" else 1e-4, rtol=0)


@pytest.mark.parametrize("method", [m for m in integrators.names() if m != "dopri8"])
def test_substeps_are_a_finer_grid_of_times(method, henon_heiles):
    z0 = henon_heiles.sample(2, energy=0.1)
    options = {"omega": 10.0} if method == "tao-4" else {}
    coarse = integrate(henon_heiles, z0, T, method, substeps=4, **options).z
    fine = integrate(henon_heiles, z0, torch.linspace(0, 2, 81, dtype=torch.float64), method, **options).z
    assert_close(coarse, fine[:, ::4], atol=1e-12, rtol=0)


@pytest.mark.parametrize("method", integrators.names())
def test_gradients_by_the_initial_state_and_by_a_parameter_agree_with_finite_differences(method):
    system = systems.get("pendulum")
    stiffness = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)

    class Stiffer:
        name, separable, coordinates = "stiffer", True, system.coordinates

        def __init__(self, k):
            self.k = k

        def hamiltonian(self, z):
            return z[..., 1] ** 2 / 2 + self.k * (1 - z[..., 0].cos())

        def velocity(self, p):
            return p

        def force(self, q):
            return -self.k * q.sin()

        def vector_field(self, t, z):
            return torch.cat([self.velocity(z[..., 1:]), self.force(z[..., :1])], -1)

    def end(k, q):
        z0 = torch.stack([torch.as_tensor(q, dtype=torch.float64), torch.tensor(0.2, dtype=torch.float64)])
        # an adaptive method's error jumps with its steps, and finite differences magnify it
        options = {"rtol": 1e-13, "atol": 1e-13} if method == "dopri8" else {}
        return integrate(Stiffer(k), z0, T[:6], method, **options).z[-1, 0]

    q = torch.tensor(0.8, dtype=torch.float64, requires_grad=True)
    found = torch.autograd.grad(end(stiffness, q), (stiffness, q))
    h = 1e-4
    with torch.no_grad():
        by_k = (end(stiffness + h, q) - end(stiffness - h, q)) / (2 * h)
        by_q = (end(stiffness, q + h) - end(stiffness, q - h)) / (2 * h)
    assert_close(torch.stack(found), torch.stack([by_k, by_q]), atol=2e-6, rtol=0)


@pytest.mark.parametrize("method", ["leapfrog", "yoshida-4", "yoshida-6"])
def test_splitting_methods_refuse_what_does_not_split(method, tao_oscillator):
    z0 = torch.tensor([1.0, 0.0], dtype=torch.float64)
    for flow in (tao_oscillator, models.build("hnn", 2).double(), lambda t, z: z, systems.get("van-der-pol")):
        with pytest.raises(NotSeparableError, match=f"{method} needs a separable Hamiltonian"):
            integrate(flow, z0, T, method)


@pytest.mark.parametrize("method", ["symplectic-euler", "tao-4"])
def test_symplectic_methods_refuse_what_has_no_hamiltonian(method):
    z0 = torch.tensor([1.0, 0.0], dtype=torch.float64)
    for flow in (lambda t, z: z, systems.get("van-der-pol"), models.build("nn", 2).double()):
        with pytest.raises(NotHamiltonianError, match=f"{method} needs Hamilton's equations"):
            integrate(flow, z0, T, method)


def test_wrong_arguments_get_one_clear_sentence(henon_heiles):
    z0 = henon_heiles.sample(2)
    nan = z0.clone()
    nan[1, 2] = float("nan")
    with pytest.raises(
        KeyError, match=r"no integrator 'leapfrg' \(did you mean 'leapfrog'\?\); choose one of euler, .*dopri8"
    ):
        integrate(henon_heiles, z0, T, "leapfrg")
    with pytest.raises(InputError, match="rk4 has no option 'tolerance'"):
        integrate(henon_heiles, z0, T, "rk4", tolerance=1e-3)
    with pytest.raises(InputError, match=r"t\[1\] = 2 is followed by t\[2\] = 1"):
        integrate(henon_heiles, z0, torch.tensor([0.0, 2.0, 1.0]), "rk4")
    with pytest.raises(InputError, match="NaN or infinite"):
        integrate(henon_heiles, nan, T, "rk4")
    with pytest.raises(InputError, match=r"4 coordinates \(x, y, p_x, p_y\)"):
        integrate(henon_heiles, z0[:, :3], T, "rk4")
    with pytest.raises(InputError, match="substeps must be at least 1"):
        integrate(henon_heiles, z0, T, "rk4", substeps=0)
    with pytest.raises(InputError, match="chooses its own steps"):
        integrate(henon_heiles, z0, T, "dopri8", substeps=2)
    with pytest.raises(InputError, match="a str is not a flow"):
        integrate("henon-heiles", z0, T, "rk4")
    with pytest.raises(InputError, match="omega must be positive"):
        integrate(henon_heiles, z0, T, "tao-4", omega=-1.0)


def test_dopri8_agrees_with_an_independent_solver(henon_heiles):
    z0, t = henon_heiles.sample(3, energy=0.1), torch.linspace(0, 20, 11, dtype=torch.float64)
    exact = henon_heiles.orbit(z0, t, method="DOP853").z
    assert_close(integrate(henon_heiles, z0, t, "dopri8", rtol=1e-11, atol=1e-11).z, exact, atol=1e-7, rtol=0)


def test_a_flow_that_blows_up_is_an_error_for_an_adaptive_method():
    with pytest.raises(IntegrationError, match="dopri8"):
        integrate(lambda t, z: z**2, torch.tensor([1.0], dtype=torch.float64), T, "dopri8")


@pytest.mark.filterwarnings("ignore::systems.AccuracyWarning")  # of the copies that part
def test_the_copies_of_tao_stay_together_only_where_the_spring_is_strong_enough(tao_oscillator):
    z0, t = torch.tensor([-3.0, 0.0], dtype=torch.float64), torch.linspace(0, 50, 5001, dtype=torch.float64)
    gaps = {
        omega: integrate(tao_oscillator, z0, t, "tao-4", omega=omega, substeps=1).provenance["integrator"]["copy_gap"]
        for omega in (0.1, 20.0)
    }
    assert gaps[20.0] < 1e-2 < gaps[0.1]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("method", integrators.names())
def test_a_gpu_gives_the_same_orbits(method, henon_heiles):
    z0 = henon_heiles.sample(5, energy=0.1)
    on_gpu = integrate(henon_heiles, z0.cuda(), T, method)
    assert on_gpu.z.device.type == "cuda"
    assert_close(on_gpu.z.cpu(), integrate(henon_heiles, z0, T, method).z, atol=1e-9, rtol=0)
