import numpy as np
import pytest
import torch

from systems import AccuracyWarning, InputError, Orbit, get
from systems.recording import delay_embedding
from systems.recording.embedding import false_neighbours, first_minimum, mutual_information


@pytest.fixture(scope="module")
def lorenz_x():
    orbit = get("lorenz").orbit(get("lorenz").sample(1, seed=0), torch.arange(6000, dtype=torch.float64) * 0.02)[0]
    return Orbit(orbit.t, orbit.z[:, :1], coordinates=("x",))


def test_states_are_those_of_the_past_across_no_hole():
    t = torch.arange(30, dtype=torch.float64) / 10
    z = torch.stack([t, t**2], -1)
    z[12] = torch.nan
    found = delay_embedding(
        Orbit(t, z, rate=torch.stack([torch.ones_like(t), 2 * t], -1), coordinates=("a", "b")), dim=3, lag=0.2
    )
    assert found.coordinates == ("a", "b", "a(t - 0.2)", "b(t - 0.2)", "a(t - 0.4)", "b(t - 0.4)")
    times = found.t[found.measured.all(-1)]
    np.testing.assert_allclose(times.sort().values, [*t[4:12], *t[17:]])
    for place, lag in enumerate((0.0, 0.2, 0.4)):
        x = found.z[..., 2 * place]
        known = x.isfinite()
        torch.testing.assert_close(x[known], (found.t - lag)[known])
        torch.testing.assert_close(found.rate[..., 2 * place + 1][known], 2 * x[known])


def test_the_lag_and_the_dimension_of_lorenz_are_those_of_the_literature(lorenz_x):
    # the first minimum of the mutual information of x is near 0.16 to 0.2, and three delays embed the attractor, whose
    # dimension is 2.06 (Abarbanel, Analysis of Observed Chaotic Data, 1996)
    found = delay_embedding(lorenz_x)
    assert found.dim == 3
    assert 0.14 <= found.provenance["embedding"]["lag"] <= 0.2


def test_the_mutual_information_of_gaussians_is_that_of_their_correlation():
    # x' = r x + noise has the correlation r^k after k steps, and Gaussians share -log2(1 - r^2) / 2 bits
    random, r, x = np.random.default_rng(0), 0.9, np.zeros(40_000)
    for n in range(1, len(x)):
        x[n] = r * x[n - 1] + np.sqrt(1 - r**2) * random.normal()
    found = mutual_information([x[:, None]], 20)
    lags = np.arange(2, 10)  # of the 1.2 bits for one step, 16 intervals resolve 1.12
    np.testing.assert_allclose(found[lags], -np.log2(1 - r ** (2 * lags)) / 2, atol=0.06)


def test_a_circle_needs_two_delays_and_a_torus_more():
    n = np.arange(4000)
    circle, torus = np.cos(0.13 * n), np.cos(0.13 * n) + 0.6 * np.cos(0.13 * 2**0.5 * n + 1)
    assert false_neighbours([circle[:, None]], 12)[1] < 0.01 < false_neighbours([circle[:, None]], 12)[0]
    assert false_neighbours([torus[:, None]], 8)[1] > 0.1
    assert false_neighbours([torus[:, None]], 8)[3] < 0.01


def test_noise_has_no_dimension_and_that_is_told():
    noise = Orbit.of(np.random.default_rng(0).normal(size=2000), np.arange(2000.0), coordinates=("w",))
    with pytest.warns(AccuracyWarning, match="of the nearest neighbours are false"):
        delay_embedding(noise)


def test_units_and_the_form_of_the_data_do_not_matter(lorenz_x):
    small = lorenz_x[..., :1500]
    scaled = Orbit(small.t * 1e9, small.z * 1e-9 + 5e-9, coordinates=("x",))
    one, two = delay_embedding(small), delay_embedding(scaled)
    assert one.dim == two.dim
    assert two.provenance["embedding"]["lag"] == pytest.approx(1e9 * one.provenance["embedding"]["lag"])
    torch.testing.assert_close(one.z, (two.z - 5e-9) * 1e9)


def test_what_cannot_be_embedded_is_refused(lorenz_x):
    with pytest.raises(InputError, match=r"lag must be a positive multiple of the step 0\.02, not 0\.05"):
        delay_embedding(lorenz_x, lag=0.05)
    with pytest.raises(InputError, match=r"dimension 4 and lag 0\.2 needs runs longer than 0\.6"):
        delay_embedding(lorenz_x[..., :20], dim=4, lag=0.2)
    with pytest.raises(InputError, match="runs of at least"):
        delay_embedding(lorenz_x[..., :10], lag=0.02)
    with pytest.raises(InputError, match="needs runs of several times"):
        delay_embedding(lorenz_x[..., :1])
    assert first_minimum(np.array([2.0, 2.0, 2.0])) == 2
