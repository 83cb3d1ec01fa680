"""Pictures of a comparison: what is drawn is the table."""

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection
from matplotlib.colors import rgb_to_hsv, to_hex, to_rgb
from numpy.testing import assert_allclose

from physlearn.plotting.activation_curves import activation_curves
from physlearn.plotting.box_plot import box_plot
from physlearn.plotting.learning_curves import learning_curves
from physlearn.plotting.variant_colors import variant_colors
from systems import InputError

PAPER = ["sine", "type 1", "type 2", "mix"]
X = torch.linspace(-3, 3, 61)


def losses(variants, replicates=50):
    rng = np.random.default_rng(0)
    frames = [pd.DataFrame({"variant": v, "diverged": False, "loss": rng.lognormal(size=replicates)}) for v in variants]
    return pd.concat(frames, ignore_index=True)


def curves(variants, time="epoch"):
    t = np.arange(1, 21)
    frames = [
        pd.DataFrame({"variant": v, time: t, "median": i / t, "low": 0.5 * i / t, "high": 2 * i / t, "seconds": 0.1 * i * t})
        for i, v in enumerate(variants, start=1)
    ]
    return pd.concat(frames, ignore_index=True)


def boxes(ax):
    """Lower and upper edge, and colour, of each box."""
    edges = [patch.get_path().vertices[:, 1] for patch in ax.patches]
    return [(y.min(), y.max(), to_hex(patch.get_facecolor())) for y, patch in zip(edges, ax.patches, strict=True)]


def names(ax):
    return [label.get_text() for label in ax.get_xticklabels()]


def test_the_papers_variants_have_the_papers_colours():
    colors = variant_colors([*PAPER, "base"])
    for name, degrees in {"sine": 210, "type 1": 48, "type 2": 26, "mix": 0}.items():  # blue, yellow, orange, red
        hue = 360 * rgb_to_hsv(to_rgb(colors[name]))[0]
        assert abs((hue - degrees + 180) % 360 - 180) < 8
    assert colors["base"] == colors["sine"]


def test_ten_variants_have_ten_colours_that_do_not_depend_on_the_types():
    names = [*PAPER, "type 3", "type 4", "tanh", "ReLU", "GELU", "one type"]
    colors = variant_colors(names)
    assert len(set(colors.values())) == 10
    assert variant_colors(["mix", "tanh", "ReLU"])["ReLU"] == colors["ReLU"]


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_a_box_lies_between_the_quartiles_in_the_variants_colour(scale):
    table = losses(PAPER, replicates=41)  # the quartiles are replicates: the same on both scales
    ax = box_plot(table, "loss", scale=scale)
    assert ax.get_yscale() == scale
    assert ax.get_ylabel() == "loss"
    assert names(ax) == PAPER
    colors = variant_colors(PAPER)
    for (low, high, color), variant in zip(boxes(ax), PAPER, strict=True):
        x = table.loc[table.variant == variant, "loss"]
        assert_allclose([low, high], x.quantile([0.25, 0.75]))
        assert color == colors[variant].lower()
    ax.figure.canvas.draw()


def test_every_replicate_lies_between_the_whiskers_or_is_drawn():
    table = losses(["mix"])
    for scale in ("log", "linear"):
        ax = box_plot(table, "loss", scale=scale)
        low, high = ax.lines[0].get_ydata()[-1], ax.lines[1].get_ydata()[-1]
        outside = table.loss[(table.loss < low) | (table.loss > high)]
        assert_allclose(sorted(ax.lines[-1].get_ydata()), sorted(outside))
        assert ax.get_ylim()[0] < table.loss.min() < table.loss.max() < ax.get_ylim()[1]
    assert len(outside) > 0  # of a lognormal, on the linear scale


def test_what_diverged_is_counted_under_the_name_and_not_in_the_box():
    table = losses(["sine", "mix", "tanh"], replicates=21)
    wild = table.copy()
    wild.loc[wild.index[wild.variant == "mix"][:2], ["loss", "diverged"]] = [np.nan, True]
    wild.loc[wild.index[wild.variant == "mix"][2:4], "loss"] = np.inf
    wild.loc[wild.variant == "tanh", "diverged"] = True
    ax = box_plot(wild, "loss", ax=plt.subplots()[1], label="loss $L$")
    assert names(ax) == ["sine", "mix\n4 diverged", "tanh\n21 diverged"]
    crowd = losses(["sine", *"abcdef"])
    crowd.loc[crowd.variant == "a", "diverged"] = True
    assert names(box_plot(crowd, "loss"))[1] == f"a, {(crowd.variant == 'a').sum()} diverged"
    assert ax.get_ylabel() == "loss $L$"
    x = table.loc[table.variant == "mix", "loss"][4:]
    assert_allclose(np.log(boxes(ax)[1][:2]), np.log(x).quantile([0.25, 0.75]))
    ax.figure.canvas.draw()


def test_the_names_of_ten_variants_do_not_run_into_each_other():
    table = losses([*PAPER, "type 3", "tanh", "ReLU", "softplus", "one type", "x squared"])
    table.loc[::60, "diverged"] = True
    ax = box_plot(table, "loss")
    ax.figure.canvas.draw()
    labels = [label for label in ax.get_xticklabels() if label.get_text()]
    assert len(labels) == 10
    feet = [label.get_window_extent().x1 for label in labels]  # they end at their box, tilted
    assert min(np.diff(feet)) > 30
    assert all(label.get_window_extent().y0 >= 0 for label in labels)


def test_a_measure_that_cannot_be_drawn_is_refused():
    table = losses(PAPER)
    for change, arguments, said in (
        (table, {"measure": "valid_time"}, "no column 'valid_time'"),
        (table.drop(columns="variant"), {"measure": "loss"}, "no column 'variant'"),
        (table.assign(loss=0.0), {"measure": "loss"}, "not positive"),
        (table, {"measure": "loss", "scale": "cubic"}, "'log' or 'linear'"),
    ):
        with pytest.raises(InputError, match=said):
            box_plot(change, **arguments)
    assert not plt.get_fignums()


def evolution(types=2, snapshots=5):
    steps = torch.linspace(0, 1, snapshots)[:, None, None]
    return torch.sin(X) + steps * torch.arange(1, types + 1)[:, None] * X**2


@pytest.mark.parametrize("style", [{}, {"cmap": "rainbow"}])
def test_activations_run_from_violet_to_orange_or_red_with_the_last_on_top(style):
    sigma = evolution()
    axes = activation_curves(X, sigma, [0, 10, 20, 30, 40], **style)
    assert len(axes) == 2
    for i, ax in enumerate(axes):
        (way,) = (artist for artist in ax.collections if isinstance(artist, LineCollection))
        assert_allclose([segment[:, 1] for segment in way.get_segments()], sigma[:-1, i])
        (last,) = ax.lines
        assert_allclose(last.get_ydata(), sigma[-1, i])
        assert last.get_linewidth() > 2 * way.get_linewidth()[0]
        assert last.get_zorder() > way.get_zorder()
        assert ax.get_xlabel() == "$a$"
        ax.figure.canvas.draw()
        violet, red = way.get_colors()[0], last.get_color()
        assert violet[2] > 0.5 >= violet[0] > violet[1]
        assert red[0] > 0.9 > 0.7 > red[1] >= red[2]
    assert [ax.get_title() for ax in axes] == ["type 1", "type 2"]
    assert "sigma" in axes[0].get_ylabel()
    (bar,) = set(axes[0].figure.axes) - set(axes)
    assert bar.get_ylabel() == "outer step"
    assert_allclose(bar.get_ylim(), (0, 40))


def test_all_types_go_into_one_panel_with_lines_of_their_own():
    ax = plt.subplots()[1]
    assert activation_curves(X.numpy(), evolution(3).numpy(), axes=ax) == (ax,)
    assert len(ax.lines) == len({line.get_linestyle() for line in ax.lines}) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["type 1", "type 2", "type 3"]
    ax.figure.canvas.draw()


def test_a_single_snapshot_and_one_that_blew_up_are_drawn():
    (ax,) = activation_curves(X, evolution(1, 1))
    assert len(ax.figure.axes) == 1  # no colour bar for one colour
    ax.figure.canvas.draw()
    sigma = evolution().requires_grad_()
    wild = sigma * torch.where(X > 2.5, 1e30, 1.0)
    axes = activation_curves(X, wild)
    assert max(abs(y) for y in axes[0].get_ylim()) < 100
    axes[0].figure.canvas.draw()


def test_curves_that_do_not_go_together_are_refused():
    sigma = evolution()
    ax = plt.subplots()[1]
    for arguments, said in (
        ((X[:-1], sigma), r"\(snapshots, types, 60\)"),
        ((X, sigma[0]), "snapshots, types"),
        ((X, sigma[:0]), "snapshots, types"),
        ((X, sigma, [0, 1]), "5 snapshots"),
        ((X, sigma, [4, 3, 2, 1, 0]), "increasing"),
    ):
        with pytest.raises(InputError, match=said):
            activation_curves(*arguments, axes=ax)
    with pytest.raises(InputError, match="2 types"):
        activation_curves(X, sigma, axes=[ax] * 3)


@pytest.mark.parametrize(
    ("time", "against", "label"), [("epoch", "step", "epoch"), ("step", "step", "step"), ("epoch", "seconds", "time [s]")]
)
def test_learning_curves_are_medians_between_quartiles_in_the_colours_of_the_boxes(time, against, label):
    table = curves(PAPER, time)
    ax = learning_curves(
        table.sample(frac=1, random_state=0).sort_values("variant", key=lambda v: v.map(PAPER.index)), against=against
    )
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == (label, "loss", "log")
    assert [line.get_label() for line in ax.lines] == PAPER
    colors = variant_colors(PAPER)
    for line, band in zip(ax.lines, ax.collections, strict=True):
        rows = table[table.variant == line.get_label()]
        assert_allclose(line.get_xdata(), rows["seconds" if against == "seconds" else time])
        assert_allclose(line.get_ydata(), rows["median"])
        assert line.get_color() == colors[line.get_label()]
        heights = band.get_paths()[0].vertices[:, 1]
        assert_allclose([heights.min(), heights.max()], [rows.low.min(), rows.high.max()])
    ax.figure.canvas.draw()


def test_losses_that_are_not_finite_leave_a_gap():
    table = curves(["sine", "mix"])
    table.loc[[3, 4], ["median", "high"]] = np.inf
    table.loc[5, "low"] = 0
    given = plt.subplots()[1]
    ax = learning_curves(table, ax=given, label="error")
    assert ax is given
    assert list(np.flatnonzero(np.isnan(ax.lines[0].get_ydata()))) == [3, 4]
    ax.figure.canvas.draw()
    assert ax.get_ylim()[1] < 10


def test_learning_curves_without_their_columns_are_refused():
    with pytest.raises(InputError, match="no column 'seconds'"):
        learning_curves(curves(PAPER).drop(columns="seconds"), against="seconds")
    with pytest.raises(InputError, match="no column 'epoch'"):
        learning_curves(curves(PAPER).drop(columns="epoch"))
    with pytest.raises(InputError, match="'step' or 'seconds'"):
        learning_curves(curves(PAPER), against="minutes")
