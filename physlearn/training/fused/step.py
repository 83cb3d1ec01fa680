"""Parts of a training step that do not depend on the network: tiles of a batch, losses with derivatives, and the update.

Tiles have at most 256 rows, so that the working memory does not grow with the batch. Sums over a tile are in float32.
"""

from __future__ import annotations

import numpy as np

from physlearn.activations.compiled import FAST, INLINED, decay
from physlearn.training.fused.rules import update
from systems.compiled.loops import Array, loop

KINDS: dict[str, int] = {"output": 0, "gradient": 1, "classes": 2}
OUTPUT, GRADIENT, CLASSES = range(len(KINDS))

TILE = 256  # rows; the values and derivatives of 100 neurons then take 200 kB
LANES = 32  # a multiple of the longest vector: shorter remainders would be computed one number at a time
SHIFT = 16  # a cache line: rows exactly 1 kB apart would compete for the same few cache sets
ZERO = np.float32(0)
TINY = 1e-6  # as in torch.nn.utils.clip_grad_norm_
EXPONENT = np.int32(0x7F800000)  # mask of the exponent; numbers with all of its bits set are infinite or NaN


@loop(**INLINED)
def longest_tile(rows: int, batch: int) -> int:
    """Return the number of rows of the tiles, of equal length, into which a batch is split."""
    most = min(batch, rows)
    return -(-most // -(-most // TILE))


@loop(**INLINED, fastmath=FAST)
def squares(n: int, y: Array, targets: Array, rows: Array, weights: Array, share: float, parts: Array) -> float:
    """Return the sum of weighted squared errors over the tile; y becomes its derivative times share.

    If parts is not empty, the contribution of each component is also added to it.
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
def surprises(n: int, y: Array, labels: Array, rows: Array, share: float, top: Array, sums: Array) -> float:
    """Return the sum of cross-entropies over the tile; y becomes its derivative times share. top and sums are workspace."""
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
def add_up(sums: Array, i: int, n: int, row: Array) -> None:
    """Add the sum of the first n values of the row to sums[i]."""
    total = ZERO
    for j in range(n):
        total += row[j]
    sums[i] += total


@loop(**INLINED)
def gradient_views(g: Array, W1: Array, W2: Array) -> tuple[Array, ...]:
    """Return views of the gradient g of one network by W1, b1, W2 and b2."""
    first, bias, second = W1.size, W1.size + len(W1), W1.size + len(W1) + W2.size
    return g[:first].reshape(W1.shape), g[first:bias], g[bias:second].reshape(W2.shape), g[second:]


@loop(**INLINED)
def _is_finite(g: Array) -> bool:
    bad = False
    bits = g.view(np.int32)
    for i in range(len(g)):
        bad |= (bits[i] & EXPONENT) == EXPONENT
    return not bad


@loop(**INLINED, fastmath=FAST)
def _clip(g: Array, most: float) -> None:
    """Scale the vector g down to the norm ``most`` if it is longer, as torch does."""
    square = 0.0
    for i in range(len(g)):
        square += np.float64(g[i]) * np.float64(g[i])
    factor = most / (np.sqrt(square) + TINY)
    if factor < 1:
        short = np.float32(factor)
        for i in range(len(g)):
            g[i] *= short


@loop(**INLINED, fastmath=FAST)
def gather(inputs: Array, order: Array, begin: int, n: int, width: int, x: Array, rows: Array) -> None:
    """Copy the inputs of the tile into x, component by component; the last row is repeated to fill the width."""
    for j in range(width):
        rows[j] = order[begin + min(j, n - 1)]
    for d in range(x.shape[0]):
        for j in range(width):
            x[d, j] = inputs[rows[j], d]


@loop(**INLINED, fastmath=FAST)
def finish(
    r: int, step: int, parameters: tuple[Array, ...], g: Array, rule: int, all_first: Array, all_second: Array,
    count: Array, alive: Array, rates: Array, losses: Array, clip: Array, decay: Array,
) -> None:  # fmt: skip
    """Update the parameters of network r, vectors, with the gradient g of all; a network that diverged keeps them."""
    if not (np.isfinite(losses[r, step]) and _is_finite(g)):
        alive[r] = False
        losses[r, step] = np.nan
        return
    if clip[r] < np.inf:
        _clip(g, clip[r])
    count[r] += 1
    begin = 0
    kept = np.float32(1 - rates[r, step] * decay[r])
    for p in parameters:
        end = begin + len(p)
        if kept < 1:
            for i in range(len(p)):
                p[i] *= kept
        update(rule, rates[r, step], count[r], p, g[begin:end], all_first[r, begin:end], all_second[r, begin:end])
        begin = end
