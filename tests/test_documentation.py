"""The code that the README and the docs print runs as printed."""

import re
from pathlib import Path
from pydoc import locate

import pytest
from matplotlib import pyplot as plt

ROOT = Path(__file__).parents[1]
WRITTEN = {str(path.relative_to(ROOT)): path for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))}
PAGES = {
    name: "\n".join(re.findall(r"^```python\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE))
    for name, path in WRITTEN.items()
}
PRINTED = {name: code for name, code in PAGES.items() if code}
REGISTRIES = (
    "systems.registry._registered",
    "physlearn.activations.named._registered",
    "physlearn.integrators.registry._registered",
)
ELSEWHERE = {"docs/adding-a-system.md"}  # with the distribution that it tells of: test_newcomer.py


@pytest.mark.parametrize("page", sorted(PRINTED.keys() - ELSEWHERE))
def test_the_code_of_a_page_runs_as_printed_from_top_to_bottom(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for registry in REGISTRIES:
        monkeypatch.setattr(registry, dict(locate(registry)))
    plt.switch_backend("Agg")
    try:
        exec(compile(PRINTED[page], page, "exec"), {"__name__": "printed"})
    finally:
        plt.close("all")


def test_there_is_code_to_run():
    assert len(PRINTED) >= 4


@pytest.mark.parametrize("path", WRITTEN.values(), ids=WRITTEN)
def test_local_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target
