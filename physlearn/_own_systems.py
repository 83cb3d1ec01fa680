"""Refuse a package `systems` of another project, which hides ours or was installed over it."""

import systems

# the name is spelled out: a foreign `systems` cannot tell it
if getattr(systems, "DISTRIBUTION", None) != "physlearn-orbits":
    place = systems.__file__ or next(iter(systems.__path__))
    raise ImportError(
        f"physlearn needs its own package `systems`, but {place} belongs to another project: run pip uninstall systems, "
        "then pip install --force-reinstall --no-deps physlearn-orbits"
    )
