"""Tasks: the experiments of the paper, each with data, a model, a loss and a split of the data."""

from physlearn.tasks import (
    any_system,
    double_pendulum,
    greydanus,
    henon_heiles,
    mnist1d,
    oscillators,
    pendulum_clock,
    van_der_pol,
)
from physlearn.tasks.registry import get, names, register
from physlearn.tasks.task import PARTS, Forecasting, Task

__all__ = [
    "PARTS",
    "Forecasting",
    "Task",
    "any_system",
    "double_pendulum",
    "get",
    "greydanus",
    "henon_heiles",
    "mnist1d",
    "names",
    "oscillators",
    "pendulum_clock",
    "register",
    "van_der_pol",
]
