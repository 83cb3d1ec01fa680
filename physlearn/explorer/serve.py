"""Serve the explorer page to browsers on this machine only."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import torch

import systems
from physlearn.explorer import scene
from physlearn.explorer.learning import Learning
from physlearn.explorer.trained_models import Shelf
from systems import InputError
from systems.extras import require

if TYPE_CHECKING:
    from tornado.web import Application

ADDRESS = "127.0.0.1"
NAMES = (ADDRESS, "localhost", "[::1]")  # names of this machine under which a browser may request the page
HTTP = 80  # the port that browsers omit from the Host header


def serve(
    system: str = "pendulum",
    *,
    port: int = 5006,
    show: bool = True,
    learning: Learning | None = None,
    folder: Path | None = None,
) -> None:
    """Serve the explorer page on this machine until interrupted with Ctrl-C.

    Requires the extra ``physlearn[explore]`` (Panel).

    Parameters
    ----------
    system : str, default 'pendulum'
        Name of the system that is shown first.
    port : int, default 5006
        Port on 127.0.0.1; 0 picks a free one.
    show : bool, default True
        Whether to open the page in a browser.
    learning : Learning, optional
        How models are trained.
    folder : Path, optional
        Where trained models are kept for the next session; by default, in memory only.

    Raises
    ------
    InputError
        If the port is not available, or the system cannot be explored.
    MissingExtraError
        If Panel, of the extra ``explore``, is not installed.
    """
    scene.check(systems.get(system))
    require("panel", "explore", "the explorer")
    import panel
    from panel.io.server import get_server

    from physlearn.explorer.page import Page

    port = _free(port)
    shelf = Shelf(learning, folder)

    def page() -> panel.Row:
        document = panel.state.curdoc
        assert document is not None  # set while a session is created
        made = Page(shelf, system, document)
        document.on_session_destroyed(lambda _: made.close())
        return made.layout

    torch.set_num_threads(1)  # the models are too small to gain from more threads
    origins = [f"{name}:{port}" for name in NAMES if name[0] != "["]  # Bokeh does not accept IPv6 addresses
    server = get_server(
        {"/": page},
        port=port,
        address=ADDRESS,
        websocket_origin=origins,
        show=show,
        title="physlearn explore",
        verbose=True,
    )
    _refuse_other_hosts(server._tornado, port)
    server.start()
    try:
        server.io_loop.start()
    except RuntimeError:  # the event loop of a notebook is already running
        return


def _refuse_other_hosts(application: Application, port: int) -> None:
    """Answer 403 to every request, for a page or a websocket, whose Host header does not name this machine.

    A website can let its name point to 127.0.0.1 (DNS rebinding). The browser then treats the explorer as part of that
    website, but the Host header reveals its name.

    Parameters
    ----------
    application : tornado.web.Application
        The application of the server, which is changed in place.
    port : int
        The port of the server.
    """
    from tornado.httputil import HTTPServerRequest
    from tornado.routing import Matcher, Rule
    from tornado.web import RequestHandler

    own = {f"{name}:{port}" for name in NAMES} | (set(NAMES) if port == HTTP else set())

    class Foreign(Matcher):
        def match(self, request: HTTPServerRequest) -> dict[str, object] | None:
            return None if request.host.lower() in own else {}

    class Refusal(RequestHandler):
        def prepare(self) -> None:
            self.set_status(403)
            self.finish("The explorer only answers requests from this machine.")

    application.default_router.rules.insert(0, Rule(Foreign(), Refusal))


def _free(port: int) -> int:
    """Return the port, or a free one for 0. Raises InputError if the port is invalid or not available."""
    if not 0 <= port < 2**16:
        raise InputError(f"port must be a number from 0 to {2**16 - 1}, not {port}")
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((ADDRESS, port))
        except OSError as error:
            raise InputError(
                f"port {port} is not available ({error.strerror}): choose another, or 0 for a free one"
            ) from error
        return int(trial.getsockname()[1])
