"""Which orbits are chaotic, and how well a model's orbits agree with the true ones."""
