"""Tell a person who waits that code is being compiled, which happens once."""

from __future__ import annotations

import logging
import sys
from time import monotonic

from numba.core import event
from tqdm.auto import tqdm

PATIENCE = 2.0  # seconds of compilation that go without a word
SENTENCE = "physlearn is compiling its loops for this machine; this takes up to a minute, and the code is kept for later runs"

_logger = logging.getLogger(__name__)


class Announcement(event.Listener):
    """Prints a sentence on stderr, once, when this process has compiled loops of our packages for two seconds.

    It is only for people, at a terminal or in a notebook. ``logging.getLogger("systems").setLevel("ERROR")`` turns it off.
    """

    def __init__(self) -> None:
        self.since, self.depth, self.seconds, self.told = 0.0, 0, 0.0, False

    def on_start(self, event: event.Event) -> None:
        """Count the time from here on, unless another compilation has caused this one."""
        if _is_ours(event):
            if self.depth == 0:
                self.since = monotonic()
            self.depth += 1
            self._look()

    def on_end(self, event: event.Event) -> None:
        """Add the time."""
        if _is_ours(event) and self.depth:
            self._look()
            self.depth -= 1
            if self.depth == 0:
                self.seconds += monotonic() - self.since

    def _look(self) -> None:
        if not self.told and self.seconds + monotonic() - self.since > PATIENCE:
            self.told = True
            if _somebody_waits():  # not by the logger, which does not know of progress bars
                tqdm.write(SENTENCE, file=sys.stderr)


def _is_ours(event: event.Event) -> bool:
    function = getattr((event.data or {}).get("dispatcher"), "py_func", None)
    return getattr(function, "__module__", "").split(".")[0] in ("systems", "physlearn")


def _somebody_waits() -> bool:
    return (sys.stderr.isatty() or "ipykernel" in sys.modules) and _logger.isEnabledFor(logging.WARNING)
