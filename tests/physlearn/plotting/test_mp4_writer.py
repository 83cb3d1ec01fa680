"""Films that matplotlib writes by PyAV."""

import av
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.animation import FuncAnimation, writers

from physlearn.plotting.mp4_writer import MP4Writer


@pytest.fixture
def film():
    """A line that rises, ten pictures a second, in a figure of an odd width."""
    figure, ax = plt.subplots(figsize=(3.01, 2))
    (line,) = ax.plot([0, 1], [0, 0])
    ax.set(ylim=(-1, 11))
    yield FuncAnimation(figure, lambda n: line.set_ydata([n, n]), frames=10, interval=100)
    plt.close(figure)


def test_the_frames_are_those_of_the_figure(film, tmp_path):
    film.save(tmp_path / "film.mp4", writer=MP4Writer(10), dpi=100)
    with av.open(str(tmp_path / "film.mp4")) as container:
        frames = list(container.decode(video=0))
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
    assert [float(frame.time) for frame in frames] == pytest.approx(np.arange(10) / 10)
    assert (frames[0].width, frames[0].height) == (300, 200)
    film._fig.savefig(tmp_path / "last.png", dpi=100)
    last = (255 * plt.imread(tmp_path / "last.png")[:, :300, :3]).astype(int)
    assert np.abs(frames[-1].to_ndarray(format="rgb24") - last).mean() < 3
    heights = [np.argmin(frame.to_ndarray(format="rgb24")[40:170, 150, 0]) for frame in frames]
    assert (np.diff(heights) < 0).all()


def test_matplotlib_finds_it_by_name(film, monkeypatch):
    assert writers.is_available("pyav")
    monkeypatch.setitem(plt.rcParams, "animation.writer", "pyav")
    html = film.to_html5_video()
    assert 'type="video/mp4"' in html
    assert 'width="300" height="200"' in html
