"""Floquet multipliers of a periodic orbit from the tangent maps of its segments."""

from __future__ import annotations

from itertools import pairwise
from math import log

import torch
from jaxtyping import Complex, Float
from torch import Tensor

CYCLES = 60  # of the iteration that separates multipliers of different size
SMALLEST = torch.finfo(torch.float64).tiny
SEPARATE = 1e-10  # part of a rotation below which two groups of directions have separated


def multipliers(maps: Float[Tensor, "S D D"]) -> tuple[Float[Tensor, " D"], Complex[Tensor, " D"]]:
    r"""Return the logarithms of the moduli of the multipliers, largest first, and the multipliers.

    The multipliers are the eigenvalues of the product of the maps. If they differ by many orders of magnitude, the small ones
    cannot be found from the product, in which they are lost in rounding. The directions are therefore carried around the orbit
    by QR decompositions until groups of different growth have separated. The product of each group's blocks is then well
    scaled.

    Parameters
    ----------
    maps : shape ``(S, D, D)``
        Derivatives of the segments, in the order of time.

    Returns
    -------
    tuple of tensors, shape ``(D,)``
        Logarithms of the moduli, and multipliers, which are zero if they are too small for a number.
    """
    dim = maps.shape[-1]
    q = torch.eye(dim, dtype=maps.dtype)
    uppers, turn, bounds = maps, q, [0, dim]
    for _ in range(CYCLES):
        start, found = q, []
        for one in maps:
            q, r = torch.linalg.qr(one @ q)
            signs = r.diagonal().sign()
            q = q * signs
            found.append(signs[:, None] * r)
        uppers, turn = torch.stack(found), start.mT @ q
        bounds = [0, *(i for i in range(1, dim) if float(turn[i:, :i].abs().max()) < SEPARATE), dim]
        if len(bounds) == dim + 1:
            break
    logs, values = [], []
    for begin, end in pairwise(bounds):
        product, scale = torch.eye(end - begin, dtype=maps.dtype), 0.0
        for upper in uppers:
            product = upper[begin:end, begin:end] @ product
            size = max(float(product.abs().max()), SMALLEST)
            product, scale = product / size, scale + log(size)
        own = torch.linalg.eigvals(turn[begin:end, begin:end] @ product)
        logs.append(own.abs().log() + scale)
        values.append(torch.polar(logs[-1].exp(), own.angle()))
    modulus, value = torch.cat(logs), torch.cat(values)
    order = modulus.argsort(descending=True, stable=True)
    return modulus[order], value[order]
