"""The scripts of the documentation: pages of the catalogue, the check of links, launch badges, the menu of versions."""

import runpy
import shutil
import sys
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

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


PAGE = """<!DOCTYPE html><html data-content_root="{up}"><script type="module" src="{up}_static/versions.js"></script>
<body><a class="sidebar-brand">physlearn</a><p id="here">{here}</p></body></html>"""


@pytest.fixture
def site(tmp_path):
    """A site with three versions, of which the oldest lacks a page, and its address."""
    for version in ("0.3.0", "0.2.0", "0.1.0"):
        static = tmp_path / version / "_static"
        static.mkdir(parents=True)
        shutil.copy(DOCS / "_static" / "versions.js", static)
        (tmp_path / version / "index.html").write_text(PAGE.format(up="./", here=f"front of {version}"))
        if version != "0.1.0":
            (tmp_path / version / "how-to").mkdir()
            (tmp_path / version / "how-to" / "film.html").write_text(PAGE.format(up="../", here=f"film in {version}"))
    handler = partial(QuietHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_menu_of_versions_leads_to_the_same_page_of_another_or_to_its_front(site, browser):
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.ui import Select, WebDriverWait

    folder, address = site
    (folder / "versions.json").write_text('["0.3.0", "0.2.0", "0.1.0"]')
    # what is asked of the page that is being left no longer has an element
    wait = WebDriverWait(browser, 60, ignored_exceptions=[StaleElementReferenceException])

    def menu():
        return Select(wait.until(lambda page: page.find_element("id", "versions")))

    browser.get(f"{address}/0.3.0/how-to/film.html")
    wait.until(lambda page: page.find_elements("id", "versions"))
    assert [option.text for option in menu().options] == ["0.3.0", "0.2.0", "0.1.0"]
    assert menu().first_selected_option.text == "0.3.0"
    for version, here in (("0.2.0", "film in 0.2.0"), ("0.1.0", "front of 0.1.0"), ("0.3.0", "front of 0.3.0")):
        menu().select_by_value(version)
        wait.until(lambda page, here=here: page.find_element("id", "here").text == here)
        wait.until(lambda page: page.find_elements("id", "versions"))


def test_without_a_list_of_versions_or_a_server_there_is_no_menu(site, browser):
    folder, address = site
    for start in (address, folder.as_uri()):
        browser.get(f"{start}/0.3.0/index.html")
        time.sleep(0.3)
        assert browser.find_element("id", "here").text == "front of 0.3.0"
        assert not browser.find_elements("id", "versions")


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
