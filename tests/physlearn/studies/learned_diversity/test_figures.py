"""Every figure at a size for seconds: what is drawn, what is written, and that it goes on where it was."""

import json

import pandas as pd
import pytest

from physlearn.studies.learned_diversity import (
    attempts_figure,
    descent_figure,
    digit_figures,
    hessian_figure,
    map_study,
    names,
    reproduce,
    shape_figures,
    study,
    transfer_figure,
    universal_study,
)
from physlearn.studies.learned_diversity import results as results_module
from systems import InputError

FIGURES = [
    "fig3",
    "fig4",
    "fig5",
    "fig6",
    "fig7",
    "fig8",
    "fig9",
    "attempts",
    "attempts-together",
    "claims",
    "curves",
    "depth",
    "hessian",
    "map-data",
    "map-fields",
    "map-systems",
    "map-widths",
    "mix",
    "mix-again",
    "mix-curves",
    "mix-forecasts",
    "mix-parity",
    "mix-parity-again",
    "mix-types",
    "reservoirs",
    "transfer",
    "universal",
]
TOLD = (
    "attempts",
    "attempts-together",
    "claims",
    "map-data",
    "map-fields",
    "map-systems",
    "map-widths",
    "mix",
    "mix-again",
    "mix-parity",
    "mix-parity-again",
    "mix-types",
    "reservoirs",
    "universal",
)
PNG, PDF = b"\x89PNG", b"%PDF"


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    learning = {"variant": "first-order", "outer_steps": 2, "inner_steps": 3, "networks": 2}
    comparing = {"replicates": 2, "epochs": 1, "forecast": False, "variants": {}}
    monkeypatch.setitem(study.LEARNING, True, learning)
    monkeypatch.setitem(study.COMPARING, True, comparing)
    monkeypatch.setattr(shape_figures, "SIZES", {True: (4, 8)})
    monkeypatch.setattr(shape_figures, "WIDTH", {True: 4})
    monkeypatch.setattr(shape_figures, "INITIALISATIONS", {True: 2})
    monkeypatch.setattr(digit_figures, "REALISATIONS", {True: 5})
    monkeypatch.setattr(attempts_figure, "QUICK", {"outer_steps": 2, "inner_steps": 3, "networks": 2, "pairs": 1})
    alone, together = (dict([*tried.items()][::8]) for tried in (attempts_figure.ALONE, attempts_figure.TOGETHER))
    monkeypatch.setitem(attempts_figure.ATTEMPTS, "attempts", {"van-der-pol": alone})
    monkeypatch.setitem(attempts_figure.ATTEMPTS, "attempts-together", {"henon-heiles-hnn": together})
    monkeypatch.setitem(attempts_figure.COMPARING, True, {"replicates": 2, "epochs": 1})
    monkeypatch.setitem(map_study.LEARNING, True, {"candidates": 64, "outer_steps": 1, "networks": 2, "inner_steps": 5})
    monkeypatch.setitem(map_study.REPLICATES, True, 2)
    monkeypatch.setattr(map_study, "TUNING", {"tuned": False})
    monkeypatch.setattr(map_study, "NAMED", ("sine", "tanh"))
    monkeypatch.setitem(universal_study.SEARCH, True, {"candidates": 64, "outer_steps": 1, "networks": 2, "inner_steps": 5})
    monkeypatch.setitem(universal_study.REPLICATES, True, 2)
    monkeypatch.setattr(universal_study, "HOW", {"tuned": False})
    monkeypatch.setattr(descent_figure, "PATHS", {True: 5})
    monkeypatch.setattr(descent_figure, "TIME", 2.0)
    monkeypatch.setattr(hessian_figure, "NEURONS", {True: 3})
    monkeypatch.setattr(hessian_figure, "EPOCHS", {True: (1, 2)})
    monkeypatch.setattr(transfer_figure, "REPLICATES", {True: 2})
    monkeypatch.setattr(transfer_figure, "EPOCHS", {True: 1})


def test_the_figures_with_results_are_all_there():
    assert names() == FIGURES


@pytest.mark.parametrize("name", [name if name == "fig5" else pytest.param(name, marks=pytest.mark.slow) for name in FIGURES])
def test_a_figure_leaves_picture_table_and_manifest_and_is_not_computed_again(name, tmp_path, monkeypatch):
    written = reproduce([name], tmp_path, quick=True, progress=False)[name]
    text = [".md"] if name in TOLD else []
    assert [path.name for path in written] == [name + suffix for suffix in (".png", ".pdf", ".parquet", *text, ".json")]
    assert written[0].read_bytes().startswith(PNG)
    assert written[1].read_bytes().startswith(PDF)
    table = pd.read_parquet(written[2])
    assert len(table) > 1
    manifest = json.loads(written[-1].read_text())
    assert {"figure", "versions", "command", "settings", "quick", "seed", "seconds"} <= set(manifest)

    def again(*args, **kwargs):
        raise AssertionError("computed again")

    for made in ("learn_unit", "compare"):
        monkeypatch.setattr(results_module, made, again)
    monkeypatch.setattr(digit_figures, "realised", again)
    monkeypatch.setattr(hessian_figure, "minima", again)
    reproduce([name], tmp_path, quick=True, progress=False)
    pd.testing.assert_frame_equal(pd.read_parquet(written[2]), table)


@pytest.mark.slow
def test_figures_share_what_they_are_made_from(tmp_path, monkeypatch):
    reproduce(["fig3"], tmp_path, quick=True, progress=False)

    def again(*args, **kwargs):
        raise AssertionError("learned again")

    monkeypatch.setattr(results_module, "learn_unit", again)
    reproduce(["fig8"], tmp_path, quick=True, progress=False)


def test_an_unknown_figure_is_refused(tmp_path):
    with pytest.raises(InputError, match="no figure 'fig2'; there are fig3, fig4"):
        reproduce(["fig2"], tmp_path, progress=False)
