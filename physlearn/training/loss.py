"""The losses of orbit forecasting: how far a model's rates are from the true ones."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from physlearn.models import Model
from systems import InputError

Reduction = Literal["mean", "sum"]


def rate_error(
    predicted: Float[Tensor, "*stack n D"], rate: Float[Tensor, "*stack n D"], reduction: Reduction = "mean"
) -> Float[Tensor, "*stack"]:
    r"""The mean over samples of the squared error of dz/dt, for each member of a stack.

    .. math:: \bigl\langle \sum_i (\hat{\dot q}_i - \dot q_i)^2 + (\hat{\dot p}_i - \dot p_i)^2 \bigr\rangle_t

    For a network of the vector field this is the paper's equation 5, for a Hamiltonian network, whose rates are
    (dH/dp, -dH/dq), its equation 6, both with ``reduction="sum"`` over the components. ``"mean"`` divides by D, so that
    systems of different dimension compare.
    """
    if reduction not in ("mean", "sum"):
        raise InputError(f"reduction must be 'mean' or 'sum', not {reduction!r}")
    squares = (predicted - rate).square()
    return squares.mean((-2, -1)) if reduction == "mean" else squares.sum(-1).mean(-1)


def rate_loss(
    model: Model, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"], reduction: Reduction = "mean"
) -> Float[Tensor, ""]:
    """The `rate_error` of one model."""
    return rate_error(model(z), rate, reduction)
