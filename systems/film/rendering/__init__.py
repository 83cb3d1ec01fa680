"""Render films of pendulum clocks from known orbits, with the defects of real films."""
