"""The noise of stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from physlearn.analysis.langevin import Field
from systems import InputError
from systems.floats import takes_arrays


@takes_arrays("hessian")
def descent_noise(
    loss: Field, hessian: Float[Tensor, "d d"] | Field, learning_rate: float, batch_size: int
) -> Callable[[Float[Tensor, "*batch d"]], Float[Tensor, "*batch d d"]]:
    r"""The diffusion matrix of stochastic gradient descent as a function of the weights, for `langevin`.

    .. math:: D(\theta) = \frac{\eta}{B}\,\mathcal L(\theta)\,H(\theta^*)

    It is strongest along the sharp directions and where the loss is large, and vanishes with the loss: what is left of the
    noise at a minimum is what of the loss is left there. loss: ``(..., d)`` to ``(...)``, not negative. hessian: that of the
    minimum :math:`\theta^*` of the valley, or a function that gives it, ``(..., d, d)``, for each theta. It is derived for
    mean square losses, near a minimum, at times of many steps.

    Raises InputError for a learning rate or batch size that is not positive.
    Source: the paper's equation 8; Mori, Ziyin, Liu, Ueda, ICML 2022.

    >>> import torch
    >>> D = descent_noise(lambda theta: theta.square().sum(-1), torch.diag(torch.tensor([4.0, 1.0])), 0.1, 10)
    >>> D(torch.tensor([1.0, 1.0]))
    tensor([[0.0800, 0.0000],
            [0.0000, 0.0200]])
    """
    if not (learning_rate > 0 and batch_size > 0):
        raise InputError(f"the learning rate and the batch size must be positive, not {learning_rate} and {batch_size}")

    def diffusion(theta: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d d"]:
        H = hessian(theta) if callable(hessian) else hessian.to(theta)
        return learning_rate / batch_size * loss(theta)[..., None, None] * H

    return diffusion
