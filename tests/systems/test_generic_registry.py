"""A registry of objects of any kind."""

from importlib.metadata import entry_points

import pytest

from systems import InputError, UnknownNameError, generic_registry
from systems.generic_registry import Registry


@pytest.fixture
def shapes():
    registry = Registry("shape", "tests.shapes", hint=", and polygons such as 5-gon")
    for name in ("square", "disc"):
        registry.register(name)(type(name, (), {}))
    return registry


@pytest.fixture
def other_distribution(tmp_path, monkeypatch):
    """Another distribution, which offers two shapes that it has and one that it lacks."""
    (tmp_path / "more_shapes.py").write_text("class Star: ...\n\n\nclass Ring: ...\n")
    metadata = tmp_path / "more_shapes-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: more-shapes\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[tests.shapes]\nstar = more_shapes:Star\nring = more_shapes:Ring\ngone = no_such:X\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


def test_names_come_in_the_order_of_registration(shapes):
    assert shapes.names() == ["square", "disc"]


def test_register_is_a_decorator_that_gives_back_what_it_was_given(shapes):
    @shapes.register("wedge")
    class Wedge:
        pass

    assert shapes.get("wedge") is Wedge
    assert shapes.holds("wedge", Wedge)
    assert not shapes.holds("disc", Wedge)


def test_an_unknown_name_is_told_with_those_there_are(shapes):
    for look_up in (shapes.get, shapes.check):
        with pytest.raises(
            UnknownNameError, match="no shape 'circle'; choose one of square, disc, and polygons such as 5-gon"
        ):
            look_up("circle")


def test_a_taken_name_is_told_with_its_owner(shapes):
    with pytest.raises(InputError, match=f"the shape name 'disc' is taken by disc of {__name__}; choose another name"):
        shapes.register("disc")(type("other", (), {}))


def test_what_is_defined_again_replaces_itself(shapes):
    again = type("disc", (), {})
    assert shapes.register("disc")(again) is shapes.get("disc") is again


def test_what_is_made_from_a_function_is_known_by_it():
    registry = Registry("number", "tests.numbers", source=lambda made: made[0])
    registry.register("largest")((max, 1))
    registry.register("largest")((max, 2))
    assert registry.get("largest") == (max, 2)
    with pytest.raises(InputError, match="taken by max of builtins"):
        registry.register("largest")((min, 2))


@pytest.mark.usefixtures("other_distribution")
def test_other_distributions_offer_theirs_and_are_loaded_when_these_are_got(shapes):
    assert shapes.names() == ["square", "disc", "gone", "ring", "star"]
    shapes.check("gone")  # it is offered, whatever loading it will say
    assert shapes.get("star").__module__ == "more_shapes"
    with pytest.raises(ModuleNotFoundError):
        shapes.get("gone")


def test_metadata_are_read_once_until_another_distribution_is_installed(shapes, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    read = []
    monkeypatch.setattr(generic_registry, "entry_points", lambda **which: read.append(which) or entry_points(**which))
    assert [shapes.names() for _ in range(3)] == [["square", "disc"]] * 3
    shapes.check("disc")
    assert read == [{"group": "tests.shapes"}]
    metadata = tmp_path / "late_shapes-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: late-shapes\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[tests.shapes]\nlate = late_shapes:Late\n")
    assert shapes.names() == ["square", "disc", "late"]


@pytest.mark.usefixtures("other_distribution")
def test_what_is_registered_comes_before_what_is_offered(shapes):
    mine = shapes.register("star")(type("Star", (), {}))
    assert shapes.names() == ["square", "disc", "star", "gone", "ring"]
    assert shapes.get("star") is mine
