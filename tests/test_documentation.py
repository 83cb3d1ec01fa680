"""The code that the README and the docs print runs as printed."""

import re
from pathlib import Path

import pytest
from matplotlib import pyplot as plt

ROOT = Path(__file__).parents[1]
PAGES = {
    path.name: "\n".join(re.findall(r"^```python\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE))
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
PRINTED = {name: code for name, code in PAGES.items() if code}
ELSEWHERE = {"adding-a-system.md"}  # with the distribution that it tells of: test_newcomer.py


@pytest.mark.parametrize("page", sorted(PRINTED.keys() - ELSEWHERE))
def test_the_code_of_a_page_runs_as_printed_from_top_to_bottom(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("systems.registry._registered", dict(__import__("systems").registry._registered))
    plt.switch_backend("Agg")
    try:
        exec(compile(PRINTED[page], page, "exec"), {"__name__": "printed"})
    finally:
        plt.close("all")


def test_there_is_code_to_run():
    assert len(PRINTED) >= 4


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda path: path.name)
def test_local_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target
