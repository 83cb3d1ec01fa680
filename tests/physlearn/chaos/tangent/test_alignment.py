"""Alignment indices and what they tell apart."""

import pandas as pd
import pytest
import torch
from torch.testing import assert_close

from physlearn import Forecaster
from physlearn.chaos import chaotic_fraction, gali, is_chaotic, lyapunov_exponents, poincare_section, sali
from systems import InputError

LEAVING = torch.tensor([0.1, 1.2, 0.0, 0.5], dtype=torch.float64)


def test_the_index_tells_a_regular_orbit_from_a_chaotic_one(henon_heiles, at_one_eighth):
    regular, chaotic = sali(henon_heiles, at_one_eighth(0.55, -0.2), 400, dt=0.2).tolist()
    assert regular > 0.1
    assert chaotic < 1e-8


def test_gali_of_two_deviations_is_half_of_the_sum_times_the_difference(henon_heiles, known):
    """|u ^ v| = |u + v| |u - v| / 2 for unit vectors."""
    small = sali(henon_heiles, known, 20, dt=0.1)
    large = (4 - small**2).sqrt()
    assert_close(gali(henon_heiles, known, 20, 2, dt=0.1), small * large / 2)


def test_the_volume_of_more_deviations_falls_faster(henon_heiles, known):
    two, three, four = (gali(henon_heiles, known, 100, k, dt=0.2) for k in (2, 3, 4))
    assert (two > three).all()
    assert (three > four).all()
    assert two[0] > 0.1  # regular, two degrees of freedom


def test_a_batch_gives_what_its_orbits_give_one_by_one(henon_heiles, known):
    together = sali(henon_heiles, known.reshape(1, 2, 4), 10)
    assert together.shape == (1, 2)
    for z0, value in zip(known, together[0], strict=True):
        assert_close(sali(henon_heiles, z0, 10), value, atol=1e-10, rtol=0)


def test_an_orbit_that_escapes_is_marked(henon_heiles, known):
    z0 = torch.stack([LEAVING, known[0]])
    assert sali(henon_heiles, z0, 20, dt=0.1).isnan().tolist() == [True, False]
    assert gali(henon_heiles, z0, 20, 3, dt=0.1).isnan().tolist() == [True, False]
    assert is_chaotic(henon_heiles, z0, 20, dt=0.1).tolist() == [False, False]


def test_an_orbit_is_followed_only_until_its_class_is_known(henon_heiles, known):
    assert is_chaotic(henon_heiles, known[1:], time=1e7, threshold=0.1, dt=0.2).tolist() == [True]  # else: for days


@pytest.mark.slow
def test_the_classes_at_the_default_threshold_are_those_of_the_reference(henon_heiles, known):
    assert is_chaotic(henon_heiles, known, dt=0.1).tolist() == [False, True]


@pytest.mark.slow
def test_the_chaotic_fractions_are_those_of_the_reference(henon_heiles):
    """Within 5 points; theirs are known to 2, ours to 0.8. Below, nearly all orbits are regular, above, nearly none is."""
    reference = {0.10: 0.11, 0.11: 0.30, 0.125: 0.57, 0.14: 0.79, 0.15: 0.87}
    found = [chaotic_fraction(henon_heiles, list(reference), n=2000, seed=seed)["fraction"] for seed in (0, 1)]
    assert (sum(found) / 2 - pd.Series(reference.values())).abs().max() < 0.05
    ends = chaotic_fraction(henon_heiles, [1 / 12, 0.1665], n=200, time=1000)["fraction"]
    assert ends[0] < 0.03
    assert ends[1] > 0.93


def test_a_fraction_has_the_error_of_its_count(henon_heiles):
    table = chaotic_fraction(henon_heiles, [0.1, 0.16], n=10, time=40, dt=0.2, threshold=0.2)
    assert list(table.columns) == ["energy", "fraction", "error", "chaotic", "undecided", "escaped", "n"]
    assert (table.chaotic <= table.n).all()
    known = table.n - table.undecided - table.escaped
    assert (known > 0).all()
    assert_close(torch.tensor(table.fraction), torch.tensor(table.chaotic / known))
    assert_close(torch.tensor(table.error**2), torch.tensor(table.fraction * (1 - table.fraction) / known))


def test_a_forecaster_is_a_flow_like_any_other(henon_heiles):
    orbit = henon_heiles.orbit(henon_heiles.sample(4, energy=0.1), torch.linspace(0, 5, 51))
    forecaster = Forecaster("hnn", hidden=(8,), seed=0)
    forecaster.fit(orbit, epochs=1, progress=False)
    z0 = henon_heiles.sample(3, seed=1, energy=0.1)
    index = sali(forecaster, z0, 5, dt=0.1)
    assert index.shape == (3,)
    assert ((index > 0) & (index < 1.42)).all()


def test_no_orbits_are_no_work(henon_heiles):
    none = torch.zeros(0, 4, dtype=torch.float64)
    assert sali(henon_heiles, none, 1).shape == (0,)
    assert gali(henon_heiles, none, 1, 3).shape == (0,)
    assert is_chaotic(henon_heiles, none, 1).shape == (0,)
    assert lyapunov_exponents(henon_heiles, none, 10, k=2).shape == (0, 2)
    assert len(poincare_section(henon_heiles, none, 1)) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s, z: sali(s, z, 0), "time must be a positive number"),
        (lambda s, z: gali(s, z, 1, 1), "k must be at least 2"),
        (lambda s, z: gali(s, z, 1, 5), "k must be from 1 to 4"),
        (lambda s, z: is_chaotic(s, z, threshold=0), "threshold must lie between 0 and 1"),
        (lambda s, z: chaotic_fraction(s, []), "at least one energy"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(henon_heiles, known, call, message):
    with pytest.raises(InputError, match=message):
        call(henon_heiles, known)
