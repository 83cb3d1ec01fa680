"""From the places of markers to the states of a system: one short map per system, with errors carried along."""

from systems.film.states.registry import names, register, to_states
from systems.film.states.states import States

__all__ = ["States", "names", "register", "to_states"]
