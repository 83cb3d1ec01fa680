import os
import socket
import subprocess
import sys
import time

import pytest

from physlearn.explorer import serve
from systems import InputError


def test_without_panel_one_sentence_names_the_extra(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "panel" or name == "physlearn.explorer.page"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "panel", None)
    with pytest.raises(InputError, match=r"pip install 'physlearn-orbits\[explore\]'"):
        serve(show=False)


def test_a_port_that_is_taken_is_told_of():
    pytest.importorskip("panel")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(InputError, match=f"port {other.getsockname()[1]} is not available"):
            serve(port=other.getsockname()[1], show=False)


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_port_that_is_none_is_refused(port):
    pytest.importorskip("panel")
    with pytest.raises(InputError, match="port must be a number"):
        serve(port=port, show=False)


def test_a_system_that_cannot_be_explored_is_refused_in_one_line(refused):
    assert "lorenz cannot be explored" in refused("explore", "lorenz")
    assert "pendulum" in refused("explore", "pendulumm")


@pytest.fixture(scope="module")
def port():
    """Where an explorer is served by a process of its own."""
    pytest.importorskip("panel")
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    program = f"from physlearn.explorer import serve, Learning; serve(port={port}, show=False, learning=Learning(2, 1, (4,)))"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, env=os.environ) as server:
        for _ in range(3000):
            with socket.socket() as trial:
                if server.poll() is not None or trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
        server.terminate()


def asked(port, path, host, *headers):
    """The status that a raw request is answered with."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}".replace("PORT", str(port)), "Connection: close"]
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        connection.sendall(("\r\n".join([*lines, *headers]).replace("PORT", str(port)) + "\r\n\r\n").encode())
        return int(connection.recv(4096).split()[1])


def handshake(port, host, origin):
    """The status of a websocket's handshake."""
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {'A' * 22}==")
    return asked(port, "/ws", host, f"Origin: http://{origin}", *upgrade)


OWN = ["127.0.0.1:PORT", "localhost:PORT", "LocalHost:PORT", "[::1]:PORT"]
FOREIGN = ["evil.example:PORT", "evil.example", "localhost.evil.example:PORT", "127.0.0.1.nip.io:PORT", "127.0.0.1",
           "localhost:1", "192.168.1.2:PORT", "[::2]:PORT", "0.0.0.0:PORT"]  # fmt: skip
FILE = "/static/js/bokeh.min.js"


@pytest.mark.parametrize("host", OWN)
def test_this_machine_has_pages_files_and_the_websocket(port, host):
    assert asked(port, FILE, host) == 200
    assert asked(port, "/nothing", host) == 404
    assert handshake(port, host, "localhost:PORT") == 101


@pytest.mark.parametrize("host", FOREIGN)
def test_a_name_of_another_site_that_points_here_has_nothing(port, host):
    for path in ("/", FILE, "/ws", "/nothing"):
        assert asked(port, path, host) == 403
    for origin in (host, "127.0.0.1:PORT"):
        assert handshake(port, host, origin) == 403


@pytest.mark.parametrize("origin", ["evil.example:PORT", "localhost.evil.example:PORT", "localhost:1"])
def test_a_page_of_another_site_has_no_websocket(port, origin):
    assert handshake(port, "localhost:PORT", origin) == 403


def test_the_page_itself_is_served(port):
    assert asked(port, "/", "localhost:PORT") == 200
