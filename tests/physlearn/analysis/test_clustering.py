"""Curves are alike where a network's weights can make one of the other, and only there."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from physlearn.analysis import agreement_within, aligned, cluster_curves, curve_distances
from systems import InputError

A = torch.linspace(-10, 10, 101, dtype=torch.float64)
SHAPES = torch.stack([A.sin(), A.tanh(), A.cos(), A.square(), (-A.square()).exp()])
signs = st.sampled_from([-1.0, 1.0])


@given(scale=st.floats(0.01, 100), sign=signs, mirror=signs, offset=st.floats(-5, 5))
def test_scale_offset_and_signs_of_both_axes_are_no_difference(scale, sign, mirror, offset):
    other = (mirror * A + 0.3).tanh() * scale * sign + offset
    distance = curve_distances(torch.stack([(A + 0.3).tanh(), other]), A)[0, 1]
    assert distance < 1e-9


def test_distances_are_one_less_the_weighted_correlation():
    """Against numpy's own weighted covariance."""
    weight = np.exp(-((A.numpy() / 3) ** 2) / 2)
    expected = np.empty((5, 5))
    for i, one in enumerate(SHAPES.numpy()):
        for j, other in enumerate(SHAPES.numpy()):
            both = []
            for turned in (other, other[::-1]):
                C = np.cov(one, turned, aweights=weight)
                both.append(abs(C[0, 1]) / np.sqrt(C[0, 0] * C[1, 1]))
            expected[i, j] = 1 - max(both)
    assert_close(curve_distances(SHAPES, A), torch.from_numpy(expected), rtol=0, atol=1e-12)


def test_a_constant_has_nothing_in_common_with_anything():
    distances = curve_distances(torch.stack([A.sin(), torch.full_like(A, 2.0), torch.full_like(A, 3.0)]), A)
    assert_close(distances, 1 - torch.eye(3, dtype=torch.float64))


def test_noisy_copies_of_three_shapes_are_three_clusters_the_largest_first():
    generator = torch.Generator().manual_seed(3)
    kinds = [1, 0, 0, 2, 0, 1, 0]
    curves = torch.stack([SHAPES[[0, 1, 3][kind]] * (-1.0) ** k for k, kind in enumerate(kinds)])
    curves = curves * (1 + 0.02 * torch.randn(curves.shape, generator=generator, dtype=torch.float64))
    distances = curve_distances(curves, A)
    assert cluster_curves(distances).tolist() == [1, 0, 0, 2, 0, 1, 0]
    assert agreement_within(distances, kinds) < 0.05 < 0.5 < agreement_within(distances, [0, 0, 0, 1, 1, 1, 1])


def test_aligned_curves_are_turned_onto_one_of_them():
    curves = torch.stack([(A + 1).tanh(), 2 - 3 * (-A + 1).tanh(), 5 * (A + 1).tanh()])
    turned = aligned(curves, A)
    assert_close(turned[1], turned[0])
    assert_close(turned[2], turned[0])
    assert_close(aligned(curves, A, to=1)[0], aligned(curves, A, to=1)[1])


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match="grid that is symmetric about zero"):
        curve_distances(SHAPES, A + 1)
    with pytest.raises(InputError, match="as many points"):
        curve_distances(SHAPES, A[:50])
    with pytest.raises(InputError, match="at least two"):
        cluster_curves(torch.zeros(1, 1))
