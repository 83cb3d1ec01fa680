"""A seal holds a result to every file and byte."""

import json

import pytest

from physlearn.jobs import seal, whole


@pytest.fixture
def result(tmp_path):
    folder = tmp_path / "result"
    (folder / "part").mkdir(parents=True)
    (folder / "a.txt").write_text("one")
    (folder / "part" / "b.txt").write_text("two")
    return folder


def test_a_result_is_whole_from_its_seal_on(result):
    assert not whole(result)
    path = seal(result, {"seed": 3})
    assert whole(result)
    assert json.loads(path.read_text())["seed"] == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "a.txt").write_text("One"),
        lambda folder: (folder / "a.txt").unlink(),
        lambda folder: (folder / "part" / "b.txt").write_text(""),
        lambda folder: (folder / "more.txt").write_text("three"),
        lambda folder: (folder / "a.txt").rename(folder / "c.txt"),
        lambda folder: folder.rename(folder.with_name("elsewhere")),
        lambda folder: folder.with_name("result.seal").write_text("{"),
        lambda folder: folder.with_name("result.seal").write_text("[]"),
        lambda folder: folder.with_name("result.seal").write_text('{"sha256": null}'),
        lambda folder: folder.with_name("result.seal").unlink(),
    ],
)
def test_whatever_is_changed_breaks_it(result, change):
    seal(result, {})
    change(result)
    assert not whole(result)
