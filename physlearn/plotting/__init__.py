"""Figures: functions that draw on matplotlib axes and return them, one file each.

Functions are named by what they draw, with ``_plot`` where the noun alone would name the data. All take ``ax=None``,
or ``axes=None`` for several, create a figure if none are given, and return the axes. `animate` writes a film.
"""

from physlearn.plotting.activation_curves import activation_curves
from physlearn.plotting.animation import animate
from physlearn.plotting.basins import basin_plot, exit_plot
from physlearn.plotting.bifurcation import bifurcation_plot
from physlearn.plotting.box_plot import box_plot
from physlearn.plotting.colored_line import add_line, colored_line
from physlearn.plotting.configuration import configuration_orbit
from physlearn.plotting.digits import digit_construction
from physlearn.plotting.family import family_plot
from physlearn.plotting.fit import fit_plot
from physlearn.plotting.forecast import forecast_plot
from physlearn.plotting.forest_plot import forest_plot
from physlearn.plotting.grouped_boxes import grouped_boxes
from physlearn.plotting.joint_density import joint_density
from physlearn.plotting.labelled_matrix import labelled_matrix
from physlearn.plotting.learning_curves import learning_curves
from physlearn.plotting.measured import measured_plot
from physlearn.plotting.noisy_descent import noisy_descent
from physlearn.plotting.phase_error import phase_error_plot
from physlearn.plotting.phase_portrait import phase_portrait
from physlearn.plotting.positions import positions_plot
from physlearn.plotting.recurrence import recurrence_plot
from physlearn.plotting.section import section_boundary, section_plot
from physlearn.plotting.spectrum import spectrum_plot
from physlearn.plotting.tracking import tracking_plot
from physlearn.plotting.trials import trials_plot
from systems.deprecation import old_names

__all__ = [
    "activation_curves",
    "animate",
    "basin_plot",
    "bifurcation_plot",
    "box_plot",
    "colored_line",
    "configuration_orbit",
    "digit_construction",
    "exit_plot",
    "family_plot",
    "fit_plot",
    "forecast_plot",
    "forest_plot",
    "grouped_boxes",
    "joint_density",
    "labelled_matrix",
    "learning_curves",
    "measured_plot",
    "noisy_descent",
    "phase_error_plot",
    "phase_portrait",
    "positions_plot",
    "recurrence_plot",
    "section_boundary",
    "section_plot",
    "spectrum_plot",
    "tracking_plot",
    "trials_plot",
]
_NEW = {"colored_by_time": "physlearn.plotting.colored_line", "forest": "physlearn.plotting.forest_plot"}
__getattr__ = old_names(__name__, _NEW, colored_by_time=add_line)
