"""The commands by name: the list that ``physlearn --help`` shows, and how a command is imported when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer import Option
from typer.core import TyperCommand, TyperGroup

from physlearn._version import __version__
from physlearn.cli.answer import set_quiet
from physlearn.cli.registered import listed


class Entry(NamedTuple):
    """What the list of commands says about one command."""

    summary: str  # the first line of the command's docstring, short enough not to be cut
    example: str


GROUPS = {
    "Simulate, learn and forecast": {
        "systems": Entry("List the systems with their coordinates and parameters.", "physlearn systems"),
        "simulate": Entry(
            "Simulate orbits of a system from random initial states.",
            "physlearn simulate henon-heiles --energy 0.125 --time 200 --plot orbit.png",
        ),
        "forecast": Entry(
            "Learn a system or measurements, and forecast orbits.", "physlearn forecast henon-heiles --out henon-heiles"
        ),
        "explore": Entry("Explore true and learned orbits on a local web page.", "physlearn explore double-pendulum"),
    },
    "Start from measurements": {
        "track": Entry(
            "Track the pendulums in a film, or any markers.", "physlearn track pendulum.mp4 --markers red --plot track.png"
        ),
        "fit": Entry(
            "Fit parameters of a system to measurements, with errors.",
            "physlearn fit van-der-pol --data measured.csv --report fit.html",
        ),
    },
    "Tell order from chaos": {
        "chaos": Entry(
            "Compare order and chaos in a system and in models of it.",
            "physlearn chaos henon-heiles --energy 0.125 --models nn,hnn --out chaos",
        ),
        "bifurcations": Entry(
            "Record the attractors of a system as a parameter varies.",
            "physlearn bifurcations logistic --parameter r=2.8:4:400 --plot logistic.png",
        ),
        "basins": Entry(
            "Find which attractor each initial state leads to.",
            "physlearn basins duffing --grid x=-2:2:100 --grid p=-2:2:100 --plot basins.png",
        ),
        "escapes": Entry(
            "Find when orbits escape, and through which exit.",
            "physlearn escapes henon-heiles --energy 0.2 --plot escapes.png",
        ),
        "periodic-orbits": Entry(
            "Find a periodic orbit of a system, or a family of them.",
            "physlearn periodic-orbits van-der-pol --continue mu=0.5:3 --plot family.png",
        ),
    },
    "Learn activation functions": {
        "learn": Entry("Meta-learn activation functions on a task.", "physlearn learn van-der-pol --types 2 --base sine"),
        "compare": Entry(
            "Compare learned activations with others on a task.", "physlearn compare van-der-pol --replicates 50"
        ),
        "search": Entry(
            "Search learning rates and widths for activations.", "physlearn search van-der-pol sine tanh --out search"
        ),
    },
    "Reproduce and benchmark": {
        "reproduce": Entry(
            "Reproduce figures of the paper on learned diversity.", "physlearn reproduce fig5 --quick --out figures"
        ),
        "bench": Entry("Run published benchmarks, or measure the speed.", "physlearn bench --speed --out speed"),
    },
}
ALONE = ("--model",)  # options that are not given again to replace their value
COMMANDS = {name: entry for group in GROUPS.values() for name, entry in group.items()}


class Command(TyperCommand):
    """A command whose help ends with an example, and whose help texts list what is registered."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments. The last value of an option counts, but who gives several models wants all of them."""
        *_, given = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in given:
            if parameter.opts[0] in ALONE and given.count(parameter) > 1:
                ctx.fail(f"{parameter.opts[0]} is given twice, but takes one value: leave one out.")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, after which no new folder stays behind empty, whether it was refused or interrupted."""
        from systems.new_folders import none_left_empty  # no command is imported for its help

        ctx.with_resource(none_left_empty())  # ends after the locks that the command holds, whose files are in the folders
        return super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help page."""
        for parameter in self.params:
            if text := getattr(parameter, "help", None):
                parameter.help = listed(text)  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the example below the options."""
        formatter.write_paragraph()
        formatter.write(f"Example:\n  {COMMANDS[str(self.name)].example}\n")


class Commands(TyperGroup):
    """The commands in groups, each of which is imported when it is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the arguments begin with."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found and load(str(name)), rest

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the groups, with the columns of all aligned."""
        widest = max(map(len, COMMANDS))
        for title, group in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), entry.summary) for name, entry in group.items()])
        formatter.write("\n`physlearn COMMAND --help` lists the options of a command, with an example.\n")


def function_of(name: str) -> Any:
    """Import and return the function of a command, which has its name, as the module has."""
    own = name.replace("-", "_")
    return getattr(import_module(f"physlearn.cli.{own}"), own)


def load(name: str) -> Any:
    """Import the command of that name."""
    command = _alone(name, function_of(name))
    if any(parameter.name == "as_json" for parameter in command.params):  # it prints an answer
        command.params[-1:-1] = _alone(name, _quietly).params[:1]
    return command


def _alone(name: str, function: Any) -> Any:
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name, cls=Command)(function)
    return typer.main.get_command(alone)


def _quietly(
    quiet: Annotated[
        bool, Option("--quiet", help="Print nothing but errors and warnings.", expose_value=False, callback=set_quiet)
    ] = False,
) -> None:
    """Stand for the option that every command shares."""


app = typer.Typer(
    cls=Commands,
    help="Forecast orbits: simulate or film a dynamical system, learn its flow, and roll it out with known accuracy.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"physlearn {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Take the options that come before a command."""


def _placeholder() -> None:
    """Stand for a command that is not imported yet."""


for _name, _entry in COMMANDS.items():
    app.command(_name, help=_entry.summary)(_placeholder)
