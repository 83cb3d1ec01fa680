"""Answers of the explorer to a drag, and its first picture.

Each row of a drag computes the true orbit, those of the models that come with the package, and the reply in JSON, with the
steps and times that the page begins with. The table gives drags per second; 20 per second are 50 ms each.
"""

import json
from threading import Thread

import pytest

import systems
from physlearn.explorer import Shelf, shipped

SHELF = Shelf()


@pytest.mark.filterwarnings("ignore::systems.AccuracyWarning")  # the page shows how wrong an orbit with long steps is
@pytest.mark.parametrize("name", shipped.SYSTEMS)
def test_a_drag(name, benchmark):
    pytest.importorskip("latex2mathml", reason="the explorer's extra is not installed")
    from physlearn.explorer.answers import Answers
    from physlearn.explorer.asked import Asked

    benchmark.group = "explorer"
    benchmark.extra_info.update(name=f"a drag, {name}", work=1, rival="")
    answers = Answers(SHELF, name)
    stage = answers.stage(Asked({"system": name}))
    models = shipped.models(systems.get(name))
    lines = [{"kind": "model", "model": model, "neurons": shipped.ACTIVATION} for model in models]
    request = {"system": name, "time": stage["time"], "dt": stage["dt"], "lines": lines, "quick": True}
    states = iter([[x * (1 - 1e-3 * k) for x in stage["z0"]] for k in range(40)])

    def drag():
        return json.dumps(answers.orbits(Asked({**request, "z0": next(states)})))

    benchmark.pedantic(drag, rounds=15, warmup_rounds=3)


@pytest.fixture
def address():
    pytest.importorskip("latex2mathml", reason="the explorer's extra is not installed")
    from physlearn.explorer.answers import Answers
    from physlearn.explorer.handler import Server

    with Server(0, Answers(Shelf(), "henon-heiles")) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


SHOWN = "const done = arguments[0], look = () => window.explorer?.reply ? done() : setTimeout(look, 2); look()"
DRAGGED = """
const done = arguments[0], before = window.explorer.reply
document.getElementById("plane").dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}))
const look = () => window.explorer.reply !== before ? requestAnimationFrame(() => done()) : setTimeout(look, 1)
look()
"""


def test_the_first_picture_in_a_browser(address, browser, benchmark):
    """From the request of the page until the true orbit is there."""
    benchmark.group = "explorer"
    benchmark.extra_info.update(name="the first picture, in a browser", work=1, rival="")

    def load():
        browser.get(address)
        browser.execute_async_script(SHOWN)

    benchmark.pedantic(load, rounds=5, warmup_rounds=1)


def test_a_move_of_the_start_in_a_browser(address, browser, benchmark):
    """From an arrow key until all orbits of Henon and Heiles' system are drawn anew."""
    benchmark.group = "explorer"
    benchmark.extra_info.update(name="a move of the start, in a browser", work=1, rival="")
    browser.get(address)
    browser.execute_async_script(SHOWN)

    def settled():
        browser.execute_async_script("setTimeout(arguments[0], 30)")

    benchmark.pedantic(lambda: browser.execute_async_script(DRAGGED), setup=settled, rounds=15, warmup_rounds=3)
