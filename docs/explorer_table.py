"""How good the models that come with the explorer are: ``python docs/explorer_table.py``. Prints a table in Markdown.

For each system, 24 starts that are drawn like the training data, but with another seed, are followed over t = 100. The last
column is for two degrees of freedom: of 21 orbits on the Poincare section at each of three energies of the training data, it
counts those whose energy error stays below 1 % of the spread of energies over t = 100. Models of systems that are named as
arguments are trained if they do not come with the package.
"""

import sys
import warnings

import torch

import systems
from physlearn import metrics
from physlearn.explorer import Exploration, Neurons, Scene, Shelf, shipped
from physlearn.explorer.answers import HELD
from physlearn.explorer.scene import PACES
from physlearn.explorer.sections import has_section, sections

TIME, STARTS, SEED = 100.0, 24, 77
ENERGIES = (0.1, 0.5, 0.9)  # quantiles of the training data

shelf, neurons = Shelf(), Neurons.named(shipped.ACTIVATION)
torch.set_num_threads(1)
warnings.simplefilter("ignore")  # of orbits that are left out, which the table counts


def held(system: systems.HamiltonianSystem, model: str) -> str:
    """Return how many orbits on sections keep their energy."""
    seen = shelf.orbits(system)[0]
    spread = Scene.of(system, seen).spread
    z = seen.z.flatten(0, -2)
    h = system.hamiltonian(z)
    kept = total = 0
    for level in ENERGIES:
        z0 = z[(h - h.quantile(level)).abs().argmin()]
        here = Exploration(system, z0, {model: shelf.get(system, model, neurons)})
        _, (_, section) = sections(here, time=TIME)
        off = ((system.hamiltonian(section.z) - here.energy).abs() / spread).nan_to_num(torch.inf)
        lost = off.new_full((len(section.unresolved),), torch.inf)  # an orbit that never crosses the surface
        worst = lost.scatter_reduce(0, section.orbit, off, "amax", include_self=False)
        kept += int(((worst <= HELD) & ~section.unresolved & ~section.escaped).sum())
        total += len(worst)
    return f"{kept} of {total}"


print("| system | model | median time until the error exceeds 0.4 | median energy error | orbits held on sections |")
print("|---|---|---|---|---|")
for name in sys.argv[1:] or shipped.SYSTEMS:
    system = systems.get(name)
    sample = shelf.learning.protocol(system).training_sample
    z0 = system.sample(STARTS, seed=SEED, **sample)
    t = torch.arange(round(TIME / PACES[name].step) + 1, dtype=torch.float64) * PACES[name].step
    truth = system.orbit(z0, t)
    for model in shipped.models(system):
        forecast = shelf.get(system, model, neurons).forecast(z0, t, progress=False)
        valid = float(metrics.valid_prediction_time(forecast, truth).median())
        energy = section = "-"
        if isinstance(system, systems.HamiltonianSystem):
            energy = f"{float(metrics.energy_error(forecast, system).median()):.0e}"
            section = held(system, model) if has_section(system) else "-"
        print(f"| {name} | {model} | {valid:.3g} | {energy} | {section} |", flush=True)
