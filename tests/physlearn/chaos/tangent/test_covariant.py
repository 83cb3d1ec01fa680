"""Covariant Lyapunov vectors."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch.testing import assert_close

import systems
from physlearn import models
from physlearn.chaos import covariant_vectors
from systems import AccuracyWarning, InputError

START = torch.tensor([1.0, 2.0, 20.0], dtype=torch.float64)


@pytest.fixture(scope="module")
def on_lorenz():
    return covariant_vectors(systems.get("lorenz"), START, 150.0, transient=25.0)


def test_the_mean_growth_rates_are_the_published_exponents_of_lorenz():
    """Sprott, Chaos and Time-Series Analysis (2003): 0.9056, 0, -14.5723; the mean over some orbits."""
    lorenz = systems.get("lorenz")
    found = covariant_vectors(lorenz, lorenz.sample(60, seed=0), 60.0, transient=35.0, dt=0.005)
    published = torch.tensor([0.9056, 0.0, -14.5723], dtype=torch.float64)
    assert_close(found.exponents.mean(0), published, atol=0.01, rtol=0)


def test_the_neutral_vector_is_parallel_to_the_field(on_lorenz):
    rate = systems.get("lorenz").vector_field(0.0, on_lorenz.z)
    cosine = (rate * on_lorenz.vectors[..., 1]).sum(-1).abs() / rate.norm(dim=-1)
    assert_close(cosine, torch.ones_like(cosine), atol=1e-12, rtol=0)


def test_the_tangent_map_takes_each_vector_to_the_next(on_lorenz):
    """The variational equation with the Jacobian written by hand, solved by SciPy."""
    place = 1234
    z, vectors = on_lorenz.z[place].numpy(), on_lorenz.vectors[place].numpy()

    def joint(t, y):
        x, w = y[:3], y[3:].reshape(3, 3)
        J = np.array([[-10, 10, 0], [28 - x[2], -1, -x[0]], [x[1], x[0], -8 / 3]])
        rate = [10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]
        return np.concatenate([rate, (J @ w).ravel()])

    length = float(on_lorenz.t[place + 1] - on_lorenz.t[place])
    end = solve_ivp(joint, (0, length), np.concatenate([z, vectors.ravel()]), method="DOP853", rtol=1e-12, atol=1e-12).y[:, -1]
    w = torch.from_numpy(end[3:].reshape(3, 3))
    assert_close(torch.from_numpy(end[:3]), on_lorenz.z[place + 1], rtol=0, atol=1e-5)  # the error of rk4
    assert_close(w / w.norm(dim=0), on_lorenz.vectors[place + 1], rtol=0, atol=1e-6)
    assert_close(w.norm(dim=0).log() / length, on_lorenz.growth[place], rtol=1e-5, atol=1e-5)


def test_the_vectors_of_a_linear_flow_are_its_eigenvectors():
    A = torch.tensor([[0.5, 1.0, 0.3], [0.0, -0.4, 0.8], [0.0, 0.0, -2.0]], dtype=torch.float64)
    found = covariant_vectors(lambda t, z: z @ A.T, torch.zeros(3).double(), 2.0, transient=30.0, dt=0.05)
    exact = torch.linalg.eig(A).eigenvectors.real
    overlap = (found.vectors * exact).sum(-2).abs()
    assert_close(overlap, torch.ones_like(overlap), atol=1e-10, rtol=0)
    assert_close(found.exponents, torch.tensor([0.5, -0.4, -2.0]).double(), atol=1e-5, rtol=0)
    between = found.angles()[0, 0, 1]
    assert float(between) == pytest.approx(np.arccos(abs(float(exact[:, 0] @ exact[:, 1]))), abs=1e-8)


@pytest.mark.filterwarnings("ignore:covariant vector")
@pytest.mark.parametrize(("name", "n", "k"), [("lorenz", 3, None), ("lorenz", 1, 2), ("forced-duffing", 2, None)])
def test_torch_and_compiled_code_agree(name, n, k, by_both):
    system = systems.get(name)
    ours, theirs = by_both(lambda: covariant_vectors(system, system.sample(n, seed=1), 0.6, transient=3.0, dt=0.02, k=k))
    for part in ("z", "vectors", "growth"):
        assert_close(getattr(ours, part), getattr(theirs, part), rtol=1e-6, atol=1e-7)


@pytest.mark.filterwarnings("ignore:covariant vector")
def test_a_batch_keeps_its_shape_and_orbits_that_escape_are_nan(henon_heiles, by_both):
    z0 = torch.tensor([[0.1, 1.2, 0.0, 0.5], [0.0, 0.1, 0.35, 0.0]], dtype=torch.float64).reshape(2, 1, 4)
    for found in by_both(lambda: covariant_vectors(henon_heiles, z0, 10.0, transient=10.0, dt=0.1, k=2)):
        assert found.vectors.shape == (2, 1, 11, 4, 2)
        assert found.vectors.isnan().all(-1).all(-1).any(-1).tolist() == [[True], [False]]
        assert_close(found.vectors[1].norm(dim=-2), torch.ones(1, 11, 2).double())


def test_a_model_is_a_flow_like_any_other():
    model = models.build("nn", dim=3, hidden=(8,))
    with pytest.warns(AccuracyWarning):
        found = covariant_vectors(model, torch.full((2, 3), 0.1), 2.0, transient=1.0, dt=0.1)
    assert found.vectors.dtype == torch.float32
    assert found.vectors.isfinite().all()


def test_a_transient_that_is_too_short_is_told():
    with pytest.warns(AccuracyWarning, match="differs by up to"):
        covariant_vectors(systems.get("lorenz"), START, 1.0, transient=0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"transient": 0.0}, "transient must be a positive, finite time"), ({"k": 4}, "k must be from 1 to 3"),
     ({"time": -1.0}, "time must be a positive number"), ({"time": 1e9}, "memory")],
)  # fmt: skip
def test_wrong_arguments_are_told_in_a_sentence(options, message):
    with pytest.raises(InputError, match=message):
        covariant_vectors(systems.get("lorenz"), START, **{"time": 10.0, "transient": 1.0, **options})
