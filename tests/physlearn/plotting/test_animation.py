"""Films."""

from itertools import pairwise

import av
import pytest
import torch
from matplotlib import pyplot as plt
from PIL import Image

from physlearn.plotting import animate
from systems import InputError, Orbit


def differences(path):
    """How many pixels change from each frame to the next."""
    with Image.open(path) as film:
        frames = []
        for i in range(film.n_frames):
            film.seek(i)
            frames.append(torch.frombuffer(bytearray(film.convert("L").tobytes()), dtype=torch.uint8))
    return [int((a != b).sum()) for a, b in pairwise(frames)]


def test_a_gif_has_the_frames_and_the_speed_asked_for_and_the_point_moves(swing, tmp_path):
    path = animate(swing, tmp_path / "swing.gif", seconds=1, fps=10, progress=False)
    assert path == tmp_path / "swing.gif"
    with Image.open(path) as film:
        assert film.n_frames == 10
        assert film.info["duration"] == 100  # milliseconds a frame
    assert min(differences(path)) > 50


def test_an_mp4_has_the_frames_and_the_length_asked_for(galaxy, tmp_path):
    path = animate({"stars": galaxy}, tmp_path / "stars.mp4", seconds=0.8, fps=10, progress=False)
    with av.open(str(path)) as film:
        assert [float(frame.time) for frame in film.decode(video=0)] == pytest.approx([k / 10 for k in range(8)])
        stream = film.streams.video[0]
        assert (stream.frames, float(stream.duration * stream.time_base)) == (8, pytest.approx(0.8, abs=0.05))
        assert stream.average_rate == 10
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")


def test_time_runs_evenly_where_the_times_are_not(swing, tmp_path):
    t = torch.cat([torch.linspace(0, 1, 101), torch.linspace(2, 10, 9)]).double()
    orbit = Orbit(t, torch.stack([t, t], -1))
    path = animate(orbit, tmp_path / "ramp.gif", seconds=1, fps=10, trail=0.01, progress=False)
    assert min(differences(path)) > 50  # by index, nine of ten frames would show the first unit of time


def test_backward_diverging_and_still_orbits_are_filmed(swing, diverging, tmp_path):
    backward = swing[..., ::-1]
    still = Orbit(swing.t, torch.zeros_like(swing.z), coordinates=("q", "p"))
    for name, orbits in {
        "backward": backward,
        "diverging": {"truth": swing, "forecast": diverging},
        "alone": diverging,
        "still": still,
    }.items():
        with Image.open(animate(orbits, tmp_path / f"{name}.gif", seconds=0.4, fps=10, progress=False)) as film:
            assert film.n_frames >= 1


@pytest.mark.parametrize("name", ["film.avi", "film", "film.png"])
def test_another_kind_of_file_is_refused(swing, tmp_path, name):
    with pytest.raises(InputError, match=r"\.gif or \.mp4"):
        animate(swing, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_settings_and_orbits_that_make_no_film_are_refused(swing, galaxy, tmp_path):
    path = tmp_path / "film.gif"
    for setting in ({"seconds": 0}, {"fps": -1}, {"trail": 0}, {"trail": 2}, {"coordinates": ("q", "v")}):
        with pytest.raises(InputError):
            animate(swing, path, **setting)
    for orbits in ({}, {"one": swing, "other": galaxy}):
        with pytest.raises(InputError):
            animate(orbits, path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_a_film_that_fails_leaves_neither_a_file_nor_a_figure(swing, tmp_path, monkeypatch, suffix):
    from physlearn.plotting import animation

    def fail(self, start, stop):
        if stop > 30:
            raise RuntimeError("out of paint")
        draw(self, start, stop)

    draw = animation._Runner.draw
    monkeypatch.setattr(animation._Runner, "draw", fail)
    before = tmp_path / f"film{suffix}"
    before.write_bytes(b"an older film")
    with pytest.raises(RuntimeError, match="out of paint"):
        animate(swing, before, seconds=1, fps=5, progress=False)
    assert before.read_bytes() == b"an older film"
    assert list(tmp_path.iterdir()) == [before]
    assert not plt.get_fignums()


def test_a_film_leaves_no_figure_and_shows_its_progress(swing, tmp_path, capsys):
    animate(swing, tmp_path / "film.GIF", seconds=0.2, fps=10)
    assert not plt.get_fignums()
    assert "drawing film.GIF" in capsys.readouterr().err
