"""The scripts of the documentation: pages of the catalogue, the check of links, launch badges."""

import runpy
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def script(name):
    pytest.importorskip("sphinx")
    return runpy.run_path(str(DOCS / f"{name}.py"))


@pytest.fixture(scope="module")
def catalogue():
    pytest.importorskip("sphinx")
    sys.path.insert(0, str(DOCS))
    try:
        import catalogue
    finally:
        sys.path.remove(str(DOCS))
    return catalogue


def test_everything_registered_has_a_page_with_equation_use_and_picture(catalogue, tmp_path):
    catalogue.write(tmp_path)
    for kind in catalogue.kinds():
        for name in kind.things:
            text = (tmp_path / kind.folder / f"{name}.rst").read_text()
            assert ".. math::" in text
            assert "When to use it" in text
            assert ".. plot::" in text
            assert f"\n   {name}\n" in (tmp_path / kind.folder / "index.rst").read_text()


@pytest.mark.parametrize(("docstring", "lacks"), [("Text.", "equation"), ("Text.\n\n.. math:: x\n", "when to use it")])
def test_a_class_that_does_not_describe_itself_stops_the_build(catalogue, docstring, lacks):
    from sphinx.errors import ExtensionError

    thing = type("Thing", (), {"__doc__": docstring, "__module__": "systems.oscillators.pendulum"})
    with pytest.raises(ExtensionError, match=lacks):
        catalogue.page("thing", thing, "system")


def test_broken_links_are_found_and_good_ones_are_not(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "index.html").write_text('<h1 id="top"></h1><a href="sub/a.html#here">ok</a><a href="#top">ok</a>')
    (tmp_path / "sub" / "a.html").write_text(
        '<p id="here"><a href="../index.html#gone">1</a><a href="b.html">2</a><a href="/index.html">3</a>'
        '<script src="https://example.org/a.js"></script><a href="https://example.org">ok</a>'
    )
    found = list(script("check_links")["complaints"](tmp_path))
    assert [line.split(": ", 1)[1] for line in found] == [
        "../index.html#gone has no such anchor",
        "/index.html is not relative to the page",
        "b.html does not exist",
        "loads https://example.org/a.js from elsewhere",
    ]


def test_notebooks_have_launch_badges_only_where_the_project_has_a_home():
    badges = script("launch_badges")["badges"]
    assert badges("notebooks/03_integrators", "", "main") == ""
    assert badges("index", "owner/name", "main") == ""
    text = badges("notebooks/03_integrators", "owner/name", "v1")
    assert "/owner/name/blob/v1/notebooks/03_integrators.ipynb" in text
    assert "/owner/name/v1?labpath=notebooks/03_integrators.ipynb" in text


NOTEBOOKS = sorted((DOCS.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_opens_with_a_question_and_the_picture_of_its_answer(path):
    pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(path, as_version=4)
    opening = notebook.cells[0].source
    assert opening.startswith("# ")
    assert "**Question.**" in opening
    assert f"](../docs/images/answers/{path.stem}.png)" in opening
    shown = (DOCS / "images" / "answers" / f"{path.stem}.png").read_bytes()
    assert shown == script("notebook_outputs")["answer"](notebook), "run docs/notebook_outputs.py --pictures"


def test_a_notebook_has_exactly_one_answer():
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("nbclient")
    answer = script("notebook_outputs")["answer"]
    picture = nbformat.v4.new_output("display_data", data={"image/png": "YQ=="})
    tagged, again = (nbformat.v4.new_code_cell("plot()", outputs=[picture], metadata={"tags": ["answer"]}) for _ in range(2))
    plain = nbformat.v4.new_code_cell("plot()", outputs=[picture])
    assert answer(nbformat.v4.new_notebook(cells=[plain, tagged])) == b"a"
    with pytest.raises(ValueError, match="0 pictures"):
        answer(nbformat.v4.new_notebook(cells=[plain]))
    with pytest.raises(ValueError, match="2 pictures"):
        answer(nbformat.v4.new_notebook(cells=[tagged, again]))
