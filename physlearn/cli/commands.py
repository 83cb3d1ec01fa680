"""The commands by name: the list that ``physlearn --help`` shows, and how a command is imported when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from physlearn.cli.registered import listed

COMMANDS = {  # the summaries are the first lines of the commands' docstrings, short enough not to be cut
    "systems": "List the systems with their coordinates and parameters.",
    "simulate": "Simulate orbits of a system from random initial states.",
    "forecast": "Learn a system or measurements, and forecast orbits.",
    "chaos": "Compare order and chaos in a system and in models of it.",
    "bifurcations": "Record the attractors of a system as a parameter varies.",
    "basins": "Find which attractor each initial state leads to.",
    "escapes": "Find when orbits escape, and through which exit.",
    "periodic-orbits": "Find a periodic orbit of a system, or a family of them.",
    "fit": "Fit parameters of a system to measurements, with errors.",
    "track": "Track the pendulums in a film, or any markers.",
    "learn": "Meta-learn activation functions on a task.",
    "compare": "Compare learned activations with others on a task.",
    "bench": "Run published benchmarks, or measure the speed.",
    "search": "Search learning rates and widths for activations.",
    "reproduce": "Reproduce figures of the paper on learned diversity.",
    "explore": "Explore true and learned orbits on a local web page.",
}


class Command(TyperCommand):
    """A command whose help texts list what is registered; the registries are imported when the help is shown."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help page."""
        for parameter in self.params:
            if text := getattr(parameter, "help", None):
                parameter.help = listed(text)  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)


class Commands(TyperGroup):
    """The commands, each of which is imported when it is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the arguments begin with."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found and load(str(name)), rest


def function_of(name: str) -> Any:
    """Import and return the function of a command, which has its name, as the module has."""
    own = name.replace("-", "_")
    return getattr(import_module(f"physlearn.cli.{own}"), own)


def load(name: str) -> Any:
    """Import the command of that name."""
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name, cls=Command)(function_of(name))
    return typer.main.get_command(alone)


app = typer.Typer(
    cls=Commands,
    help="Forecast orbits: simulate or film a dynamical system, learn its flow, and roll it out with known accuracy.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _placeholder() -> None:
    """Stand for a command that is not imported yet."""


for _name, _summary in COMMANDS.items():
    app.command(_name, help=_summary)(_placeholder)
