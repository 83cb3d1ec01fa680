"""MEGNO and the fast Lyapunov indicator."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch.testing import assert_close

import systems
from physlearn.chaos import fli, lyapunov_exponents, lyapunov_history, megno
from physlearn.chaos.tangent.variational import deviations
from systems import InputError


def saddle(t, z):
    return z * z.new_tensor([1.0, -0.5])


def test_both_have_their_closed_form_on_a_linear_saddle():
    """The components of the vector grow as exp(t) and exp(-t / 2); the integrals are evaluated by adaptive quadrature."""
    z0 = torch.zeros(2, dtype=torch.float64)
    a, b = deviations(z0[None], 1, 0)[0, 0].tolist()

    def length(t):
        return np.log(np.hypot(a * np.exp(t), b * np.exp(-t / 2)))

    def growth(t):
        return 2 * length(t) - 2 * quad(length, 0, t)[0] / t

    mean = quad(growth, 1e-9, 6.0)[0] / 6
    assert float(megno(saddle, z0, 6.0, dt=0.01)) == pytest.approx(mean, rel=1e-4)
    assert float(fli(saddle, z0, 6.0, dt=0.01)) == pytest.approx(length(6.0), rel=1e-8)


def test_the_indicator_keeps_the_largest_length_of_a_vector_that_shrinks():
    """The vector (0.6, 0.8) first shrinks as exp(-t / 2) does and later grows, but is shorter than 1 at the end."""
    z0 = torch.zeros(2, dtype=torch.float64)
    (vector,) = deviations(z0[None], 1, 3)[0]
    end = (vector * torch.tensor([1.0, -0.5]).mul(0.1).exp()).norm().log()
    assert float(fli(saddle, z0, 0.1, dt=0.01, seed=3)) == pytest.approx(max(float(end), -0.01), abs=0.02)
    assert float(fli(lambda t, z: -z, z0, 5.0, dt=0.01)) == pytest.approx(-0.01, rel=1e-6)  # after the first step


def test_megno_is_two_on_a_regular_orbit_and_grows_on_a_chaotic_one(henon_heiles, at_one_eighth):
    z0 = at_one_eighth(0.55, -0.016)
    regular, chaotic = megno(henon_heiles, z0, 3000).tolist()
    assert regular == pytest.approx(2, abs=0.2)  # it tends to 2 as ln(T) / T
    assert chaotic > 20
    regular, chaotic = fli(henon_heiles, z0, 3000).tolist()
    assert regular < np.log(3000)
    assert chaotic > 50


def test_megno_vanishes_for_a_harmonic_oscillator(harmonic_oscillator):
    assert abs(float(megno(harmonic_oscillator, torch.tensor([1.0, 0.0]).double(), 1000))) < 0.02


def test_megno_grows_as_half_of_the_exponent_times_the_time(lorenz):
    """The mean over some orbits, of which each fluctuates."""
    noise = torch.randn(100, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z0 = torch.tensor([3.0, 3.0, 15.0], dtype=torch.float64) + 5 * noise
    slope = (megno(lorenz, z0, 60, dt=0.02) - megno(lorenz, z0, 30, dt=0.02)).mean() / 30
    exponent = lyapunov_exponents(lorenz, z0, 60, dt=0.02).mean()
    assert float(slope) == pytest.approx(float(exponent) / 2, rel=0.03)
    assert float(slope) == pytest.approx(0.9056 / 2, rel=0.05)


def test_megno_is_the_integral_over_the_history_of_the_exponent(henon_heiles, known):
    """The history has every tenth step only."""
    history = lyapunov_history(henon_heiles, known, 500.0)
    t = torch.cat([torch.zeros(1, dtype=torch.float64), history.t])
    length = torch.nn.functional.pad(history.history[..., 0] * history.t, (1, 0))
    inner = torch.cat([torch.zeros(2, 1), torch.cumulative_trapezoid(length, t)], dim=-1)
    growth = 2 * (length - torch.nan_to_num(inner / t))
    assert_close(megno(henon_heiles, known, 500.0), torch.trapezoid(growth, t) / 500, rtol=5e-3, atol=0)


@pytest.mark.parametrize("n", [1, 18])
@pytest.mark.parametrize("name", ["henon-heiles", "forced-duffing"])
def test_torch_and_compiled_code_agree(name, n, by_both):
    system = systems.get(name)
    z0 = system.sample(n, seed=0)
    ours, theirs = by_both(lambda: (megno(system, z0, 6.0), fli(system, z0, 6.0)))
    for one, other in zip(ours, theirs, strict=True):
        assert_close(one, other, rtol=1e-7, atol=1e-9)


def test_long_runs_are_taken_in_parts(henon_heiles, known, monkeypatch):
    whole = megno(henon_heiles, known, 40.0), fli(henon_heiles, known, 40.0)
    monkeypatch.setattr("physlearn.chaos.tangent.indicators.NUMBERS_AT_ONCE", 74)
    assert_close(megno(henon_heiles, known, 40.0), whole[0], rtol=1e-12, atol=0)
    assert_close(fli(henon_heiles, known, 40.0), whole[1], rtol=1e-12, atol=0)


def test_an_orbit_that_escapes_has_no_indicator(henon_heiles, known, by_both):
    z0 = torch.stack([torch.tensor([0.1, 1.2, 0.0, 0.5], dtype=torch.float64), known[0]]).reshape(2, 1, 4)
    for found in by_both(lambda: torch.stack([megno(henon_heiles, z0, 20.0), fli(henon_heiles, z0, 20.0)])):
        assert found.isnan().squeeze(-1).tolist() == [[True, False], [True, False]]


def test_no_states_have_no_indicators(henon_heiles):
    assert megno(henon_heiles, torch.zeros(0, 4).double(), 1.0).shape == (0,)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"time": -1}, "time must be a positive number"), ({"method": "gauss-legendre-4"}, "not an explicit"),
     ({"z0": torch.zeros(3)}, "4 coordinates"), ({"seed": 0.5}, "seed must be a whole number")],
)  # fmt: skip
@pytest.mark.parametrize("function", [megno, fli])
def test_wrong_arguments_are_told_in_a_sentence(henon_heiles, known, function, options, message):
    with pytest.raises(InputError, match=message):
        function(henon_heiles, **{"z0": known, "time": 10.0, **options})
