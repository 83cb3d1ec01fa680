"""What help texts list: the names in the registries, which take seconds to import and are looked up when they are shown."""

from __future__ import annotations

from pkgutil import resolve_name

from physlearn.cli.interruption import importing

REGISTRIES = {  # what a help text calls them, and where their names are
    "activations": "physlearn.activations:names",
    "benchmarks": "physlearn.studies.hamiltonian_networks.benchmarks:BENCHMARKS",
    "epochs of exploration": "physlearn.explorer:Learning.epochs",
    "figures": "physlearn.studies.learned_diversity:names",
    "indicators": "physlearn.forecasting.indicators:INDICATORS",
    "integrators": "physlearn.integrators:names",
    "models": "physlearn.models:names",
    "memories": "physlearn.models:names_with_memory",
    "orbits of exploration": "physlearn.explorer:Learning.orbits",
    "tasks": "physlearn.tasks:names",
    "variants": "physlearn.metalearning:variants",
}


class _Names(dict[str, str]):
    """The names in a registry, looked up when they are first asked for."""

    def __missing__(self, registry: str) -> str:
        with importing():
            found = resolve_name(REGISTRIES[registry])
        found = found() if callable(found) else found
        return str(found) if isinstance(found, int) else ", ".join(found)


def listed(text: str) -> str:
    """Fill in a help text: ``{models}`` becomes the names of all models, and so on for every entry of `REGISTRIES`."""
    return text.format_map(_Names())
