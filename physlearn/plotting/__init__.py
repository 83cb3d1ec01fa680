"""Figures: functions that draw on matplotlib axes and return them, one file each."""

from physlearn.plotting.activation_curves import activation_curves
from physlearn.plotting.animation import animate
from physlearn.plotting.box_plot import box_plot
from physlearn.plotting.colored_line import colored_by_time
from physlearn.plotting.configuration import configuration_orbit
from physlearn.plotting.digits import digit_construction
from physlearn.plotting.forecast import forecast_plot
from physlearn.plotting.forest import forest
from physlearn.plotting.grouped_boxes import grouped_boxes
from physlearn.plotting.joint_density import joint_density
from physlearn.plotting.labelled_matrix import labelled_matrix
from physlearn.plotting.learning_curves import learning_curves
from physlearn.plotting.noisy_descent import noisy_descent
from physlearn.plotting.phase_error import phase_error_plot
from physlearn.plotting.phase_portrait import phase_portrait
from physlearn.plotting.section import section_boundary, section_plot
from physlearn.plotting.spectrum import spectrum_plot
from physlearn.plotting.tracking import tracking_plot

__all__ = [
    "activation_curves",
    "animate",
    "box_plot",
    "colored_by_time",
    "configuration_orbit",
    "digit_construction",
    "forecast_plot",
    "forest",
    "grouped_boxes",
    "joint_density",
    "labelled_matrix",
    "learning_curves",
    "noisy_descent",
    "phase_error_plot",
    "phase_portrait",
    "section_boundary",
    "section_plot",
    "spectrum_plot",
    "tracking_plot",
]
