"""What the tests share: systems, the orbits of the reference tables, real data."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from hypothesis import settings

import systems

settings.register_profile("physlearn", deadline=None, max_examples=25)
settings.load_profile("physlearn")
if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)  # the tests run side by side already


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


@pytest.fixture(scope="session")
def run_apart():
    """What a program prints, run in a process of its own: one that never ended could not be stopped here."""

    def run(program):
        command = [sys.executable, "-c", textwrap.dedent(program)]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=600, check=True).stdout

    return run


class InUnits(systems.System):
    """The same motion with lengths, momenta and times counted in other units."""

    name = "in units"

    def __init__(self, system, length, momentum, time):
        self.system, self.time = system, time
        half = (system.dim + 1) // 2
        self.size = torch.tensor([length] * half + [momentum] * (system.dim - half), dtype=torch.float64)
        self.energy_unit = length * momentum / time

    coordinates = property(lambda self: self.system.coordinates)
    autonomous = property(lambda self: self.system.autonomous)
    parameters = property(lambda self: {})
    period = property(lambda self: self.system.period and self.system.period * self.time)

    def vector_field(self, t, z):
        size = self.size.to(z)
        return self.system.vector_field(t / self.time, z / size) * (size / self.time)

    def sample(self, n, *, seed=0):
        return self.system.sample(n, seed=seed) * self.size


class HamiltonianInUnits(InUnits):
    def __init__(self, system, length, momentum, time):
        super().__init__(system, length, momentum, time)
        self.separable = system.separable
        self.length, self.momentum = length, momentum

    def hamiltonian(self, z):
        return self.system.hamiltonian(z / self.size.to(z)) * self.energy_unit

    def velocity(self, p):
        return self.system.velocity(p / self.momentum) * (self.length / self.time)

    def force(self, q):
        return self.system.force(q / self.length) * (self.momentum / self.time)


@pytest.fixture(scope="session")
def in_units():
    """A system with its lengths, momenta and times in other units: ``in_units(system, length, momentum, time)``."""

    def make(system, length, momentum, time):
        cls = HamiltonianInUnits if isinstance(system, systems.HamiltonianSystem) else InUnits
        return cls(system, length, momentum, time)

    return make


@pytest.fixture(scope="module")  # a page that moves keeps a processor busy until its browser is closed
def browser():
    """A chromium without a window, driven by selenium."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="a browser is driven by selenium")
    browser, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("pages are looked at in chromium, by chromedriver")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = Service(driver)
    with webdriver.Chrome(options=options, service=service) as browser:
        yield browser
