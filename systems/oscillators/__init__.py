"""Oscillators of one degree of freedom."""

from systems.oscillators.harmonic import HarmonicOscillator
from systems.oscillators.pendulum import Pendulum
from systems.oscillators.tao import TaoOscillator
from systems.oscillators.van_der_pol import VanDerPol

__all__ = ["HarmonicOscillator", "Pendulum", "TaoOscillator", "VanDerPol"]
