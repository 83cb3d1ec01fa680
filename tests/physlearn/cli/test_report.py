"""`--report`: one page about a run, by every command that has a result to show."""

import base64

import pandas as pd
import pytest
from PIL import Image

from physlearn.cli.commands import COMMANDS, load

COMMANDS_WITH_FOLDERS = {"forecast", "chaos", "compare"}  # which always write report.html
WITHOUT = {"systems", "explore"}  # a list, and a page


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - COMMANDS_WITH_FOLDERS - WITHOUT))
def test_every_other_command_takes_report(command):
    assert any("--report" in parameter.opts for parameter in load(command).params)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["simulate", "kepler", "--time", 5], ["1 orbit of 51 times", "energy_error"]),
        (
            ["escapes", "henon-heiles", "--energy", 0.2, "--orbits", 20, "--time", 20, "--dt", 0.05],
            ["20 orbits of energy 0.2"],
        ),
        (["basins", "logistic", "--grid", "x=0.1:0.9:5", "--set", "r=3.2"], ["5 initial states", "escaped: 0"]),
        (["bifurcations", "logistic", "--parameter", "r=2.8:3.4:3"], ["3 values of r", "period"]),
        (["periodic-orbits", "van-der-pol"], ["of period 8.4745", "growth rate"]),
    ],
    ids=lambda value: value[0] if isinstance(value[0], str) and value[0] in COMMANDS else "",
)
def test_a_report_shows_the_answer_the_command_and_its_settings(run, here, arguments, shown):
    result = run(*arguments, "--report", "page.html")
    assert result.code == 0, result.err
    assert result.out.rstrip().endswith("page.html")
    text = (here / "page.html").read_text()
    for part in [*shown, " ".join(["physlearn", *map(str, arguments), "--report page.html"]), "<th>system</th>"]:
        assert part in text
    if arguments[0] != "basins":
        assert text.count("data:image/png;base64,") == 1


def test_a_report_of_reproduced_figures_has_their_pictures_and_short_tables(run, here, monkeypatch):
    def reproduce(which, out, **_):
        for rows, name in zip((3, 1000), which, strict=True):
            Image.new("RGB", (8, 8)).save(out / f"{name}.png")
            pd.DataFrame({"loss": [0.125] * rows}).to_parquet(out / f"{name}.parquet")
        return {name: [out / f"{name}.png"] for name in which}

    monkeypatch.setattr("physlearn.studies.learned_diversity.reproduce", reproduce)
    result = run("reproduce", "fig3", "fig5", "--out", "figures", "--report", "page.html")
    assert result.code == 0, result.err
    text = (here / "page.html").read_text()
    picture = base64.b64encode((here / "figures" / "fig5.png").read_bytes()).decode()
    assert picture in text
    assert text.count("0.125") == 3
    assert "fig5.parquet has the 1000 rows of fig5" in text


def test_a_report_of_another_format_is_refused_before_anything_is_computed(refused, here):
    assert "must end with .html" in refused("simulate", "kepler", "--report", "page.pdf")
    assert not list(here.iterdir())
