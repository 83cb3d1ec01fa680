"""The explorer inside a notebook."""

from __future__ import annotations

import warnings
from html import escape
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from physlearn.explorer.learning import Learning
from physlearn.explorer.serve import ADDRESS, answers_of
from systems import AccuracyWarning, InputError

if TYPE_CHECKING:
    from physlearn.explorer.handler import Server

HEIGHT = 800  # pixels
SMALLEST, LARGEST = 100, 10_000


class Panel:
    """An explorer page that is served in the background, and that a notebook shows below the cell; made by `show`.

    Parameters
    ----------
    server : Server
        What serves the page.
    system : str
        Name of the system that is shown first.
    height : int
        Height in pixels.
    """

    def __init__(self, server: Server, system: str, height: int) -> None:
        self.address = f"http://{ADDRESS}:{server.server_port}"
        self._server, self._system, self._height = server, system, height

    def __repr__(self) -> str:
        return f"Panel({self._system!r} at {self.address})"

    def _repr_html_(self) -> str:
        port = self.address.rpartition(":")[2]
        return (
            f'<iframe src="{self.address}" title="The explorer: {escape(self._system)}" width="100%" height="{self._height}" '
            'style="border:1px solid #bbb; border-radius:4px"></iframe>'
            '<p style="font-size:small">If the panel stays empty, run this cell again. If the notebook runs on another '
            f"machine, forward its port first: <code>ssh -N -L {port}:{ADDRESS}:{port} MACHINE</code></p>"
        )

    def close(self) -> None:
        """Stop serving the page, which then no longer answers."""
        self._server.shutdown()
        self._server.server_close()


def show(
    system: str = "pendulum",
    *,
    height: int = HEIGHT,
    learning: Learning | None = None,
    folder: Path | None = None,
) -> Panel:
    """Show the explorer in a notebook, where it answers while the notebook goes on.

    The page is served in the background, to this machine only, until the kernel ends or the panel is closed. A notebook that
    runs elsewhere needs a forwarded port, which the panel explains; services such as Colab and Binder forward none.

    Requires the extra ``explore`` (``pip install "physlearn-orbits[explore]"``), which typesets equations and finds contours.

    Parameters
    ----------
    system : str, default 'pendulum'
        Name of the system that is shown first.
    height : int, default 800
        Height of the panel, from 100 to 10000 pixels.
    learning : Learning, optional
        How models are trained.
    folder : Path, optional
        Where trained models are kept for the next session; by default, in memory only.

    Returns
    -------
    Panel
        The panel, which a notebook shows if it is the last expression of a cell. Its ``address`` is that of the page.

    Raises
    ------
    InputError
        If the system cannot be explored, or the height is out of range.
    MissingExtraError
        If the extra ``explore`` is not installed.

    Examples
    --------
    >>> from physlearn import explorer
    >>> panel = explorer.show("henon-heiles")
    >>> panel.address
    'http://127.0.0.1:...'
    >>> panel.close()
    """
    if not (isinstance(height, int) and SMALLEST <= height <= LARGEST):
        raise InputError(f"height must be a whole number of pixels from {SMALLEST} to {LARGEST}, not {height!r}")
    answers = answers_of(system, learning, folder)
    from physlearn.explorer.handler import Server

    # The page shows how wrong an orbit with long steps is. Warnings of the notebook's own cells are kept.
    warnings.filterwarnings("ignore", category=AccuracyWarning, module=r"http\.server")
    server = Server(0, answers)
    Thread(target=server.serve_forever, name="explorer", daemon=True).start()
    return Panel(server, system, height)
