"""Hellinger's distance of two distributions."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def hellinger_distance(p: Float[Tensor, "*batch K"], q: Float[Tensor, "*batch K"]) -> Float[Tensor, "*batch"]:
    r"""How little two distributions over K cells overlap: 0 where they are equal, 1 where they share no cell.

    .. math:: d = \sqrt{\tfrac12 \sum_k (\sqrt{p_k} - \sqrt{q_k})^2}, \qquad d^2 = 1 - \sum_k \sqrt{p_k q_k}

    p, q: probabilities, each with the sum 1 on its last axis.
    Source: Hellinger, J. reine angew. Math. 136, 210 (1909).
    """
    return ((p.sqrt() - q.sqrt()).square().sum(-1) / 2).clamp(max=1).sqrt()
