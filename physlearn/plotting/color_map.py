"""Colour maps of time and of other ordered quantities."""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import ListedColormap

ORDERED = ListedColormap(colormaps["plasma"](np.linspace(0, 0.8, 256)), name="ordered")
"""Violet to orange, perceptually uniform, and legible for colour-blind readers and in grey.

It is matplotlib's plasma without its yellow end, which is too pale for lines on white.
"""

RAINBOW = "rainbow"
"""Violet to red, as in the figures of the paper on learned diversity; not uniform, and ambiguous for colour-blind readers."""
