"""Films are read from files that hold their own pictures: no file makes another one be opened."""

import av
import numpy as np
import pytest

from systems import InputError
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
