"""Folders for results stay if they hold a file, and only then."""

from pathlib import Path

from systems.new_folders import make_folder, none_left_empty


def test_only_folders_with_files_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("old").mkdir()
    with none_left_empty():
        for name in ("old", "old/a", "b/c", "b/d/e", "f/g"):
            make_folder(Path(name))
        Path("b/c/result.txt").write_text("kept")
        Path("f/g/empty").mkdir()
    assert sorted(str(path) for path in Path().rglob("*")) == ["b", "b/c", "b/c/result.txt", "old"]


def test_a_folder_made_before_the_block_is_not_removed(tmp_path):
    make_folder(tmp_path / "before")
    with none_left_empty():
        pass
    assert (tmp_path / "before").is_dir()
