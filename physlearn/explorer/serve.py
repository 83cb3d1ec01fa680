"""serve: the explorer's page, for the browser on this machine alone."""

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
NAMES = (ADDRESS, "localhost", "[::1]")  # of this machine, by which a browser on it may ask for the page
HTTP = 80  # the port that a browser leaves out


def serve(
    system: str = "pendulum",
    *,
    port: int = 5006,
    show: bool = True,
    learning: Learning | None = None,
    folder: Path | None = None,
) -> None:
    """Serve the page at http://127.0.0.1:port until Ctrl-C; 0 is a port that is free.

    system: shown first. show: whether a browser is opened. learning: how models are trained. folder: where trained models are
    kept for the next time.

    Needs the extra ``explore`` (Panel), and raises MissingExtraError without it. Raises InputError for a port that is
    taken, or a system that cannot be explored.
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
        assert document is not None  # of the session that is being made
        made = Page(shelf, system, document)
        document.on_session_destroyed(lambda _: made.close())
        return made.layout

    torch.set_num_threads(1)  # all work here is small
    origins = [f"{name}:{port}" for name in NAMES if name[0] != "["]  # bokeh knows no addresses of that form
    server = get_server(
        {"/": page},
        port=port,
        address=ADDRESS,
        websocket_origin=origins,
        show=show,
        title="physlearn explore",
        verbose=True,
    )
    refuse_other_hosts(server._tornado, port)
    server.start()
    try:
        server.io_loop.start()
    except RuntimeError:  # a notebook's loop runs already
        return


def refuse_other_hosts(application: Application, port: int) -> None:
    """Let an application answer 403 to every request, for a page or a websocket, whose Host is not this machine.

    A site can let its name point to 127.0.0.1 (DNS rebinding): the browser then takes the explorer for a part of that site.
    The Host that it names tells.

    Parameters
    ----------
    application
        An application of tornado, such as a server of panel's has.
    port
        The port that it serves.
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
            self.finish("The explorer answers to this machine alone.")

    application.default_router.rules.insert(0, Rule(Foreign(), Refusal))


def _free(port: int) -> int:
    """The port, or a free one for 0. Raises InputError for one that is taken or is none."""
    if not 0 <= port < 2**16:
        raise InputError(f"a port is a number from 0 to {2**16 - 1}, not {port}")
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((ADDRESS, port))
        except OSError as error:
            raise InputError(
                f"port {port} cannot be had ({error.strerror}): take another, or 0 for one that is free"
            ) from error
        return int(trial.getsockname()[1])
