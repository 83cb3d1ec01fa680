"""Losses: the error of a model's rates, and the cross-entropy of a classifier."""

from __future__ import annotations

from collections.abc import Callable
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
RateLoss = Callable[[Tensor, Tensor], Tensor]
"""A loss of the user's own, of predicted and true rates ``(n, D)``: a number, or one for each of the D components."""


def rate_error(
    predicted: Float[Tensor, "*stack n D"], rate: Float[Tensor, "*stack n D"], reduction: Reduction = "mean"
) -> Float[Tensor, "*stack"]:
    r"""Return the mean squared error of dz/dt over samples, for each member of a stack.

    .. math:: \bigl\langle \sum_i (\hat{\dot q}_i - \dot q_i)^2 + (\hat{\dot p}_i - \dot p_i)^2 \bigr\rangle_t

    With ``reduction="sum"`` over the components, this is equation 5 of the paper for a network of the vector field, and
    equation 6 for a Hamiltonian network, whose rates are (dH/dp, -dH/dq). ``"mean"`` divides by D, so that losses of systems
    of different dimension are comparable.
    """
    if reduction not in ("mean", "sum"):
        raise InputError(f"reduction must be 'mean' or 'sum', not {reduction!r}")
    squares = (predicted - rate).square()
    return squares.mean((-2, -1)) if reduction == "mean" else squares.sum(-1).mean(-1)


@takes_arrays("z", "rate")
def derivative_loss(
    model: Model, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"], reduction: Reduction = "mean"
) -> Float[Tensor, ""]:
    r"""Return the mean squared error of dz/dt of one model.

    .. math:: \bigl\langle \sum_i (\hat{\dot z}_i - \dot z_i)^2 \bigr\rangle

    With ``reduction="mean"``, the sum over components is divided by D.

    Parameters
    ----------
    model
        Model to evaluate.
    z : shape ``(n, D)``
        States.
    rate : shape ``(n, D)``
        True dz/dt at the states.
    reduction
        ``"mean"`` or ``"sum"`` over the components.

    Returns
    -------
    Tensor, shape ``()``
        The mean over samples.

    Raises
    ------
    InputError
        If ``reduction`` is neither ``"mean"`` nor ``"sum"``.
    """
    return rate_error(model(z), rate, reduction)


def cross_entropy(logits: Float[Tensor, "*stack n C"], classes: Int[Tensor, "*batch n"]) -> Float[Tensor, "*stack"]:
    r"""Return the mean negative log-probability of the correct class c over samples, for each member of a stack.

    .. math:: \Bigl\langle \log \sum_k e^{y_k} - y_c \Bigr\rangle

    Uniform probabilities give log C. The classes may have the shape of the stack, or ``(n,)`` if its members share them.
    """
    right = logits.gather(-1, classes.expand(logits.shape[:-1]).unsqueeze(-1)).squeeze(-1)
    return (logits.logsumexp(-1) - right).mean(-1)


def accuracy(logits: Float[Tensor, "*stack n C"], classes: Int[Tensor, "*batch n"]) -> Float[Tensor, "*stack"]:
    """Return the fraction of samples whose largest logit belongs to the correct class."""
    return (logits.argmax(-1) == classes).to(logits.dtype).mean(-1)


def loss_of(
    model: Learner, given: Float[Tensor, "*stack n outputs"], target: Tensor, reduction: Reduction = "mean"
) -> Float[Tensor, "*stack"]:
    """Return the loss of the outputs ``given`` by a model or stack: `cross_entropy` for classifiers, `rate_error` for flows.

    The reduction is over the components of a rate, and does not apply to classes.
    """
    return cross_entropy(given, target) if isinstance(model, Classifier) else rate_error(given, target, reduction)


@dataclass(frozen=True, eq=False)
class Counting:
    """Weights of the components of a rate in the loss, and factors that convert the loss to the units of the data.

    Parameters
    ----------
    reduction
        ``"mean"`` or ``"sum"`` over the components.
    weights : shape ``(D,)``, or None
        Factor of the mean squared error of each component in the loss, including that of the reduction; None if all
        components have equal weight, in the units of the pairs.
    physical : shape ``(D,)``, float64, or None
        Factor that converts the part of each component in the loss to its part in the loss in the units of the data; None if
        that loss is not needed.
    """

    reduction: Reduction = "mean"
    weights: Float[Tensor, " D"] | None = None
    physical: Float[Tensor, " D"] | None = None

    @classmethod
    def of(cls, pairs: Pairs, reduction: Reduction, *, weighted: bool, loss: RateLoss | None = None) -> Counting:
        """Return the weights of the components for these training pairs.

        Parameters
        ----------
        pairs
            Training pairs. Classes are never weighted.
        reduction
            ``"mean"`` or ``"sum"`` over the components.
        weighted
            Whether to measure the error of each component in units of the spread of its rate over the pairs, so that every
            coordinate contributes. If False, the errors are measured in the units of the data.
        loss
            A loss of the user's own, of rates in these units.

        Raises
        ------
        InputError
            If squares of the rates overflow the type of the pairs.
        """
        if not pairs.target.is_floating_point():
            return cls(reduction)
        overflow = (
            f"squares of these rates overflow {pairs.rate.dtype}: give the data in other units, train in float64, or use "
            "weighted=True as in Forecaster.fit"
        )
        if not (weighted or pairs.unit is not None) and loss is None:
            if not torch.isfinite(pairs.rate.square().sum(-1).mean()):
                raise InputError(overflow)
            return cls(reduction)
        unit = torch.ones(pairs.rate.shape[-1], dtype=torch.float64) if pairs.unit is None else pairs.unit.cpu()
        exact = spread(pairs.rate)[0].to("cpu", torch.float64).square().reciprocal() if weighted else unit.square()
        weights = exact.to(pairs.rate)
        if not (torch.isfinite(weights) & ((weights > 0) | (exact == 0).to(weights.device))).all():
            raise InputError(overflow)
        if loss is not None:
            return OwnCounting(reduction, exact.sqrt().to(pairs.rate), None, loss)
        share = 1 / pairs.rate.shape[-1] if reduction == "mean" else 1.0
        return cls(reduction, share * weights, torch.where(exact > 0, unit.square() / exact, 0.0))

    def parts(self, model: Learner, given: Float[Tensor, "*stack n outputs"], target: Tensor) -> Float[Tensor, "*stack parts"]:
        """Return the contribution of each component to the loss; if they are not weighted, all form one part."""
        if self.weights is None:
            return loss_of(model, given, target, self.reduction).unsqueeze(-1)
        return (given - target).square().mean(-2) * self.weights

    def told(self, name: str, parts: Float[Tensor, "*batches parts"]) -> dict[str, float]:
        """Return the entries of a history for the losses of that name: their mean, also in the units of the data."""
        row = {name: float(parts.sum(-1).mean())}
        if (physical := self.in_data_units(parts)) is not None:
            row[f"{name}_physical"] = float(physical.mean())
        return row

    def in_data_units(self, parts: Float[Tensor, "*stack parts"]) -> Float[Tensor, "*stack"] | None:
        """Return the loss in the units of the data, in float64, or None if it is not needed."""
        return None if self.physical is None else (parts.double().cpu() * self.physical).sum(-1)


@dataclass(frozen=True, eq=False)
class OwnCounting(Counting):
    """A loss of the user's own.

    Parameters
    ----------
    reduction
        Not used.
    weights : shape ``(D,)``
        Factor that converts each component of the rates to the units of the loss.
    physical
        None.
    loss
        The loss.
    """

    loss: RateLoss | None = None

    def parts(self, model: Learner, given: Float[Tensor, "n D"], target: Tensor) -> Float[Tensor, " parts"]:
        """Return the value of the loss as a vector.

        Raises InputError unless it is a number or one for each component, which depends on the predicted rates.
        """
        assert self.loss is not None
        assert self.weights is not None
        found = self.loss(given * self.weights, target * self.weights)
        if not isinstance(found, Tensor) or found.shape not in ((), given.shape[-1:]):
            told = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else f"{found!r:.80}"
            raise InputError(
                f"the loss must return a tensor of shape () or ({given.shape[-1]},), one value for each component of dz/dt, "
                f"not {told}: take the mean over the first axis"
            )
        if given.requires_grad and not found.requires_grad:
            raise InputError(
                "the loss does not depend on the predicted rates in a way that torch can differentiate: compute it from the "
                "first argument by functions of torch, without detach() or NumPy"
            )
        return found.reshape(-1)
