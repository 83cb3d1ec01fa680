"""What colour-blind readers and grey printers see: time runs one way, and no two variants look the same."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from physlearn.plotting.basins import NONE, basin_plot
from physlearn.plotting.box_plot import box_plot
from physlearn.plotting.color_map import ORDERED
from physlearn.plotting.grouped_boxes import grouped_boxes
from physlearn.plotting.joint_density import joint_density
from physlearn.plotting.learning_curves import learning_curves
from physlearn.plotting.marks import AREAS, COLORS, LINES
from physlearn.plotting.variant_colors import variant_colors

# Linear sRGB as seen with deuteranopia: Machado, Oliveira and Fernandes, IEEE Trans. Vis. Comput. Graph. 15, 1291 (2009),
# the matrix of severity 1 for deutan vision.
DEUTERANOPIA = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])
NORMAL = np.eye(3)
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
WHITE = XYZ.sum(1)  # D65
VARIANTS = ["sine", "type 1", "type 2", "mix", "type 3", "type 4", "tanh", "relu", "gelu", "one type", "square", "exp"]
STEPS = np.arange(1, 21)
CURVES = pd.concat(
    [pd.DataFrame({"variant": v, "step": STEPS, "median": i, "low": i, "high": i}) for i, v in enumerate(VARIANTS, start=1)]
)
LOSSES = CURVES[["variant"]].assign(diverged=False, loss=np.random.default_rng(0).lognormal(size=len(CURVES)))
NOTICED = 2.3  # CIELAB distance of two colours whose difference is just noticeable
SEEN = 12  # and of two that are told apart at a glance


def linear(rgb):
    rgb = np.asarray(rgb)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb, vision=NORMAL):
    """CIELAB coordinates of sRGB colours, as a reader with the given vision sees them."""
    xyz = np.clip(linear(rgb) @ vision.T, 0, 1) @ XYZ.T / WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def grey(rgb):
    return lab(rgb)[..., :1]


def deutan(rgb):
    return lab(rgb, DEUTERANOPIA)


def test_the_simulation_keeps_greys_and_confuses_red_with_green():
    assert deutan([0.5, 0.5, 0.5]) == pytest.approx(lab([0.5, 0.5, 0.5]), abs=0.02)
    red, green = to_rgb("#C8302C"), to_rgb("#5F7A12")
    normal, seen = (np.linalg.norm(view(red) - view(green)) for view in (lab, deutan))
    assert seen < normal / 3


@pytest.mark.parametrize("view", [lab, deutan])
def test_the_lightness_alone_tells_the_time_in_steps_of_similar_size(view):
    steps = np.diff(view(ORDERED(np.linspace(0, 1, 17))[:, :3])[:, 0])
    assert 0 < steps.max() < 2 * steps.min()


def test_the_rainbow_does_not():
    rainbow = lab(colormaps["rainbow"](np.linspace(0, 1, 33))[:, :3])
    assert (np.diff(rainbow[:, 0]) < 0).any()


def test_the_latest_time_is_legible_on_white():
    light = linear(ORDERED(1.0)[:3]) @ XYZ[1]
    assert 1.05 / (light + 0.05) > 1.8  # contrast as in the WCAG; matplotlib's plasma ends at 1.2


def look(artist_styles):
    """Pairs of variants that share every mark."""
    return [pair for pair in combinations(artist_styles, 2) if artist_styles[pair[0]] == artist_styles[pair[1]]]


def test_no_two_learning_curves_look_alike_without_their_colours():
    ax = learning_curves(CURVES)
    assert look({line.get_label(): (repr(line._unscaled_dash_pattern), line.get_marker()) for line in ax.lines}) == []


def test_no_two_boxes_look_alike_without_their_colours():
    ax = box_plot(LOSSES, "loss")
    assert look({name: patch.get_hatch() for name, patch in zip(VARIANTS, ax.patches, strict=True)}) == []
    legend = grouped_boxes(LOSSES.assign(group=1), "loss", "group").get_legend()
    assert look({patch.get_label(): patch.get_hatch() for patch in legend.get_patches()}) == []


def test_no_two_clouds_look_alike_without_their_colours():
    rng = np.random.default_rng(0)
    clouds = [pd.DataFrame({"variant": v, "a": rng.normal(size=9), "b": rng.normal(size=9)}) for v in VARIANTS[:6]]
    legend = joint_density(pd.concat(clouds), "a", "b").get_legend()
    assert look({line.get_label(): line.get_marker() for line in legend.get_lines()}) == []


def test_the_papers_colours_alone_would_not_do():
    base, mix = (to_rgb(variant_colors(["sine", "mix"])[name]) for name in ("sine", "mix"))
    assert np.abs(grey(base) - grey(mix)) < SEEN


def test_basins_and_those_that_are_none_differ_under_deuteranopia_and_the_first_six_in_grey_as_well():
    ax = basin_plot(np.arange(len(AREAS) + 2), np.arange(2), np.tile(np.arange(-2, len(AREAS))[:, None], 2), ("x", "y"))
    drawn = ax.collections[0].to_rgba(np.arange(-2, len(AREAS)))[:, :3]
    assert drawn[2:] == pytest.approx(np.array([to_rgb(color) for color in AREAS]))
    for i, j in combinations(range(len(drawn)), 2):
        assert np.linalg.norm(deutan(drawn[i]) - deutan(drawn[j])) > SEEN
        if j < len(NONE) + 6:
            assert np.abs(grey(drawn[i]) - grey(drawn[j])) > 4 * NOTICED


def test_matplotlibs_first_colours_would_not_do_in_grey():
    first, second = (grey(to_rgb(color)) for color in ("tab:blue", "tab:red"))
    assert np.abs(first - second) < 2 * NOTICED


def test_forecasts_differ_in_colour_under_deuteranopia_or_in_line_style():
    for i, j in combinations(range(len(COLORS)), 2):
        apart = np.linalg.norm(deutan(to_rgb(COLORS[i])) - deutan(to_rgb(COLORS[j])))
        assert apart > SEEN or LINES[i] != LINES[j]
    assert len({repr(line) for line in LINES}) == len(LINES) == len(COLORS)  # in grey
