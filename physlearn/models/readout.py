"""The read-out of a reservoir: its fit by ridge regression in closed form, and what it predicts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.memory import Stretch
from physlearn.models.reservoir import Driven

BLOCK = 500  # steps whose features are kept at a time


def fitted(driven: Driven, runs: Sequence[Stretch], washout: int, ridges: Sequence[float]) -> Float[Tensor, "L F D"]:
    """Return the read-out of a driven reservoir for each ridge, from the steps after the washout of each run.

    It is NaN if the values of the units overflow.
    """
    dim = runs[0].z.shape[1]
    n = 1 + len(driven.reservoir.bias) + dim
    square, mixed = torch.zeros(n, n, dtype=torch.float64), torch.zeros(n, dim, dtype=torch.float64)
    rows, used = 0, [run for run in runs if len(run.z) > washout + 1]
    r, longest = driven.rest(len(used)), max(len(run.z) for run in used)
    z, given, target = (_padded(parts, longest - 1) for parts in _columns(used))
    valid = torch.stack([torch.arange(longest - 1) < len(run.z) - 1 for run in used])
    valid[:, :washout] = False
    for begin in range(0, longest - 1, BLOCK):
        some, states = slice(begin, begin + BLOCK), []
        for entering in driven.entering(torch.cat([z[:, some], given[:, some]], dim=-1)).unbind(1):
            states.append(r := driven.moved(r, entering))
        known = valid[:, some]
        f, y = features(torch.stack(states, 1)[known], z[:, some][known]), target[:, some][known]
        square, mixed, rows = square + f.T @ f, mixed + f.T @ y, rows + len(f)
    if not square.isfinite().all():
        return torch.full((len(ridges), n, dim), torch.nan, dtype=torch.float64)
    values, vectors = torch.linalg.eigh(square / rows)
    turned, unit = vectors.T @ (mixed / rows), values.sum() / n
    shrunk = values.clamp(min=0) + torch.tensor(ridges, dtype=torch.float64).unsqueeze(-1) * unit
    return vectors @ (turned / shrunk.clamp(min=torch.finfo(torch.float64).tiny).unsqueeze(-1))


def iterated(
    driven: Driven, readouts: Float[Tensor, "L F D"], past: Float[Tensor, "n M D"], steps: int, given: Float[Tensor, "n S k"]
) -> Float[Tensor, "L n steps D"]:
    """Return the states that follow the past, by each of several read-outs."""
    r, found, (n, length, dim) = driven.rest(len(past)), [], past.shape
    for i in range(length - 1):
        r = driven.step(r, torch.cat([past[:, i], given[:, i]], dim=-1))
    several = len(readouts)
    r, z = r.repeat(several, 1), past[:, -1].repeat(several, 1)
    for i in range(length - 1, length - 1 + steps):
        r = driven.step(r, torch.cat([z, given[:, i].repeat(several, 1)], dim=-1))
        z = z + (features(r, z).reshape(several, n, readouts.shape[1]) @ readouts).reshape(several * n, dim)
        found.append(z)
    whole = torch.stack(found, dim=1) if found else past.new_zeros(several * n, 0, dim)
    return whole.reshape(several, n, steps, dim)


def features(r: Float[Tensor, "n N"], z: Float[Tensor, "n D"]) -> Float[Tensor, "n F"]:
    """Return what the read-out sees: 1, the units, every second one squared, and the state."""
    seen = r.clone()
    seen[:, 1::2] = seen[:, 1::2].square()
    return torch.cat([torch.ones_like(z[:, :1]), seen, z], dim=-1)


def _columns(runs: Sequence[Stretch]) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Return the states before each step, what is given for it, and its increments."""
    return [run.z[:-1] for run in runs], [run.given for run in runs], [run.z.diff(dim=0) for run in runs]


def _padded(parts: Sequence[Float[Tensor, "T m"]], length: int) -> Float[Tensor, "n length m"]:
    return torch.stack([torch.cat([part, part.new_zeros(length - len(part), part.shape[1])]) for part in parts])
