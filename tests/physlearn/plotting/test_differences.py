"""Pictures of differences: a matrix of them, and intervals."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose

from physlearn.plotting import forest_plot, labelled_matrix
from systems import InputError

VALUES = np.array([[1.0, -2.0, 0.5], [0.0, -0.1, 2.0]])


def test_every_number_stands_in_its_field_and_what_is_sure_is_bold():
    sure = np.array([[True, False, False], [False, False, True]])
    ax = labelled_matrix(VALUES, ["a", "b"], ["x", "y", "z"], sure=sure, label="difference")
    placed = {text.get_position(): text for text in ax.texts}
    for (i, j), value in np.ndenumerate(VALUES):
        assert float(placed[j, i].get_text()) == value
        assert (placed[j, i].get_weight() == "bold") == sure[i, j]
    image = ax.images[0]
    assert image.get_clim() == (-2, 2)
    red, white, blue = (image.cmap(image.norm(value)) for value in (2.0, 0.0, -2.0))
    assert red[0] > red[2]
    assert blue[2] > blue[0]
    assert min(white[:3]) > 0.9
    assert [label.get_text() for label in ax.get_xticklabels()] == ["x", "y", "z"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    ax.figure.canvas.draw()


def test_zeros_alone_can_be_drawn_and_names_must_fit():
    assert labelled_matrix(np.zeros((1, 1)), ["a"], ["x"], ax=plt.subplots()[1]).images
    with pytest.raises(InputError, match="as many names"):
        labelled_matrix(VALUES, ["a"], ["x", "y", "z"])


def test_intervals_lie_in_their_rows_in_the_colour_of_their_verdicts():
    table = pd.DataFrame(
        {
            "claim": ["one", "two", "three"],
            "where": "here",
            "difference": [-1.0, 2.0, 0.1],
            "low": [-2.0, 1.0, -0.5],
            "high": [-0.5, 3.0, 0.5],
            "verdict": ["holds", "does not hold", "undecided"],
        }
    )
    ax = forest_plot(table)
    drawn = {}
    for lines in ax.collections:
        for (start, end), color in zip(lines.get_segments(), lines.get_colors(), strict=True):
            drawn[start[1]] = (start[0], end[0], to_hex(color))
    assert_allclose([drawn[k][:2] for k in range(3)], table[["low", "high"]])
    assert len({color for _, _, color in drawn.values()}) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["holds", "does not hold", "undecided"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one (here)", "two (here)", "three (here)"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first is at the top
    with pytest.raises(InputError, match="no column 'low'"):
        forest_plot(table.drop(columns="low"))
