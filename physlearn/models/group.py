"""Finite groups of linear symmetries of a flow, some of which may reverse time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from systems import InputError, System
from systems.floats import floats

MOST = 200  # elements of a group; a rotation by an angle that is no part of a turn generates infinitely many
SAME = 1e-6  # largest difference of two equal matrices, relative to their largest element; they may be in float32


@dataclass(frozen=True, eq=False)
class Group:
    r"""Matrices S with :math:`f(S z) = \pm S f(z)`, where the sign is -1 for those that reverse time.

    Parameters
    ----------
    matrices : shape ``(n, D, D)``
        The matrices, float64, of which the first is the identity.
    signs : shape ``(n,)``
        1 or -1 for each.
    """

    matrices: Float[Tensor, "n D D"]
    signs: Float[Tensor, " n"]

    @classmethod
    def generated(cls, generators: object) -> Group:
        """Return the group that some symmetries generate.

        Parameters
        ----------
        generators
            A matrix of shape ``(D, D)``, a pair (matrix, -1) of a symmetry that reverses time, or a list of these; or a
            group, which is returned as it is.

        Raises
        ------
        InputError
            If they are anything else, differ in shape, are singular or generate more than 200 matrices.
        """
        if isinstance(generators, Group):
            return generators
        listed = [_read(one) for one in _listed(generators)]
        if len(shapes := {tuple(one.shape) for one, _ in listed}) != 1:
            told = ", ".join(map(str, sorted(shapes))) or "none"
            raise InputError(f"symmetries must be one or more matrices of the same shape (D, D), but their shapes are: {told}")
        found = [(torch.eye(len(listed[0][0]), dtype=torch.float64), 1.0)]
        new = found
        while new:
            new = [_product(a, b) for a in new for b in listed]
            new = [one for k, one in enumerate(new) if not _among(one, [*found, *new[:k]])]
            found = found + new
            if len(found) > MOST:
                raise InputError(
                    f"the symmetries generate more than {MOST} matrices, but only finite groups can be averaged over: give "
                    "rotations by a part of a turn, such as 2 * pi / 3"
                )
        if any(sign < 0 and bool((one - found[0][0]).abs().max() < SAME) for one, sign in found):
            raise InputError(
                "the symmetries imply that every orbit stands still, because one matrix both keeps and reverses time: leave "
                "one of these symmetries out"
            )
        return cls(torch.stack([one for one, _ in found]), torch.tensor([sign for _, sign in found], dtype=torch.float64))

    @staticmethod
    def element(one: object) -> tuple[Float[Tensor, "D D"], float]:
        """Return a symmetry, given as to `generated`, as a matrix and its sign."""
        return _read(one)

    @classmethod
    def listed(cls, elements: Sequence[tuple[object, float]]) -> Group:
        """Return a group of these matrices and signs. Raises InputError unless they have one shape and begin with 1."""
        found = [_read(one) for one in elements]
        one = torch.eye(len(found[0][0]), dtype=torch.float64)
        if any(matrix.shape != one.shape for matrix, _ in found) or not torch.equal(found[0][0], one) or found[0][1] != 1:
            raise InputError("the symmetries must be matrices of one shape, and begin with the identity")
        return cls(torch.stack([matrix for matrix, _ in found]), torch.tensor([sign for _, sign in found]).double())

    @classmethod
    def of_system(cls, system: type[System] | System) -> Group:
        """Return the group of the symmetries and reversals that a system declares. Raises InputError if there are none."""
        unit = torch.eye(len(system.coordinates), dtype=torch.float64)
        maps = [(one, 1) for one in system.symmetries] + [(one, -1) for one in system.reversals]
        if not maps:
            raise InputError(f"the system {system.name} declares no symmetry: give matrices, symmetry=[...], or leave it out")
        return cls.generated([(one(unit).T, sign) for one, sign in maps])

    @property
    def dim(self) -> int:
        """The number D of coordinates."""
        return self.matrices.shape[-1]

    def __len__(self) -> int:
        return len(self.matrices)

    @property
    def plain(self) -> list[list[Any]]:
        """Each matrix as lists, with its sign, for files."""
        return [[one.tolist(), int(sign)] for one, sign in zip(self.matrices, self.signs, strict=True)]

    def check_canonical(self, what: str) -> None:
        """Raise InputError unless each S keeps Hamilton's equations, or reverses them if it reverses time."""
        n, odd = divmod(self.dim, 2)
        zero, one = torch.zeros(n, n), torch.eye(n)
        form = torch.cat([torch.cat([zero, one], 1), torch.cat([-one, zero], 1)]).double()
        for matrix, sign in zip(self.matrices, self.signs, strict=True):
            if odd or not torch.allclose(matrix.T @ form @ matrix, sign * form, atol=SAME):
                raise InputError(
                    f"{what} needs symmetries that are canonical, S^T J S = J, or -J if they reverse time, but "
                    f"{matrix.tolist()!r:.200} is not: use a model without a Hamiltonian, such as nn"
                )

    def check_split(self, what: str) -> None:
        """Raise InputError if a symmetry mixes positions with momenta."""
        n = self.dim // 2
        if bool((self.matrices[:, :n, n:].abs().amax() > SAME) | (self.matrices[:, n:, :n].abs().amax() > SAME)):
            raise InputError(f"{what} is separable, but a symmetry mixes positions with momenta: use the model hnn")

    def images(
        self, z: Float[Tensor, "n D_and_given"], rate: Float[Tensor, "n D"]
    ) -> tuple[Float[Tensor, "m D_and_given"], Float[Tensor, "m D"]]:
        """Return states, which given values may follow, and their rates, with all images, which belong to the flow as well."""
        dim, matrices = self.dim, self.matrices.to(z)
        moved = torch.einsum("gij,nj->gni", matrices, z[:, :dim])
        given = z[:, dim:].expand(len(self), -1, -1)
        rates = self.signs.to(z)[:, None, None] * torch.einsum("gij,nj->gni", matrices, rate)
        return torch.cat([moved, given], dim=-1).flatten(0, 1), rates.flatten(0, 1)


def _listed(generators: Any) -> list[object]:
    """Return one symmetry, or several, as a list."""
    if _paired(generators):
        return [generators]
    try:
        single = np.ndim(generators) == 2
    except ValueError:  # pairs have no common shape
        single = False
    if not single and not isinstance(generators, list | tuple | np.ndarray | Tensor):
        raise InputError(f"symmetries must be matrices of shape (D, D), not {generators!r:.80}")
    return [generators] if single else list(generators)


def _paired(one: object) -> TypeGuard[Sequence[object]]:
    """Return whether this is a pair of a matrix and a sign."""
    return isinstance(one, list | tuple) and len(one) == 2 and isinstance(one[1], int | float)


def _read(one: object) -> tuple[Float[Tensor, "D D"], float]:
    """Return a matrix and its sign."""
    matrix, sign = one if _paired(one) else (one, 1)
    found = floats(matrix, "a symmetry").detach().cpu().double()
    if found.ndim != 2 or found.shape[0] != found.shape[1] or sign not in (1, -1):
        raise InputError(
            f"a symmetry must be a matrix of shape (D, D), or a pair of a matrix and -1 if it reverses time, not {one!r:.100}"
        )
    if not found.isfinite().all() or abs(float(torch.linalg.det(found).abs()) - 1) > SAME:
        raise InputError(
            "a symmetry must have determinant 1 or -1, because its powers return to the identity, but that of "
            f"{found.tolist()!r:.100} is {float(torch.linalg.det(found)):.6g}: give a reflection, a permutation or a rotation"
        )
    return found, float(sign)


def _product(a: tuple[Tensor, float], b: tuple[Tensor, float]) -> tuple[Tensor, float]:
    return a[0] @ b[0], a[1] * b[1]


def _among(one: tuple[Tensor, float], others: Sequence[tuple[Tensor, float]]) -> bool:
    """Return whether a matrix with its sign is among others, to rounding."""
    scale = max(1.0, float(one[0].abs().max()))
    return any(one[1] == sign and float((one[0] - other).abs().max()) <= SAME * scale for other, sign in others)
