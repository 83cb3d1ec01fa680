"""Networks trained a second: one by one with torch's own tools, all at once on stacked weights, and in compiled loops.

Every row trains networks of 100 hidden neurons for an epoch of 10,000 pairs in batches of 150 with Adam. The table gives
networks and epochs a second, and the ratio to training one by one the same network, measured in the same run.
"""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from physlearn import models
from physlearn.activations import Mixture, Table
from physlearn.training import Pairs, Training
from physlearn.training.fused_engine import FusedEngine
from physlearn.training.torch_engine import TorchEngine

NETWORKS, PAIRS, BATCH = 50, 10_000, 150
ACTIVATIONS = {
    "sine": "sine",
    "mix of two tables": Mixture([Table.capture(torch.sin), Table.capture(lambda x: x.sin() + 0.1 * x * x.tanh())]),
}
TASKS = {"nn": 2, "hnn": 4}  # van der Pol and Henon-Heiles by their number of coordinates
ENGINES = {"torch": TorchEngine, "fused": FusedEngine}


def pairs_of(dim):
    z = torch.randn(PAIRS, dim, generator=torch.Generator().manual_seed(0))
    return Pairs(z, z.flip(1).sin() + z.roll(1, 1) * z, tuple(f"z{i}" for i in range(dim)))


def network(model, activation, pairs, seed):
    made = models.build(model, len(pairs.coordinates), (100,), ACTIVATIONS[activation], seed)
    made.standardize(pairs.z, pairs.rate)
    return made


class ByHand(nn.Module):
    """The same network as its user would write it in torch: an HNN differentiates its energy by autograd."""

    def __init__(self, model, activation, dim):
        super().__init__()
        chosen = ACTIVATIONS[activation]
        self.function = torch.sin if chosen == "sine" else chosen
        self.hamiltonian = model == "hnn"
        self.first, self.last = nn.Linear(dim, 100), nn.Linear(100, 1 if self.hamiltonian else dim)

    def forward(self, z):
        if not self.hamiltonian:
            return self.last(self.function(self.first(z)))
        z = z.requires_grad_()
        (slope,) = torch.autograd.grad(self.last(self.function(self.first(z))).sum(), z, create_graph=True)
        q, p = slope.chunk(2, dim=-1)
        return torch.cat([p, -q], dim=-1)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("model", TASKS)
def test_one_by_one(model, activation, benchmark):
    pairs = pairs_of(TASKS[model])
    benchmark.group = model
    benchmark.extra_info.update(name=f"one by one, {activation}", work=1, rival="")

    def epoch():
        torch.set_num_threads(1)  # the fastest for one small network
        one = ByHand(model, activation, TASKS[model])
        optimizer = torch.optim.Adam(one.parameters())
        for z, rate in DataLoader(TensorDataset(pairs.z, pairs.rate), BATCH, shuffle=True):
            optimizer.zero_grad()
            (one(z) - rate).square().mean().backward()
            optimizer.step()

    threads = torch.get_num_threads()
    benchmark.pedantic(epoch, rounds=9, warmup_rounds=1)
    torch.set_num_threads(threads)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("model", TASKS)
@pytest.mark.parametrize("engine", ENGINES)
def test_all_at_once(engine, model, activation, benchmark):
    pairs = pairs_of(TASKS[model])
    benchmark.group = model
    benchmark.extra_info.update(name=f"{engine}, {activation}", work=NETWORKS, rival=f"one by one, {activation}")
    networks = [network(model, activation, pairs, seed) for seed in range(NETWORKS)]
    trainer = ENGINES[engine](networks, pairs, Training(batch_size=BATCH))
    order = torch.stack([torch.randperm(PAIRS, generator=torch.Generator().manual_seed(seed)) for seed in range(NETWORKS)])
    rates = torch.full((NETWORKS, -(-PAIRS // BATCH)), 1e-3)
    benchmark.pedantic(trainer.epoch, (order, rates), rounds=9, warmup_rounds=1)
