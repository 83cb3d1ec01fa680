"""What help texts and completions list: the names in the registries, without importing them, which would take seconds.

A test compares the names of this package with the registries; those of other distributions are read from their metadata.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

BUILT_IN = {  # what a help text calls a registry, and the names in it
    "activations": """celu cube elu exp gaussian gelu hardshrink hardsigmoid hardswish hardtanh identity leaky_relu log_sigmoid
        mish ramp relu relu6 selu sigmoid silu sine softplus softshrink softsign square tanh tanhshrink zero""",
    "benchmarks": "spring pendulum real-pendulum real-pendulum-derived two-body three-body",
    "epochs of exploration": "200",
    "figures": """fig3 fig4 fig5 fig6 fig7 fig8 fig9 attempts attempts-together claims curves depth hessian map-data
        map-fields map-systems map-widths mix mix-again mix-curves mix-forecasts mix-parity mix-parity-again mix-types
        reservoirs transfer universal""",
    "indicators": "megno fli frequency-drift",
    "integrators": """euler rk4 symplectic-euler leapfrog yoshida-4 yoshida-6 implicit-midpoint gauss-legendre-4
        gauss-legendre-6 tao-4 dopri8""",
    "maps": "henon logistic standard",
    "memories": "next-generation-reservoir echo-state",
    "models": """nn hnn hnn-separable hnn-mechanical lnn dissipative-hnn dissipative-hnn-mechanical nn-splines hnn-splines
        linear cubic polynomial polynomial-hamiltonian sparse sparse-hamiltonian""",
    "orbits of exploration": "200",
    "systems": """dipole dipole-reduced double-pendulum duffing elastic-pendulum fitzhugh-nagumo forced-duffing fput-alpha
        general-henon-heiles harmonic-oscillator henon-heiles kepler lorenz lotka-volterra pendulum pendulum-clock
        swinging-atwood tao-oscillator three-body toda-ring two-body van-der-pol""",
    "tasks": """double-pendulum-hnn henon-heiles-hnn henon-heiles-hnn-mechanical henon-heiles-hnn-separable henon-heiles-nn
        mnist1d oscillators pendulum pendulum-clock-hnn pendulum-four-neurons real-pendulum spring system three-body two-body
        van-der-pol""",
    "variants": """search screening named random-search unrolled truncated first-order final-step evolution two-stage""",
}
GROUPS = {  # the entry points by which other distributions register more
    "integrators": "physlearn.integrators",
    "maps": "physlearn.maps",
    "memories": "physlearn.models_with_memory",
    "models": "physlearn.models",
    "systems": "physlearn.systems",
    "tasks": "physlearn.tasks",
}


def names(registry: str) -> list[str]:
    """Return the names in a registry, an entry of `BUILT_IN`."""
    own = BUILT_IN[registry].split()
    if registry not in GROUPS:
        return own
    return [*own, *sorted({point.name for point in entry_points(group=GROUPS[registry])} - set(own))]


class _Listed(dict[str, str]):
    """The names in a registry as text, looked up when they are first asked for."""

    def __missing__(self, registry: str) -> str:
        return ", ".join(names(registry))


def listed(text: str) -> str:
    """Fill in a help text: ``{models}`` becomes the names of all models, and so on for every entry of `BUILT_IN`."""
    return text.format_map(_Listed())


def completing(*registries: str) -> Callable[[str], list[str]]:
    """Return a function that completes the beginning of a name in one of the registries, for the shell."""

    def complete(incomplete: str) -> list[str]:
        return [name for registry in registries for name in names(registry) if name.startswith(incomplete)]

    return complete
