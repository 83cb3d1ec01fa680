"""Oscillators with one degree of freedom."""

from systems.oscillators.duffing import Duffing
from systems.oscillators.fitzhugh_nagumo import FitzHughNagumo
from systems.oscillators.forced_duffing import ForcedDuffing
from systems.oscillators.harmonic import HarmonicOscillator
from systems.oscillators.lotka_volterra import LotkaVolterra
from systems.oscillators.pendulum import Pendulum
from systems.oscillators.tao import TaoOscillator
from systems.oscillators.van_der_pol import VanDerPol

__all__ = [
    "Duffing",
    "FitzHughNagumo",
    "ForcedDuffing",
    "HarmonicOscillator",
    "LotkaVolterra",
    "Pendulum",
    "TaoOscillator",
    "VanDerPol",
]
