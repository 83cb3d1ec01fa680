"""Films are read from files that hold their own pictures: no file makes another one be opened."""

from fractions import Fraction

import av
import numpy as np
import pytest

from systems import InputError
from systems.errors import AccuracyWarning
from systems.film import Film, render, track
from systems.film.tracking.decode import FilmReader

OPENED_BY_FFMPEG = ("concat", "hls")  # by the builds that PyAV brings; others may know dash, too
PLAYLISTS = {
    "concat": ("film.mp4", "ffconcat version 1.0\nfile other.mp4\n"),
    "hls": (
        "film.m3u8",
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:1.0,\nother.mp4\n#EXT-X-ENDLIST\n",
    ),
    "dash": (
        "film.mpd",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S" '
        'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation '
        'id="1" bandwidth="1000"><BaseURL>other.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>',
    ),
    "sdp": (
        "film.mp4",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    ),
    "pattern": ("film%d.png", "P6 1 1 255 abc"),
    "script of concat": ("film.ffconcat", "file other.mp4\n"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    t = np.linspace(0, 1, 40)
    render((t, 0.1 * np.cos(6 * t)), folder / "other.mp4", Film(size=(320, 180), pivot=(150.0, 20.0), rod=120.0))
    return folder


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_is_no_film(folder, kind):
    name, text = PLAYLISTS[kind]
    (folder / name).write_text(text)
    if kind in OPENED_BY_FFMPEG:
        with av.open(str(folder / name)) as container:
            assert container.streams.video  # of the other film
    with pytest.raises(InputError, match="is not a film"):
        track(folder / name)


def test_a_film_is_opened_whatever_its_name_says(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for name in ("concat:a.mp4", "http:a", "film.m3u8"):
        (folder / name).write_bytes((folder / "other.mp4").read_bytes())
        assert FilmReader(name).width == 320


def test_pictures_of_an_unknown_kind_are_refused(folder, tmp_path):
    (tmp_path / "film.mp4").write_bytes(
        (folder / "other.mp4").read_bytes().replace(b"avc1", b"zzzz").replace(b"mp4v", b"zzzz")
    )
    with pytest.raises(InputError, match="FFmpeg cannot decode"):
        FilmReader(tmp_path / "film.mp4")


def encoded(path, source, size=None, aspect=None, options=None, form=None):
    """Write the pictures of a film again: in another size, with another aspect of its pixels, or as a raw stream."""
    with av.open(str(source)) as film, av.open(str(path), "w", format=form) as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "5", **(options or {})})
        stream.width, stream.height = size or (film.streams.video[0].width, film.streams.video[0].height)
        stream.pix_fmt = "yuv420p"
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for number, frame in enumerate(film.decode(video=0)):
            frame = frame.reformat(width=stream.width, height=stream.height)
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_pixels_that_are_not_square_do_not_change_the_angles(folder, tmp_path):
    encoded(tmp_path / "narrow.mp4", folder / "other.mp4", size=(240, 180), aspect=Fraction(4, 3))
    assert FilmReader(tmp_path / "narrow.mp4").width == 320
    t = np.linspace(0, 4, 400)
    render((t, 0.3 * np.cos(6 * t)), tmp_path / "wide.mp4", Film(size=(320, 180), pivot=(160.0, 20.0), rod=120.0, marker=6))
    encoded(tmp_path / "film.mp4", tmp_path / "wide.mp4", size=(240, 180), aspect=Fraction(4, 3))
    (report,) = track(tmp_path / "film.mp4").report
    assert report.amplitude == pytest.approx(0.3, rel=0.01)


def test_pictures_without_time_stamps_are_refused(folder, tmp_path):
    encoded(tmp_path / "film.h264", folder / "other.mp4", form="h264")
    with pytest.raises(InputError, match="without time stamps, so that its frame rate is unknown"):
        track(tmp_path / "film.h264")


def test_interlaced_pictures_are_told(folder, tmp_path):
    encoded(tmp_path / "film.mp4", folder / "other.mp4", options={"x264-params": "tff=1:interlaced=1"})
    with pytest.warns(AccuracyWarning, match="is interlaced"):
        FilmReader(tmp_path / "film.mp4")
