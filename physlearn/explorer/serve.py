"""The explorer page, served to this machine only."""

from __future__ import annotations

import socket
import warnings
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import torch

import systems
from physlearn.explorer import scene
from physlearn.explorer.learning import Learning
from physlearn.explorer.trained_models import Shelf
from systems import AccuracyWarning, InputError
from systems.extras import require

if TYPE_CHECKING:
    from physlearn.explorer.answers import Answers

ADDRESS = "127.0.0.1"


def serve(
    system: str = "pendulum",
    *,
    port: int = 5006,
    show: bool = True,
    learning: Learning | None = None,
    folder: Path | None = None,
) -> None:
    """Serve the explorer page on this machine until interrupted with Ctrl-C.

    Requires the extra ``explore`` (``pip install "physlearn-orbits[explore]"``), which typesets equations and finds contours.

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
        If the extra ``explore`` is not installed.
    """
    answers = answers_of(system, learning, folder)
    from physlearn.explorer.handler import Server

    port = _free(port)
    torch.set_num_threads(1)  # the models are too small to gain from more threads
    warnings.filterwarnings("ignore", category=AccuracyWarning)  # the page shows how wrong an orbit with long steps is
    with Server(port, answers) as server, suppress(KeyboardInterrupt):
        address = f"http://{ADDRESS}:{port}"
        print(f"The explorer is at {address}. Press Ctrl-C to stop it.", flush=True)
        if show:
            webbrowser.open(address)
        server.serve_forever()


def answers_of(system: str, learning: Learning | None, folder: Path | None) -> Answers:
    """Return what answers the page of a system; raises what `serve` raises."""
    scene.check(systems.get(system))
    require("latex2mathml", "explore", "the explorer")
    require("contourpy", "explore", "the explorer")
    from physlearn.explorer.answers import Answers

    return Answers(Shelf(learning, folder), system)


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
