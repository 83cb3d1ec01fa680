import numpy as np
import pytest
import torch

from physlearn import Forecaster, integrate, metrics
from systems import InputError, Orbit, get
from systems.maps import get as get_map

LYAPUNOV = 0.9056  # of Lorenz, per unit of time


def states(orbit):
    """Return an orbit without its rates and origin."""
    return Orbit(orbit.t, orbit.z, coordinates=orbit.coordinates, periods=orbit.periods)


@pytest.fixture(scope="module")
def lorenz():
    system, t = get("lorenz"), torch.arange(50, dtype=torch.float64) * 0.02
    return states(system.orbit(system.sample(80, seed=0), t)), states(system.orbit(system.sample(20, seed=1), t))


def valid(f, t, seed=5):
    system = get("lorenz")
    truth = system.orbit(system.sample(12, seed=seed), t)
    past, rest = f.parted(truth)
    return LYAPUNOV * metrics.valid_prediction_time(f.forecast(past, rest.t), rest).median()


def test_degree_five_and_one_state_forecast_lorenz_for_nine_lyapunov_times(lorenz):
    f = Forecaster("next-generation-reservoir", delays=1, degree=5, noise=0.0).fit(*lorenz, progress=False)
    assert f.memory == 1
    assert valid(f, torch.arange(800, dtype=torch.float64) * 0.02) > 9


def test_the_chosen_settings_are_told_and_better_than_poor_ones(lorenz):
    chosen = Forecaster("next-generation-reservoir", delays=1).fit(*lorenz, progress=False)
    assert "degree=" in chosen.loss_reason
    assert valid(chosen, torch.arange(1000, dtype=torch.float64) * 0.02) > 14


def test_it_finds_the_henon_map_exactly():
    henon = get_map("henon")
    orbit = henon.orbit([[0.1, 0.1]], 200)
    f = Forecaster("next-generation-reservoir", delays=1, degree=2, noise=0.0, ridge=0.0).fit(states(orbit), progress=False)
    found = f.as_map()
    z = torch.tensor([[0.3, -0.1], [0.0, 0.2]], dtype=torch.float64)
    torch.testing.assert_close(found.step(z), henon.step(z), rtol=0, atol=1e-10)
    torch.testing.assert_close(found.jacobian(z), henon.jacobian(z), rtol=0, atol=1e-9)


def test_two_delays_continue_a_sum_of_two_oscillations_exactly():
    # cos(a n) and cos(b n) obey a linear recurrence of four states
    n = np.arange(400)
    x = np.cos(0.7 * n) + 0.5 * np.cos(1.9 * n + 1)
    signal = Orbit.of(x, n / 10, coordinates=("x",))
    f = Forecaster("next-generation-reservoir", delays=4, spacing=1, degree=1, noise=0.0, ridge=0.0)
    f.fit(signal[..., :200], progress=False)
    forecast = f.forecast(signal[..., :250], n[249:] / 10)
    np.testing.assert_allclose(forecast.z[:, 0], x[249:], atol=1e-9)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_units_do_not_matter(lorenz, unit):
    train = lorenz[0][:40]
    scaled = Orbit(train.t * unit, train.z / unit + 3 / unit, coordinates=train.coordinates)
    options = {"delays": 2, "spacing": 1, "degree": 3, "noise": 1e-5, "ridge": 1e-9}
    plain, other = (
        Forecaster("next-generation-reservoir", **options).fit(orbits, progress=False) for orbits in (train, scaled)
    )
    t = train.t[1:20]
    one = plain.forecast(train[..., :2], t).z
    two = other.forecast(scaled[..., :2], t * unit).z * unit - 3
    torch.testing.assert_close(one, two, rtol=0, atol=1e-5)


def test_parameters_and_inputs_drive_it_and_the_past_may_contain_them():
    # x' = -c x + u(t), sampled at steps of 0.1, where u is linear between the samples
    t = torch.arange(60, dtype=torch.float64) * 0.1
    random = np.random.default_rng(0)
    runs, given = [], []
    for c in (0.5, 1.0, 1.5) * 4:
        u = random.normal(size=len(t))
        given.append((c, u))

        def rate(s, z, u=u, c=c):
            return -c * z + float(np.interp(float(s), t.numpy(), u))

        x = integrate(rate, torch.tensor([random.normal()]), t, method="rk4", substeps=20, progress=False).z
        columns = torch.stack([x[:, 0].double(), torch.from_numpy(u), torch.full_like(t, c)], -1)
        runs.append(Orbit(t, columns, coordinates=("x", "u", "c")))
    f = Forecaster("next-generation-reservoir", parameters="c", inputs="u", delays=1, noise=0.0)
    f.fit(runs[:-1], progress=False)
    truth, (c, u) = runs[-1], given[-1]
    whole = {"parameters": {"c": c}, "inputs": {"u": (t, torch.from_numpy(u))}}
    known = f.forecast(truth[..., :5], t[4:], **whole)
    torch.testing.assert_close(known.z, truth.z[4:, :1], rtol=0, atol=0.02)
    later = {"parameters": {"c": c}, "inputs": {"u": (t[4:], torch.from_numpy(u[4:]))}}
    torch.testing.assert_close(f.forecast(truth[..., :5], t[4:], **later).z, known.z)
    assert f.score(runs[-1]) > 0.9


def test_too_few_data_and_wrong_options_are_refused():
    few = Orbit.of(np.arange(4.0)[:, None], np.arange(4.0))
    with pytest.raises(InputError, match="3 steps in runs of at most 4 states are too few"):
        Forecaster("next-generation-reservoir", degree=9).fit(few, progress=False)
    for option, value in (("degree", 0), ("delays", 1.5), ("ridge", -1.0), ("spacing", True), ("noise", "a")):
        with pytest.raises(InputError, match=option):
            Forecaster("next-generation-reservoir", **{option: value})
