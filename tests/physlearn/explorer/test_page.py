"""The page as its reader has it: in a browser, served by a process of its own."""

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from physlearn import LearnedActivations
from physlearn.activations import shipped

pytest.importorskip("panel", reason="the page needs panel")
webdriver = pytest.importorskip("selenium.webdriver", reason="a browser is driven by selenium")

PATIENCE = 300.0  # seconds, on a machine that is busy with other tests
ONCE = 5.0  # seconds that the answer to a drag may take at most; tests/benchmarks measures what it takes
WINDOW = {"width": 1400, "height": 850, "deviceScaleFactor": 1, "mobile": False}
LITTLE = ["--orbits", "10", "--epochs", "2", "--hidden", "8"]

STATE = """
const documents = window.Bokeh?.documents ?? []
if (documents.length === 0) return null
const found = {titles: []}
for (const model of documents[0]._all_models.values()) {
    if (model.type === "ColumnDataSource" && model.name)
        found[model.name] = Object.fromEntries(Object.entries(model.data).map(([name, column]) => [name, Array.from(column)]))
    if (model.type === "Figure" && model.title?.text) found.titles.push(model.title.text)
}
return found
"""
TEXT = """
const text = []
const walk = (root) => {
    text.push(root.textContent)
    for (const element of root.querySelectorAll("*")) if (element.shadowRoot) walk(element.shadowRoot)
}
walk(document.body)
return text.join(" ")
"""
FIND = """
const found = []
const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
        if (element.shadowRoot) walk(element.shadowRoot)
        if (element.matches(arguments[0])) found.push(element)
    }
}
walk(document)
return found
"""


@contextmanager
def served(system, log, *options):
    """The page at a free port."""
    with closing(socket.socket()) as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    command = [sys.executable, "-m", "physlearn.cli", "explore", system, "--port", str(port), "--no-browser", *options]
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
        try:
            until(lambda: answers("127.0.0.1", port), "the server answers")
            yield port
        finally:
            server.terminate()
    assert "physlearn/explorer/" not in log.read_text()  # no traceback of ours; tornado has one where a reader leaves early


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with served("pendulum", tmp_path_factory.mktemp("explorer") / "log", *LITTLE) as port:
        yield port


@pytest.fixture(scope="module")
def browser():
    browser, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("the page is looked at in chromium, by chromedriver")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options=options, service=Service(driver)) as browser:
        yield browser


@pytest.fixture
def page(browser, port):
    """The page, freshly loaded, with both models trained."""
    browser.get(f"http://127.0.0.1:{port}")
    until(lambda: {"nn + rk4", "hnn + gauss-legendre-4"} <= set(state(browser)["titles"]), "both models are trained")
    yield browser
    severe = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not severe


def answers(address, port):
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def until(condition, what, patience=PATIENCE):
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < patience, f"in vain: {what}"
        time.sleep(0.05)
    return time.monotonic() - start


def state(browser):
    return browser.execute_script(STATE) or {"titles": []}


def drag(browser, right, up):
    """From the middle of the first plane by so many pixels."""
    from selenium.webdriver.common.action_chains import ActionChains

    plane = browser.execute_script(FIND, ".bk-events")
    plane = next(canvas for canvas in plane if abs(canvas.size["width"] - canvas.size["height"]) < 60)
    actions = ActionChains(browser, duration=20).move_to_element(plane).click_and_hold()
    for _ in range(5):
        actions.move_by_offset(right // 5, -up // 5)
    actions.release().perform()


def choose(browser, label, value):
    """In the menu that has this among its options."""
    menus = browser.execute_script(FIND, "select")
    menu = next(menu for menu in menus if label in menu.text)
    browser.execute_script("arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))", menu, value)


def says(browser, what):
    return what in browser.execute_script(TEXT)


def test_the_page_shows_the_truth_and_both_models(page):
    shown = state(page)
    assert shown["titles"][:3] == ["truth", "nn + rk4", "hnn + gauss-legendre-4"]
    start = [shown["state"][axis][0] for axis in "xy"]
    for name in ("truth", "nn", "hnn"):
        assert [shown[f"orbit {name}"][axis][0] for axis in "xy"] == start
        assert len(shown[f"times {name}"]["below"]) > 20
    assert len(shown["curves"]["value"]) == 1


def test_a_drag_changes_all_orbits_and_is_answered_at_once(page):
    before = state(page)
    drag(page, 60, 40)
    moved = state(page)["state"]
    assert moved["x"] != before["state"]["x"]

    def answered():
        shown = state(page)
        return all(shown[f"orbit {name}"]["x"][0] == moved["x"][0] for name in ("truth", "nn", "hnn"))

    until(answered, "the orbits begin where the drag ended", ONCE)
    after = state(page)
    assert after["times truth"]["below"][0] != before["times truth"]["below"][0]


def test_an_integrator_that_does_not_apply_is_answered_by_the_sentence_of_the_library(page):
    choose(page, "leapfrog", "leapfrog")
    until(lambda: says(page, "leapfrog needs a separable Hamiltonian T(p) + V(q), and hnn is not separable"), "a sentence")
    assert not state(page)["orbit hnn"]["x"]
    choose(page, "hnn-separable", "hnn-separable")
    until(lambda: state(page).get("orbit hnn-separable", {}).get("x"), "the separable network has an orbit")


def test_learned_activations_are_taken_from_a_file_and_a_bad_one_is_told_of(page, tmp_path):
    shipped.load("henon-heiles-hnn").save(tmp_path / "mine.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"nothing of the kind")
    (chooser,) = page.execute_script(FIND, "input[type=file]")
    chooser.send_keys(str(tmp_path / "bad.safetensors"))
    until(lambda: says(page, "bad.safetensors is not a complete safetensors file"), "a sentence about the file")
    chooser.send_keys(str(tmp_path / "mine.safetensors"))
    until(lambda: len(state(page)["curves"]["value"]) == 2, "the curves of both types")
    assert len(LearnedActivations.load(tmp_path / "mine.safetensors")) == 2
    until(lambda: "hnn + gauss-legendre-4" in state(page)["titles"], "a network with these neurons")


def test_sections_of_truth_and_models_follow_a_drag(page):
    choose(page, "henon-heiles", "henon-heiles")
    names = [f"section {name}" for name in ("truth", "nn", "hnn")]
    until(lambda: state(page).get(names[0], {}).get("x"), "the section of the truth")
    assert set(names) <= set(state(page))
    assert len(state(page)["state"]["x"]) == 2


def test_nothing_is_fetched_from_elsewhere(port):
    text = urlopen(f"http://127.0.0.1:{port}", timeout=PATIENCE).read().decode()
    assert "static/js/bokeh" in text
    assert "https://" not in text
    assert "http://" not in text.replace(f"http://127.0.0.1:{port}", "")


def test_the_page_is_served_to_this_machine_alone(port):
    try:
        others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    except socket.gaierror:  # this machine does not know its own name
        others = set()
    assert answers("127.0.0.1", port)
    assert not any(answers(address, port) for address in [*others, "127.0.0.2"])


def test_another_origin_is_refused(port):
    request = (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: bokeh\r\nOrigin: http://example.org\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
        line.sendall(request.encode())
        assert line.recv(100).startswith(b"HTTP/1.1 403")


@pytest.mark.skipif("PHYSLEARN_SCREENSHOT" not in os.environ, reason="PHYSLEARN_SCREENSHOT names the picture to write")
def test_screenshot(browser, tmp_path):
    with served("henon-heiles", tmp_path / "log") as port:
        browser.get(f"http://127.0.0.1:{port}")
        until(lambda: state(browser).get("section hnn", {}).get("x"), "the last section", 5 * PATIENCE)
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", WINDOW)
        time.sleep(2)  # until it is drawn in that size
        browser.save_screenshot(str(Path(os.environ["PHYSLEARN_SCREENSHOT"]).resolve()))
