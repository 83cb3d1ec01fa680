"""The unrolled meta-gradient by segments: its time beside keeping every step, and its memory against the inner steps.

One inner network of 100 neurons in two types, batches of 150, Adam. Each row runs in a process of its own, so that its memory
is its own: the table gives inner steps a second, the ratio to keeping everything, and the most memory above what the process
had before.
"""

import json
import subprocess
import sys
from itertools import product

import pytest

PROGRAM = """
import json, resource, sys, time
import torch
from physlearn import tasks
from physlearn.metalearning import MetaLearning
from physlearn.metalearning.gradient import Problem, unrolled
from physlearn.metalearning.inner import draw_batches
from physlearn.metalearning.outer import OuterLoop

name, steps, segments = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) or None
torch.set_num_threads(1)
loop = OuterLoop(tasks.get(name, orbits=20), MetaLearning(networks=1, inner_learning_rate=1e-3), [0])
inner, generator = loop.by.inner, torch.Generator().manual_seed(0)
curves = loop.grid.coefficients(loop.neurons[0].curves(loop.grid.x).detach()).unsqueeze(0)

def problem(steps):
    weights = inner.layout.draw(1, generator, torch.float32)
    batches = draw_batches(len(inner.pairs), 1, steps, 150, generator)
    counted = torch.full((steps + 1,), 1 / steps)
    counted[-1] = 0
    return Problem(inner, inner.start(weights, torch.full((1, 1), 1e-3)), curves, batches, counted)

unrolled(problem(4))
asked = problem(steps)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
unrolled(asked, segments)
seconds = time.perf_counter() - start
memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
print(json.dumps({"seconds": seconds, "memory": memory}))
"""

EVERYTHING = 1  # segment
ROWS = [
    *product(("van-der-pol", "henon-heiles-hnn"), (100, 400), (EVERYTHING, 0)),
    ("van-der-pol", 10_000, 0),
]


@pytest.mark.parametrize(("task", "steps", "segments"), ROWS)
def test_unrolled(task, steps, segments, benchmark):
    kept = "everything" if segments == EVERYTHING else "by segments"
    benchmark.group = task
    benchmark.extra_info.update(name=f"{steps} steps, {kept}", work=1, rival=f"{steps} steps, everything")
    results = []

    def apart():
        command = [sys.executable, "-c", PROGRAM, task, str(steps), str(segments)]
        results.append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout))

    benchmark.pedantic(apart, rounds=1 if steps > 1000 else 3)
    benchmark.extra_info.update(
        seconds=min(result["seconds"] for result in results), memory=min(result["memory"] for result in results)
    )
