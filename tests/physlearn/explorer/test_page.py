"""The page as its user has it: in a browser, at the widths of a phone, a tablet and a projector."""

import os
import time
from pathlib import Path
from threading import Thread

import pytest

from physlearn.activations import shipped
from physlearn.explorer import Shelf

pytest.importorskip("latex2mathml", reason="the explorer's extra is not installed")
pytest.importorskip("selenium", reason="a browser is driven by selenium")

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from physlearn.explorer.answers import Answers
from physlearn.explorer.handler import Server

PATIENCE = 120.0  # seconds, on a machine that is busy with other tests
WIDTHS = {"phone": (390, 844), "tablet": (820, 1180), "projector": (1400, 900)}

FOUND = "return [...window.explorer.cuts.values()].filter((cut) => cut.part).length"  # sections that have arrived


@pytest.fixture(scope="module")
def port():
    """Where the page is served, with the models that come with the package."""
    with Server(0, Answers(Shelf(), "pendulum")) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def page(browser, port):
    """The page of the pendulum, freshly loaded on a projector."""
    shown(browser, port, *WIDTHS["projector"])
    yield browser
    severe = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not [message for message in severe if "status of 400" not in message]  # a refusal, which the page shows


def shown(browser, port, width, height):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(f"http://127.0.0.1:{port}")
    until(lambda: page_of(browser, "reply !== null"), "the first picture")


def page_of(browser, expression):
    return browser.execute_script(f"return window.explorer && (window.explorer.{expression})")


def until(condition, what):
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < PATIENCE, f"in vain: {what}"
        time.sleep(0.02)


def choose(browser, menu, value):
    change = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))"
    browser.execute_script(change, browser.find_element("css selector", menu), value)


def text(browser, selector):
    return browser.find_element("css selector", selector).text


@pytest.mark.parametrize("device", WIDTHS)
def test_the_page_fits_the_width_of_each_device(browser, port, device):
    width, height = WIDTHS[device]
    shown(browser, port, width, height)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    plane = browser.find_element("id", "plane").size
    assert plane["width"] == pytest.approx(plane["height"], abs=2)
    assert plane["width"] > 0.3 * width


def test_the_body_moves_until_it_is_paused(page):
    before = page_of(page, "tau")
    until(lambda: page_of(page, "tau") > before, "the body moves")
    page.find_element("id", "play").click()
    paused = page_of(page, "tau")
    time.sleep(0.2)
    assert page_of(page, "tau") == paused
    ActionChains(page).move_to_element(page.find_element("id", "plane")).perform()
    page.execute_script("document.activeElement.blur()")
    ActionChains(page).send_keys(Keys.SPACE).perform()
    until(lambda: page_of(page, "tau") > paused, "the space key plays on")


def test_a_drag_and_the_arrow_keys_move_the_start(page):
    before = page_of(page, "z0")
    plane = page.find_element("id", "plane")
    ActionChains(page, duration=20).move_to_element(plane).click_and_hold().move_by_offset(40, -30).release().perform()
    until(lambda: not page_of(page, "dragging"), "the drag is answered")
    dragged = page_of(page, "z0")
    assert dragged != before
    assert page_of(page, "reply.truth.bodies[0][0][0]") == pytest.approx(dragged[0], abs=1e-3)
    page.execute_script("arguments[0].focus()", plane)
    ActionChains(page).send_keys(Keys.ARROW_RIGHT).perform()
    until(lambda: page_of(page, "z0")[0] > dragged[0], "the arrow key moves it to the right")


def test_each_line_says_how_long_it_is_valid(page):
    for number in (2, 4):
        page.find_elements("css selector", ".line input[type=checkbox]")[number].click()
    until(lambda: "valid for" in text(page, "[data-line=one] output"), "Euler's method is compared")
    until(lambda: "close to the truth for" in text(page, "[data-line=second] output"), "the second start is compared")
    assert "valid throughout" in text(page, "[data-line=hamiltonian] output")


def test_an_integrator_that_does_not_apply_is_answered_by_the_sentence_of_the_library(page):
    choose(page, "[data-line=hamiltonian] .method", "leapfrog")
    until(lambda: "leapfrog needs a separable Hamiltonian" in text(page, "[data-line=hamiltonian] output"), "a sentence")


def test_sections_fill_while_the_body_moves(page):
    choose(page, "#system", "henon-heiles")
    until(lambda: page.execute_script(FOUND) == 3, "three sections")
    full = page_of(page, "cuts.get('truth').part.t.length")
    until(lambda: page_of(page, "cuts.get('truth').plot.drawn") == full, "it fills")
    captions = page.execute_script("return [...document.querySelectorAll('#cuts figcaption')].map(c => c.textContent)")
    assert captions[2] == "hnn: 21 of 21 orbits keep their energy to 1 %"


def test_a_three_dimensional_orbit_turns(page):
    choose(page, "#system", "lorenz")
    until(lambda: page_of(page, "reply?.truth.bodies[0].length") == 3, "Lorenz' orbit")
    yaw = page_of(page, "view.yaw")
    plane = page.find_element("id", "plane")
    corner = (-plane.size["width"] // 2 + 15, plane.size["height"] // 2 - 15)
    ActionChains(page, duration=20).move_to_element_with_offset(plane, *corner).click_and_hold().move_by_offset(
        60, 0
    ).release().perform()
    assert page_of(page, "view.yaw") > yaw
    assert text(page, "[data-line=nn] output").startswith("valid for")


def test_a_network_is_trained_while_its_loss_falls(page, tmp_path):
    shipped.load("henon-heiles-hnn").save(tmp_path / "mine.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"nothing of the kind")
    chooser = page.find_element("id", "file")
    chooser.send_keys(str(tmp_path / "bad.safetensors"))
    until(lambda: "bad.safetensors is not a complete safetensors file" in text(page, "#trained"), "a sentence about the file")
    chooser.send_keys(str(tmp_path / "mine.safetensors"))
    until(
        lambda: page.execute_script("return document.getElementById('neurons').value") == "file:mine.safetensors", "its name"
    )
    for field, value in {"orbits": 4, "epochs": 2}.items():
        page.execute_script("document.getElementById(arguments[0]).value = arguments[1]", field, value)
    page.find_element("id", "train").click()
    until(lambda: text(page, "#trained").startswith("hnn is trained"), "the end of the training")
    assert page.find_element("id", "loss").is_displayed()
    assert page.find_element("id", "train").text == "Train"


@pytest.mark.skipif("PHYSLEARN_SCREENSHOT" not in os.environ, reason="PHYSLEARN_SCREENSHOT names the picture to write")
def test_screenshot(browser, port):
    shown(browser, port, 1400, 1000)
    choose(browser, "#system", "henon-heiles")
    until(lambda: browser.execute_script(FOUND) == 3 and page_of(browser, "filled === 1"), "full sections")
    until(lambda: page_of(browser, "tau > 30"), "a part of the orbit")
    browser.save_screenshot(str(Path(os.environ["PHYSLEARN_SCREENSHOT"]).resolve()))
