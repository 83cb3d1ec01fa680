"""A store never returns a result that is incomplete, damaged, or that of other settings."""

import hashlib
import json
import os
import signal

import pytest

from physlearn.jobs import Workers, seal, told, whole
from physlearn.jobs.store import Files, Store, Unit, Values, name_of
from systems import InputError

SETTINGS = {"x": 3, "power": 2}
NAME = "a-result"


def save(text, path):
    """Write a folder of two files."""
    path.mkdir(exist_ok=True)
    (path / "a.txt").write_text(text)
    (path / "b.txt").write_text(text)


def save_half(text, path):
    """Be killed between the two files."""
    path.mkdir(exist_ok=True)
    (path / "a.txt").write_text(text)
    os.kill(os.getpid(), signal.SIGKILL)


def load(path):
    text = (path / "a.txt").read_text()
    assert (path / "b.txt").read_text() == text
    return text


FOLDERS = Files(save, load)
FORMS = [(Values(), {"y": 9.0, "text": "nine"}), (FOLDERS, "nine")]


@pytest.fixture(params=FORMS, ids=["values", "files"])
def kept(request, tmp_path):
    form, result = request.param
    store = Store(tmp_path / "store", form)
    store.write(NAME, result, SETTINGS)
    return store, result


def files_of(store):
    return sorted(path for path in store.folder.rglob("*") if path.is_file())


def never():
    raise AssertionError("computed again")


def test_a_result_is_computed_once(kept):
    store, result = kept
    assert store.has(NAME)
    assert store.read(NAME) == result
    assert store.get(NAME, SETTINGS, never) == result


def test_a_result_that_is_missing_is_computed_and_written(tmp_path):
    for form, result in FORMS:
        store = Store(tmp_path / type(form).__name__ / "folder", form)
        assert not store.has(NAME)
        assert store.read(NAME) is None
        assert store.get(NAME, SETTINGS, lambda result=result: result) == result
        assert store.read(NAME) == result


def test_the_settings_are_written_beside_the_result(kept):
    store, _ = kept
    text = "".join(file.read_text() for file in files_of(store))
    assert '"power": 2' in text


@pytest.mark.parametrize("change", [lambda data: data[:-3], lambda data: b"", lambda data: data.replace(b"nine", b"nina")])
def test_a_result_with_any_damaged_file_is_computed_again(kept, change):
    store, result = kept
    for file in files_of(store):
        before = file.read_bytes()
        if change(before) == before:
            continue
        file.write_bytes(change(before))
        assert not store.has(NAME)
        assert store.read(NAME) is None
        assert store.get(NAME, SETTINGS, lambda: result) == result
        assert store.has(NAME)


def test_other_settings_are_another_result():
    names = {name_of({**SETTINGS, **other}, "label", ".json") for other in ({}, {"x": 4}, {"seed": 0}, {"x": 3.5})}
    assert len(names) == 4
    assert name_of({"power": 2, "x": 3}) == name_of(SETTINGS)
    assert name_of(SETTINGS, "label", ".json", length=12).startswith("label-")


def killed_while_writing(folder, form, result):
    if isinstance(form, Values):
        os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)  # the last step of writing
    Store(folder, form).write(NAME, result, SETTINGS)


@pytest.mark.parametrize(("form", "result"), [(Values(), {"y": 1}), (Files(save_half, load), "one")], ids=["values", "files"])
@pytest.mark.parametrize("older", [False, True])
def test_a_run_that_is_killed_while_writing_leaves_no_half_result(form, result, older, tmp_path, server):
    store = Store(tmp_path, form if isinstance(form, Values) else FOLDERS)
    before = {"y": 0} if isinstance(form, Values) else "zero"
    if older:
        store.write(NAME, before, SETTINGS)
    process = server.Process(target=killed_while_writing, args=(tmp_path, form, result))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert store.read(NAME) == (before if older and isinstance(form, Values) else None)
    store.write(NAME, result, SETTINGS)
    assert store.read(NAME) == result


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "null",
        "{}",
        '{"settings": {}}',
        '{"result": null}',
        '{"result": [1]}',
        '{"result": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"result": ' + "9" * 10_000 + "}",
        '{"result": {"x": }',
    ],
)
def test_hostile_values_with_a_matching_checksum_are_no_result(content, tmp_path):
    (tmp_path / NAME).write_text(f"{hashlib.sha256(content.encode()).hexdigest()}\n{content}\n")
    assert Store(tmp_path, Values()).read(NAME) is None
    assert Store(tmp_path, Values()).get(NAME, SETTINGS, lambda: {"y": 9}) == {"y": 9}


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"[[1, 2]]", b'{"sha256": null}', b"\xff", b"[" * 100_000, b"9" * 10_000, b'{"sha256": {"a": []}}'],
)
def test_hostile_seals_seal_nothing(content, tmp_path):
    store = Store(tmp_path, FOLDERS)
    store.write(NAME, "nine", SETTINGS)
    (tmp_path / f"{NAME}.seal").write_bytes(content)
    assert not store.has(NAME)
    assert store.get(NAME, SETTINGS, lambda: "nine") == "nine"
    assert store.has(NAME)


@pytest.mark.parametrize("content", ["[]", "[" * 100_000, "{"])
def test_a_seal_that_is_no_object_raises_one_error(content, tmp_path):
    (tmp_path / "a.seal").write_text(content)
    with pytest.raises(ValueError, match=r"seal|Expecting"):
        told(tmp_path / "a")


def test_values_that_json_cannot_represent_are_refused(tmp_path):
    with pytest.raises(InputError, match="a unit must return a mapping of names to numbers"):
        Store(tmp_path, Values()).write(NAME, {"x": object()}, SETTINGS)
    assert not list(tmp_path.iterdir())


def square(x):
    if x == 2:
        raise ArithmeticError("two")
    return {"y": x**2}


def test_only_missing_results_are_computed_and_each_is_kept(tmp_path):
    store = Store(tmp_path, Values())
    units = [Unit(f"{x}.json", {"x": x}, (x,)) for x in (0, 1, 3)]
    expected = [{"y": x**2} for x in (0, 1, 3)]
    assert store.get_all(square, units, Workers()) == expected
    assert store.get_all(never, units, Workers()) == expected
    with pytest.raises(ArithmeticError, match="two"):
        store.get_all(square, [Unit("4.json", {}, (4,)), Unit("2.json", {}, (2,)), Unit("5.json", {}, (5,))], Workers())
    assert list(store.names("*.json")) == ["0.json", "1.json", "3.json", "4.json"]


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


def test_files_of_version_0_1_0_are_found(tmp_path):
    """A sweep's result and a sealed file, written here as that version wrote them."""
    content = json.dumps({"settings": {"x": 3}, "result": {"y": 9}})
    (tmp_path / "values.json").write_text(f"{hashlib.sha256(content.encode()).hexdigest()}\n{content}\n")
    assert Store(tmp_path, Values()).read("values.json") == {"y": 9}
    (tmp_path / "file.txt").write_text("42")
    checksums = {"file.txt": hashlib.sha256(b"42").hexdigest()}
    (tmp_path / "file.txt.seal").write_text(json.dumps({"seed": 0, "sha256": checksums}, indent=1) + "\n")
    assert Store(tmp_path, Files(never, lambda path: path.read_text())).read("file.txt") == "42"
    assert name_of({"a": 1}, "compared-task", length=12) == "compared-task-" + hashlib.sha256(b'{"a": 1}').hexdigest()[:12]
