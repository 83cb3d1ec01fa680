"""A missing extra is named in one sentence; what is installed and broken speaks for itself."""

import sys

import pytest

from systems import InputError, MissingExtraError
from systems.extras import require


def test_an_installed_module_is_returned_with_its_parents():
    assert require("xml.dom.minidom", "film", "reading films") is sys.modules["xml.dom.minidom"]


@pytest.mark.parametrize(("module", "name"), [("av", "PyAV"), ("cv2", "OpenCV"), ("gplearn.genetic", "gplearn")])
def test_a_missing_one_is_told_in_one_sentence(module, name, monkeypatch):
    for part in {module, module.split(".")[0]}:  # the module may have been imported before
        monkeypatch.setitem(sys.modules, part, None)
    with pytest.raises(MissingExtraError) as caught:
        require(module, "film", "reading films")
    assert str(caught.value) == f"reading films needs {name}: run pip install 'physlearn-orbits[film]'"
    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value, InputError)


def test_a_library_that_does_not_load_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match="libGL") as caught:
        require("half_installed", "film", "reading films")
    assert not isinstance(caught.value, MissingExtraError)
