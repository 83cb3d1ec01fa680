"""Distances between clouds of points on a section."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from physlearn.chaos import hellinger, nearest
from systems import InputError


def gaussian(n, mean=0.0, width=1.0, seed=0, d=2):
    drawn = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return mean + width * drawn


def circle(n, radius=1.0, turned=0.0):
    angle = 2 * math.pi * torch.arange(n, dtype=torch.float64) / n + turned
    return radius * torch.stack([angle.cos(), angle.sin()], dim=-1)


@pytest.mark.parametrize(("mean", "width"), [(1.0, 1.0), (0.0, 2.0), (0.5, 0.7)])
def test_two_normal_densities_are_as_far_apart_as_the_formula_says(mean, width):
    """In each of two dimensions 1 - d^2 gets the factor sqrt(2 s/(1 + s^2)) exp(-m^2/(4 (1 + s^2)))."""
    overlap = math.sqrt(2 * width / (1 + width**2)) * math.exp(-(mean**2) / (4 * (1 + width**2)))
    a, b = gaussian(50_000, mean, width, seed=1), gaussian(50_000, seed=2)
    assert hellinger(a, b) == pytest.approx(math.sqrt(1 - overlap**2), abs=0.02)


def test_two_samples_of_one_density_are_apart_by_what_counting_leaves():
    """d^2 = (K - 1)/4n on the average over K full cells."""
    n, bins = 10_000, 10
    squares = torch.rand(2, 20, n, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mean = sum(hellinger(a, b, bins) ** 2 for a, b in zip(*squares, strict=True)) / 20
    assert mean == pytest.approx((bins**2 - 1) / (4 * n), rel=0.1)


def test_more_points_leave_less_between_two_samples_of_one_density():
    few, many = (hellinger(gaussian(n, seed=1), gaussian(n, seed=2)) for n in (100, 10_000))
    assert many < few / 2


@pytest.mark.parametrize("d", [1, 2, 5])
def test_clouds_without_a_common_cell_are_at_distance_one(d):
    a = torch.rand(300, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert hellinger(a, a + 1.001) == pytest.approx(1)
    assert hellinger(a, a) == 0


def test_a_point_far_out_does_not_hide_where_the_others_are():
    a, b = torch.rand(2, 1000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    a[:, 0] /= 4
    a[0] = 1e6
    assert hellinger(a, b) > 0.6  # 1 - d^2 = 1/2


@given(turned=st.floats(0, 6.3), n=st.integers(100, 400))
def test_circles_of_two_radii_are_apart_by_the_difference(turned, n):
    distance = nearest(circle(n, 1.1, turned), circle(n))
    farthest = math.sqrt(0.1**2 + 4 * 1.1 * math.sin(math.pi / n / 2) ** 2)  # halfway between two points
    assert 0.1 - 1e-12 < distance < farthest + 1e-12


def test_two_samples_of_one_circle_are_apart_by_their_spacing():
    n = 200
    halfway = nearest(circle(n, turned=math.pi / n), circle(n))
    assert halfway == pytest.approx(2 * math.sin(math.pi / n / 2))


def test_the_size_of_a_cloud_is_its_unit():
    a, b = 5 * circle(200, 1.1), 5 * circle(200)
    assert nearest(a, b) == pytest.approx(nearest(a / 5, b / 5))
    assert nearest(a, b, size=1.0) == pytest.approx(0.5, abs=0.02)
    stretched = torch.tensor([3.0, 7.0], dtype=torch.float64)
    assert nearest(a * stretched, b * stretched, size=stretched) == pytest.approx(nearest(a, b, size=1.0))


def test_a_few_points_tell_nothing():
    for measure in (hellinger, nearest):
        assert math.isnan(measure(circle(9), circle(200)))
        assert math.isnan(measure(circle(200), circle(0)))
        assert not math.isnan(measure(circle(10), circle(10)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hellinger(circle(20), torch.zeros(20, 3)), "clouds must have the shapes"),
        (lambda: nearest(circle(20)[0], circle(20)), "clouds must have the shapes"),
        (lambda: hellinger(circle(20) / 0, circle(20)), "finite numbers"),
        (lambda: hellinger(circle(20), circle(20), bins=0), "bins must be at least 1"),
        (lambda: nearest(circle(20), torch.ones(20, 2)), "size of a cloud must be positive"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(call, message):
    with pytest.raises(InputError, match=message):
        call()


def wrapped(cloud, period):
    turned = cloud.clone()
    turned[:, 0] = (cloud[:, 0] + period / 2).remainder(period) - period / 2
    return turned


@pytest.mark.parametrize("period", [2 * torch.pi, 360.0])
@pytest.mark.parametrize("middle", [0.0, 0.5, 17.3])
def test_clouds_of_angles_are_compared_modulo_their_periods(period, middle):
    normal = torch.randn(2, 2000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    a, b = 0.08 * normal * torch.tensor([period, 1.0])
    shift = torch.tensor([middle * period, 0.0], dtype=torch.float64)
    for distance in (hellinger, nearest):
        plain = distance(a, b)
        assert distance(wrapped(a + shift, period), b + shift, periods=[period, None]) == pytest.approx(plain, rel=1e-6)
        assert distance(a + 3 * shift, wrapped(b + 3 * shift, period), periods=[period, None]) == pytest.approx(
            plain, rel=1e-6
        )
        half = a + torch.tensor([period / 2, 0.0], dtype=torch.float64)
        assert distance(half, b, periods=[period, None]) > 3 * plain


def test_nearest_angles_are_found_across_the_cut():
    b = torch.stack([torch.linspace(3.0, 3.1, 50), torch.zeros(50)], dim=-1)
    a = b - torch.tensor([2 * torch.pi, 0.0])
    assert nearest(a, b, size=1.0, periods=[2 * torch.pi, None]) < 1e-5
    assert nearest(a, b, size=1.0) > 6


@pytest.mark.parametrize("distance", [hellinger, nearest])
@pytest.mark.parametrize(("periods", "message"), [([1.0], "1 periods are given for 2 axes"), ([0.0, None], "positive")])
def test_periods_that_are_none_are_refused(distance, periods, message):
    cloud = torch.rand(20, 2)
    with pytest.raises(InputError, match=message):
        distance(cloud, cloud, periods=periods)
