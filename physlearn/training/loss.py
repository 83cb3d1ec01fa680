"""The losses: how far a model's rates are from the true ones, and how much a class surprises a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.models import Classifier, Learner, Model
from physlearn.models.scaling import spread
from physlearn.training.pairs import Pairs
from systems import InputError
from systems.floats import takes_arrays

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


@takes_arrays("z", "rate")
def derivative_loss(
    model: Model, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"], reduction: Reduction = "mean"
) -> Float[Tensor, ""]:
    """Return the mean squared error of dz/dt of one model, see `rate_error`."""
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


@dataclass(frozen=True, eq=False)
class Counting:
    """How the errors of the components of a rate add up to a loss, and to the loss in the units of the data.

    Parameters
    ----------
    reduction
        ``"mean"`` or ``"sum"`` over the components.
    weights : shape ``(D,)``, or None
        By what the mean square of the error of each component is multiplied in the loss, the reduction included; None where
        all count alike, in the units of the pairs.
    physical : shape ``(D,)``, float64, or None
        By what the part of each component in the loss is to be multiplied for its part in the loss in the units of the data;
        None where that is not asked for.
    """

    reduction: Reduction = "mean"
    weights: Float[Tensor, " D"] | None = None
    physical: Float[Tensor, " D"] | None = None

    @classmethod
    def of(cls, pairs: Pairs, reduction: Reduction, *, weighted: bool) -> Counting:
        """Return how errors on these training pairs count.

        Parameters
        ----------
        pairs
            What is trained on. The numbers of classes are never weighted.
        reduction
            ``"mean"`` or ``"sum"`` over the components.
        weighted
            Whether the error of each component is taken in units of the spread of its rate over the pairs, so that every
            coordinate counts. If not, it is taken in the units of the data.

        Raises
        ------
        InputError
            If squares of the rates overflow the type of the pairs.
        """
        if not pairs.target.is_floating_point():
            return cls(reduction)
        overflow = (
            f"squares of these rates overflow {pairs.rate.dtype}: give the data in other units, train in float64, or leave "
            "weighted=True in a forecaster's fit"
        )
        if not (weighted or pairs.unit is not None):
            if not torch.isfinite(pairs.rate.square().sum(-1).mean()):
                raise InputError(overflow)
            return cls(reduction)
        unit = torch.ones(pairs.dim, dtype=torch.float64) if pairs.unit is None else pairs.unit.cpu()
        exact = spread(pairs.rate)[0].to("cpu", torch.float64).square().reciprocal() if weighted else unit.square()
        weights = exact.to(pairs.rate)
        if not (torch.isfinite(weights) & ((weights > 0) | (exact == 0).to(weights.device))).all():
            raise InputError(overflow)
        share = 1 / pairs.dim if reduction == "mean" else 1.0
        return cls(reduction, share * weights, torch.where(exact > 0, unit.square() / exact, 0.0))

    def parts(self, model: Learner, given: Float[Tensor, "*stack n outputs"], target: Tensor) -> Float[Tensor, "*stack parts"]:
        """Return what each component adds to the loss; where they are not weighted, all as one part."""
        if self.weights is None:
            return loss_of(model, given, target, self.reduction).unsqueeze(-1)
        return (given - target).square().mean(-2) * self.weights

    def told(self, name: str, parts: Float[Tensor, "*batches parts"]) -> dict[str, float]:
        """Return what a history holds of losses of that name: their mean, and that in the units of the data."""
        row = {name: float(parts.sum(-1).mean())}
        if (physical := self.in_data_units(parts)) is not None:
            row[f"{name}_physical"] = float(physical.mean())
        return row

    def in_data_units(self, parts: Float[Tensor, "*stack parts"]) -> Float[Tensor, "*stack"] | None:
        """Return the loss in the units of the data, float64, or None where it is not asked for."""
        return None if self.physical is None else (parts.double().cpu() * self.physical).sum(-1)
