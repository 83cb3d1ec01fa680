"""The package of films is light: it loads PyAV and OpenCV only when a name that needs them is used."""

import subprocess
import sys

import pytest

import systems
from systems.extras import MissingExtraError

SLOW = ("av", "cv2")


LIGHT = """
import systems
from systems.film import Defects, Film, Report, Tracking, Truth, from_markers
import physlearn.plotting
"""


def test_opencv_and_pyav_are_not_loaded_before_the_tracker_needs_them():
    told = f"import sys\nprint('loaded:', *(name for name in {SLOW} if name in sys.modules))\n"
    program = LIGHT + told + "from systems.film import track\n" + told
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    before, after = result.stdout.splitlines()
    assert before == "loaded:"
    assert "cv2" in after


def test_every_name_that_is_listed_is_there():
    assert {*systems.film.__all__, "accuracy", "overlay", "rendering", "tracking"} <= set(dir(systems.film))
    for name in systems.film.__all__:
        assert getattr(systems.film, name).__module__.startswith("systems.film.")
    assert callable(systems.film.overlay.overlay)
    with pytest.raises(AttributeError, match="has no attribute 'trakc'"):
        systems.film.trakc  # noqa: B018


def test_without_pyav_the_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "film.mp4").touch()
    with pytest.raises(MissingExtraError, match=r"reading films needs PyAV: run pip install 'physlearn-orbits\[film\]'"):
        systems.film.track(tmp_path / "film.mp4")
    with pytest.raises(MissingExtraError, match="writing films needs PyAV"):
        systems.film.render(([0.0, 1.0], [0.1, 0.1]), tmp_path / "clock.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_without_opencv_the_sentence_says_what_to_install():
    program = (
        "import sys\nsys.modules['cv2'] = None\nfrom systems.film import Film, from_markers\nfrom systems.film import track"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 1
    assert "rendering or tracking films needs OpenCV: run pip install 'physlearn-orbits[film]'" in result.stderr
