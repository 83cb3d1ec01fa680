"""Answers to a drag in the explorer: what the server computes when the initial state has moved.

Each row computes the true orbit, those of the models that come with the package, and the reply in JSON, with the steps and
times that the page begins with. The table gives drags per second; 20 per second are 50 ms each.
"""

import json

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
    models = shipped.models(systems.get(name).canonical)
    lines = [{"kind": "model", "model": model, "neurons": shipped.ACTIVATION} for model in models]
    request = {"system": name, "time": stage["time"], "dt": stage["dt"], "lines": lines, "quick": True}
    states = iter([[x * (1 - 1e-3 * k) for x in stage["z0"]] for k in range(40)])

    def drag():
        return json.dumps(answers.orbits(Asked({**request, "z0": next(states)})))

    benchmark.pedantic(drag, rounds=15, warmup_rounds=3)
