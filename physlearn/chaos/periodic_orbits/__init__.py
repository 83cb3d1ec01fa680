"""Periodic orbits: how they are found, their Floquet multipliers, and the families that they form."""
