"""What the tests share: systems, the orbits of the reference tables, real data."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

import systems

settings.register_profile("physlearn", deadline=None, max_examples=25)
settings.load_profile("physlearn")
torch.set_num_threads(1)  # states are small, and the tests run side by side


@pytest.fixture(scope="session")
def henon_heiles():
    return systems.get("henon-heiles")


@pytest.fixture(scope="session")
def tao_oscillator():
    return systems.get("tao-oscillator")


@pytest.fixture(scope="session")
def harmonic_oscillator():
    return systems.get("harmonic-oscillator")


@pytest.fixture(scope="session")
def regular_orbits():
    """States (3, 4) of Henon-Heiles at E = 1/12, 1/8, 1/6 with x = 0, y = 0.1, p_y = 0, p_x > 0: all on regular orbits."""
    energy = torch.tensor([1 / 12, 1 / 8, 1 / 6], dtype=torch.float64)
    y = torch.full_like(energy, 0.1)
    p_x = (2 * energy - y**2 + 2 / 3 * y**3).sqrt()
    return torch.stack([torch.zeros_like(y), y, p_x, torch.zeros_like(y)], dim=-1)


@pytest.fixture(scope="session")
def data():
    """The folder of recorded motion."""
    folder = os.environ.get("PHYSLEARN_DATA")
    if not folder:
        pytest.skip("set PHYSLEARN_DATA to the folder of recordings")
    if not Path(folder).is_dir():
        pytest.fail(f"PHYSLEARN_DATA names no folder: {folder}")
    return Path(folder)
