"""The name of the model that a forecaster chooses among others."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from physlearn.models.model import Model


class Best(Model):
    """A placeholder for the model that `~physlearn.forecasting.Forecaster` chooses by validation; it is never built.

    Parameters
    ----------
    *args, **kwargs
        Not used.
    """

    name = "best"
    default_method = "rk4"
    takes_given = True

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Raise NotImplementedError.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            Not used.
        """
        raise NotImplementedError

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Raise NotImplementedError.

        Parameters
        ----------
        t, z
            Not used.
        """
        raise NotImplementedError
