"""Hamiltonian systems of several degrees of freedom."""

from systems.hamiltonian.henon_heiles import HenonHeiles

__all__ = ["HenonHeiles"]
