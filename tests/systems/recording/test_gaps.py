"""Gaps in a recording: short ones are bridged, and no rate is made up."""

import numpy as np
import pytest
import torch

from systems import Orbit

FPS, FREQUENCY, AMPLITUDE = 30.0, 3.1, 0.1
T = np.arange(900) / FPS
SWING = AMPLITUDE * np.cos(FREQUENCY * T)
VELOCITY = -FREQUENCY * AMPLITUDE * np.sin(FREQUENCY * T)


@pytest.mark.parametrize("seed", range(3))
def test_dropped_frames_are_bridged(write, seed):
    keep = np.random.default_rng(seed).random(900) > 0.02
    whole = Orbit.from_csv(write("t,theta", T, SWING))[0]
    orbits = Orbit.from_csv(write("t,theta", T[keep], SWING[keep]))
    told = orbits[0].provenance
    window = told["filter"]["window"]
    assert told["bridged"]["missing_rows"] == np.flatnonzero(keep)[-1] - np.flatnonzero(keep)[0] + 1 - keep.sum()
    assert told["rows"] == {"file": keep.sum(), "measured": keep.sum(), "used": sum(len(o) for o in orbits)}
    assert told["rows"]["used"] >= keep.sum() - window - 10
    for orbit in orbits:
        at = np.rint(orbit.t.numpy() * FPS).astype(int)
        # as without holes: a quintic over half a period
        np.testing.assert_allclose(orbit.z[:, 1], VELOCITY[at], rtol=0, atol=6e-3 * FREQUENCY * AMPLITUDE)
        inner = (at >= window // 2) & (at < 900 - window // 2)
        assert torch.equal(orbit.t[inner], whole.t[at[inner] - window // 2])


@pytest.mark.parametrize(("missing", "lost"), [(6, 0), (7, 30)])
def test_gaps_are_bridged_up_to_a_quarter_of_the_window(write, missing, lost):
    keep = (np.arange(900) < 400) | (np.arange(900) >= 400 + missing)
    orbits = Orbit.from_csv(write("t,theta", T[keep], SWING[keep]), window=31, order=2)
    assert sum(len(orbit) for orbit in orbits) == keep.sum() - 30 - lost


def test_times_to_the_millisecond_have_their_holes_counted(write):
    keep = np.random.default_rng(0).random(900) > 0.03
    orbits = Orbit.from_csv(write("t,theta", np.round(T, 3)[keep], SWING[keep]))
    assert orbits[0].provenance["bridged"]["missing_rows"] == 900 - keep.sum()
    at = np.rint(torch.cat([orbit.t for orbit in orbits]).numpy() * FPS).astype(int)
    found = torch.cat([orbit.z[:, 1] for orbit in orbits])  # half a millisecond of the largest acceleration
    np.testing.assert_allclose(
        found, VELOCITY[at], rtol=0, atol=6e-3 * AMPLITUDE * FREQUENCY + 5e-4 * AMPLITUDE * FREQUENCY**2
    )


def test_stretches_shorter_than_the_filter_are_left_out_with_a_warning(write):
    keep = (T < 12) | ((T > 15) & (T < 15.7)) | (T > 20)
    path = write("t,theta", T[keep], SWING[keep])
    with pytest.warns(UserWarning, match=r"20 of 679 rows are left out, because their intervals \(1 in total\) are shorter"):
        orbits = Orbit.from_csv(path)
    assert len(orbits) == 2
    assert orbits[0].provenance["too_short"] == {"stretches": 1, "rows": 20}


def test_where_too_much_is_missing_no_rate_is_made_up(write):
    """Every second frame of half a second: the noise would grow threefold."""
    lost = (T > 10) & (T < 10.6) & (np.arange(900) % 3 > 0)
    orbits = Orbit.from_csv(write("t,theta", T[~lost], SWING[~lost]))
    for orbit in orbits:
        at = np.rint(orbit.t.numpy() * FPS).astype(int)
        np.testing.assert_allclose(orbit.rate[:, 1], -(FREQUENCY**2) * SWING[at], rtol=0, atol=0.03 * FREQUENCY**2 * AMPLITUDE)


def test_nothing_that_is_measured_is_lost_beside_a_gap_where_the_file_has_rates(write):
    keep = np.random.default_rng(0).random(900) > 0.3
    orbits = Orbit.from_csv(write("t,theta,omega,alpha", T[keep], SWING[keep], VELOCITY[keep], SWING[keep]))
    assert sum(len(orbit) for orbit in orbits) == keep.sum()
