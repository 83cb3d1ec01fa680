"""The page without a browser: its widgets are set by hand, and what it wants drawn is drawn when the test says so."""

import time

import pytest

import systems
from physlearn.activations import shipped

pytest.importorskip("panel", reason="the page needs panel")

from physlearn.explorer.page import SUITED, Page

PATIENCE = 300.0


class Document:
    """What the page asks of a document of bokeh's: to be called back."""

    def __init__(self):
        self.waiting = []

    def add_next_tick_callback(self, callback):
        self.waiting.append(callback)

    def draw_until(self, condition):
        start = time.monotonic()
        while not condition():
            assert time.monotonic() - start < PATIENCE
            while self.waiting:
                self.waiting.pop(0)()
            time.sleep(0.005)


@pytest.fixture
def page(shelf):
    made = Page(shelf, "pendulum", Document())
    until(made, lambda: trained(made, "nn", "hnn"))
    yield made
    made.close()


def until(page, condition):
    page.document.draw_until(condition)


def trained(page, *models):
    return page.exploration is not None and set(page.exploration.models) == set(models) and not page.busy.value


def paths(page):
    return {name: list(source.data["x"]) for name, source in page.board._paths.items()}


def test_it_begins_with_the_truth_and_both_models(page):
    until(page, lambda: all(len(path) > 10 for path in paths(page).values()))
    assert list(paths(page)) == ["truth", "nn", "hnn"]
    assert "energy H" in page.state.object
    assert page.said.object == ""
    assert page.layout


def test_a_state_that_is_dragged_is_the_initial_state_of_all(page):
    page.board.handle.data = {**page.board.handle.data, "x": [0.5], "y": [0.25]}
    until(page, lambda: {path[0] for path in paths(page).values() if path} == {0.5})
    assert page.exploration.z0.tolist() == [0.5, 0.25]
    assert "0.500" in page.state.object


def test_points_that_are_no_numbers_move_nothing(page):
    before = page.exploration
    page.board.handle.data = {**page.board.handle.data, "x": [float("nan")], "y": [0.25]}
    assert page.exploration is before


def test_an_integrator_that_does_not_apply_is_answered_by_the_sentence_of_the_library(page):
    page.integrator.value = "leapfrog"
    until(page, lambda: "hnn: leapfrog needs a separable Hamiltonian" in page.said.object)
    assert paths(page)["hnn"] == []
    assert paths(page)["truth"]
    page.integrator.value = SUITED
    until(page, lambda: page.said.object == "" and paths(page)["hnn"])


def test_another_model_keeps_the_state(page):
    page.board.handle.data = {**page.board.handle.data, "x": [0.5], "y": [0.25]}
    page.hamiltonian.value = "hnn-separable"
    until(page, lambda: trained(page, "nn", "hnn-separable"))
    assert page.exploration.z0.tolist() == [0.5, 0.25]
    until(page, lambda: paths(page).get("hnn-separable"))


def test_another_system_has_its_own_models_and_pace(page):
    page.system.value = "van-der-pol"
    until(page, lambda: trained(page, "nn") and page.exploration.system.name == "van-der-pol")
    assert page.hamiltonian.disabled
    assert (page.exploration.dt, page.exploration.time) == (page.step.value, page.time.value)
    until(page, lambda: len(paths(page)["nn"]) > 10)
    assert "energy" not in page.state.object


def test_sections_are_drawn_when_the_state_has_settled(page):
    page.system.value = "henon-heiles"
    until(page, lambda: page.exploration.system.name == "henon-heiles" and trained(page, "nn", "hnn"))
    until(page, lambda: len(page.board._crossings["truth"].data["x"]) > 100)
    assert set(page.board._crossings) == {"truth", "nn", "hnn"}


def test_neurons_are_chosen_by_name_or_taken_from_a_file(page, tmp_path):
    page.neurons.value = "learned:henon-heiles-hnn"
    assert len(page._curves.data["value"]) == 2
    until(page, lambda: trained(page, "nn", "hnn"))
    shipped.load("van-der-pol").save(tmp_path / "mine.safetensors")
    page.file.filename = "mine.safetensors"
    page.file.value = (tmp_path / "mine.safetensors").read_bytes()
    assert page.neurons.value == "file:mine.safetensors"
    mine = page.files["file:mine.safetensors"].activation
    until(page, lambda: trained(page, "nn", "hnn") and page.exploration.models["hnn"].activation is mine)


def test_a_bad_file_is_answered_by_a_sentence_and_changes_nothing(page):
    page.file.filename = "<b>bad</b>.safetensors"
    page.file.value = b"nothing of the kind"
    assert "is not a complete safetensors file" in page.said.object
    assert "<b>" not in page.said.object
    assert page.neurons.value == "tanh"


def test_an_orbit_that_escapes_is_told_of(page):
    page.system.value = "henon-heiles"
    until(page, lambda: page.exploration.system.name == "henon-heiles" and trained(page, "nn", "hnn"))
    page.board.handle.data = {**page.board.handle.data, "x": [1.0, 1.5], "y": [1.0, 1.5]}
    until(page, lambda: "truth: " in page.said.object and "escape energy" in page.said.object)
    assert paths(page)["truth"] == []
    assert systems.get("henon-heiles").escape_energy < page.exploration.energy
