"""States, times and data may be NumPy arrays or lists: the results are those of tensors."""

from dataclasses import fields, is_dataclass
from functools import cache

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from torch.testing import assert_close

import systems
from physlearn import (
    Forecaster,
    LearnedActivations,
    activations,
    analysis,
    chaos,
    explorer,
    integrate,
    metrics,
    models,
    plotting,
    training,
)
from systems import Orbit

STARS = systems.get("henon-heiles")
SWING = systems.get("pendulum")
DRIVEN = systems.Suspension(systems.get("forced-duffing"))
Z0 = STARS.sample(2, seed=0, energy=0.1)
PLANE = SWING.sample(3, seed=0)
T = torch.linspace(0, 1, 11, dtype=torch.float64)
X = torch.linspace(-3, 3, 21, dtype=torch.float64)
CURVES = torch.stack([X.sin(), X.tanh(), X.cos()])
CLOUDS = torch.rand(2, 40, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
POSITIVE = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
SADDLE = torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=torch.float64)
POINTS = torch.tensor([[0.1, 0.2], [-0.3, 0.4]], dtype=torch.float64)
LEARNED = LearnedActivations(CURVES[:2], base="sine", task="by hand", interval=(-3.0, 3.0))
LANDSCAPE = analysis.Landscape.draw(3)
NETWORK = models.build("nn", dim=2, hidden=(4,)).double()
HOW = {"dt": 0.1, "seed": 0}


@cache
def truth():
    return SWING.orbit(PLANE, T)


@cache
def trained():
    return Forecaster("hnn-mechanical", hidden=(5,)).fit(truth(), epochs=1, weighted=False, progress=False)


@cache
def scene():
    return explorer.Scene.of(STARS, STARS.orbit(Z0, T))


def loss_of(model):
    return model(PLANE).square().mean()


HESSIAN = analysis.hessian(NETWORK, loss_of)
SLICE = analysis.LossSlice(NETWORK, loss_of, reach=0.1)
V = torch.ones(HESSIAN.n, dtype=torch.float64)


CALLS = {
    "System.orbit": (lambda z0, t: STARS.orbit(z0, t).z, Z0, T),
    "System.vector_field": (lambda z: STARS.vector_field(0.0, z), Z0),
    "HamiltonianSystem.hamiltonian": (STARS.hamiltonian, Z0),
    "HamiltonianSystem.hamiltonian by name": (lambda z: SWING.hamiltonian(z=z), PLANE),
    "SeparableSystem.kinetic": (STARS.kinetic, Z0[:, 2:]),
    "SeparableSystem.potential": (STARS.potential, Z0[:, :2]),
    "SeparableSystem.velocity": (STARS.velocity, Z0[:, 2:]),
    "SeparableSystem.force": (STARS.force, Z0[:, :2]),
    "Lorenz.divergence": (systems.get("lorenz").divergence, torch.ones(2, 3, dtype=torch.float64)),
    "Suspension.at": (lambda z: DRIVEN.at(0.5, z), PLANE),
    "Orbit": (lambda t, z, rate: Orbit(t, z, rate), T, CURVES[:2, :11].T, CURVES[1:, :11].T),
    "integrate": (lambda z0, t: integrate(STARS, z0, t, "rk4").z, Z0, T),
    "integrate by name": (lambda z0, t: integrate(STARS, z0=z0, t=t, method="rk4").z, Z0, T),
    "Forecaster.forecast": (lambda z0, t: trained().forecast(z0, t).z, PLANE, T),
    "Forecaster.vector_field": (lambda z: trained().vector_field(0.0, z), PLANE),
    "Forecaster.hamiltonian": (lambda z: trained().hamiltonian(z), PLANE),
    "Forecaster.velocity": (lambda p: trained().velocity(p), PLANE[:, 1:]),
    "Forecaster.force": (lambda q: trained().force(q), PLANE[:, :1]),
    "lyapunov_exponents": (lambda z0: chaos.lyapunov_exponents(STARS, z0, 2, k=2, **HOW), Z0),
    "lyapunov_history": (lambda z0: chaos.lyapunov_history(STARS, z0, 2, **HOW), Z0),
    "sali": (lambda z0: chaos.sali(STARS, z0, 2, **HOW), Z0),
    "gali": (lambda z0: chaos.gali(STARS, z0, 2, 3, **HOW), Z0),
    "megno": (lambda z0: chaos.megno(STARS, z0, 2, **HOW), Z0),
    "fli": (lambda z0: chaos.fli(STARS, z0, 2, **HOW), Z0),
    "covariant_vectors": (lambda z0: chaos.covariant_vectors(SWING, z0, 2, transient=60, dt=0.5), PLANE[:1]),
    "periodic_orbit": (lambda z0: chaos.periodic_orbit(SWING, z0).z, PLANE[0]),
    "continue_periodic_orbit": (
        lambda z0: chaos.continue_periodic_orbit(SWING, z0, "energy", (0.5, 0.6)).orbits[-1].z,
        PLANE[0],
    ),
    "frequencies": (lambda x: torch.tensor(chaos.frequencies(x, t=torch.arange(44)).values), T.repeat(4)),
    "frequency_drift": (lambda z0: chaos.frequency_drift(STARS, z0, 30.0, dt=0.1), Z0),
    "classify": (lambda z0: chaos.classify(STARS, z0, 10, **HOW), Z0),
    "is_chaotic": (lambda z0: chaos.is_chaotic(STARS, z0, 10, **HOW), Z0),
    "poincare_section": (lambda z0: chaos.poincare_section(STARS, z0, 20, dt=0.1).z, Z0),
    "Dynamics.of": (lambda z0: chaos.Dynamics.of(STARS, z0, 10, progress=False, **HOW).orbit.z, Z0),
    "hellinger": (chaos.hellinger, *CLOUDS),
    "nearest": (chaos.nearest, *CLOUDS, torch.tensor([1.0, 2.0], dtype=torch.float64)),
    "hellinger_distance": (metrics.hellinger_distance, *CLOUDS.softmax(-1)),
    "lyapunov_times": (metrics.lyapunov_times, T, T),
    "truth_horizon": (lambda z0, t: metrics.truth_horizon(SWING, z0, t), PLANE, T),
    "valid_prediction_time": (lambda h: metrics.valid_prediction_time(truth(), truth(), horizon=h), T[:3]),
    "distance": (lambda scale: metrics.distance(truth()[1:], truth()[:-1], scale=scale), T[1:3]),
    "activities": (lambda x: analysis.activities(NETWORK, x), PLANE),
    "participation_ratio": (analysis.participation_ratio, CURVES),
    "curve_distances": (analysis.curve_distances, CURVES, X),
    "aligned": (analysis.aligned, CURVES, X),
    "cluster_curves": (analysis.cluster_curves, analysis.curve_distances(CURVES, X)),
    "agreement_within": (lambda d: analysis.agreement_within(d, [0, 0, 1]), analysis.curve_distances(CURVES, X)),
    "descent_noise": (lambda H: analysis.descent_noise(lambda z: z.square().sum(-1), H, 0.1, 10)(POINTS), POSITIVE),
    "langevin": (lambda z, D: analysis.langevin(lambda x: x, z, D, 1.0, 0.1).z, POINTS, POSITIVE),
    "escape_times": (lambda z: analysis.escape_times(lambda x: x, z, 1.0, lambda x: x[:, 0] > 0.5, 1.0, 0.1), POINTS),
    "escape_rate": (lambda times: analysis.escape_rate(times, 0.5), T),
    "kramers_rate": (lambda a, b: analysis.kramers_rate(a, b, 1.0, 0.1), POSITIVE, SADDLE),
    "near_zero": (analysis.near_zero, X),
    "SpectralDensity.of": (lambda values: analysis.SpectralDensity.of(values).values, X),
    "Hessian.matvec": (HESSIAN.matvec, V),
    "LossSlice": (lambda d: analysis.LossSlice(NETWORK, loss_of, d, 0.1).hessian, torch.stack([V, V.cumsum(0)])),
    "LossSlice.exact": (SLICE.exact, POINTS / 10),
    "LossSlice.value": (SLICE.value, POINTS / 10),
    "LossSlice.gradient": (SLICE.gradient, POINTS / 10),
    **{
        f"Landscape.{name}": (getattr(LANDSCAPE, name), POINTS)
        for name in ("value", "gradient", "hessian", "valley", "valley_hessian")
    },
    "LearnedActivations": (lambda values: LearnedActivations(values, base="sine", task="by hand").mix(PLANE), CURVES[:2]),
    "LearnedActivations.curves": (LEARNED.curves, X),
    "Table": (lambda values: activations.Table(values)(X), CURVES[0]),
    "Pairs": (lambda z, target: training.Pairs(z, target, ("q", "p")), PLANE, PLANE),
    "training.derivative_loss": (lambda z, rate: training.derivative_loss(NETWORK, z, rate), PLANE, PLANE),
    "Exploration": (lambda z0: explorer.Exploration(SWING, z0).truth().z, PLANE[0]),
    "Neurons.curves": (lambda a: explorer.Neurons.named("sine").curves(a), X),
    "Scene.points": (lambda z: scene().points(z), Z0[0]),
    "Scene.state": (lambda points: scene().state(points), POINTS),
    "activation_curves": (lambda x, curves: plotting.activation_curves(x, curves)[0], X, CURVES[None]),
    "colored_line": (plotting.colored_line, *CURVES),
    "digit_construction": (lambda rows: plotting.digit_construction({"drawn": rows}), CURVES),
    "labelled_matrix": (lambda values: plotting.labelled_matrix(values, ["a", "b"], ["c", "d"]), POSITIVE),
    "noisy_descent": (lambda minima: plotting.noisy_descent(LANDSCAPE.value, truth(), minima=minima), POINTS),
    "phase_error_plot": (lambda t, error: plotting.phase_error_plot(t, {"hnn": error}), T, T),
}


def numbers(result):
    """The numbers of a result, whatever holds them."""
    if isinstance(result, Axes):
        return [line.get_xydata() for line in result.lines] + [np.asarray(c.get_offsets()) for c in result.collections]
    if is_dataclass(result):
        return [getattr(result, f.name) for f in fields(result)]
    return list(result.values()) if isinstance(result, dict) else result


@pytest.mark.parametrize("given", [torch.Tensor.numpy, torch.Tensor.tolist], ids=["array", "list"])
@pytest.mark.parametrize("name", CALLS)
def test_arrays_and_lists_give_what_tensors_give(name, given):
    function, *tensors = CALLS[name]
    expected, found = numbers(function(*tensors)), numbers(function(*map(given, tensors)))
    if not isinstance(expected, list):
        expected, found = [expected], [found]
    for one, other in zip(found, expected, strict=True):
        if not isinstance(one, str | tuple | dict):  # names of coordinates, and periods
            assert_close(one, other, rtol=0, atol=0, equal_nan=True)
    plt.close("all")


def test_an_array_keeps_its_precision():
    assert integrate(SWING, PLANE.float().numpy(), T.numpy(), "rk4").z.dtype == torch.float32
    assert integrate(SWING, np.array([1, 0]), T.numpy(), "rk4").z.dtype == torch.float64


def test_a_class_as_target_stays_a_whole_number():
    assert training.Pairs(PLANE.numpy(), np.array([0, 1, 2]), ("q", "p")).target.dtype == torch.int64
