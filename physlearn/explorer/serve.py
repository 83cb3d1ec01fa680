"""serve: the explorer's page, for the browser on this machine alone."""

from __future__ import annotations

import socket
from pathlib import Path

import torch

import systems
from physlearn.explorer import scene
from physlearn.explorer.learning import Learning
from physlearn.explorer.shelf import Shelf
from systems import InputError

ADDRESS = "127.0.0.1"


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

    Needs the extra ``physlearn[explore]`` (panel). Raises InputError without it, for a port that is taken, or a system that
    cannot be explored.
    """
    scene.check(systems.get(system))
    try:
        import panel

        from physlearn.explorer.page import Page
    except ImportError as error:
        raise InputError("the explorer needs panel: pip install 'physlearn[explore]'") from error
    port = _free(port)
    shelf = Shelf(learning, folder)

    def page() -> panel.Row:
        document = panel.state.curdoc
        assert document is not None  # of the session that is being made
        made = Page(shelf, system, document)
        document.on_session_destroyed(lambda _: made.close())
        return made.layout

    torch.set_num_threads(1)  # all work here is small
    panel.serve(
        {"/": page},
        port=port,
        address=ADDRESS,
        websocket_origin=[f"{ADDRESS}:{port}", f"localhost:{port}"],
        show=show,
        title="physlearn explore",
    )


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
