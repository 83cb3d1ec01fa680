"""Maps, which are dynamical systems in discrete time, and their registry."""

from systems.maps.henon import HenonMap
from systems.maps.logistic import LogisticMap
from systems.maps.map import Map
from systems.maps.of_function import FunctionMap
from systems.maps.registry import get, names, register
from systems.maps.standard import StandardMap

__all__ = ["FunctionMap", "HenonMap", "LogisticMap", "Map", "StandardMap", "get", "names", "register"]
