"""How long the explorer takes from a movement of the pointer to the new picture: ``python docs/explorer_drag.py``.

Prints a table in Markdown. Chromium drags the start by real pointer events. The page measures from the time stamp of the
event to the end of the frame in which the new orbits are drawn, so the remote control of the browser is not counted. In the
last row of a system, a drag begins again and again while sections are computed for the state before.

The last two columns are processor times: of an answer of the server, and of a frame of the page, with all that the page does
between two frames. Other programs that keep the machine busy change them less than the first two.
"""

import json
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from physlearn.explorer import Shelf
from physlearn.explorer.answers import Answers
from physlearn.explorer.asked import Asked
from physlearn.explorer.handler import Server

MOVES = 40  # of which the first are not counted
FIRST = 5
CASES = (("truth", False, False), ("and models", True, False), ("and sections", True, True))
WATCH = """
window.waits = []
const plane = document.getElementById("plane"), page = window.explorer
for (const kind of ["pointerdown", "pointermove"]) plane.addEventListener(kind, (event) => {
  if (kind !== window.measured || !event.buttons) return
  const before = page.reply
  const look = () => page.reply === before
    ? requestAnimationFrame(look)
    : setTimeout(() => window.waits.push(performance.now() - event.timeStamp))
  requestAnimationFrame(look)
})
"""
CHECK = """
for (const box of document.querySelectorAll(".line input[type=checkbox]")) {
  const wanted = arguments[0] && ["nn", "hamiltonian"].includes(box.closest(".line").dataset.line)
  if (box.checked !== wanted && !box.closest(".line").hidden) box.click()
}
"""
CHOOSE = """
const menu = document.getElementById("system")
menu.value = arguments[0]
menu.dispatchEvent(new Event("change", {bubbles: true}))
"""
START = """
const {x, y} = document.getElementById("plane").getBoundingClientRect()
const frame = document.getElementById("plane")
return [x + frame.clientWidth * 0.55, y + frame.clientHeight * 0.45]
"""
DRAWN = """
const [count, done] = arguments
const look = () => window.waits.length > count ? done() : setTimeout(look, 5)
look()
"""
CUTTING = "return window.explorer.cuts.size > 0 && ![...window.explorer.cuts.values()].some((cut) => cut.part)"


class Timed(Answers):
    """Answers whose processor times in ms are kept."""

    def __init__(self, shelf: Shelf, first: str) -> None:
        super().__init__(shelf, first)
        self.spent: list[float] = []

    def orbits(self, asked: Asked) -> dict[str, Any]:
        """Return the orbits."""
        start = time.thread_time()
        reply = super().orbits(asked)
        json.dumps(reply)  # as the server does next
        self.spent.append(1000 * (time.thread_time() - start))
        return reply


@contextmanager
def browsed(answers: Answers) -> Iterator[Any]:
    """Serve the page, and show it in a browser without a window."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000"):
        options.add_argument(argument)
    with (
        Server(0, answers) as server,
        webdriver.Chrome(options, Service(shutil.which("chromedriver"))) as browser,
    ):
        Thread(target=server.serve_forever, daemon=True).start()
        browser.execute_cdp_cmd("Performance.enable", {})
        browser.get(f"http://127.0.0.1:{server.server_port}")
        yield browser
        server.shutdown()


def wait(browser: Any, condition: str, seconds: float = 120.0) -> None:
    """Wait until a condition of the page holds."""
    end = time.monotonic() + seconds
    while not browser.execute_script(condition):
        if time.monotonic() > end:
            sys.exit(f"in vain: {condition}")
        time.sleep(0.01)


def spent_by_page(browser: Any) -> tuple[float, int]:
    """Return the processor time in ms that the main thread of the page has spent, and the number of its frames."""
    metrics = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    spent = 1000 * next(metric["value"] for metric in metrics if metric["name"] == "ThreadTime")
    return spent, browser.execute_script("return window.explorer.frames")


def pointer(browser: Any, kind: str, x: float, y: float) -> None:
    """Send an event of the pointer, with its button down."""
    told = {"type": kind, "x": x, "y": y, "button": "left", "buttons": int(kind != "mouseReleased"), "clickCount": 1}
    browser.execute_cdp_cmd("Input.dispatchMouseEvent", told)


def waits(browser: Any, *, sections: bool) -> list[float]:
    """Return the times in ms from each movement, or from each begin of a drag during sections, to its picture."""
    browser.execute_script("window.waits = []; window.measured = arguments[0]", "pointerdown" if sections else "pointermove")
    x, y = browser.execute_script(START)
    pointer(browser, "mousePressed", x, y)
    for k in range(MOVES):
        if sections:
            pointer(browser, "mouseReleased", x, y)
            wait(browser, CUTTING)
        x, y = x + (-1) ** (k // 10), y + (-1) ** (k // 5)
        pointer(browser, "mousePressed" if sections else "mouseMoved", x, y)
        browser.execute_async_script(DRAWN, k + sections)
    pointer(browser, "mouseReleased", x, y)
    found = browser.execute_script("return window.waits")[FIRST:]
    assert isinstance(found, list)
    return found


if __name__ == "__main__":
    print("| system | drawn | least [ms] | median [ms] | server [ms] | page [ms] |\n|---|---|---|---|---|---|")
    answers = Timed(Shelf(), "pendulum")
    with browsed(answers) as browser:
        wait(browser, "return window.explorer?.reply")
        browser.execute_script(WATCH)
        browser.set_script_timeout(120)
        for name in sys.argv[1:] or ["pendulum", "henon-heiles", "double-pendulum"]:
            browser.execute_script(CHOOSE, name)
            wait(browser, f"return window.explorer.stage?.system === '{name}' && window.explorer.reply")
            time.sleep(1)
            has_section = browser.execute_script("return Boolean(window.explorer.stage.section)")
            for drawn, models, sections in CASES:
                if sections and not has_section:
                    continue
                browser.execute_script(CHECK, models)
                time.sleep(1)
                answers.spent.clear()
                before = spent_by_page(browser)
                found = waits(browser, sections=sections)
                spent, frames = (end - start for end, start in zip(spent_by_page(browser), before, strict=True))
                told = [min(found), statistics.median(found), statistics.median(answers.spent), spent / frames]
                print(f"| {name} | {drawn} | " + " | ".join(f"{value:.0f}" for value in told) + " |", flush=True)
