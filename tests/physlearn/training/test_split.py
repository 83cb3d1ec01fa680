from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from physlearn.training import join, longest_stretch, split_orbits, split_time
from systems import InputError, Orbit


def numbered(n, times):
    """Orbits whose states tell which orbit and which time they are."""
    z = torch.stack(torch.meshgrid(torch.arange(float(n)), torch.arange(float(times)), indexing="ij"), -1)
    return Orbit(torch.arange(float(times)), z)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(5, 60), share=st.floats(0.2, 0.8), seed=st.integers(0, 5))
def test_no_orbit_is_in_two_parts_and_none_is_cut(n, share, seed):
    parts = split_orbits(numbered(n, 4), [share, 1 - share], seed)
    members = [set(part.z[..., 0].flatten().tolist()) for part in parts]
    assert not members[0] & members[1]
    assert members[0] | members[1] == set(range(n))
    assert all(part.shape[1] == 4 for part in parts)


def test_the_split_is_a_function_of_the_seed():
    orbits = numbered(20, 2)
    assert torch.equal(split_orbits(orbits, [0.5], 1)[0].z, split_orbits(orbits, [0.5], 1)[0].z)
    assert not torch.equal(split_orbits(orbits, [0.5], 1)[0].z, split_orbits(orbits, [0.5], 2)[0].z)


@settings(max_examples=30, deadline=None)
@given(times=st.integers(60, 300), gap=st.integers(0, 10))
def test_blocks_of_time_keep_the_gap(times, gap):
    blocks = split_time(numbered(1, times)[0], [0.6, 0.2, 0.2], gap)
    for before, after in pairwise(blocks):
        assert float(after.t[0] - before.t[-1]) == gap + 1
    assert float(blocks[-1].t[-1]) == times - 1


@pytest.mark.parametrize("fractions", [[], [0.5, 0.6], [0.5, -0.1], [0.0]])
def test_fractions_have_to_be_positive_and_sum_to_one_at_most(fractions):
    with pytest.raises(InputError, match="fractions"):
        split_orbits(numbered(10, 3), fractions)


def test_too_few_orbits_are_refused():
    with pytest.raises(InputError, match="too few"):
        split_orbits(numbered(2, 3), [0.9, 0.05])


def test_a_gap_longer_than_a_block_is_refused():
    with pytest.raises(InputError, match="too few"):
        split_time(numbered(1, 20)[0], [0.8, 0.1], gap=5)


def test_a_single_orbit_is_split_by_time_not_by_orbit():
    with pytest.raises(InputError, match="batch of orbits"):
        split_orbits(numbered(1, 20)[0], [0.5])


def test_stretches_are_joined_in_the_order_of_time_and_the_longest_is_found_again():
    early, late = numbered(1, 5)[0], numbered(1, 9)[0]
    late = Orbit(late.t + 20, late.z + 20)
    joined = join([late, early])
    assert torch.equal(joined.t, torch.cat([early.t, late.t]))
    assert torch.equal(joined.z, torch.cat([early.z, late.z]))
    assert joined.rate is None
    found = longest_stretch(joined)
    assert torch.equal(found.t, late.t)
    assert torch.equal(longest_stretch(late).z, late.z)


def test_stretches_that_overlap_or_are_none_do_not_join():
    one = numbered(1, 5)[0]
    with pytest.raises(InputError, match="overlap"):
        join([one, one])
    with pytest.raises(InputError, match="no orbit"):
        join([])
