"""MNIST-1D: signals of ten digits, padded, shifted, blurred and sheared so that a classifier must be nonlinear.

References
----------
Greydanus and Kobak, Scaling Down Deep Learning with MNIST-1D, ICML 2024 (arXiv:2011.14439), and their package mnist1d.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from types import ModuleType
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from systems.errors import InputError
from systems.extras import require

CLASSES = 10
STEPS = ("template", "padded", "moved", "blurred", "sheared", "sampled")
PRESENT = 1e-8  # added to a template to distinguish its own zeros from the padding


def digits(n: int = 5000, seed: int = 42) -> tuple[Float[Tensor, "n 40"], Int[Tensor, " n"]]:
    """Generate signals of digits, in random order with equal numbers of each digit.

    The defaults reproduce the published data set, the training set followed by the test set. All signals together have mean 0
    and standard deviation 1.

    Parameters
    ----------
    n : int, default 5000
        Number of signals, a multiple of ten.
    seed : int, default 42
        Random seed, from 0 to 2^32 - 1.

    Returns
    -------
    signals : Tensor, shape ``(n, 40)``
        Signals.
    digits : Tensor, shape ``(n,)``
        Digit of each signal, from 0 to 9.

    Raises
    ------
    InputError
        If n is not a multiple of ten, or if NumPy does not accept the seed.
    """
    if not isinstance(n, Integral) or n < 1 or n % CLASSES:
        raise InputError(f"the number of signals must be a multiple of {CLASSES}, not {n}, with equally many of each digit")
    data = _package("data")
    settings = data.get_dataset_args()
    settings.num_samples, settings.seed = int(n), checked_seed(seed)
    with _random_numbers_put_back():
        made = data.make_dataset(settings)
    x, y = (np.concatenate([made[name], made[f"{name}_test"]]) for name in "xy")
    return torch.from_numpy(x), torch.from_numpy(y)


def construction(seed: int = 0) -> dict[str, Float[Tensor, "10 points"]]:
    """Return one example of each digit after each of the ``STEPS`` of its construction.

    A template has 12 points. It is padded at its end and interpolated to 72 points, then scaled and shifted cyclically. The
    padding is replaced by smooth noise, and a little noise is added to all points. Finally, the signal is sheared and sampled
    at 40 points.

    Parameters
    ----------
    seed : int, default 0
        Random seed, from 0 to 2^32 - 1.

    Returns
    -------
    dict of str to Tensor, shape ``(10, points)``
        Signals by step.

    Raises
    ------
    InputError
        If NumPy does not accept the seed.
    """
    data = _package("data")
    settings, templates = data.get_dataset_args(), data.get_templates()["x"]
    with _random_numbers_put_back():
        np.random.seed(checked_seed(seed))  # noqa: NPY002, because the package uses this generator
        rows = [_steps(template, settings) for template in templates]
    return {name: torch.from_numpy(np.stack(row)) for name, row in zip(STEPS, zip(*rows, strict=True), strict=True)}


def _steps(template: np.ndarray, settings: Any) -> list[np.ndarray]:
    transform = _package("transform")
    whole = settings.template_len + settings.padding[-1]
    padded = transform.interpolate(transform.pad(template + PRESENT, settings.padding), whole)
    scaled = padded * (1 + settings.scale_coeff * (np.random.rand() - 0.5))  # noqa: NPY002
    moved = transform.translate(scaled, settings.max_translation)
    blurred = np.where(moved != 0, moved, transform.corr_noise_like(moved, settings.corr_noise_scale))
    blurred = blurred + transform.iid_noise_like(moved, settings.iid_noise_scale)
    sheared = transform.shear(blurred, settings.shear_scale)
    return [template, padded, moved, blurred, sheared, transform.interpolate(sheared, settings.final_seq_length)]


def _package(module: str) -> ModuleType:
    return require(f"mnist1d.{module}", "study", "MNIST-1D")


def checked_seed(seed: int) -> int:
    """Validate a seed for NumPy. Raises InputError if NumPy does not accept it."""
    if not isinstance(seed, Integral) or not 0 <= seed < 2**32:
        raise InputError(f"seed must be a whole number from 0 to 2^32 - 1, not {seed}")
    return int(seed)


@contextmanager
def _random_numbers_put_back() -> Iterator[None]:
    """Restore the random states of Python and NumPy afterwards, because the package seeds them globally."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
