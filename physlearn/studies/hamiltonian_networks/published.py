"""The tasks of Greydanus et al., and the numbers that they published.

References
----------
S. Greydanus, M. Dzamba and J. Yosinski, "Hamiltonian Neural Networks", NeurIPS 2019, arXiv:1906.01563.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Value = tuple[float, float]  # a published number and its uncertainty


@dataclass(frozen=True)
class Benchmark:
    """What is trained on a task, for how long, and what was published.

    Every network trains for ``steps`` gradient steps on ``batch`` samples each (None for all). ``weight_decay`` is that of the
    published Adam optimizer. ``own`` names physlearn's models that are trained as well. ``published`` contains the measures of
    the baseline and the Hamiltonian network. ``settings`` are those of the task. If ``simulated`` is True, the true energy
    gives the true vector field.
    """

    task: str
    steps: int
    batch: int | None
    weight_decay: float
    own: tuple[str, ...]
    published: Mapping[str, tuple[Value, Value, Value]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    simulated: bool = True


BENCHMARKS = {
    "spring": Benchmark(
        "spring",
        2_000,
        None,
        1e-4,
        ("hnn", "hnn-separable"),
        {
            "nn": ((3.7134e-2, 1.9143e-3), (3.6656e-2, 1.8652e-3), (1.7077e-1, 2.06e-2)),
            "hnn": ((3.6933e-2, 1.9128e-3), (3.5928e-2, 1.8328e-3), (3.8416e-4, 6.53e-5)),
        },
    ),
    "pendulum": Benchmark(
        "pendulum",
        2_000,
        None,
        1e-4,
        ("hnn", "hnn-separable"),
        {
            "nn": ((3.2606e-2, 1.7434e-3), (3.5273e-2, 1.7970e-3), (4.1519e-2, 9.62e-3)),
            "hnn": ((3.2787e-2, 1.7567e-3), (3.5586e-2, 1.8178e-3), (2.4852e-2, 5.42e-3)),
        },
    ),
    "real-pendulum": Benchmark(
        "real-pendulum",
        2_000,
        None,
        1e-5,
        ("hnn", "hnn-mechanical"),
        {
            "nn": ((2.7455e-3, 2.0735e-4), (2.1864e-3, 3.3296e-4), (3.8564e-1, 6.92e-2)),
            "hnn": ((9.2376e-3, 5.0263e-4), (5.9584e-3, 6.1798e-4), (1.4477e-2, 4.65e-3)),
        },
        simulated=False,
    ),
    "real-pendulum-derived": Benchmark(
        "real-pendulum", 2_000, None, 1e-5, ("hnn", "hnn-mechanical"), {}, {"rates": "derived"}, simulated=False
    ),
    "two-body": Benchmark(
        "two-body",
        10_000,
        200,
        0.0,
        ("hnn", "hnn-mechanical"),
        {
            "nn": ((3.2682e-5, 1.2022e-6), (2.9575e-5, 8.8900e-7), (6.3276e-2, 3.36e-2)),
            "hnn": ((2.9959e-6, 6.5500e-8), (2.8218e-6, 4.2020e-8), (3.8751e-5, 5.04e-6)),
        },
    ),
    "three-body": Benchmark(
        "three-body",
        10_000,
        600,
        1e-4,
        ("hnn", "hnn-mechanical"),
        {
            "nn": ((9.5573e-2, 6.5610e-2), (3.8000e-1, 4.1612e-1), (1.0906e2, 7.74e1)),
            "hnn": ((8.0346e-2, 2.1470e-2), (4.8809e-1, 4.7745e-1), (4.1926e-2, 3.39e-2)),
        },
    ),
}
