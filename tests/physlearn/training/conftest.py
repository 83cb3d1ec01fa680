import pytest
import torch

import systems
from physlearn.training import Pairs


@pytest.fixture(scope="package")
def pendulum_pairs():
    """Short swings of a pendulum to learn from, and others."""
    system, t = systems.get("pendulum"), torch.linspace(0, 3, 16)
    return [Pairs.of(system.orbit(system.sample(20, seed=s), t)).to("cpu", torch.float32) for s in (0, 1)]
