"""Pictures without a screen, and without figures left behind."""

import matplotlib as mpl
import pytest
import torch
from matplotlib import pyplot as plt

import systems
from systems import Orbit

mpl.use("Agg")

T = torch.linspace(0, 10, 101, dtype=torch.float64)


@pytest.fixture(autouse=True)
def _no_figures():
    plt.close("all")
    yield
    plt.close("all")


@pytest.fixture
def swing():
    """One orbit of one degree of freedom."""
    return Orbit(T, torch.stack([T.cos(), -T.sin()], -1), coordinates=("q", "p"))


@pytest.fixture(scope="session")
def galaxy():
    """Two orbits of Henon-Heiles at E = 1/12."""
    system = systems.get("henon-heiles")
    return system.orbit(system.sample(2, seed=3, energy=1 / 12), torch.linspace(0, 50, 501))


@pytest.fixture
def diverging(swing):
    """A forecast of the swing that blows up: to numbers that overflow when they are drawn, then to infinity and NaN."""
    z = swing.z.clone()
    growth = torch.logspace(0, 300, 40, dtype=torch.float64)
    z[50:90] = z[50:90] * growth[:, None]
    z[90:95] = torch.inf
    z[95:] = torch.nan
    return Orbit(T, z, coordinates=("q", "p"))
