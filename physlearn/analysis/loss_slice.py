"""The loss on a plane through the weights of a trained model."""

from __future__ import annotations

from functools import cached_property
from math import sqrt

import torch
from jaxtyping import Float
from scipy.interpolate import RectBivariateSpline
from torch import Tensor

from physlearn.analysis.hessian import Hessian
from physlearn.analysis.loss import Loss, LossOfWeights, M
from physlearn.threads import suited_to
from systems import InputError
from systems.floats import takes_arrays

POINTS = 41  # along each axis
RISE = 9.0  # rise of the quadratic form along each axis, in units of the loss: it ends at ten times the loss


class LossSlice:
    r"""The loss on a plane through the weights of a model, for use as a potential.

    .. math:: V(a, b) = \mathcal L(\theta + a\,d_1 + b\,d_2)

    By default :math:`d_1, d_2` are the two sharpest directions, unit eigenvectors of the Hessian. A descent that starts in
    their plane stays near it to second order, and the noise of stochastic gradient descent is strongest there. Along random
    directions, which are common in the literature, each axis mixes all curvatures, and every slice looks like the average one;
    Li et al. describe how to scale random directions.

    The loss is computed at 41 x 41 points and interpolated by a bicubic spline. Outside this window it continues linearly from
    the nearest point of the edge.

    Parameters
    ----------
    model
        The model.
    loss_of_model
        Function that takes the model and returns a scalar.
    directions : shape ``(2, n)``
        Directions of the plane, instead of the sharpest. They are made orthonormal, so that distances in the plane equal
        those in the space of weights.
    reach
        Half width of the window, a number or one number per direction. By default, it ends where the quadratic form reaches
        ten times the loss.
    seed
        Random seed for the iteration that finds the sharpest directions.

    Attributes
    ----------
    directions : Tensor, shape ``(2, n)``
        Orthonormal directions.
    hessian : Tensor, shape ``(2, 2)``
        Hessian of the loss in the plane, at the weights of the model.
    loss : float
        Loss at the weights of the model.
    reach : tuple of float
        Half widths of the window.

    Raises
    ------
    InputError
        If the directions have another shape or are parallel, the reach is not positive, or no reach is given and the loss does
        not curve upwards along the directions.

    References
    ----------
    Li, Xu, Taylor, Studer, Goldstein, Visualizing the Loss Landscape of Neural Nets, NeurIPS 2018.
    """

    @takes_arrays("directions")
    def __init__(
        self,
        model: M,
        loss_of_model: Loss[M],
        directions: Float[Tensor, "2 n"] | None = None,
        reach: float | tuple[float, float] | None = None,
        *,
        seed: int = 0,
    ) -> None:
        H = Hessian(model, loss_of_model)
        given = H.leading(2, seed=seed)[1] if directions is None else directions.to(H.weights)
        if given.shape != (2, H.n):
            raise InputError(f"a plane through {H.n} weights needs directions (2, {H.n}), not {tuple(given.shape)}")
        q, r = torch.linalg.qr(given.T)
        if not r.diagonal().abs().min() > torch.finfo(r.dtype).eps ** 0.5 * r.abs().max():
            raise InputError("the directions of a plane must not be zero or parallel; choose two independent ones")
        self.directions: Float[Tensor, "2 n"] = (q * r.diagonal().sign()).T
        self.hessian: Float[Tensor, "2 2"] = self.directions @ torch.stack([H.matvec(d) for d in self.directions], dim=1)
        self.hessian = ((self.hessian + self.hessian.T) / 2).double().cpu()
        self.loss = H.loss
        self._weights = H.weights
        self._loss_at = LossOfWeights(model, loss_of_model)
        self.reach = self._told() if reach is None else (reach, reach) if isinstance(reach, float | int) else reach
        if not all(length > 0 for length in self.reach):
            raise InputError(f"the reach of a slice must be positive, not {self.reach}")

    def _told(self) -> tuple[float, float]:
        curvatures = self.hessian.diagonal()
        if not ((curvatures > 0).all() and self.loss > 0):
            raise InputError(
                f"a default reach needs a positive loss and curvatures, not {self.loss:.3g} and {curvatures.tolist()}; "
                "give a reach"
            )
        first, second = (sqrt(2 * RISE * self.loss / float(h)) for h in curvatures)
        return first, second

    @takes_arrays("theta")
    def exact(self, theta: Float[Tensor, "n 2"]) -> Float[Tensor, " n"]:
        """Compute the loss itself, without interpolation.

        Parameters
        ----------
        theta : shape ``(n, 2)``
            Points (a, b).

        Returns
        -------
        Tensor, shape ``(n,)``
            Losses in float64.
        """
        with torch.no_grad(), suited_to(self._loss_at.elements(self._weights)):
            moved = self._weights + theta.to(self._weights) @ self.directions
            return torch.stack([self._loss_at(weights) for weights in moved]).double().cpu()

    @cached_property
    def axes(self) -> tuple[Float[Tensor, " A"], Float[Tensor, " A"]]:
        """The points of the window along each direction; the weights of the model are at 0."""
        first, second = (torch.linspace(-r, r, POINTS, dtype=torch.float64) for r in self.reach)
        return first, second

    @cached_property
    def values(self) -> Float[Tensor, "A A"]:
        """The loss at the points of the window, with the first direction along the first axis."""
        return self.exact(torch.cartesian_prod(*self.axes)).view(POINTS, POINTS)

    @cached_property
    def _spline(self) -> RectBivariateSpline:
        return RectBivariateSpline(*(axis.numpy() for axis in self.axes), self.values.numpy())

    @takes_arrays("theta")
    def value(self, theta: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """Evaluate the interpolated loss, which is not below zero.

        Parameters
        ----------
        theta : shape ``(..., 2)``
            Points (a, b), in float64.

        Returns
        -------
        Tensor, shape ``(...)``
            Losses.
        """
        over = theta - self._within(theta)
        return (self._evaluate(theta) + (self.gradient(theta) * over).sum(-1)).clamp(min=0)

    @takes_arrays("theta")
    def gradient(self, theta: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Evaluate the gradient of the interpolated loss with respect to (a, b).

        Parameters
        ----------
        theta : shape ``(..., 2)``
            Points (a, b), in float64.

        Returns
        -------
        Tensor, shape ``(..., 2)``
            Gradients.
        """
        return torch.stack([self._evaluate(theta, dx=1), self._evaluate(theta, dy=1)], dim=-1)

    def _within(self, theta: Tensor) -> Tensor:
        """Return the nearest point of the window."""
        edge = torch.tensor(self.reach).to(theta)
        return torch.minimum(torch.maximum(theta, -edge), edge)

    def _evaluate(self, theta: Tensor, dx: int = 0, dy: int = 0) -> Tensor:
        a, b = (part.detach().cpu().numpy() for part in self._within(theta).unbind(-1))
        return torch.as_tensor(self._spline.ev(a, b, dx=dx, dy=dy)).to(theta)
