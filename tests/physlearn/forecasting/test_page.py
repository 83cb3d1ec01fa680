"""A report as an HTML page, read as a browser reads it."""

import base64
import sys
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from PIL import Image

import physlearn
from physlearn.forecasting import page

VOID = {"meta", "img", "br"}
TABLE = pd.DataFrame({"valid time": [12.3456, np.nan]}, index=["hnn <b>", "nn"])


class Reader(HTMLParser):
    """Collects the sources and texts of a page, and checks that every element is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.texts = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        self.sources += [value for name, value in attributes if name in ("src", "href", "srcset", "action")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture
def figure():
    figure, ax = plt.subplots(figsize=(3, 2))
    ax.plot([0, 1])
    plt.close(figure)
    return figure


@pytest.fixture
def made(figure):
    return page.Page(
        title="a & b <script>",
        lead=["best: hnn"],
        figures={"A line": figure},
        tables={"Forecasts": TABLE},
        notes=["valid time: until it fails"],
        settings={"seed": 3, "training": {"nn": {"epochs": 7, "rate": 0.1}}, "unset": None, "pairs": [["a", 1], ["b", 2]]},
        seconds=12.0,
    )


def test_the_page_loads_nothing_and_shows_every_figure(made):
    (source,) = Reader(made.html()).sources
    head, data = source.split(",")
    assert head == "data:image/png;base64"
    assert Image.open(BytesIO(base64.b64decode(data))).size[0] > 200


def test_the_page_shows_the_table_the_notes_and_the_settings(made):
    text = "".join(Reader(made.html()).texts)
    for part in ("a & b <script>", "best: hnn", "hnn <b>", "12.35", "valid time: until it fails", "seed", "12 s"):
        assert part in text
    assert "training, nnepochs 7, rate 0.1" in text
    assert "pairsa 1, b 2" in text
    assert "unset" not in text
    assert "<b>" not in made.html()
    assert "<script" not in made.html()


def test_the_page_tells_the_command_that_made_it_and_the_version(made, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/opt/physlearn/__main__.py", "forecast", "my data.csv", "--out", "f"])
    text = "".join(Reader(made.html()).texts)
    assert "physlearn forecast 'my data.csv' --out f" in text
    assert f"physlearn-orbits=={physlearn.__version__}" in text
    monkeypatch.setattr(sys, "argv", ["notebook.py"])
    assert "started from Python" in made.html()


def test_a_page_is_written_as_html(made, tmp_path):
    assert made.save(tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
