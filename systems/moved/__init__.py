"""Submodules of version 0.1 that have moved: each forwards to the new place for one release, with a warning."""
