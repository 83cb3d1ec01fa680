"""Where orbits end: basins of attraction, the uncertainty of their boundaries, and escapes."""
