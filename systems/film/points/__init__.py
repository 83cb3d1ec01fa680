"""Any marker of any film, followed as a point."""
