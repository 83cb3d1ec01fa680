"""Recorded pendulums: the rates that were made of their rows, against a pendulum that is known."""

import numpy as np
import pytest
import torch

import systems
from systems import InputError
from systems.recorded_pendulum import read_recorded_pendulum

DOUBLE = torch.float64
STEP = 1 / 6


def write(path, t, z, trial=0.0, heading="%o v"):
    np.savetxt(path, np.column_stack([np.full(len(t), trial), t, z]), header=heading, comments="")
    return path


@pytest.fixture(scope="module")
def swing():
    """A known swing, 200 rows, of which four are missing at one place."""
    t = torch.arange(200, dtype=DOUBLE) * STEP + 5
    orbit = systems.get("pendulum").orbit([1.2, 0.0], t)
    kept = np.r_[0:120, 124:200]
    return orbit.t.numpy()[kept], orbit.z.numpy()[kept], orbit.rate.numpy()[kept]


def test_differences_are_the_rates_half_a_step_later(tmp_path, swing):
    t, z, _ = swing
    orbit = read_recorded_pendulum(write(tmp_path / "swing.txt", t, z))
    assert torch.equal(orbit.z, torch.from_numpy(z[:-1]))
    pendulum = systems.get("pendulum")
    between = pendulum.orbit(torch.from_numpy(z[:10]), torch.tensor([0, STEP / 2], dtype=DOUBLE)).rate[:, 1]
    torch.testing.assert_close(orbit.rate[:10], between, rtol=0, atol=STEP**2 / 24 * 2)  # h^2 / 24 of the third derivative


def test_a_difference_reaches_across_a_gap(tmp_path, swing):
    t, z, _ = swing
    orbit = read_recorded_pendulum(write(tmp_path / "swing.txt", t, z))
    expected = (z[120] - z[119]) / (5 * STEP)
    torch.testing.assert_close(orbit.rate[119], torch.from_numpy(expected))


def test_derived_rates_are_those_of_the_same_time_and_leave_the_gap_out(tmp_path, swing):
    t, z, rate = swing
    orbit = read_recorded_pendulum(write(tmp_path / "swing.txt", t, z), rates="derived")
    window = orbit.provenance["filter"]["window"]
    kept = np.r_[window // 2 : 120 - window // 2, 120 + window // 2 : len(t) - window // 2]
    torch.testing.assert_close(orbit.t, torch.from_numpy(t[kept]))
    torch.testing.assert_close(orbit.rate, torch.from_numpy(rate[kept]), rtol=0, atol=0.03)
    differences = read_recorded_pendulum(tmp_path / "swing.txt").rate[kept[:-1]] - torch.from_numpy(rate[kept[:-1]])
    assert (orbit.rate - torch.from_numpy(rate[kept])).square().mean() < 0.01 * differences.square().mean()


@pytest.mark.parametrize("rates", ["differences", "derived"])
def test_a_pendulum_that_turns_over_is_unwrapped(tmp_path, rates):
    """It turns 12 times in 400 rows; within a turn its rate of theta is omega, which stays between 1.5 and 2.5."""
    t = torch.arange(400, dtype=DOUBLE) / 10
    theta, omega = systems.get("pendulum").orbit([0.1, 2.5], t).z.unbind(-1)
    wrapped = torch.remainder(theta + np.pi, 2 * np.pi) - np.pi
    orbit = read_recorded_pendulum(write(tmp_path / "turns.txt", t.numpy(), torch.stack([wrapped, omega], -1).numpy()), rates)
    assert orbit.periods == {"theta": 2 * np.pi}
    kept = torch.isin(t, orbit.t)
    torch.testing.assert_close(orbit.z[:, 0], theta[kept], rtol=0, atol=1e-9)
    torch.testing.assert_close(orbit.rate[:, 0], omega[kept], rtol=0, atol=0.06)  # half a step late: |sin theta| h / 2


def test_turns_that_cannot_be_counted_are_refused(tmp_path):
    t = torch.arange(400, dtype=DOUBLE) / 10
    t = t[(t < 20) | (t > 30)]
    theta, omega = systems.get("pendulum").orbit([0.1, 2.5], t).z.unbind(-1)
    wrapped = torch.remainder(theta + np.pi, 2 * np.pi) - np.pi
    path = write(tmp_path / "turns.txt", t.numpy(), torch.stack([wrapped, omega], -1).numpy())
    with pytest.raises(InputError, match=r"t = 19\.9 to 30\.1"):
        read_recorded_pendulum(path)
    assert read_recorded_pendulum(path, "derived").rate[:, 0].max() < 2.6


def test_the_recording_has_555_rates_and_ten_gaps(data):
    orbit = read_recorded_pendulum(data / "schmidt_lipson_real_pend_h_1.txt")
    assert orbit.shape == (555,)
    assert int((orbit.t.diff() > 1.5 * STEP).sum()) == 10
    assert orbit.coordinates == ("theta", "omega")


def friction(orbit):
    """The part of the acceleration that goes with the velocity, beside that of the sine of the angle."""
    theta, omega = orbit.z.unbind(-1)
    design = torch.stack([theta.sin(), omega, torch.ones_like(theta)], dim=-1)
    return torch.linalg.lstsq(design, orbit.rate[:, 1:]).solution[:, 0].tolist()


def test_differences_of_the_recording_have_a_friction_that_the_pendulum_has_not(data):
    """Half a step late, an acceleration -w^2 sin(theta) has the additional -w^2 cos(theta) omega h / 2."""
    path = data / "schmidt_lipson_real_pend_h_1.txt"
    sine, late, _ = friction(read_recorded_pendulum(path))
    _, right, _ = friction(read_recorded_pendulum(path, rates="derived"))
    assert late - right == pytest.approx(sine * STEP / 2, rel=0.3)  # cos(theta) is less than one
    assert abs(right) < 0.02


def test_other_files_are_refused(tmp_path, swing):
    t, z, _ = swing
    with pytest.raises(FileNotFoundError):
        read_recorded_pendulum(tmp_path / "missing.txt")
    (tmp_path / "words.txt").write_text("%o v\n0 1 two 3\n")
    with pytest.raises(InputError, match="not a table of numbers"):
        read_recorded_pendulum(tmp_path / "words.txt")
    with pytest.raises(InputError, match="trial, t, theta, omega"):
        read_recorded_pendulum(write(tmp_path / "narrow.txt", t, z[:, :1]))
    with pytest.raises(InputError, match="strictly increase"):
        read_recorded_pendulum(write(tmp_path / "back.txt", t[::-1], z))
    with pytest.raises(InputError, match="single trial"):
        read_recorded_pendulum(write(tmp_path / "two.txt", t, z, trial=np.arange(len(t)) // 100))
    with pytest.raises(InputError, match="rates must be"):
        read_recorded_pendulum(write(tmp_path / "swing.txt", t, z), rates="file")
    with pytest.raises(InputError, match="window"):
        read_recorded_pendulum(write(tmp_path / "gaps.txt", np.cumsum([1.0, 1.0, 9.0] * 20), z[:60]), rates="derived")
