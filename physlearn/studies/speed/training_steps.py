"""Speed of training single networks, in compiled loops and by torch, beside the same networks in jax."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from physlearn import models
from physlearn.studies.speed import peers
from physlearn.studies.speed.beside import OURS, Call, Contender, Row, compared, simple
from physlearn.training import Pairs, Training
from physlearn.training.fused_engine import FusedEngine
from physlearn.training.torch_engine import TorchEngine

MODELS = ("nn", "hnn")
HIDDEN = {(100,): 400, (100, 100): 60, (200, 200, 200): 12}  # widths of the hidden layers, and the number of steps
BATCHES = (Training().batch_size, 150)
DIM, RATE = 4, 1e-3
DECAY_1, DECAY_2, TINY = 0.9, 0.999, 1e-8  # of Adam


def rows(quick: bool) -> Iterator[Row]:
    """Yield the steps per second of one network, by Adam in single precision, one row per network, batch size and engine.

    The error is the largest relative difference of the losses of the first steps from those of torch in double precision.
    """
    for name in MODELS:
        for hidden, steps in HIDDEN.items():
            for batch in BATCHES:
                yield from _compared(name, hidden, batch, max(3, steps // 10) if quick else steps)


def _compared(name: str, hidden: tuple[int, ...], batch: int, steps: int) -> Iterator[Row]:
    found, true = contenders(name, hidden, batch, steps)
    case = {"what": "training steps", "case": f"{name} {'-'.join(map(str, hidden))}", "size": batch}
    yield from compared(found, lambda losses: float(np.abs(losses / true - 1).max()), steps, **case)


def contenders(name: str, hidden: tuple[int, ...], batch: int, steps: int) -> tuple[list[Contender], np.ndarray]:
    """Return both engines and jax, whose calls train the same network by some steps, and the losses of the first steps.

    Parameters
    ----------
    name : {"nn", "hnn"}
        The model.
    hidden
        Widths of the hidden layers.
    batch, steps
        Number of samples per step, and of steps per call. Each call goes on with the weights of the one before.

    Returns
    -------
    list of Contender, and ndarray of shape ``(steps,)``
        Calls that return the losses, and the losses of the first call in double precision.
    """
    z = torch.randn(steps * batch, DIM, generator=torch.Generator().manual_seed(0))
    pairs = Pairs(z, z.flip(1).sin() + z.roll(1, 1) * z, tuple(f"z{i}" for i in range(DIM)))
    network = models.build(name, DIM, hidden, "sine", 0)
    network.standardize(pairs.z, pairs.rate)
    order = torch.randperm(len(z), generator=torch.Generator().manual_seed(1))

    def ours(engine: type[FusedEngine | TorchEngine], dtype: torch.dtype = torch.float32) -> Call:
        own = copy.deepcopy(network).to(dtype)
        trainer = engine([own], pairs.to(torch.device("cpu"), dtype), Training(batch_size=batch))
        rates = torch.full((1, steps), RATE, dtype=dtype)
        return lambda: trainer.epoch(order[None], rates)[0].sum(-1).numpy()

    found = [
        Contender(OURS, simple(ours(FusedEngine))),
        Contender(f"{OURS}, torch", simple(ours(TorchEngine))),
        Contender("jax", lambda distance, error: _jitted(network, name, pairs, order.reshape(steps, batch))),
    ]
    return found, ours(TorchEngine, torch.float64)()


def _jitted(network: Any, name: str, pairs: Pairs, batches: torch.Tensor) -> Call:
    """Return an epoch of training, as a user of jax would write it: one compiled loop over the steps."""
    jax = peers.jax()
    jnp = jax.numpy
    field, start = _field(jax, network, name)
    z, rate, rows = (jnp.asarray(x.numpy()) for x in (pairs.z, pairs.rate, batches))

    def loss(p: Any, chosen: Any) -> Any:
        return ((field(p, z[chosen]) - rate[chosen]) ** 2).mean()

    slope = jax.value_and_grad(loss)

    def step(state: Any, chosen: Any) -> Any:
        p, first, second, count = state
        value, g = slope(p, chosen)
        count = count + 1
        first = jax.tree.map(lambda m, g: DECAY_1 * m + (1 - DECAY_1) * g, first, g)
        second = jax.tree.map(lambda v, g: DECAY_2 * v + (1 - DECAY_2) * g * g, second, g)
        size, scale = RATE / (1 - DECAY_1**count), (1 - DECAY_2**count) ** -0.5
        p = jax.tree.map(lambda p, m, v: p - size * m / (jnp.sqrt(v) * scale + TINY), p, first, second)
        return (p, first, second, count), value

    epoch = jax.jit(lambda state: jax.lax.scan(step, state, rows))
    none = jax.tree.map(jnp.zeros_like, start)
    states = [(start, none, none, jnp.float32(0.0))]

    def call() -> np.ndarray:
        states[0], losses = epoch(states[0])
        return np.asarray(losses)

    return call


def _field(jax: Any, network: Any, name: str) -> tuple[Callable[[Any, Any], Any], Any]:
    """Return the rates of many states as a function of the weights, and the weights."""
    jnp = jax.numpy

    def array(x: Any) -> Any:
        return jnp.asarray(x.detach().numpy())

    part = network if name == "nn" else network.energy
    inputs = part.states if name == "nn" else part.inputs
    center, scale = array(inputs.center), array(inputs.scale)
    start = [[array(p) for p in layer.parameters()] for layer in part.network.layers]  # the last of hnn has no bias

    def outputs(p: Any, z: Any) -> Any:
        *inner, (outer, *constant) = p
        x = (z - center) / scale
        for a, b in inner:
            x = jnp.sin(x @ a.T + b)
        return sum(constant, x @ outer.T)

    if name == "nn":
        middle, unit = array(network.rates.center), array(network.rates.scale)
        return lambda p, z: middle + unit * outputs(p, z), start
    energy, half = array(part.gradient_scale), DIM // 2
    gradient = jax.vmap(jax.grad(lambda z, p: energy * outputs(p, z)[0]), (0, None))

    def rates(p: Any, z: Any) -> Any:
        both = gradient(z, p)
        return jnp.concatenate([both[:, half:], -both[:, :half]], axis=1)

    return rates, start
