"""Meta-learning, ensembles and comparisons on a GPU give what the CPU gives, by the same code."""

from dataclasses import replace

import pytest
import torch

from physlearn import compare, metalearn, tasks
from physlearn.metalearning.settings import GRADIENTS

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


def small(device, name="van-der-pol"):
    data = {"samples": 50} if name == "mnist1d" else {"orbits": 5}
    return replace(tasks.get(name, **data, device=device), hidden=(8,), dtype=torch.float64)


@pytest.mark.parametrize("variant", [*GRADIENTS, "evolution"])
def test_a_gpu_learns_the_same_curves(variant):
    curves = [
        metalearn(small(device), variant=variant, outer_steps=3, inner_steps=6, networks=2, pairs=2, progress=False).values
        for device in ("cpu", "cuda")
    ]
    torch.testing.assert_close(*curves, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["van-der-pol", "mnist1d"])
def test_a_gpu_compares_the_same(name):
    learned = metalearn(small("cpu", name), outer_steps=2, variant="first-order", inner_steps=6, networks=2, progress=False)
    how = {"replicates": 2, "epochs": 2, "tuned": False, "progress": False}
    tables = [compare(small(device, name), learned, **how).table for device in ("cpu", "cuda")]
    torch.testing.assert_close(*(torch.tensor(table["loss"].to_numpy()) for table in tables), rtol=1e-6, atol=0)
