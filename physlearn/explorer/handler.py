"""The HTTP side of the explorer: which requests are answered, and how."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from physlearn.explorer.answers import Answers, Send
from physlearn.explorer.asked import Asked
from physlearn.explorer.page import FILES, FOLDER
from physlearn.explorer.sections import Abandoned
from systems import InputError, IntegrationError

ADDRESS = "127.0.0.1"
NAMES = (ADDRESS, "localhost", "[::1]")  # names of this machine under which a browser may request the page
HTTP = 80  # the port that browsers omit from the Host header
LARGEST = 10_000_000  # bytes of a request: a file of learned activations has some kilobytes
POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class Server(ThreadingHTTPServer):
    """A server on this machine alone, which answers each request in a thread of its own.

    Parameters
    ----------
    port : int
        The port; 0 picks a free one.
    answers : Answers
        What it answers with.
    """

    daemon_threads = True

    def __init__(self, port: int, answers: Answers) -> None:
        super().__init__((ADDRESS, port), Handler)
        self.answers = answers
        port = self.server_port
        self.own = {f"{name}:{port}" for name in NAMES} | (set(NAMES) if port == HTTP else set())


class Handler(BaseHTTPRequestHandler):
    """Answers requests that come from the page itself.

    A website can let its name point to 127.0.0.1 (DNS rebinding), which the Host header reveals, or send requests to
    127.0.0.1 from its own pages, which the Origin header reveals. Both are answered with status 403.
    """

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 600  # seconds until an idle connection is closed

    def do_GET(self) -> None:
        """Answer with one of the files of the page."""
        found = FILES.get(urlsplit(self.path).path)
        if self._refused():
            return
        if found is None:
            self._answer(404, b"There is no such page.", "text/plain")
        else:
            self._answer(200, (FOLDER / found[0]).read_bytes(), found[1])

    def do_POST(self) -> None:
        """Answer with what `Answers` says, as JSON, or as one JSON object per line while it is computed."""
        if self._refused():
            return
        answers, address = self.server.answers, urlsplit(self.path)
        asked: dict[str, Callable[[Asked], dict[str, Any]]] = {
            "/menus": answers.menus,
            "/stage": answers.stage,
            "/curves": answers.curves,
            "/orbits": answers.orbits,
        }
        streams: dict[str, Callable[[Asked, Send], None]] = {"/sections": answers.sections, "/train": answers.train}
        body = self._body()
        if body is None:
            return
        try:
            if address.path == "/file":
                (name,) = parse_qs(address.query).get("name", ["file"])[:1]
                self._json(200, answers.file(name, body))
            elif address.path in asked:
                self._json(200, asked[address.path](Asked(_parsed(body))))
            elif address.path in streams:
                self._stream(streams[address.path], Asked(_parsed(body)))
            else:
                self._json(404, {"error": f"there is nothing at {address.path}"})
        except (InputError, IntegrationError, KeyError) as error:
            self._json(400, {"error": _sentence(error)})
        except ConnectionError:  # the page no longer wants the answer
            self.close_connection = True
        except Exception:  # concerns one request only; the next may succeed
            logging.getLogger(__name__).exception("a request of the explorer's page failed")
            self._json(500, {"error": "the request failed; the terminal in which the explorer runs says why"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Write no log, because a drag makes many requests."""

    def _refused(self) -> bool:
        """Refuse a request that another website has sent or that names another host. Returns whether it was refused."""
        host, origin = self.headers.get("Host", "").lower(), self.headers.get("Origin")
        own = self.server.own
        if host in own and (origin is None or origin.lower().removeprefix("http://") in own):
            return False
        self.close_connection = True
        self._answer(403, b"The explorer only answers requests from this machine.", "text/plain")
        return True

    def _body(self) -> bytes | None:
        """Return the body of a request, or answer that it is too large."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self.close_connection = True
            self._json(413, {"error": f"a request must have a Content-Length of at most {LARGEST} bytes"})
            return None
        return self.rfile.read(int(length))

    def _stream(self, answer: Callable[[Asked, Send], None], asked: Asked) -> None:
        """Send one line of JSON for each part of an answer. The end of the connection is the end of the answer."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Connection", "close")
        self.end_headers()

        def send(part: dict[str, Any]) -> None:
            self.wfile.write(json.dumps(part).encode() + b"\n")
            self.wfile.flush()

        try:
            answer(asked, send)
        except Abandoned:  # the page has asked for something newer
            return
        except (InputError, IntegrationError, KeyError) as error:
            send({"error": _sentence(error)})

    def _json(self, status: int, values: dict[str, Any]) -> None:
        self._answer(status, json.dumps(values).encode(), "application/json")

    def _answer(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("a request must be JSON") from error


def _sentence(error: Exception) -> str:
    """Return the message of an error; that of a KeyError is its argument."""
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
