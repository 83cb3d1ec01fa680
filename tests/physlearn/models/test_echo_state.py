import numpy as np
import pytest
import torch

from physlearn import Forecaster, activations, metrics
from physlearn.models.reservoir import Driven, Reservoir, spectral_radius
from systems import AccuracyWarning, InputError, Orbit, get
from systems.scalars import seeded

LYAPUNOV = 0.9056  # of Lorenz, per unit of time


def drawn(units=50, signals=2, **changes):
    settings = {"connections": 6, "radius": 0.8, "scale": 0.5, "bias": 0.3, "leak": 0.7} | changes
    return Reservoir.drawn(units, signals, generator=seeded(0), **settings)


@pytest.fixture(scope="module")
def lorenz():
    orbit = get("lorenz").orbit(get("lorenz").sample(1, seed=0), torch.arange(3000, dtype=torch.float64) * 0.02)[0]
    return Orbit(orbit.t, orbit.z, coordinates=orbit.coordinates)


def valid(f, orbits, seed=1):
    system = get("lorenz")
    truth = system.orbit(system.sample(orbits, seed=seed), torch.arange(1000, dtype=torch.float64) * 0.02)
    past, rest = f.parted(truth)
    return LYAPUNOV * metrics.valid_prediction_time(f.forecast(past, rest.t), rest)


@pytest.mark.parametrize("units", [40, 400])
def test_a_reservoir_has_the_spectral_radius_and_the_connections_that_are_asked_for(units):
    matrix = drawn(units, radius=0.8).matrix.toarray()
    assert abs(np.linalg.eigvals(matrix)).max() == pytest.approx(0.8, rel=1e-6)
    assert ((matrix != 0).sum(1) == 6).all()
    assert spectral_radius(drawn(units, radius=0.8).matrix) == pytest.approx(0.8, rel=1e-6)


def test_the_units_follow_their_equation():
    reservoir, u = drawn(), torch.randn(2, 30, 2, generator=seeded(1), dtype=torch.float64)
    driven, r = Driven(reservoir, activations.get("tanh")), torch.zeros(2, 50, dtype=torch.float64)
    expected = np.zeros((2, 50))
    W, entrance, b = reservoir.matrix.toarray(), reservoir.entrance.numpy(), reservoir.bias.numpy()
    for now in u.unbind(1):
        r = driven.step(r, now)
        expected = 0.3 * expected + 0.7 * np.tanh(expected @ W.T + now.numpy() @ entrance.T + b)
    np.testing.assert_allclose(r, expected, rtol=0, atol=1e-13)


def test_with_equal_weights_the_units_have_the_states_of_reservoirpy():
    nodes = pytest.importorskip("reservoirpy.nodes")
    reservoir, u = drawn(200), torch.randn(1, 500, 2, generator=seeded(1), dtype=torch.float64)
    peer = nodes.Reservoir(
        W=reservoir.matrix, Win=reservoir.entrance.numpy(), bias=reservoir.bias.numpy(), lr=0.7, input_dim=2
    )
    expected = peer.run(u[0].numpy())
    driven, r = Driven(reservoir, activations.get("tanh")), torch.zeros(1, 200, dtype=torch.float64)
    for now, other in zip(u.unbind(1), expected, strict=True):
        r = driven.step(r, now)
        np.testing.assert_allclose(r[0], np.ravel(other), rtol=0, atol=1e-10)


def test_a_hundred_units_forecast_lorenz_from_a_past(lorenz, tmp_path):
    f = Forecaster("echo-state", units=100, spectral_radius=0.4, input_scale=0.3).fit(lorenz, progress=False)
    assert valid(f, 8).median() > 5
    with pytest.raises(InputError, match="continues a measured past: give an Orbit of at least"):
        f.forecast(lorenz.z[0], lorenz.t)
    with pytest.raises(InputError, match=f"needs a past of at least {f.memory} consecutive states"):
        f.forecast(lorenz[..., :3], lorenz.t[2:])
    past, rest = f.parted(lorenz[..., :100])
    f.save(tmp_path / "f.safetensors")
    again = Forecaster.load(tmp_path / "f.safetensors")
    assert torch.equal(again.forecast(past, rest.t).z, f.forecast(past, rest.t).z)
    assert again.loss_reason == f.loss_reason


def test_a_mixture_and_an_ensemble_of_reservoirs_forecast_with_bands(lorenz):
    settings = {"units": 60, "spectral_radius": 0.4, "input_scale": 0.3}
    f = Forecaster("echo-state", activation="sine+tanh", members=3, **settings).fit(lorenz[..., :1500], progress=False)
    past, rest = f.parted(lorenz[..., 2000:2100])
    forecast = f.forecast(past, rest.t)
    with pytest.warns(AccuracyWarning, match="not calibrated"):
        low, high = forecast.band(0.9)
    assert forecast.members.shape == (3, *rest.shape, 3)
    assert (high[-1] > low[-1]).all()
    assert not torch.equal(forecast.members[0], forecast.members[1])


def test_runs_that_are_too_short_and_wrong_options_are_refused():
    short = Orbit.of(np.random.default_rng(0).normal(size=(10, 6, 1)), np.arange(6.0))
    with pytest.raises(InputError, match="runs of at most 6 states are too short"):
        Forecaster("echo-state", units=20).fit(short, progress=False)
    for option, value in (("units", 0), ("leak", 1.5), ("ridge", -1.0), ("spectral_radius", "big"), ("connections", 0)):
        with pytest.raises(InputError, match=option):
            Forecaster("echo-state", **{option: value})


@pytest.mark.slow
def test_a_thousand_units_forecast_lorenz_for_more_than_eight_lyapunov_times():
    orbit = get("lorenz").orbit(get("lorenz").sample(1, seed=0), torch.arange(10_000, dtype=torch.float64) * 0.02)[0]
    train = Orbit(orbit.t, orbit.z, coordinates=orbit.coordinates)
    times = [
        valid(Forecaster("echo-state", units=1000, seed=seed).fit(train, progress=False), 20).median() for seed in range(10)
    ]
    assert torch.stack(times).median() > 8.5


def test_a_past_without_orbits_is_continued_as_such(lorenz):
    f = Forecaster("echo-state", units=40, spectral_radius=0.5, input_scale=0.5, ridge=1e-6).fit(lorenz[:600], progress=False)
    past = Orbit(lorenz.t[:200], torch.zeros(0, 200, 3, dtype=torch.float64), coordinates=lorenz.coordinates)
    assert f.forecast(past, lorenz.t[200:210]).shape == (0, 10)


def test_units_without_a_bound_are_refused_where_their_values_overflow(lorenz):
    settings = {"activation": "exp", "seed": 0, "units": 40, "spectral_radius": 0.5}
    with pytest.raises(InputError, match="with the activation exp needs more than half of them"):
        Forecaster("echo-state", **settings, input_scale=3.0).fit(lorenz[:600], progress=False)
    t = torch.linspace(0, 1, 600, dtype=torch.float64)
    calm_at_first = Orbit(t, (t**8).unsqueeze(-1))
    settings |= {"activation": "square", "bias": 0.1}
    with pytest.raises(InputError, match="grow without bound with the activation square: use a bounded one"):
        Forecaster("echo-state", **settings, input_scale=1.0).fit(calm_at_first, progress=False)
