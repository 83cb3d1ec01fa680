"""A report of a run as one HTML page, which can be mailed: pictures, tables, settings, and how to reproduce them."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from io import BytesIO
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import pandas as pd

from physlearn.forecasting.environment import environment
from systems.atomic import atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 110
LONGEST = 300  # characters of one setting
WIDE = 7  # inches, above which a phone shows a part of a figure, to be scrolled

STYLE = """
:root { color-scheme: light }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; color: #222; background: #fff;
       font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif }
h1 { font-size: 1.4rem; line-height: 1.25; margin: .5rem 0 }
h2 { font-size: 1.1rem; margin: 1.8rem 0 .4rem; border-bottom: 1px solid #ddd }
.lead { font-size: 1.1rem }
figure { margin: 1rem 0; overflow-x: auto } img { max-width: 100%; height: auto } img.panels { max-width: max(100%, 36rem) }
figcaption, .notes { color: #555; font-size: .9rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums }
td, th { padding: .2rem .7rem .2rem 0; text-align: right; vertical-align: top; border-bottom: 1px solid #eee }
td { white-space: nowrap }
thead th { border-bottom: 1px solid #999 } tbody th, thead th:first-child { text-align: left; font-weight: 600 }
.settings td { text-align: left; white-space: normal; overflow-wrap: anywhere }
.settings th { font-weight: 400; color: #555; white-space: nowrap }
pre { background: #f5f5f5; padding: .7rem; border-radius: .3rem; white-space: pre-wrap; overflow-wrap: anywhere }
summary { cursor: pointer; margin-top: 1rem }
@media (max-width: 40rem) { .settings th, .settings td { display: block; padding: .1rem 0 } .settings th { border: 0 } }
"""


@dataclass(frozen=True)
class Page:
    """A self-contained HTML page about one run; it loads nothing from elsewhere, and fits a phone.

    Parameters
    ----------
    title
        One line.
    lead
        The main results, in sentences.
    figures
        Figures, or PNG files of them, by their captions, which may be empty.
    tables
        Tables by their headings.
    notes
        Definitions that a reader of the tables needs.
    settings
        Everything that determines the result.
    seconds
        Duration, if it is known [s].
    """

    title: str
    lead: Sequence[str] = ()
    figures: Mapping[str, Figure | Path] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    notes: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None

    def html(self) -> str:
        """Return the page as text."""
        parts = [f"<h1>{escape(self.title)}</h1>", *(f'<p class="lead">{escape(line)}</p>' for line in self.lead)]
        parts += [_figure(caption, figure) for caption, figure in self.figures.items()]
        for heading, table in self.tables.items():
            parts += [f"<h2>{escape(heading)}</h2>", _table(table)]
        if self.notes:
            parts.append(f'<ul class="notes">{"".join(f"<li>{escape(note)}</li>" for note in self.notes)}</ul>')
        parts += ["<h2>How to reproduce it</h2>", *self._reproduction()]
        parts.append(f"<details><summary>All settings</summary>{_pairs(_flat(self.settings))}</details>")
        head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        body = "\n".join(parts)
        return (
            f'<!DOCTYPE html>\n<html lang="en"><head>{head}<title>{escape(self.title)}</title>'
            f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
        )

    def save(self, path: Path) -> Path:
        """Write the page, as a whole or not at all, and return the path."""
        with atomically(path) as temporary:
            temporary.write_text(self.html(), encoding="utf-8")
        return path

    def _reproduction(self) -> Iterator[str]:
        """Yield the command and the versions."""
        here = environment()
        command = here["command"]
        if command[0] == "physlearn":
            yield f"<pre>pip install physlearn-orbits=={here['versions']['physlearn']}\n{escape(shlex.join(command))}</pre>"
        else:
            yield "<p>The run was started from Python, with the settings below.</p>"
        took = {} if self.seconds is None else {"duration": f"{self.seconds:.0f} s"}
        versions = ", ".join(f"{name} {version}" for name, version in here["versions"].items())
        yield _pairs(
            {
                "written": here["written"],
                **took,
                "versions": versions,
                "source": here["source"],
                "Python": here["python"],
                "machine": f"{here['platform']}, {here['processors']} processors",
            }
        )


def _figure(caption: str, figure: Figure | Path) -> str:
    if isinstance(figure, Path):
        picture, wide = figure.read_bytes(), True
    else:
        drawn, wide = BytesIO(), figure.get_figwidth() > WIDE
        figure.savefig(drawn, format="png", dpi=DPI, bbox_inches="tight", pil_kwargs={"optimize": True})
        picture = drawn.getvalue()
    data = base64.b64encode(picture).decode()
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    panels = ' class="panels"' if wide else ""
    return f'<figure><img{panels} src="data:image/png;base64,{data}" alt="{escape(caption or "Figure")}">{below}</figure>'


def _table(table: pd.DataFrame) -> str:
    plain = table.rename_axis(index=None, columns=None)
    return f'<div class="wide">{plain.to_html(border=0, na_rep="-", float_format="{:.4g}".format)}</div>'


def _pairs(values: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(shorten(str(value), LONGEST, placeholder=' ...'))}</td></tr>"
        for name, value in values.items()
    )
    return f'<div class="wide"><table class="settings">{rows}</table></div>'


def _flat(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings as text, without those that are not set; groups of settings have a row for each member."""
    found: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= {f"{name}, {key}": _told(inner) for key, inner in value.items() if inner is not None}
        elif value is not None:
            found[name] = _told(value)
    return found


def _told(value: object) -> str:
    """Return a setting as text."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_told(inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(" ".join(map(str, one)) if isinstance(one, (list, tuple)) else _told(one) for one in value)
    return str(value)
