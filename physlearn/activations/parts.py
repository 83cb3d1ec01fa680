"""Parts: activations for the parts of a model."""

from __future__ import annotations

from typing import NoReturn

from torch import Tensor

from physlearn.activations.activation import Activation
from systems import InputError


class Parts(Activation):
    """Base class of several activations for the parts of a model, which are no function by themselves.

    Parameters
    ----------
    *args, **kwargs
        Arguments of a subclass; this class takes none.

    Raises
    ------
    InputError
        If a function is evaluated.
    """

    elementwise = False

    def value(self, x: Tensor) -> NoReturn:
        """Raise InputError, because the part is not known.

        Parameters
        ----------
        x
            Not used.
        """
        raise InputError(f"the activations {self.name!r} are no single function: call one of them")

    first = second = value
