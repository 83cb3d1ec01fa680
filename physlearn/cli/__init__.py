"""The command line: one module per command, which is imported only when that command is called."""

from physlearn.cli import interruption  # first, as what follows takes a moment

# isort: split
import sys
import warnings

import typer

from physlearn.cli.commands import app
from physlearn.cli.errors import message_of

__all__ = ["app", "main"]

MISUSE = 2  # the exit code of a wrong argument, file or shape


def main() -> None:
    """Run the command line: an error that the user can correct is one line on stderr and exit code 2."""
    interruption.release()
    form, warnings.formatwarning = warnings.formatwarning, _warning
    try:
        if app(sys.argv[1:] or ["--help"], standalone_mode=False) == interruption.INTERRUPTED:  # older parsers raise instead
            _fail("interrupted", interruption.INTERRUPTED)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", interruption.INTERRUPTED)
    except Exception as error:
        message = message_of(error)
        if message is None:
            raise
        _fail(message)
    finally:
        warnings.formatwarning = form
        interruption.end()


def _warning(message: object, *_: object, **__: object) -> str:
    """Return a warning as one line, without the place in the code, which is of no use here."""
    return f"physlearn: warning: {' '.join(str(message).split())}\n"


def _fail(message: str, code: int = MISUSE) -> None:
    print(f"physlearn: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)
