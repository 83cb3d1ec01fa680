"""Networks trained a second: one by one with torch's own tools, all at once on stacked weights, and in compiled loops.

Every row trains networks of 100 hidden neurons for an epoch of 10,000 pairs in batches of 150 with Adam. The table gives
networks and epochs a second, and the ratio to training one by one the same network, measured in the same run.
"""

import pytest
import torch

from physlearn.studies.speed.replicates import ACTIVATIONS, BATCH, DIMENSIONS, network, one_by_one, pairs_of
from physlearn.training import Training
from physlearn.training.fused_engine import FusedEngine
from physlearn.training.torch_engine import TorchEngine

NETWORKS, PAIRS = 50, 10_000
ENGINES = {"torch": TorchEngine, "fused": FusedEngine}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("model", DIMENSIONS)
def test_one_by_one(model, activation, benchmark):
    benchmark.group = model
    benchmark.extra_info.update(name=f"one by one, {activation}", work=1, rival="")
    benchmark.pedantic(one_by_one, (model, ACTIVATIONS[activation], pairs_of(model, PAIRS)), rounds=9, warmup_rounds=1)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("model", DIMENSIONS)
@pytest.mark.parametrize("engine", ENGINES)
def test_all_at_once(engine, model, activation, benchmark):
    pairs = pairs_of(model, PAIRS)
    benchmark.group = model
    benchmark.extra_info.update(name=f"{engine}, {activation}", work=NETWORKS, rival=f"one by one, {activation}")
    networks = [network(model, ACTIVATIONS[activation], seed) for seed in range(NETWORKS)]
    for one in networks:
        one.standardize(pairs.z, pairs.rate)
    trainer = ENGINES[engine](networks, pairs, Training(batch_size=BATCH))
    order = torch.stack([torch.randperm(PAIRS, generator=torch.Generator().manual_seed(seed)) for seed in range(NETWORKS)])
    rates = torch.full((NETWORKS, -(-PAIRS // BATCH)), 1e-3)
    benchmark.pedantic(trainer.epoch, (order, rates), rounds=9, warmup_rounds=1)
