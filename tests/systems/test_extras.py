"""Optional dependencies: the module where it is installed, and one sentence where it is not."""

import json
import sys

import pytest

from systems.extras import MissingExtraError, require


def test_an_installed_module_is_returned():
    assert require("json", "film", "reading films") is json


def test_a_missing_module_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError) as refusal:
        require("av", "film", "reading films")
    assert str(refusal.value) == "reading films needs PyAV: pip install 'physlearn-orbits[film]'"
    assert isinstance(refusal.value, ImportError)
