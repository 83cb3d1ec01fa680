"""Activation functions by name, each with its first and second derivatives."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from physlearn.activations.activation import Activation, Elementwise, derivative
from physlearn.activations.sine import cosine, sine
from systems import InputError
from systems.generic_registry import Registry


class Named(Activation):
    """An elementwise function that has a name.

    Parameters
    ----------
    name
        Name of the function.
    value, first, second
        Elementwise functions that evaluate it and its first two derivatives.
    """

    def __init__(self, name: str, value: Elementwise, first: Elementwise, second: Elementwise) -> None:
        super().__init__()
        self.name = name
        self._functions = (value, first, second)

    def value(self, x: Tensor) -> Tensor:
        """Evaluate the function.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, shape ``(..., neurons)``
            Values of the function.
        """
        return self._functions[0](x)

    def first(self, x: Tensor) -> Tensor:
        """Evaluate the first derivative.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, shape ``(..., neurons)``
            First derivatives.
        """
        return self._functions[1](x)

    def second(self, x: Tensor) -> Tensor:
        """Evaluate the second derivative.

        Parameters
        ----------
        x : shape ``(..., neurons)``
            Pre-activations.

        Returns
        -------
        Tensor, shape ``(..., neurons)``
            Second derivatives.
        """
        return self._functions[2](x)

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> Any:
        """Pickle and copy a registered activation by its name, because its functions may be lambdas, which do not pickle."""
        return (find, (self.name,)) if ACTIVATIONS.holds(self.name, self) else (object.__new__, (Named,), self.__dict__)


LEARNED = "learned:"
"""Prefix of the names of learned activations, which this module does not define."""
TRAINED = "trained:"
"""Prefix of the names of activations that train with a network, which this module does not define, either."""

ACTIVATIONS: Registry[Named] = Registry(
    "activation",
    "physlearn.activations",
    source=lambda named: named._functions[0],
    hint=f", mixtures such as sine+tanh, learned ones such as {LEARNED}henon-heiles-hnn, "
    f"and ones that train with a network such as {TRAINED}combination",
)


def names() -> list[str]:
    """Return the names of all named activations.

    Returns
    -------
    list of str
        The names, sorted.
    """
    return sorted(ACTIVATIONS.names())


def find(name: str) -> Named:
    """Return the activation with the given name. Raises UnknownNameError (a KeyError), which lists the available names."""
    return ACTIVATIONS.get(name)


def register(name: str, value: Elementwise, first: Elementwise | None = None, second: Elementwise | None = None) -> Named:
    """Make an elementwise function available by name.

    The same function of the same module can be registered again, as happens when a notebook cell is rerun, and replaces the
    earlier one.

    Parameters
    ----------
    name
        Name of the function.
    value
        Elementwise function.
    first, second
        Its first and second derivatives; computed by automatic differentiation if not given.

    Returns
    -------
    Named
        The activation, which is now available by its name.

    Raises
    ------
    InputError
        If the name is taken, contains a plus sign, which denotes mixtures, or begins with ``learned:`` or ``trained:``.

    Examples
    --------
    >>> bump = register("bump", lambda x: (-x.square()).exp())
    >>> bump.first(torch.tensor([0.0, 1.0]))
    tensor([-0.0000, -0.7358])
    """
    if "+" in name:
        raise InputError(f"the activation name {name!r} has a plus sign, which denotes mixtures; choose another")
    for prefix, kind in ((LEARNED, "learned ones"), (TRAINED, "those that train with a network")):
        if name.startswith(prefix):
            raise InputError(f"the activation name {name!r} begins with {prefix}, which denotes {kind}; choose another")
    first = first or derivative(value)
    return ACTIVATIONS.register(name)(Named(name, value, first, second or derivative(first)))


def _density(x: Tensor) -> Tensor:
    """Return the density of the standard normal distribution."""
    return (-x.square() / 2).exp() / sqrt(2 * pi)


def _gaussian(x: Tensor) -> Tensor:
    return (-x.square() / 2).exp()


def _sigmoid_first(x: Tensor) -> Tensor:
    s = x.sigmoid()
    return s * (1 - s)


def _sigmoid_second(x: Tensor) -> Tensor:
    s = x.sigmoid()
    return s * (1 - s) * (1 - 2 * s)


def _silu_first(x: Tensor) -> Tensor:
    s = x.sigmoid()
    return s * (1 + x * (1 - s))


def _silu_second(x: Tensor) -> Tensor:
    s = x.sigmoid()
    return s * (1 - s) * (2 + x * (1 - 2 * s))


def _tanh_second(x: Tensor) -> Tensor:
    t = x.tanh()
    return -2 * t * (1 - t.square())


register("cube", lambda x: x * x * x, lambda x: 3 * x * x, lambda x: 6 * x)
register("elu", F.elu, lambda x: x.clamp(max=0).exp(), lambda x: (x < 0) * x.clamp(max=0).exp())
register("exp", torch.exp, torch.exp, torch.exp)
register("gaussian", _gaussian, lambda x: -x * _gaussian(x), lambda x: (x.square() - 1) * _gaussian(x))
register("gelu", F.gelu, lambda x: torch.special.ndtr(x) + x * _density(x), lambda x: _density(x) * (2 - x.square()))
register("identity", lambda x: x, torch.ones_like, torch.zeros_like)
register("ramp", lambda x: x.clamp(-1, 1), lambda x: (x.abs() < 1).to(x.dtype), torch.zeros_like)
register("relu", torch.relu, lambda x: (x > 0).to(x.dtype), torch.zeros_like)
register("sigmoid", torch.sigmoid, _sigmoid_first, _sigmoid_second)
register("silu", F.silu, _silu_first, _silu_second)
register("sine", sine, cosine, lambda x: -sine(x))
register("softplus", F.softplus, torch.sigmoid, _sigmoid_first)
register("square", torch.square, lambda x: 2 * x, lambda x: torch.full_like(x, 2))
register("tanh", torch.tanh, lambda x: 1 - x.tanh().square(), _tanh_second)
register("zero", torch.zeros_like, torch.zeros_like, torch.zeros_like)
register("hardsigmoid", lambda x: (x / 6 + 0.5).clamp(0, 1))  # torch's own has no second derivative

# Other elementwise functions of torch, under torch's names, with derivatives by automatic differentiation.
for _function in (F.celu, F.hardswish, F.hardtanh, F.leaky_relu, F.logsigmoid, F.mish, F.relu6, F.selu,
                  F.softsign, F.tanhshrink, F.softshrink, F.hardshrink):  # fmt: skip
    register(_function.__name__, _function)
