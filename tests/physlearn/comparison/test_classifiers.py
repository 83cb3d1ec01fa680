"""Classifiers are compared as forecasters are, and by their accuracy too."""

import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection

from physlearn import compare, tasks
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison.panels import panels


@pytest.fixture(scope="module")
def task():
    return tasks.get("mnist1d", samples=200)


@pytest.fixture(scope="module")
def learned():
    x = torch.linspace(-10, 10, 100)
    return LearnedActivations(torch.stack([x.sin(), x.sin() + 0.3 * x.tanh()]), base="sine", task="mnist1d")


@pytest.fixture(scope="module")
def result(task, learned):
    return compare(task, learned, replicates=3, epochs=2, learning_rates=(1e-2, 3e-2), tuning_replicates=2, progress=False)


def test_a_row_tells_the_loss_and_the_accuracy_and_no_forecast(result):
    assert list(result.table.columns) == [
        "meta_seed", "replicate", "variant", "loss", "accuracy", "validation_loss", "diverged", "learning_rate"
    ]  # fmt: skip
    assert result.table["variant"].unique().tolist() == ["sine", "type 1", "type 2", "mix", "tanh", "relu", "sine+tanh"]
    assert result.table["accuracy"].between(0, 1).all()
    assert result.settings["integrators"] == []


def test_scores_are_those_of_the_test_part_by_torchs_own_loss(task):
    result = compare(task, variants={"relu": "relu"}, replicates=2, seed=5, epochs=1, tuned=False, learning_rate=1e-12,
                     progress=False)  # fmt: skip
    test = task.pairs("test")
    for row in result.table.itertuples():
        model = task.network("relu", 5 + row.replicate)
        model.standardize(task.pairs("training").z, task.pairs("training").target)
        with torch.no_grad():
            logits = model(test.z)
        assert row.loss == pytest.approx(float(torch.nn.functional.cross_entropy(logits, test.target)), rel=1e-4)
        assert row.accuracy == pytest.approx(float((logits.argmax(1) == test.target).double().mean()))


def test_accuracies_are_paired_and_the_larger_is_the_better(result):
    summary = result.summary("accuracy")
    wide = result.table.pivot(index="replicate", columns="variant", values="accuracy")
    assert summary.loc["relu", "difference"] == pytest.approx((wide["mix"] - wide["relu"]).mean())
    assert summary.loc["relu", "pairs"] == 3
    assert "test accuracy (larger is better)" in result.to_markdown()
    assert "test accuracy" in result.overview()


def test_training_is_worth_something():
    """Of ten digits, one in ten is guessed."""
    task, how = tasks.get("mnist1d", samples=1000), {"epochs": 10, "learning_rate": 3e-2, "tuned": False}
    result = compare(task, variants={"relu": "relu"}, replicates=3, progress=False, **how)
    assert (result.table["accuracy"] > 0.3).all()
    assert (result.table["loss"] < np.log(10)).all()


def test_the_panels_are_those_of_figure_3(task, learned, result):
    figure = panels(task, learned, result)
    left, middle, right = figure.subfigs
    assert left.axes[0].get_ylabel() == "digit"
    assert any(isinstance(artist, LineCollection) for artist in middle.axes[0].collections)
    assert right.axes[0].get_ylabel() == "test accuracy"
    assert right.axes[0].get_yscale() == "linear"
    figure.canvas.draw()


def test_the_figure_has_a_box_plot_of_the_accuracy_beside_that_of_the_loss(result):
    assert [ax.get_ylabel() for ax in result.figure().axes][:3] == ["test loss", "validation loss", "test accuracy"]
