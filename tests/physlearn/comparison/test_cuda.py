"""Meta-learning, ensembles and comparisons on a GPU give what the CPU gives, by the same code."""

from dataclasses import replace

import pytest
import torch

from physlearn import compare, metalearn, models, tasks
from physlearn.metalearning.settings import GRADIENTS
from physlearn.training import Pairs, Training
from physlearn.training.ensemble import train_ensemble

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


@pytest.mark.parametrize(
    "model", ["nn", "nn-splines", "hnn", "hnn-separable", "hnn-mechanical", "hnn-splines", "dissipative-hnn"]
)
def test_a_gpu_trains_every_model_alike_and_leaves_a_diverged_one_as_it_was(model):
    z = torch.randn(50, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    pairs = Pairs(z, z.flip(1).sin(), ("x", "y", "px", "py"))
    ends = []
    for device in ("cpu", "cuda"):
        networks = [models.build(model, 4, (6,), seed=seed).to(device).double() for seed in range(3)]
        own = pairs.to(torch.device(device), torch.float64)
        how = Training(epochs=3, batch_size=20, clip=1.0)  # the last batch is of another size
        history = train_ensemble(
            networks, own, own, how, [1, 2, 3], learning_rates=[1e-3, 1e300, 1e-2], engine="torch", progress=False
        )
        assert history.diverged.tolist() == [False, True, False]
        ends.append(torch.cat([part.detach().cpu().flatten() for k in (0, 2) for part in networks[k].parameters()]))
    torch.testing.assert_close(*ends, rtol=1e-6, atol=1e-9)
