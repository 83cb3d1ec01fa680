"""What every training step has, whatever the network: a batch in tiles, losses and their derivatives, the update.

Tiles of at most 256 rows make room to work in independent of the size of the batch. Sums over a tile are in float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.activations.compiled import FAST, INLINED, decay
from physlearn.loops import loop
from physlearn.training.fused.rules import update

KINDS: dict[str, int] = {"output": 0, "gradient": 1, "classes": 2}
OUTPUT, GRADIENT, CLASSES = range(len(KINDS))

TILE = 256  # rows; of 100 neurons, value and derivative then take 200 kB
LANES = 32  # a multiple of the longest vector: shorter rests would be done number by number
SHIFT = 16  # a cache line: rows 1 kB apart would all compete for the same few places in the cache
ZERO = np.float32(0)
TINY = 1e-6  # torch.nn.utils.clip_grad_norm_
EXPONENT = np.int32(0x7F800000)  # all its bits set: infinite or NaN


@loop(**INLINED)
def longest_tile(rows: int, batch: int) -> int:
    """Of the equal tiles that a batch is taken in."""
    most = min(batch, rows)
    return -(-most // -(-most // TILE))


@loop(**INLINED, fastmath=FAST)
def squares(n: int, y: Any, targets: Any, rows: Any, weights: Any, share: Any, parts: Any) -> float:
    """The sum of weighted squared errors of the tile; y becomes its derivative times share.

    What each component adds to the sum is added to parts, too, where that has a place for it.
    """
    total = 0.0
    for c in range(y.shape[0]):
        w = weights[c]
        s = ZERO
        for j in range(n):
            e = y[c, j] - targets[rows[j], c]
            s += w * e * e
            y[c, j] = (w + w) * share * e
        total += float(s)
        if len(parts):
            parts[c] += float(s)
    return total


@loop(**INLINED, fastmath=FAST)
def surprises(n: int, y: Any, labels: Any, rows: Any, share: Any, top: Any, sums: Any) -> float:
    """The sum of cross-entropies of the tile; y becomes its derivative times share. top, sums: room to work in."""
    for j in range(n):
        top[j] = y[0, j]
        sums[j] = ZERO
    for c in range(1, y.shape[0]):
        for j in range(n):
            top[j] = y[c, j] if y[c, j] > top[j] else top[j]
    total = 0.0
    for j in range(n):
        total += top[j] - y[labels[rows[j]], j]
    for c in range(y.shape[0]):
        for j in range(n):
            y[c, j] = decay(y[c, j] - top[j])[0]
            sums[j] += y[c, j]
    for j in range(n):
        total += np.log(sums[j])
        sums[j] = share / sums[j]
    for c in range(y.shape[0]):
        for j in range(n):
            y[c, j] *= sums[j]
    for j in range(n):
        y[labels[rows[j]], j] -= share
    return total


@loop(**INLINED, fastmath=FAST)
def add_up(sums: Any, i: int, n: int, row: Any) -> None:
    """sums[i] += the sum of the first n of the row."""
    total = ZERO
    for j in range(n):
        total += row[j]
    sums[i] += total


@loop(**INLINED)
def gradient_views(g: Any, W1: Any, W2: Any) -> Any:
    """Views of the gradient g of one network, by W1, b1, W2 and b2."""
    first, bias, second = W1.size, W1.size + len(W1), W1.size + len(W1) + W2.size
    return g[:first].reshape(W1.shape), g[first:bias], g[bias:second].reshape(W2.shape), g[second:]


@loop(**INLINED)
def _is_finite(g: Any) -> bool:
    bad = False
    bits = g.view(np.int32)
    for i in range(len(g)):
        bad |= (bits[i] & EXPONENT) == EXPONENT
    return not bad


@loop(**INLINED, fastmath=FAST)
def _clip(g: Any, most: float) -> None:
    """Shorten the vector g to length most, as torch does."""
    square = 0.0
    for i in range(len(g)):
        square += np.float64(g[i]) * np.float64(g[i])
    factor = most / (np.sqrt(square) + TINY)
    if factor < 1:
        short = np.float32(factor)
        for i in range(len(g)):
            g[i] *= short


@loop(**INLINED, fastmath=FAST)
def gather(inputs: Any, order: Any, begin: int, n: int, width: int, x: Any, rows: Any) -> None:
    """The tile's inputs, component by component; the last row is repeated to fill the width."""
    for j in range(width):
        rows[j] = order[begin + min(j, n - 1)]
    for d in range(x.shape[0]):
        for j in range(width):
            x[d, j] = inputs[rows[j], d]


@loop(**INLINED, fastmath=FAST)
def finish(
    r: int, step: int, W1: Any, b1: Any, W2: Any, b2: Any, g: Any, rule: int, all_first: Any, all_second: Any,
    count: Any, alive: Any, rates: Any, losses: Any, clip: Any,
) -> None:  # fmt: skip
    """Update the parameters of network r by the gradient g, one piece after the other; one that has diverged keeps them."""
    if not (np.isfinite(losses[r, step]) and _is_finite(g)):
        alive[r] = False
        losses[r, step] = np.nan
        return
    if clip[r] < np.inf:
        _clip(g, clip[r])
    count[r] += 1
    begin = 0
    for p in (W1.reshape(W1.size), b1, W2.reshape(W2.size), b2):
        end = begin + len(p)
        update(rule, rates[r, step], count[r], p, g[begin:end], all_first[r, begin:end], all_second[r, begin:end])
        begin = end
