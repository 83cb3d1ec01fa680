"""Pictures of the analysis: what is drawn are the paths, the densities, the spectra."""

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from physlearn.analysis import SpectralDensity
from physlearn.plotting import joint_density, noisy_descent, spectrum_plot
from physlearn.plotting.joint_density import SHARES
from physlearn.plotting.variant_colors import variant_colors
from systems import InputError, Orbit


def bowl(theta):
    return 0.5 + theta.square().sum(-1)


@pytest.fixture
def paths():
    """Three paths from one start."""
    t = torch.linspace(0, 5, 41, dtype=torch.float64)
    steps = 0.1 * torch.randn(3, 41, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    steps[:, 0] = torch.tensor([1.0, -0.5])
    return Orbit(t, steps.cumsum(1))


def test_every_path_is_drawn_from_violet_to_orange_over_the_potential(paths):
    ax = noisy_descent(bowl, paths, minima=torch.zeros(1, 2))
    lines = [artist for artist in ax.collections if isinstance(artist, LineCollection)]
    assert len(lines) == 3
    for line, path in zip(lines, paths.z, strict=True):
        assert_allclose([segment[0] for segment in line.get_segments()], path[:-1])
        assert line.get_clim() == (0, 5)
    ring, cross = ax.collections[-1].get_offsets(), ax.collections[-2].get_offsets()
    assert_allclose(ring, [[1.0, -0.5]] * 3)
    assert_allclose(cross, [[0.0, 0.0]])
    low, high = paths.z.flatten(0, 1).aminmax(dim=0)
    assert ax.get_xlim()[0] < low[0] < high[0] < ax.get_xlim()[1]
    assert ax.get_ylim()[0] < low[1] < high[1] < ax.get_ylim()[1]
    assert {bar.get_ylabel() for bar in ax.figure.axes[1:]} == {"potential $V$", "time $t$"}
    ax.figure.canvas.draw()


def test_a_window_and_a_path_that_leaves_it_are_drawn_as_asked(paths):
    z = paths.z.clone()
    z[0, 20:] = torch.nan
    ax = noisy_descent(lambda theta: 1e-3 + 100 * theta.square().sum(-1), Orbit(paths.t, z), window=(2, 3), label="loss")
    assert (*ax.get_xlim(), *ax.get_ylim()) == (-2, 2, -3, 3)
    assert "loss" in {bar.get_ylabel() for bar in ax.figure.axes}
    ax.figure.canvas.draw()


def test_a_single_path_can_go_into_axes_that_are_given(paths):
    given = plt.subplots()[1]
    assert noisy_descent(bowl, Orbit(paths.t, paths.z[0]), ax=given) is given


def test_paths_in_space_are_refused(paths):
    with pytest.raises(InputError, match="3 coordinates"):
        noisy_descent(bowl, Orbit(paths.t, torch.zeros(41, 3)))


def table(n=400):
    rng = np.random.default_rng(0)
    frames = []
    for variant, mean in {"mix": (0.7, 0.3), "tanh": (0.6, 0.1), "ReLU": (0.5, 0.2)}.items():
        x, y = rng.multivariate_normal(mean, [[4e-4, 1e-4], [1e-4, 2e-4]], n).T
        frames.append(pd.DataFrame({"variant": variant, "accuracy": x, "participation": y, "diverged": False}))
    return pd.concat(frames, ignore_index=True)


def areas(ax):
    """The outer and the inner contour of each variant, as lines."""
    return [artist for artist in ax.collections if artist.get_edgecolor().size and not artist.get_facecolor().size]


def test_the_areas_hold_half_and_nine_tenths_of_the_replicates():
    data = table()
    ax = joint_density(data, labels=("accuracy $A$", "ratio $r$"))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("accuracy $A$", "ratio $r$")
    lines = areas(ax)
    assert len(lines) == 3
    for contour, (variant, color) in zip(lines, variant_colors(data["variant"]).items(), strict=True):
        assert to_hex(contour.get_edgecolor()[0]) == color.lower()
        points = data.loc[data.variant == variant, ["accuracy", "participation"]].to_numpy()
        for path, share in zip(contour.get_paths(), SHARES, strict=True):
            assert path.contains_points(points).mean() == pytest.approx(share, abs=0.06)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["mix", "tanh", "ReLU"]
    ax.figure.canvas.draw()


def test_the_contours_are_ellipses_of_the_density_that_was_drawn_from():
    data = table(1200)
    contour = areas(joint_density(data))[0].get_paths()[1]
    levels = multivariate_normal((0.7, 0.3), [[4e-4, 1e-4], [1e-4, 2e-4]]).pdf(contour.vertices)
    assert levels.std() < 0.15 * levels.mean()


def test_what_diverged_or_is_no_number_is_left_out():
    data = table(30)
    wild = pd.concat([data, data.assign(accuracy=np.nan), data.assign(accuracy=50.0, diverged=True)])
    expected, found = joint_density(data), joint_density(wild)
    assert found.get_xlim() == expected.get_xlim()
    assert joint_density(data.drop(columns="diverged")).get_xlim() == expected.get_xlim()


def test_replicates_without_a_density_are_refused():
    data = table(10)
    for change, said in (
        (data.drop(columns="participation"), "no column 'participation'"),
        (data[:3], "mix has 3 replicates"),
        (data.assign(accuracy=0.5), "do not vary independently"),
        (data.assign(accuracy=2 * data.participation), "do not vary independently"),
    ):
        with pytest.raises(InputError, match=said):
            joint_density(change)


def test_spectra_are_lines_in_the_variants_colours_with_their_errors():
    theta = torch.randn(5, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    estimated = SpectralDensity(list(theta), [torch.full((40,), 1 / 40, dtype=torch.float64)] * 5, width=0.3)
    exact = SpectralDensity.of(theta[0], width=0.3)
    ax = spectrum_plot({"mix": estimated, "sine": exact})
    assert ax.get_yscale() == "log"
    _, mix, sine = ax.lines
    for line, density, name in ((mix, estimated, "mix"), (sine, exact, "sine")):
        y = line.get_ydata()
        seen = ~np.isnan(y)
        assert seen.mean() > 0.7
        assert_allclose(y[seen], density.values[seen])
        assert line.get_color() == variant_colors([name])[name]
    (band,) = ax.collections  # all eigenvalues leave no error
    middle = (estimated.x.abs()).argmin()
    heights = band.get_paths()[0].vertices
    at = heights[np.isclose(heights[:, 0], estimated.x[middle]), 1]
    assert_allclose([at.min(), at.max()], [float(estimated.values[middle] + s * estimated.error[middle]) for s in (-1, 1)])
    ax.figure.canvas.draw()
