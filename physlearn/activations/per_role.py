"""PerRole: activations for the potential and for the kinetic energy."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from physlearn.activations.activation import Activation
from physlearn.activations.parts import Parts
from systems import InputError

ROLES = ("position", "momentum")


class PerRole(Parts):
    """One activation for the network of the positions, and one for that of the momenta.

    The model ``hnn-separable`` has these networks, for the potential V(q) and the kinetic energy T(p).

    Parameters
    ----------
    roles
        The activations ``"position"`` and ``"momentum"``.

    Attributes
    ----------
    roles : ModuleDict
        The activations.

    Raises
    ------
    InputError
        If there are other roles than these, or one of the activations has roles itself. Also if a function is evaluated.
    """

    def __init__(self, roles: Mapping[str, Activation]) -> None:
        super().__init__()
        if set(roles) != set(ROLES) or any(isinstance(activation, PerRole) for activation in roles.values()):
            raise InputError(
                f"activations by role need one activation for each of {' and '.join(ROLES)}, but there are those of "
                f"{', '.join(map(str, roles)) or 'no role'}"
            )
        self.roles = nn.ModuleDict({role: roles[role] for role in ROLES})
        self.name = "; ".join(f"{role}: {roles[role].name}" for role in ROLES)
        self.curved = all(activation.curved for activation in roles.values())


def by_role(activation: Activation) -> tuple[Activation, Activation]:
    """Return the activations of the positions and of the momenta, which are the same unless they are given by role."""
    if not isinstance(activation, PerRole):
        return activation, activation
    return activation.roles["position"], activation.roles["momentum"]  # type: ignore[return-value]
