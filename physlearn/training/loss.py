"""The losses: how far a model's rates are from the true ones, and how much a class surprises a classifier."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor

from physlearn.models import Classifier, Learner, Model
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


def cross_entropy(logits: Float[Tensor, "*stack n C"], classes: Int[Tensor, "*batch n"]) -> Float[Tensor, "*stack"]:
    r"""The mean over samples of minus the log of the probability of the right class c, for each member of a stack.

    .. math:: \Bigl\langle \log \sum_k e^{y_k} - y_c \Bigr\rangle

    Without knowledge it is log C. classes: those of a whole stack, or ``(n,)`` for all of its members.
    """
    right = logits.gather(-1, classes.expand(logits.shape[:-1]).unsqueeze(-1)).squeeze(-1)
    return (logits.logsumexp(-1) - right).mean(-1)


def accuracy(logits: Float[Tensor, "*stack n C"], classes: Int[Tensor, "*batch n"]) -> Float[Tensor, "*stack"]:
    """The fraction of samples whose largest logit is that of the right class."""
    return (logits.argmax(-1) == classes).to(logits.dtype).mean(-1)


def loss_of(
    model: Learner, given: Float[Tensor, "*stack n outputs"], target: Tensor, reduction: Reduction = "mean"
) -> Float[Tensor, "*stack"]:
    """What a model, or each member of a stack, loses by what it gave: a classifier's `cross_entropy`, a flow's `rate_error`.

    reduction: over the components of a rate; a class has none.
    """
    return cross_entropy(given, target) if isinstance(model, Classifier) else rate_error(given, target, reduction)
