"""Pictures, one file each: functions that take and return matplotlib axes."""

from physlearn.plotting.animation import animate
from physlearn.plotting.colored_line import colored_by_time
from physlearn.plotting.configuration import configuration_orbit
from physlearn.plotting.forecast import forecast_plot
from physlearn.plotting.phase_error import phase_error_plot
from physlearn.plotting.phase_portrait import phase_portrait

__all__ = ["animate", "colored_by_time", "configuration_orbit", "forecast_plot", "phase_error_plot", "phase_portrait"]
