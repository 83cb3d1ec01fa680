import json
import socket
import sys
from threading import Thread

import pytest

from physlearn.explorer import serve
from systems import InputError

pytest.importorskip("latex2mathml", reason="the explorer's extra is not installed")

from physlearn.explorer.handler import Server

OWN = ["127.0.0.1:PORT", "localhost:PORT", "LocalHost:PORT", "[::1]:PORT"]
FOREIGN = ["evil.example:PORT", "evil.example", "localhost.evil.example:PORT", "127.0.0.1.nip.io:PORT", "127.0.0.1",
           "localhost:1", "192.168.1.2:PORT", "[::2]:PORT", "0.0.0.0:PORT"]  # fmt: skip
PATHS = ["/", "/page.css", "/page.js", "/draw.js", "/sections.js"]


def test_without_its_extra_one_sentence_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "latex2mathml", None)
    with pytest.raises(InputError, match=r"pip install 'physlearn-orbits\[explore\]'"):
        serve(show=False)


def test_a_port_that_is_taken_is_told_of():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(InputError, match=f"port {other.getsockname()[1]} is not available"):
            serve(port=other.getsockname()[1], show=False)


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(InputError, match="port must be a number"):
        serve(port=port, show=False)


def test_a_system_that_is_none_is_refused_in_one_line(refused):
    assert "pendulum" in refused("explore", "pendulumm")


def test_it_says_where_it_is_and_ends_with_an_interruption(monkeypatch, capsys):
    def interrupted(server):
        raise KeyboardInterrupt

    opened = []
    monkeypatch.setattr(Server, "serve_forever", interrupted)
    monkeypatch.setattr("webbrowser.open", opened.append)
    serve("kepler", port=0)
    (address,) = opened
    assert address.startswith("http://127.0.0.1:")
    assert address in capsys.readouterr().out


@pytest.fixture(scope="module")
def port(answers):
    """Where an explorer is served by a thread."""
    with Server(0, answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def asked(port, path, host, *headers, method="GET", body=b""):
    """The status that a raw request is answered with, and the content."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
    lines += [f"Content-Length: {len(body)}"] if body else []
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(("\r\n".join(lines).replace("PORT", str(port)) + "\r\n\r\n").encode() + body)
        content = b""
        while part := connection.recv(65536):
            content += part
    head, _, rest = content.partition(b"\r\n\r\n")
    return int(head.split()[1]), rest


def posted(port, path, values, *headers, host="localhost:PORT"):
    return asked(port, path, host, *headers, method="POST", body=json.dumps(values).encode())


@pytest.mark.parametrize("host", OWN)
def test_this_machine_has_the_page_and_its_answers(port, host):
    for path in PATHS:
        assert asked(port, path, host)[0] == 200
    assert asked(port, "/nothing", host)[0] == 404
    assert posted(port, "/menus", {}, "Origin: http://localhost:PORT", host=host)[0] == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_a_name_of_another_site_that_points_here_has_nothing(port, host):
    for path in (*PATHS, "/nothing"):
        assert asked(port, path, host)[0] == 403
    assert posted(port, "/menus", {}, host=host)[0] == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example:PORT", "http://localhost.evil.example:PORT", "http://localhost:1", "null"]
)
def test_a_page_of_another_site_has_no_answers(port, origin):
    assert posted(port, "/menus", {}, f"Origin: {origin}")[0] == 403


@pytest.mark.parametrize(
    "path", ["/../serve.py", "/page.js/../../serve.py", "/page/__init__.py", "//etc/passwd", "/%2e%2e/serve.py"]
)
def test_no_other_file_is_served(port, path):
    assert asked(port, path, "localhost:PORT")[0] == 404


def test_the_page_loads_nothing_from_elsewhere(port):
    for path in PATHS:
        text = asked(port, path, "localhost:PORT")[1].decode()
        assert "http://" not in text.replace("http://www.w3.org", "")
        assert "https://" not in text
        assert "eval(" not in text


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("/stage", b'{"system": "pendulumm"}', "pendulum"),
        ("/stage", b"[" * 100_000, "JSON"),
        ("/stage", b"[1]", "JSON object"),
        ("/file?name=a.safetensors", b"nothing of the kind", "a.safetensors is not a complete safetensors file"),
        ("/train", b'{"system": "pendulum", "model": "no", "neurons": "tanh"}', "no"),
    ],
)
def test_a_wrong_request_is_answered_by_a_sentence(port, path, body, sentence):
    status, content = asked(port, path, "localhost:PORT", method="POST", body=body)
    assert status == (200 if path == "/train" else 400)  # a stream has begun with 200
    assert sentence in json.loads(content)["error"]


def test_a_request_that_is_too_large_is_not_read(port):
    assert asked(port, "/stage", "localhost:PORT", "Content-Length: 99999999999", method="POST")[0] == 413
    assert asked(port, "/stage", "localhost:PORT", "Content-Length: -1", method="POST")[0] == 413


def test_the_page_is_served_to_this_machine_alone(port):
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), timeout=5)
