"""The file of a film: its codec, its size, and the time stamps of its frames."""

import av
import numpy as np
import pytest

from systems.film import Defects, Film
from systems.film.rendering.clock_film import COLOURS

SIZE = (640, 360)


@pytest.mark.parametrize(
    "defects", [Defects(), Defects(dropped=0.2, duplicated=0.2, variable_rate=0.2)], ids=["ideal", "uneven"]
)
@pytest.mark.parametrize("fps", [24.0, 29.97, 60.0])
def test_the_time_stamps_in_the_file_are_those_of_the_truth(filmed, tmp_path, defects, fps):
    truth, t, pictures = filmed(tmp_path, defects, Film(size=SIZE, fps=fps))
    assert t == pytest.approx(truth.t, abs=1e-12)
    assert t[0] == 0
    assert (np.diff(t) > 0).all()
    assert len(pictures) == len(truth)


def test_without_h264_a_film_is_mpeg4(filmed, tmp_path, monkeypatch):
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    truth, t, pictures = filmed(tmp_path, Defects(variable_rate=0.2))
    with av.open(str(tmp_path / "clock.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
    assert t == pytest.approx(truth.t, abs=1e-12)
    x, y = np.rint(truth.lower[20]).astype(int)
    assert np.abs(pictures[20][y, x] - COLOURS["blue"]).max() < 25


@pytest.mark.parametrize("codecs", [{"libx264"}, {"mpeg4"}], ids=str)
def test_compression_makes_files_smaller(filmed, tmp_path, monkeypatch, codecs):
    monkeypatch.setattr(av, "codecs_available", codecs)
    sizes = []
    for compression in (0, 20, 40):
        filmed(tmp_path, Defects(compression=compression, noise=3))
        sizes.append((tmp_path / "clock.mp4").stat().st_size)
    assert sizes[0] / 2 > sizes[1] > sizes[2]
