"""MNIST-1D: ten digits, each a line that is padded, moved, blurred and sheared until only a nonlinear function tells them.

Source: Greydanus and Kobak, Scaling Down Deep Learning with MNIST-1D, ICML 2024 (arXiv:2011.14439), and their package mnist1d.
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
PRESENT = 1e-8  # is added to a template, so that its own zeros are told from those of the padding


def digits(n: int = 5000, seed: int = 42) -> tuple[Float[Tensor, "n 40"], Int[Tensor, " n"]]:
    """So many signals, in random order and as many of each digit, and which digits they are.

    The defaults give the signals of the published data set, those to train on and then those to test on. All together have
    mean 0 and standard deviation 1. Raises InputError for a number that is not a multiple of ten, or a seed that NumPy does
    not take.
    """
    if not isinstance(n, Integral) or n < 1 or n % CLASSES:
        raise InputError(f"there are as many of each of {CLASSES} digits: give a multiple of {CLASSES}, not {n}")
    data = _package("data")
    settings = data.get_dataset_args()
    settings.num_samples, settings.seed = int(n), checked_seed(seed)
    with _random_numbers_put_back():
        made = data.make_dataset(settings)
    x, y = (np.concatenate([made[name], made[f"{name}_test"]]) for name in "xy")
    return torch.from_numpy(x), torch.from_numpy(y)


def construction(seed: int = 0) -> dict[str, Float[Tensor, "10 points"]]:
    """One example of each digit after each of the `STEPS` that make it.

    A template has 12 points; padded at its end and stretched it has 72, and so it is scaled and moved around, where the
    padding becomes smooth noise and all points get a little; sheared, it is sampled at 40.
    """
    data = _package("data")
    settings, templates = data.get_dataset_args(), data.get_templates()["x"]
    with _random_numbers_put_back():
        np.random.seed(checked_seed(seed))  # noqa: NPY002, as the package draws from these
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
    """The seed, where NumPy takes it. Raises InputError for any other."""
    if not isinstance(seed, Integral) or not 0 <= seed < 2**32:
        raise InputError(f"the seed of the digits is a whole number from 0 to 2^32 - 1, not {seed}")
    return int(seed)


@contextmanager
def _random_numbers_put_back() -> Iterator[None]:
    """The package seeds the random numbers of Python and NumPy for the whole program; afterwards they go on as they were."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
