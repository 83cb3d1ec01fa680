from math import pi

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import systems


@given(q=st.floats(-3, 3), p=st.floats(-3, 3), frequency=st.floats(0.2, 5), t=st.floats(0.1, 20))
def test_an_orbit_is_a_cosine(q, p, frequency, t):
    orbit = systems.get("harmonic-oscillator", frequency=frequency).orbit([q, p], [0.0, t])
    phase = torch.tensor(frequency * t, dtype=torch.float64)
    expected = torch.stack(
        [q * phase.cos() + p / frequency * phase.sin(), p * phase.cos() - q * frequency * phase.sin()],
    )
    torch.testing.assert_close(orbit.z[-1], expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("frequency", [0.5, 1.0, 3.0])
def test_the_period_does_not_depend_on_the_amplitude(frequency):
    oscillator = systems.get("harmonic-oscillator", frequency=frequency)
    z0 = oscillator.sample(5, inner=0.01, outer=100.0)
    torch.testing.assert_close(oscillator.orbit(z0, [0.0, 2 * pi / frequency]).z[:, -1], z0, rtol=0, atol=1e-8)


@given(q=st.floats(-3, 3), p=st.floats(-3, 3), mass=st.floats(0.2, 5), t=st.floats(0.1, 20))
def test_a_mass_swings_as_the_unit_mass_does_in_its_own_momentum(q, p, mass, t):
    orbit = systems.get("harmonic-oscillator", frequency=1.5, mass=mass).orbit([q, p], [0.0, t])
    unit = systems.get("harmonic-oscillator", frequency=1.5).orbit([q, p / mass], [0.0, t])
    torch.testing.assert_close(orbit.z[-1], unit.z[-1] * torch.tensor([1.0, mass], dtype=torch.float64), rtol=0, atol=1e-8)
