"""Forecasters whose flows depend on parameters and inputs."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

import systems
from physlearn import Forecaster, integrate
from physlearn.chaos import lyapunov_exponents
from physlearn.metrics import valid_prediction_time
from systems import AccuracyWarning, InputError, Orbit

MUS = (0.5, 1.0, 2.0, 3.0)
TIMES = torch.linspace(0, 10, 101)


def van_der_pol(mu, n, seed, t=TIMES):
    system = systems.get("van-der-pol", mu=mu)
    return system.orbit(system.sample(n, seed=seed), t)


@pytest.fixture(scope="module")
def oscillators():
    """A forecaster of the van der Pol oscillator for four values of mu."""
    train = [van_der_pol(mu, 25, seed) for seed, mu in enumerate(MUS)]
    return Forecaster("nn", activation="sine", parameters=("mu",)).fit(train, epochs=500, progress=False)


def smooth_torque(generator, t):
    """A random smooth function of time: six sines of random frequencies up to 2."""
    frequency, phase, size = generator.uniform(0.1, 2, 6), generator.uniform(0, 6.3, 6), generator.normal(0, 0.2, 6)
    return (size * np.sin(np.multiply.outer(t, frequency) + phase)).sum(-1)


def driven_pendulum(torque, z0, t):
    """The pendulum with a torque, which is a function of time, by a solver of SciPy."""

    def field(now, z):
        return [z[1], -np.sin(z[0]) + torque(now)]

    return solve_ivp(field, (t[0], t[-1]), z0, t_eval=t, rtol=1e-9, atol=1e-9, max_step=0.05).y.T


def recorded_pendulum(seed, t):
    """A run of the driven pendulum as a table: its states, and the torque at the same times."""
    generator = np.random.default_rng(seed)
    dense = np.linspace(t[0], t[-1], 2001)
    torque = smooth_torque(generator, dense)
    z = driven_pendulum(lambda now: np.interp(now, dense, torque), generator.normal(0, 0.7, 2), t)
    return np.column_stack([z, np.interp(t, dense, torque)])


@pytest.fixture(scope="module")
def pendulum():
    """A forecaster of the driven pendulum, which was trained on random smooth torques without rates."""
    t = np.arange(0, 20, 0.1)
    runs = [recorded_pendulum(seed, t) for seed in range(20)]
    orbits = Orbit.of(runs, t, coordinates=("theta", "p", "torque"))
    f = Forecaster("nn", inputs="torque", hidden=(40,), seed=0)
    return f.fit(orbits, loss="derivative", epochs=1000, progress=False)


@pytest.mark.slow
def test_one_forecaster_learns_the_van_der_pol_oscillator_for_several_parameters(oscillators):
    t = torch.linspace(0, 30, 301)
    truth = van_der_pol(1.5, 12, seed=7, t=t)
    alone = Forecaster("nn", activation="sine").fit(van_der_pol(1.5, 25, seed=8), epochs=1000, progress=False)
    without = [replace(van_der_pol(mu, 25, seed), provenance={}) for seed, mu in enumerate(MUS)]
    blind = Forecaster("nn", activation="sine").fit(without, epochs=500, progress=False)
    found = {
        "given": oscillators.forecast(truth.z[:, 0], t, parameters={"mu": 1.5}),
        "alone": alone.forecast(truth.z[:, 0], t),
        "blind": blind.forecast(truth.z[:, 0], t),
    }
    valid = {name: float(valid_prediction_time(orbit, truth).mean()) for name, orbit in found.items()}
    assert valid["given"] > valid["alone"] / 2
    assert valid["given"] > 5 * valid["blind"]
    assert oscillators.score(truth) == pytest.approx(valid["given"] / 30, rel=1e-6)


@pytest.mark.slow
def test_the_flow_with_a_value_has_the_limit_cycle_of_that_value(oscillators):
    """The period of the limit cycle at mu = 1 is 6.66328686 (physics.md)."""
    flow = oscillators.given(parameters={"mu": 1.0})
    orbit = integrate(flow, torch.tensor([2.0, 0.0]).double(), torch.linspace(0, 80, 8001).double(), method="rk4")
    x, t = orbit.z[:, 0].numpy(), orbit.t.numpy()
    up = np.where((x[:-1] < 0) & (x[1:] >= 0))[0]
    crossings = t[up] - x[up] * (t[up + 1] - t[up]) / (x[up + 1] - x[up])
    assert orbit.provenance["engine"] == "compiled"
    assert np.diff(crossings)[3:].mean() == pytest.approx(6.66328686, rel=1e-2)  # the rates have an error of 3 %
    exponents = lyapunov_exponents(flow, torch.tensor([2.0, 0.0]).double(), 200.0, k=2)
    true = lyapunov_exponents(systems.get("van-der-pol", mu=1.0), torch.tensor([2.0, 0.0]).double(), 200.0, k=2)
    torch.testing.assert_close(exponents, true, atol=0.05, rtol=0)


@pytest.mark.slow  # 5 s
def test_one_value_per_orbit_forecasts_as_each_value_alone(oscillators):
    z0 = torch.randn(3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    together = oscillators.forecast(z0, TIMES, parameters={"mu": np.array([0.5, 1.5, 3.0])})
    assert together.provenance["engine"] == "compiled"
    assert together.coordinates == ("x", "v")
    by_torch = oscillators.forecast(z0, TIMES, parameters={"mu": [0.5, 1.5, 3.0]}, engine="torch")
    torch.testing.assert_close(by_torch.z, together.z, rtol=1e-9, atol=1e-9)
    for k, mu in enumerate((0.5, 1.5, 3.0)):
        alone = oscillators.forecast(z0[k], TIMES, parameters={"mu": mu})
        torch.testing.assert_close(alone.z, together.z[k], rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_a_column_is_the_same_parameter_as_the_provenance(oscillators):
    train = []
    for seed, mu in enumerate(MUS):
        orbit = van_der_pol(mu, 25, seed)
        column = torch.full_like(orbit.z[..., :1], mu)
        z, rate = torch.cat([orbit.z, column], -1), torch.cat([orbit.rate, 0 * column], -1)
        train.append(Orbit(orbit.t, z, rate, (*orbit.coordinates, "mu")))
    f = Forecaster("nn", parameters="mu", activation="sine").fit(train, epochs=500, progress=False)
    z0 = torch.tensor([1.0, 0.0])
    same = oscillators.forecast(z0, TIMES, parameters={"mu": 1.5})
    torch.testing.assert_close(f.forecast(z0, TIMES, parameters={"mu": 1.5}).z, same.z)


@pytest.mark.parametrize("name", ["sine", "step"])
def test_a_driven_pendulum_follows_torques_that_were_not_in_its_training(pendulum, name):
    torque = {"sine": lambda now: 0.5 * math.sin(0.7 * now), "step": lambda now: 0.4 if 5 <= now < 12 else -0.2}[name]
    t = np.linspace(0, 20, 401)
    truth = Orbit.of(driven_pendulum(torque, [0.3, 0.1], t), t, coordinates=("theta", "p"))
    forecast = pendulum.forecast(truth.z[0], t, inputs={"torque": torque})
    assert float(valid_prediction_time(forecast, truth)) > 15
    still = pendulum.forecast(truth.z[0], t, inputs={"torque": 0.0})
    assert float(valid_prediction_time(still, truth)) < 5


@pytest.mark.slow
def test_all_forms_of_an_input_are_the_same_function(pendulum):
    t = torch.linspace(0, 3, 31, dtype=torch.float64)
    z0 = torch.tensor([[0.3, 0.1], [0.5, 0.0]], dtype=torch.float64)
    u = (2 * t).sin() / 2
    wanted = pendulum.forecast(z0, t, inputs={"torque": lambda now: np.interp(float(now), t, u)}).z
    forms = (u, u.numpy(), (t, u), (list(t), list(u)), Orbit(t, u[:, None], coordinates=("torque",)), torch.stack([u, u]))
    for form in (*forms, Orbit(t.flip(0), u.flip(0)[:, None]), (t, torch.stack([u, u]))):
        torch.testing.assert_close(pendulum.forecast(z0, t, inputs={"torque": form}).z, wanted, rtol=1e-12, atol=1e-12)
    each = pendulum.forecast(z0, t, inputs={"torque": torch.stack([u, -u])}).z
    torch.testing.assert_close(each[0], wanted[0])
    torch.testing.assert_close(each[1], pendulum.forecast(z0[1], t, inputs={"torque": -u}).z)
    one = pendulum.forecast(z0[:1], t, inputs={"torque": u[None]}).z
    torch.testing.assert_close(one, wanted[:1])
    flow = pendulum.given(inputs={"torque": (t, u)})
    torch.testing.assert_close(integrate(flow, z0, t, method="rk4").z, wanted)


def test_scores_take_the_inputs_of_the_orbits(pendulum):
    t = np.arange(0, 15, 0.1)
    runs = Orbit.of([recorded_pendulum(seed, t) for seed in (50, 51)], t, coordinates=("theta", "p", "torque"))
    assert pendulum.score(runs) > 0.7


def henon_heiles(coupling, n, seed):
    system = systems.get("henon-heiles", coupling=coupling)
    return system.orbit(system.sample(n, seed=seed, energy=0.08), torch.linspace(0, 10, 101))


@pytest.mark.slow
@pytest.mark.parametrize("model", ["hnn", "hnn-mechanical"])
def test_a_hamiltonian_network_conserves_its_energy_for_each_coupling(model):
    train = [henon_heiles(coupling, 20, seed) for seed, coupling in enumerate((0.4, 0.7, 1.0))]
    f = Forecaster(model, parameters="coupling", hidden=(40,)).fit(train, epochs=100, progress=False)
    for coupling in (0.4, 0.85):
        flow = f.given(parameters={"coupling": coupling})
        z0 = henon_heiles(coupling, 3, 9).z[:, 0].double()
        orbit = f.forecast(z0, torch.linspace(0, 200, 401), parameters={"coupling": coupling})
        energy = flow.hamiltonian(orbit.z)
        assert float((energy - energy[:, :1]).abs().max()) < 1e-4 * 0.08
        # the rates are Hamilton's equations for the energy of this coupling
        z = z0.clone().requires_grad_()
        (slope,) = torch.autograd.grad(flow.hamiltonian(z).sum(), z)
        torch.testing.assert_close(flow.vector_field(0.0, z0), torch.cat([slope[:, 2:], -slope[:, :2]], -1))
        if model == "hnn-mechanical":
            assert orbit.provenance["integrator"]["name"] == "yoshida-4"
            torch.testing.assert_close(flow.force(z0[:, :2]), -slope[:, :2])
            torch.testing.assert_close(flow.velocity(z0[:, 2:]), slope[:, 2:])
    each = f.forecast(z0, TIMES, parameters={"coupling": [0.4, 0.85, 1.0]})
    alone = f.forecast(z0[2], TIMES, parameters={"coupling": 1.0})
    torch.testing.assert_close(each.z[2], alone.z, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(f.given(parameters={"coupling": 1.0}).states(each.z), each.z)


def driven_oscillator(seed, steps, phase):
    """The oscillator x'' = -x + u, u = cos(1.7 t + phase), from its exact solution, at uneven times; u is sampled densely."""
    generator = np.random.default_rng(seed)
    t = np.cumsum(generator.uniform(0.2, 0.9, steps))
    amplitude, angle = generator.normal(0, 1), generator.uniform(0, 6)
    size = 1 / (1 - 1.7**2)
    x = amplitude * np.cos(t + angle) + size * np.cos(1.7 * t + phase)
    v = -amplitude * np.sin(t + angle) - 1.7 * size * np.sin(1.7 * t + phase)
    dense = np.unique(np.concatenate([t, np.arange(t[0], t[-1], 0.1)]))
    z = np.full((len(dense), 3), np.nan)
    z[np.searchsorted(dense, t), :2] = np.column_stack([x, v])
    z[:, 2] = np.cos(1.7 * dense + phase)
    return dense, z


@pytest.mark.slow
def test_steps_between_uneven_measurements_see_the_input_between_them():
    runs = [driven_oscillator(seed, 50, seed) for seed in range(8)]
    orbits = Orbit.of([z for _, z in runs], [t for t, _ in runs], coordinates=("x", "v", "u"))
    f = Forecaster("nn", inputs=("u",), hidden=(20,), seed=0).fit(orbits, loss="step", polish=60, progress=False)
    assert "9 substeps" in f.loss_method or "10 substeps" in f.loss_method
    z = torch.randn(50, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64) / 2
    for u in (-0.5, 0.5):
        rate = f.given(inputs={"u": u}).vector_field(0.0, z)
        torch.testing.assert_close(rate, torch.stack([z[:, 1], u - z[:, 0]], -1), atol=0.06, rtol=0)
    assert f.score(orbits) > 0.9
    assert set(f.noise) == {"x", "v"}


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["shooting", "weak"])
def test_the_other_losses_of_states_take_inputs(loss):
    runs = [driven_oscillator(seed, 30, seed) for seed in range(4)]
    orbits = Orbit.of([z for _, z in runs], [t for t, _ in runs], coordinates=("x", "v", "u"))
    f = Forecaster("nn", inputs=("u",), hidden=(10,), seed=0).fit(orbits, loss=loss, polish=20, progress=False)
    rate = f.given(inputs={"u": 0.5}).vector_field(0.0, torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close(rate, torch.tensor([0, 0.5]).double(), atol=0.15, rtol=0)


def test_the_units_of_the_data_do_not_matter():
    t = np.arange(0, 10, 0.1)
    runs = np.stack([recorded_pendulum(seed, t) for seed in range(4)])
    factor, offset = np.array([1e5, 1e-4, 1e7]), np.array([0, 0, 3e8])

    def fitted(data):
        orbits = Orbit.of(data, t, coordinates=("theta", "p", "torque"))
        return Forecaster("nn", inputs="torque", hidden=(10,)).fit(orbits, loss="derivative", epochs=20, progress=False)

    plain, other = fitted(runs), fitted(runs * factor + offset)
    u = 0.3 * np.sin(t)
    z0 = np.array([0.3, 0.2])
    forecast = plain.forecast(z0, t, inputs={"torque": u}).z
    moved = other.forecast(z0 * factor[:2], t, inputs={"torque": u * factor[2] + offset[2]}).z
    torch.testing.assert_close(moved / torch.tensor(factor[:2]), forecast, rtol=1e-3, atol=1e-4)


def test_ensembles_and_files_keep_the_channels(tmp_path):
    train = [van_der_pol(mu, 6, seed) for seed, mu in enumerate(MUS)]
    f = Forecaster("nn", parameters=("mu",), hidden=(10,), members=3).fit(train, epochs=50, progress=False)
    f.calibrate([van_der_pol(mu, 2, 20 + seed, torch.linspace(0, 5, 51)) for seed, mu in enumerate(MUS)])
    f.save(tmp_path / "f.safetensors")
    again = Forecaster.load(tmp_path / "f.safetensors")
    z0 = torch.tensor([[1.0, 0.0], [0.5, 0.0]])
    found, wanted = (one.forecast(z0, TIMES, parameters={"mu": [1.0, 2.0]}) for one in (again, f))
    torch.testing.assert_close(found.z, wanted.z)
    torch.testing.assert_close(found.band()[0], wanted.band()[0])
    assert again.get_params()["parameters"] == ("mu",)
    assert again.given_ranges == f.given_ranges == {"mu": (0.5, 3.0)}
    assert "parameters=('mu',)" in repr(again)


@pytest.mark.slow
def test_angles_and_parameters_go_together():
    pendulum = systems.get("pendulum")
    orbit = pendulum.orbit(pendulum.sample(10), TIMES)
    train = []
    for gravity in (0.5, 1.0):  # time in other units changes gravity
        root = gravity**0.5
        z = torch.cat([orbit.z[..., :1], root * orbit.z[..., 1:], torch.full_like(orbit.z[..., :1], gravity)], -1)
        scale = torch.tensor([root, gravity, 0.0])
        rate = torch.cat([orbit.rate, orbit.rate[..., :1]], -1) * scale
        train.append(Orbit(orbit.t / root, z, rate, ("theta", "p", "g"), periods={"theta": 2 * math.pi}))
    f = Forecaster("hnn-mechanical", parameters="g", angles=True, hidden=(20,)).fit(train, epochs=100, progress=False)
    flow = f.given(parameters={"g": 0.5})
    q = torch.tensor([[0.4], [0.4 + 2 * math.pi]], dtype=torch.float64)
    torch.testing.assert_close(flow.force(q), torch.full((2, 1), -0.5 * math.sin(0.4)).double(), atol=0.02, rtol=0)
    z0 = torch.tensor([0.4 + 4 * math.pi, 0.0])
    assert 12 < float(f.forecast(z0, TIMES, parameters={"g": 0.7}).z[:, 0].mean()) < 13


def test_each_wrong_argument_has_one_clear_sentence(oscillators, pendulum):
    z0 = torch.tensor([[1.0, 0.0], [0.5, 0.0]])

    def refused(sentence, call):
        with pytest.raises(InputError, match=sentence):
            call()

    refused("needs a value for 'mu': give parameters=", lambda: oscillators.forecast(z0, TIMES))
    refused("for 'nu', which the fore", lambda: oscillators.forecast(z0, TIMES, parameters={"mu": 1.0, "nu": 2}))
    refused("it has no inputs", lambda: oscillators.forecast(z0, TIMES, parameters={"mu": 1.0}, inputs={"u": 0.0}))
    refused("must map names to values", lambda: oscillators.forecast(z0, TIMES, parameters=1.0))
    refused("of shape \\(2,\\)", lambda: oscillators.forecast(z0, TIMES, parameters={"mu": [1.0, 2.0, 3.0]}))
    refused("finite number", lambda: oscillators.forecast(z0, TIMES, parameters={"mu": math.nan}))
    refused("is constant: give a number", lambda: oscillators.forecast(z0, TIMES, parameters={"mu": math.sin}))
    refused("numbers", lambda: oscillators.forecast(z0, TIMES, parameters={"mu": "two"}))
    refused("depends on mu: use the flow that f.given", lambda: oscillators.vector_field(0.0, z0))
    refused("coordinates", lambda: oscillators.forecast(torch.zeros(2, 3), TIMES, parameters={"mu": 1.0}))
    late = (TIMES[:50], 0 * TIMES[:50])
    refused("is given only from t = 0 to 4.9: give it", lambda: pendulum.forecast(z0, TIMES, inputs={"torque": late}))
    refused("give one value for each time", lambda: pendulum.forecast(z0, TIMES, inputs={"torque": TIMES[:7]}))
    refused("not finite", lambda: pendulum.forecast(z0, TIMES, inputs={"torque": TIMES * math.nan}))
    refused("not finite at t", lambda: pendulum.forecast(z0, TIMES, inputs={"torque": lambda t: math.inf}))
    refused("returns the shape \\(3,\\)", lambda: pendulum.forecast(z0, TIMES, inputs={"torque": lambda t: torch.ones(3)}))
    refused("needs times", lambda: pendulum.given(inputs={"torque": TIMES}))
    rows = torch.zeros(3, len(TIMES))
    refused("one row for each orbit", lambda: pendulum.forecast(z0, TIMES, inputs={"torque": rows}))
    two = Orbit(TIMES, torch.zeros(len(TIMES), 2))
    refused("rename one of them to torque", lambda: pendulum.forecast(z0, TIMES, inputs={"torque": two}))
    with pytest.raises(AttributeError, match="depend on time has no hamiltonian"):
        pendulum.given(inputs={"torque": math.sin}).hamiltonian  # noqa: B018
    refused("call fit first", lambda: Forecaster("nn", parameters="mu").given(parameters={"mu": 1.0}))
    refused("takes no inputs or parameters", lambda: Forecaster("cubic", parameters="mu"))
    refused("named twice", lambda: Forecaster("nn", parameters="mu", inputs="mu"))
    refused("list of names", lambda: Forecaster("nn", inputs=3))


def test_data_that_lack_what_is_named_are_refused():
    t = torch.linspace(0, 1, 11).double()
    z = torch.stack([t.sin(), t.cos(), t, 0 * t + 1], -1)
    orbit = Orbit(t, z, z, ("x", "v", "u", "c"))

    def refused(sentence, data, **channels):
        with pytest.raises(InputError, match=sentence):
            Forecaster("nn", **channels).fit(data, progress=False)

    refused("'nu' is not a coordinate of the orbits \\(x, v, u, c\\)", orbit, parameters="nu")
    refused("the input 'nu' is not a coordinate", orbit, inputs="nu")
    refused("u varies from 0 to 1 within a run: name it in inputs", orbit, parameters="u")
    refused("c is 1 in all training orbits", orbit, parameters="c")
    far = torch.cat([z[:, :2], 1e9 + 100 * z[:, 2:3]], -1)  # units do not matter
    Forecaster("nn", inputs="u").fit(Orbit(t, far, 0 * far + z[:, :1], ("x", "v", "u")), epochs=1, progress=False)
    hole = z.clone()
    hole[4, 2] = math.nan
    refused("the input u has no value at t = 0.4", Orbit(t, hole, coordinates=orbit.coordinates), inputs="u")
    nothing = z.clone()
    nothing[:, 3] = math.nan
    refused("c has no value in a run", Orbit(t, nothing, coordinates=orbit.coordinates), parameters="c")
    refused("no state is left", orbit, inputs=("x", "v", "u", "c"))
    two = [van_der_pol(mu, 2, 0) for mu in (1.0, 2.0)]
    refused('parameters=\\("mu",\\)', two)


def test_values_beyond_the_training_are_told(oscillators, pendulum):
    z0 = torch.tensor([1.0, 0.0])
    with pytest.warns(AccuracyWarning, match="mu is 9, but the training had values from 0.5 to 3"):
        oscillators.forecast(z0, TIMES, parameters={"mu": 9.0}, dt=0.01)
    with pytest.warns(AccuracyWarning, match="torque is 50, but"):
        pendulum.forecast(z0, TIMES, inputs={"torque": lambda t: 50.0})
