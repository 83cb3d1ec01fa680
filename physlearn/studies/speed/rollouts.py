"""Speed of roll-outs of learned models, compiled and by torch, beside the same networks in jax."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from physlearn import integrate, models
from physlearn.studies.speed import peers
from physlearn.studies.speed.beside import OURS, Call, Contender, Row, compared, simple

METHODS = {"nn": "rk4", "hnn": "rk4", "hnn-separable": "leapfrog"}
STEPS = {1: 2000, 24: 1000, 1000: 50}  # steps by number of orbits
TORCH_SHARE = {1: 0.1, 24: 0.1, 1000: 1.0}
DIM, DT = 4, 0.02
HIDDEN = ((100,), (100, 100))  # widths of the hidden layers


def rows(quick: bool) -> Iterator[Row]:
    """Yield the steps per second of all orbits of networks with layers of 100 sine neurons, one row per case and engine.

    The networks have random weights and double precision. The error is the largest difference from the states of torch.
    """
    for hidden in HIDDEN:
        for name in METHODS:
            for size, steps in STEPS.items():
                yield from _compared(name, hidden, size, steps // 10 if quick else steps)


def _compared(name: str, hidden: tuple[int, ...], size: int, steps: int) -> Iterator[Row]:
    model = models.build(name, DIM, hidden, "sine", 0).to(torch.float64)
    z0 = 0.3 * torch.randn(size, DIM, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    share = TORCH_SHARE[size]

    def ours(engine: Any, steps: int) -> Call:
        t = torch.tensor([0.0, steps * DT], dtype=torch.float64)

        def call() -> np.ndarray:
            with torch.no_grad():
                return (
                    integrate(model, z0, t, method=METHODS[name], substeps=steps, engine=engine, progress=False)
                    .z[:, -1]
                    .numpy()
                )

        return call

    def jitted() -> Call:
        jax = peers.jax()
        step, start = _step(jax, model, name), jax.numpy.asarray(z0.numpy())
        many = jax.jit(lambda z: jax.lax.fori_loop(0, steps, lambda _, z: step(z), z))
        return lambda: np.asarray(many(start))

    true = ours("torch", steps)()
    contenders = [
        Contender(OURS, simple(ours("auto", steps))),
        Contender(f"{OURS}, torch", simple(ours("torch", round(share * steps))), share),
        Contender("jax", lambda distance, error: jitted()),
    ]
    layers = "" if len(hidden) == 1 else f" {'-'.join(map(str, hidden))}"
    case = {"what": "roll-outs", "case": f"{name}{layers}, {METHODS[name]}", "size": size}
    yield from compared(contenders, lambda found: float(np.abs(found - true).max()), size * steps, **case)


def _step(jax: Any, model: Any, name: str) -> Callable[[Any], Any]:
    """Return a step of many orbits, with the weights of the model, as a user of jax would write it."""
    jnp, half = jax.numpy, DIM // 2

    def network(part: Any) -> Callable[[Any], Any]:
        *inner, outer = part.network.layers
        hidden = [(jnp.asarray(layer.weight.detach().numpy()), jnp.asarray(layer.bias.detach().numpy())) for layer in inner]
        c = jnp.asarray(outer.weight.detach().numpy())
        d = 0.0 if outer.bias is None else jnp.asarray(outer.bias.detach().numpy())  # a potential has no constant

        def output(x: Any) -> Any:
            for a, b in hidden:
                x = jnp.sin(a @ x + b)
            return c @ x + d

        return output

    def slope(part: Any) -> Callable[[Any], Any]:
        value = network(part)
        return jax.grad(lambda x: value(x)[0])

    if name == "hnn-separable":
        uphill, velocity = jax.vmap(slope(model.potential_energy)), jax.vmap(slope(model.kinetic_energy))

        def leapfrog(z: Any) -> Any:
            q, p = z[:, :half], z[:, half:]
            p = p - DT / 2 * uphill(q)
            q = q + DT * velocity(p)
            return jnp.concatenate([q, p - DT / 2 * uphill(q)], axis=1)

        return leapfrog

    if name == "nn":
        field = jax.vmap(network(model))
    else:
        gradient = jax.vmap(slope(model.energy))

        def field(z: Any) -> Any:
            both = gradient(z)
            return jnp.concatenate([both[:, half:], -both[:, :half]], axis=1)

    def rk4(z: Any) -> Any:
        k1 = field(z)
        k2 = field(z + DT / 2 * k1)
        k3 = field(z + DT / 2 * k2)
        k4 = field(z + DT * k3)
        return z + DT / 6 * (k1 + 2 * (k2 + k3) + k4)

    return rk4
