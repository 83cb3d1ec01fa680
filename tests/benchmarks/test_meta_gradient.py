"""The unrolled meta-gradient by segments: its time beside keeping every step, and its memory against the inner steps.

One inner network of 100 neurons in two types, batches of 150, Adam. Each row runs in a process of its own, so that its memory
is its own: the table gives meta-gradients a second, the ratio to keeping everything, and the most memory above what the
process had before.
"""

from itertools import product

import pytest

from physlearn.studies.speed.meta_gradient import TASKS, apart

EVERYTHING = 1  # segment
ROWS = [*product(TASKS, (100, 400), (EVERYTHING, None)), ("van-der-pol", 10_000, None)]


@pytest.mark.parametrize(("task", "steps", "segments"), ROWS)
def test_unrolled(task, steps, segments, benchmark):
    kept = "everything" if segments == EVERYTHING else "by segments"
    benchmark.group = task
    benchmark.extra_info.update(name=f"{steps} steps, {kept}", work=1, rival=f"{steps} steps, everything")
    results = []
    benchmark.pedantic(lambda: results.append(apart(task, 1, steps, segments)), rounds=1 if steps > 1000 else 3)
    seconds, memory = (min(column) for column in zip(*results, strict=True))
    benchmark.extra_info.update(seconds=seconds, memory=memory)
