"""The explorer in a notebook: a cell's output that moves, answers, and leaves the notebook as it was."""

import json
import time
import urllib.error
import urllib.request
import warnings

import pytest

from physlearn import explorer
from systems import AccuracyWarning, InputError

pytest.importorskip("latex2mathml", reason="the explorer's extra is not installed")


@pytest.fixture
def panel():
    with warnings.catch_warnings():
        panel = explorer.show("kepler", height=700)
        yield panel
    panel.close()


def post(address, path, values):
    request = urllib.request.Request(address + path, json.dumps(values).encode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_the_output_of_the_cell_moves_in_a_browser(panel, browser, tmp_path):
    cell = tmp_path / "cell.html"
    cell.write_text(f"<!DOCTYPE html><body>{panel._repr_html_()}</body>")
    browser.get(cell.as_uri())
    frame = browser.find_element("tag name", "iframe")
    assert frame.size["height"] == pytest.approx(700, abs=3)
    browser.switch_to.frame(frame)
    start, tau = time.monotonic(), None
    while not tau and time.monotonic() - start < 120:
        tau = browser.execute_script("return window.explorer && window.explorer.tau")
        time.sleep(0.05)
    assert tau > 0
    assert browser.execute_script("return document.getElementById('system').value") == "kepler"
    browser.switch_to.default_content()


def test_two_panels_answer_and_one_that_is_closed_does_not(panel):
    other = explorer.show("pendulum")
    assert post(other.address, "/menus", {})["first"] == "pendulum"
    assert post(panel.address, "/menus", {})["first"] == "kepler"
    other.close()
    with pytest.raises(urllib.error.URLError):
        post(other.address, "/menus", {})
    assert post(panel.address, "/menus", {})["first"] == "kepler"


def test_warnings_of_the_notebooks_own_cells_are_kept(panel):
    with pytest.warns(AccuracyWarning, match="a cell"):
        warnings.warn("a cell", AccuracyWarning, stacklevel=1)


@pytest.mark.parametrize("height", [50, "tall", 1e9])
def test_a_height_that_is_none_is_refused(height):
    with pytest.raises(InputError, match="whole number of pixels from 100 to 10000"):
        explorer.show(height=height)


def test_a_system_that_is_none_is_refused():
    with pytest.raises(InputError, match="did you mean 'kepler'"):
        explorer.show("keppler")
