"""A folder to work in, without the pictures that take most of the time."""

import pytest
from matplotlib import pyplot as plt

from physlearn.comparison import panels


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def plain(monkeypatch):
    """Without the pictures of the activations, which take most of the time."""
    figure = plt.figure(figsize=(1, 1))
    plt.close(figure)
    monkeypatch.setattr(panels, "panels", lambda *_, **__: figure)
