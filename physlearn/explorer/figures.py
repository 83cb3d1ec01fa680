"""The style of all figures: no tools, a faint grid, and readable sizes."""

from __future__ import annotations

from typing import Any

from bokeh.models import InlineStyleSheet
from bokeh.plotting import figure

LEFT, RIGHT = 72, 10  # margins beside every frame in pixels, which align the frames
SIGMA = chr(0x3C3)


def bare(**options: Any) -> Any:
    """Return a Bokeh figure without tools, with options of ``bokeh.plotting.figure`` (its type hints lack some of them)."""
    quiet = InlineStyleSheet(css=":host(:focus), .bk-events:focus { outline: none !important; }")  # no frame after a drag
    usual = {"tools": "", "toolbar_location": None, "min_border_left": LEFT, "min_border_right": RIGHT, "stylesheets": [quiet]}
    made: Any = figure(**{**usual, **options})
    made.title.text_font_size = "13px"
    made.title.text_font_style = "normal"
    made.outline_line_color = "#b0b0b0"
    made.grid.grid_line_alpha = 0.35
    for axis in made.axis:
        axis.axis_label_text_font_size = "13px"
        axis.axis_label_text_font_style = "italic"
        axis.major_label_text_font_size = "11px"
        axis.axis_label_standoff = 3
        axis.minor_tick_line_color = None
        axis.ticker.desired_num_ticks = 5
    return made


def activation_figure(width: int) -> Any:
    """Return a small figure for activation functions."""
    return bare(width=width, height=160, min_border_left=50, x_axis_label="a", y_axis_label=f"{SIGMA}(a)")
