"""Speed of training: networks one by one with torch's own tools, and all networks at once on each device."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from physlearn import models
from physlearn.activations import Activation, Mixture, Table
from physlearn.models import Learner
from physlearn.studies.speed.stopwatch import Taken, clocked, side_by_side
from physlearn.training import Pairs, Training
from physlearn.training.ensemble import train_ensemble

BATCH, WIDTH = 150, 100
DIMENSIONS = {"nn": 2, "hnn": 4}  # the dimensions of van der Pol and Henon-Heiles
ONE_BY_ONE = "one by one"
FEWEST, EPOCHS = 3, 100  # of all networks at once: timed epochs at least, and in total over all networks


def _learned_pair() -> Mixture:
    """Return a mixture of two curves in equal parts, such as meta-learning gives."""
    return Mixture([Table.capture(torch.sin), Table.capture(lambda x: x.sin() + 0.1 * x * x.tanh())])


ACTIVATIONS: dict[str, str | Mixture] = {"sine": "sine", "mix of two tables": _learned_pair()}


def pairs_of(model: str, count: int, device: str = "cpu") -> Pairs:
    """Return ``count`` arbitrary pairs of states and rates to learn, which come from no system."""
    dim = DIMENSIONS[model]
    z = torch.randn(count, dim, generator=torch.Generator().manual_seed(0)).to(device)
    return Pairs(z, z.flip(1).sin() + z.roll(1, 1) * z, tuple(f"z{i}" for i in range(dim)))


def network(model: str, activation: str | Activation, seed: int, device: str = "cpu") -> Learner:
    """Return one of physlearn's networks."""
    return models.build(model, DIMENSIONS[model], (WIDTH,), activation, seed).to(device)


class ByHand(nn.Module):
    """The same network as a user would write it in torch; a Hamiltonian network differentiates its energy by autograd."""

    def __init__(self, model: str, activation: str | Activation) -> None:
        super().__init__()
        self.function = torch.sin if activation == "sine" else copy.deepcopy(activation)  # a copy, which moves to the device
        self.hamiltonian = model == "hnn"
        dim = DIMENSIONS[model]
        self.first, self.last = nn.Linear(dim, WIDTH), nn.Linear(WIDTH, 1 if self.hamiltonian else dim)

    def forward(self, z: Tensor) -> Tensor:
        """Return the rates of change."""
        if not self.hamiltonian:
            output: Tensor = self.last(self.function(self.first(z)))  # type: ignore[operator]
            return output
        z = z.requires_grad_()
        energy = self.last(self.function(self.first(z)))  # type: ignore[operator]
        (slope,) = torch.autograd.grad(energy.sum(), z, create_graph=True)
        q, p = slope.chunk(2, dim=-1)
        return torch.cat([p, -q], dim=-1)


def one_by_one(model: str, activation: str | Activation, pairs: Pairs) -> None:
    """Train one network for one epoch as a user would write it, on one thread, which is fastest for such a small network."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    one = ByHand(model, activation).to(pairs.z.device)
    optimizer = torch.optim.Adam(one.parameters())
    for z, rate in DataLoader(TensorDataset(pairs.z, pairs.rate), BATCH, shuffle=True):
        optimizer.zero_grad()
        (one(z) - rate).square().mean().backward()
        optimizer.step()
    torch.set_num_threads(threads)


def _all_at_once(model: str, activation: str | Activation, pairs: Pairs, size: int) -> Taken:
    """Return the time per epoch of ``size`` networks at once, after a first epoch that compiles and allocates memory."""
    networks = [network(model, activation, seed, str(pairs.z.device)) for seed in range(size)]
    training = Training(epochs=1 + max(FEWEST, EPOCHS // size), batch_size=BATCH)
    times = train_ensemble(networks, pairs, None, training, range(size), progress=False).seconds
    return Taken(float(times[-1] - times[0]) / (len(times) - 1))


def rows(devices: Sequence[str], sizes: Sequence[int], steps: int) -> Iterator[dict[str, Any]]:
    """Yield the network training steps per second, and the ratio to training one by one on the CPU, one row per case."""
    for model in DIMENSIONS:
        for name, activation in ACTIVATIONS.items():
            case: dict[str, Any] = {"what": "training", "case": f"{model}, {name}"}

            def alone(device: str, model: str = model, activation: str | Mixture = activation) -> Taken:
                return clocked(partial(one_by_one, model, activation, pairs_of(model, steps * BATCH, device)), device)

            def together(device: str, model: str = model, activation: str | Mixture = activation, *, size: int) -> Taken:
                return _all_at_once(model, activation, pairs_of(model, steps * BATCH, device), size)

            by_hand = list(side_by_side(devices, alone, steps, **case, how=ONE_BY_ONE, size=1))
            yield from by_hand
            for size in sizes:
                rival = by_hand[0]["throughput"]
                measure = partial(together, size=size)
                yield from side_by_side(devices, measure, size * steps, rival, **case, how="all at once", size=size)
