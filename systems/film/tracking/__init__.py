"""Track the pendulums of a film, from its pixels to angles and their errors."""
