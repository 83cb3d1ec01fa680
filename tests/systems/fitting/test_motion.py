"""Derivatives of orbits by initial states and parameters, against closed forms and central differences."""

from math import cos, sin

import numpy as np
import pytest
import torch

import systems
from systems.fitting.motion import Differences, Sensitive, motion_of


def motions(system, names, size):
    z = system.sample(4, seed=1).numpy()
    return motion_of(system, names, np.linspace(0, 1, 4), z, size), Differences(system, names, size)


def test_sensitivities_of_the_harmonic_oscillator_are_its_closed_form():
    """q = a cos(w t) + b / (m w) sin(w t), so that dq/dw = -a t sin(w t) + b / m (t cos(w t) / w - sin(w t) / w^2)."""
    system = systems.get("harmonic-oscillator", frequency=1.7, mass=0.6)
    motion, _ = motions(system, ("frequency", "mass"), np.ones(2))
    assert isinstance(motion, Sensitive)
    a, b, w, m, t = 0.8, -0.5, 1.7, 0.6, 9.0
    z, by_state, by_values = (
        part[-1] for part in motion.orbits(np.array([w, m]), np.array([[a, b]]), [np.array([0.0, 4, t])])[0]
    )
    assert z[0] == pytest.approx(a * cos(w * t) + b / (m * w) * sin(w * t), abs=1e-10)
    assert by_state[0].tolist() == pytest.approx([cos(w * t), sin(w * t) / (m * w)], abs=1e-10)
    of_frequency = -a * t * sin(w * t) + b / m * (t * cos(w * t) / w - sin(w * t) / w**2)
    assert by_values[0].tolist() == pytest.approx([of_frequency, -b / (m**2 * w) * sin(w * t)], abs=1e-9)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("pendulum", ("inertia", "gravity")), ("forced-duffing", ("omega", "gamma")), ("fitzhugh-nagumo", ("b",))],
)
def test_sensitivities_are_the_limit_of_differences(name, parameters):
    system = systems.get(name)
    size = np.array([0.7, 1.3])
    compiled, differences = motions(system, parameters, size)
    values = np.array([getattr(system, one) for one in parameters])
    z0, t = system.sample(1, seed=3).numpy(), np.linspace(3.0, 8.0, 4)  # beyond the first period of the drive
    for wanted, found in zip(differences.orbits(values, z0, [t])[0], compiled.orbits(values, z0, [t])[0], strict=True):
        assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6)
    z = system.sample(5, seed=4).numpy()
    times = np.linspace(0, 2, 5)
    for wanted, found in zip(differences.rates(values, times, z), compiled.rates(values, times, z), strict=True):
        assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6)


def test_a_field_with_a_switch_has_no_sensitivity_equations():
    system = systems.get("pendulum-clock")
    assert isinstance(motions(system, ("kappa",), np.ones(2))[0], Differences)

    class Rubbing(systems.get("van-der-pol").__class__):
        def vector_field(self, t, z):
            x, v = z.unbind(-1)
            return torch.stack([v, -x - self.mu * v.sign()], -1)

    assert isinstance(motions(Rubbing(), ("mu",), np.ones(2))[0], Differences)
