"""Frequency map analysis against sums of lines, exact frequencies, and the package naif."""

import numpy as np
import pytest
import torch
from scipy.special import ellipk

import systems
from physlearn.chaos import frequencies, frequency_drift
from systems import InputError, Orbit

T = 3 + 0.25 * np.arange(4000)
LINES = {1.0: 1.0, -0.618033988749895: 0.5, 2.23606797749979: 0.2 * np.exp(1j), np.pi / 10: 0.05, -1.9: 0.01j}


def long(seconds, steps):
    return torch.linspace(0, seconds, steps, dtype=torch.float64)


@pytest.mark.parametrize("window", [1, 3, 5])
def test_the_lines_of_a_sum_are_found_to_rounding(window):
    signal = sum(a * np.exp(1j * w * T) for w, a in LINES.items())
    found = frequencies(signal, 5, t=T, window=window)
    np.testing.assert_allclose(found["frequency"], list(LINES), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found["amplitude"], np.abs(list(LINES.values())), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found["phase"], np.angle(list(LINES.values())), rtol=0, atol=1e-9)


def test_lines_that_are_not_asked_for_change_the_others_little():
    signal = sum(a * np.exp(1j * w * T) for w, a in LINES.items())
    found = frequencies(signal, 2, t=T)
    np.testing.assert_allclose(found["frequency"], list(LINES)[:2], rtol=0, atol=1e-8)


def test_the_lines_of_a_real_signal_are_cosines():
    signal = 0.7 + np.cos(1.1 * T + 0.3) + 0.2 * np.cos(2.3 * T - 1)
    found = frequencies(signal, 5, t=T)
    np.testing.assert_allclose(found, [[1.1, 1, 0.3], [0, 0.7, 0], [2.3, 0.2, -1]], rtol=0, atol=1e-10)  # and no further lines


def test_a_batch_gives_what_its_signals_give_one_by_one():
    signals = np.stack([np.cos(1.1 * T), np.cos(0.7 * T) + 0.1])
    together = frequencies(torch.from_numpy(signals), 2, t=T.tolist())
    assert together["orbit"].tolist() == [0, 1, 1]
    np.testing.assert_array_equal(
        together.loc[together["orbit"] == 1, "frequency"], frequencies(signals[1], 2, t=T)["frequency"]
    )


def test_the_frequency_of_a_pendulum_is_the_elliptic_integral():
    swing = systems.get("pendulum")
    exact = np.pi / 2 / ellipk(np.sin(0.75) ** 2)
    found = frequencies(swing.orbit([1.5, 0.0], long(400, 4001)), 4)
    np.testing.assert_allclose(found["frequency"], exact * np.array([-1, 1, -3, 3]), rtol=1e-9)


def test_the_same_lines_are_found_by_naif():
    naif = pytest.importorskip("naif")
    stars = systems.get("henon-heiles")
    orbit = stars.orbit([0.0, 0.3, 0.4, 0.0], long(1000, 8001))
    signal = orbit.z[:, 0].numpy() + 1j * orbit.z[:, 2].numpy()
    theirs, _ = naif.find_peak_freqs(signal, orbit.t.numpy(), n_freqs=4, p=2, verbose=False)
    ours = frequencies(orbit, 4, coordinate=("x", "p_x"), window=2)
    np.testing.assert_allclose(ours["frequency"], theirs, rtol=0, atol=1e-7)


def test_frequencies_drift_on_chaotic_orbits_only(henon_heiles, at_one_eighth):
    regular, chaotic = frequency_drift(henon_heiles, at_one_eighth(0.3, -0.25), 1000.0).tolist()
    assert regular < -8
    assert chaotic > -3
    early, late = (float(frequency_drift(henon_heiles, at_one_eighth(0.55), time)) for time in (500.0, 4000.0))
    assert late < early - 1


def test_the_frequency_of_an_angle_that_rotates_does_not_drift():
    swing = systems.get("pendulum")
    assert (frequency_drift(swing, [[0.0, 3.0], [1.0, 0.0]], 300.0) < -8).all()


@pytest.mark.parametrize("n", [1, 18])
def test_torch_and_compiled_code_agree(n, by_both, henon_heiles):
    z0 = henon_heiles.sample(n, seed=0, energy=0.12)
    ours, theirs = by_both(lambda: frequency_drift(henon_heiles, z0, 30.0))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_an_orbit_that_escapes_has_no_index(henon_heiles, at_one_eighth):
    z0 = torch.stack([torch.tensor([0.1, 1.2, 0.0, 0.5], dtype=torch.float64), at_one_eighth(0.3)[0]]).reshape(2, 1, 4)
    assert frequency_drift(henon_heiles, z0, 100.0).isnan().tolist() == [[True], [False]]


def test_times_may_begin_long_after_their_origin():
    signal = np.cos(1.1 * T + 0.3) + 0.2 * np.cos(2.3 * T - 1)
    found = frequencies(signal, 2, t=T + 1.7e9)  # whose times are rounded to 2.4e-7, a millionth of a step
    np.testing.assert_allclose(found[["frequency", "amplitude"]], [[1.1, 1], [2.3, 0.2]], rtol=0, atol=1e-8)


def test_a_signal_without_motion_has_no_lines():
    assert frequencies(np.zeros(100), t=np.arange(100)).empty


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t": np.sort(np.random.default_rng(0).random(4000))}, "equally spaced"),
        ({"t": None}, "give t"),
        ({"t": T[:-1]}, "equally long"),
        ({"signal": np.ones(8), "t": np.arange(8)}, "at least 32 values"),
        ({"signal": np.full(4000, np.nan)}, "must be finite"),
        ({"signal": ["a"] * 4000}, "arrays of numbers"),
        ({"n": 0}, "n must be at least 1"),
        ({"window": 0}, "window must be a power from 1 to 10"),
        ({"coordinate": "x"}, "coordinate applies to orbits"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        frequencies(**{"signal": np.cos(T), "t": T, **arguments})


def test_wrong_orbits_are_told_in_a_sentence(henon_heiles):
    orbit = henon_heiles.orbit([0.0, 0.3, 0.4, 0.0], long(10, 101))
    with pytest.raises(InputError, match="name a coordinate of x, y, p_x, p_y"):
        frequencies(orbit)
    with pytest.raises(InputError, match="leave t out"):
        frequencies(orbit, t=orbit.t)
    with pytest.raises(InputError, match="one coordinate or a pair"):
        frequencies(orbit, coordinate=("x", "y", "p_x"))
    turning = Orbit(
        long(99, 100), torch.stack([long(99, 100), torch.ones(100)], -1), None, ("theta", "p"), {}, {"theta": 6.28}
    )
    with pytest.raises(InputError, match="the angle theta rotates"):
        frequencies(turning)
    with pytest.raises(InputError, match="choose a longer time"):
        frequency_drift(henon_heiles, [0.0, 0.3, 0.4, 0.0], 1.0)
