"""The compiled loops give the same bits in the process that compiles them as in those that load what was compiled."""

import os
import subprocess
import sys

import pytest
from numba.core.registry import CPUDispatcher

from physlearn.activations import compiled
from physlearn.training.fused import deep_kernels, kernels, rules, spline_kernels, step
from systems.compiled import products

TRAINING = """
import torch
import systems
from physlearn import models
from physlearn.training import Pairs, Training
from physlearn.training.ensemble import train_ensemble

system = systems.get("henon-heiles")
pairs = Pairs.of(system.orbit(system.sample(3), torch.linspace(0, 3, 31))).to("cpu", torch.float32)
for name in "hnn", "nn":
    for hidden in (50,), (30, 20):
        for activation in "sine", "gelu", "learned:henon-heiles-hnn":
            network = models.build(name, 4, hidden, activation)
            history = train_ensemble([network], pairs, None, Training(epochs=3), [0], engine="fused", progress=False)
            print(name, hidden, activation, *map(float.hex, history.training[:, 0].tolist()))
"""


def test_what_the_loops_call_is_compiled_into_them():
    for module in compiled, rules, step, products, kernels, deep_kernels, spline_kernels:
        own = {name: f for name, f in vars(module).items() if isinstance(f, CPUDispatcher) and f.__module__ == module.__name__}
        assert own
        left = {name for name, f in own.items() if not f.targetoptions.get("forceinline")}
        assert left == ({"run"} if module in (kernels, deep_kernels, spline_kernels) else set())


@pytest.mark.slow
def test_a_fresh_compilation_rounds_as_every_later_process_does(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    printed = [
        subprocess.run([sys.executable, "-c", TRAINING], env=environment, check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    ]
    assert printed[0] == printed[1]
    assert len(printed[0].splitlines()) == 12
