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
    r"""Return the diffusion matrix of stochastic gradient descent as a function of the weights, for `langevin`.

    .. math:: D(\theta) = \frac{\eta}{B}\,\mathcal L(\theta)\,H(\theta^*)

    The noise is strongest along sharp directions and where the loss is large. It vanishes with the loss, so at a minimum it
    is proportional to the remaining loss. The formula is derived for mean square losses, near a minimum, and for times of many
    steps.

    Parameters
    ----------
    loss
        The loss, ``(..., d)`` to ``(...)``, not negative.
    hessian : shape ``(d, d)`` or callable
        Hessian at the minimum :math:`\theta^*` of the valley, or a function that returns it, ``(..., d, d)``, for each theta.
    learning_rate
        Learning rate :math:`\eta`.
    batch_size
        Batch size B.

    Returns
    -------
    callable
        The diffusion matrix, ``(..., d)`` to ``(..., d, d)``.

    Raises
    ------
    InputError
        If the learning rate or the batch size is not positive.

    References
    ----------
    Equation 8 of the paper; Mori, Ziyin, Liu, Ueda, ICML 2022.

    Examples
    --------
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
