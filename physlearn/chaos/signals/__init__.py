"""What orbits and measured series tell without equations: frequencies, recurrences and the 0-1 test."""
