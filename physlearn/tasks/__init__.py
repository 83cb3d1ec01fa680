"""Tasks: the paper's experiments, each a data set, a model, a loss and a split."""

from physlearn.tasks import greydanus, henon_heiles, mnist1d, pendulum_clock, van_der_pol
from physlearn.tasks.registry import get, names, register
from physlearn.tasks.task import PARTS, Forecasting, Task

__all__ = [
    "PARTS",
    "Forecasting",
    "Task",
    "get",
    "greydanus",
    "henon_heiles",
    "mnist1d",
    "names",
    "pendulum_clock",
    "register",
    "van_der_pol",
]
