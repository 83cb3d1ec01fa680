"""Time of the first orbit of a system, in processes of their own: ``python -m physlearn.studies.speed.first_calls``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

STAGES = ("import", "trace", "field", "first orbit", "second orbit")
CASES = {"nothing in the cache": 1.0, "a new system": 2.0, "a known system": 2.0}  # and the cubic coefficient of its force

SCRIPT = """
import json, sys, time
times = [time.perf_counter()]
from dataclasses import dataclass
from typing import ClassVar
import torch, systems
import physlearn.integrators
from systems.compiled.traced import field_of_system
torch.set_num_threads(1)

class Spring(systems.System):
    coordinates: ClassVar = ("x", "v")
    def vector_field(self, t, z):
        x, v = z.unbind(-1)
        return torch.stack([v, -x - {cubic} * x**3], dim=-1)
    def sample(self, n, *, seed=0):
        return torch.ones(n, 2)

spring, z0, t = Spring(), torch.tensor([1.0, 0.0], dtype=torch.float64), torch.tensor([0.0, 20.0], dtype=torch.float64)
times.append(time.perf_counter())
field = field_of_system(spring)
times.append(time.perf_counter())
field.field.function
times.append(time.perf_counter())
for _ in range(2):
    spring.orbit(z0, t, engine="compiled")
    times.append(time.perf_counter())
print(json.dumps([b - a for a, b in zip(times, times[1:])]))
"""


def measured() -> dict[str, dict[str, float]]:
    """Return the seconds of each stage: with an empty cache, for a new system, and for a system in the cache.

    The stages are the imports; the tracing of the field; its compilation, or loading from the cache; the first orbit, for
    which the solver is compiled or loaded and the field is traced again; and the second orbit.
    """
    found = {}
    with tempfile.TemporaryDirectory() as cache:
        for case, cubic in CASES.items():
            command = [sys.executable, "-c", SCRIPT.format(cubic=cubic)]
            environment: dict[str, Any] = {**os.environ, "NUMBA_CACHE_DIR": cache}
            answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
            found[case] = dict(zip(STAGES, json.loads(answer), strict=True))
    return found


if __name__ == "__main__":
    print(f"| | {' | '.join(STAGES)} |")
    print("|---" * (len(STAGES) + 1) + "|")
    for case, times in measured().items():
        print(f"| {case} | {' | '.join(f'{seconds:.3g} s' for seconds in times.values())} |")
