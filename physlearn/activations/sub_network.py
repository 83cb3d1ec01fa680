"""SubNetwork: an activation function that is itself a small network, so that it can be learned."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn.activations.activation import Activation, Elementwise
from systems import InputError


class SubNetwork(Activation):
    r"""The sum of a base function and a small network 1 -> width -> 1.

    .. math:: \sigma(a) = \sigma_0(a) + \sum_k v_k \tanh(w_k a + b_k) + c

    Parameters
    ----------
    base
        The base function :math:`\sigma_0`.
    weights
        The weights ``"w"``, ``"b"`` and ``"v"``, each ``(*stack, width)``, and ``"c"``, ``(*stack, 1)``. With a stack, there
        is one function per member, and inputs are ``(*stack, ...)``.

    References
    ----------
    The sub-networks of width 50 of *Neural networks embrace learned diversity*, Algorithm 1.

    Examples
    --------
    >>> from physlearn import activations
    >>> neuron = SubNetwork.draw(activations.get("sine"), seeds=[0])
    >>> neuron(torch.zeros(1, 5)).shape
    torch.Size([1, 5])
    """

    def __init__(self, base: Activation, weights: dict[str, Float[Tensor, "*stack width"]]) -> None:
        super().__init__()
        self.base = base
        self.name = f"{base.name} + sub-network"
        self.w, self.b, self.v, self.c = (nn.Parameter(weights[name]) for name in ("w", "b", "v", "c"))

    @classmethod
    def draw(
        cls, base: Activation, seeds: Sequence[int], width: int = 50, gain: float = 1.0, dtype: torch.dtype | None = None
    ) -> SubNetwork:
        """Draw a stack of sub-networks at random, one per seed.

        The weights are drawn like those of a layer.

        Parameters
        ----------
        base
            The base function.
        seeds
            Random seeds, all different.
        width
            Number of hidden neurons, 50 by default.
        gain
            Factor of the weights v and c, which sets how far from the base the functions start; 1 by default.
        dtype
            Dtype of the weights; torch's default dtype by default.

        Returns
        -------
        SubNetwork
            A stack of shape ``(len(seeds),)``.

        Raises
        ------
        InputError
            If there is no seed, two seeds are equal (their functions would never differ), or the width is below 1.
        """
        if not seeds or len(set(seeds)) < len(seeds):
            raise InputError(f"each sub-network needs its own seed, all of them different, not {list(seeds)}")
        if width < 1:
            raise InputError(f"a sub-network needs at least one neuron, not {width}")
        drawn = []
        for seed in seeds:
            generator = torch.Generator().manual_seed(seed)
            u = 2 * torch.rand(3 * width + 1, generator=generator, dtype=torch.float64) - 1
            drawn.append(torch.cat([u[: 2 * width], u[2 * width :] / sqrt(width)]))
        w, b, v, c = torch.stack(drawn).to(dtype or torch.get_default_dtype()).split([width, width, width, 1], dim=-1)
        return cls(base, {"w": w.clone(), "b": b.clone(), "v": gain * v, "c": gain * c})

    def value(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the function.

        Parameters
        ----------
        x : shape ``(*stack, ...)``
            Pre-activations.

        Returns
        -------
        Tensor, of the shape of x
            Values of the function.
        """
        return self.base.value(x) + self._sum(torch.tanh, x, 0) + self._lined_up(self.c, x).squeeze(-1)

    def first(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the first derivative.

        Parameters
        ----------
        x : shape ``(*stack, ...)``
            Pre-activations.

        Returns
        -------
        Tensor, of the shape of x
            First derivatives.
        """
        return self.base.first(x) + self._sum(lambda a: 1 - a.tanh().square(), x, 1)

    def second(self, x: Float[Tensor, "*batch neurons"]) -> Float[Tensor, "*batch neurons"]:
        """Evaluate the second derivative.

        Parameters
        ----------
        x : shape ``(*stack, ...)``
            Pre-activations.

        Returns
        -------
        Tensor, of the shape of x
            Second derivatives.
        """

        def bend(a: Tensor) -> Tensor:
            t = a.tanh()
            return -2 * t * (1 - t.square())

        return self.base.second(x) + self._sum(bend, x, 2)

    def _sum(self, function: Elementwise, x: Tensor, order: int) -> Tensor:
        w, b, v = (self._lined_up(weight, x) for weight in (self.w, self.b, self.v))
        return (v * w**order * function(w * x.unsqueeze(-1) + b)).sum(-1)

    @staticmethod
    def _lined_up(weight: Tensor, x: Tensor) -> Tensor:
        """Return a weight ``(*stack, width)`` with an axis of length one for each axis of x beyond the stack."""
        *stack, width = weight.shape
        return weight.view(*stack, *(1,) * (x.ndim - len(stack)), width)
