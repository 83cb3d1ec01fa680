r"""Losses that need states only: through steps of an integrator, by shooting, and in the weak form.

All act on a model in its own units, in which states, rates and times are of order one (`physlearn.models.units`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from math import ceil
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from physlearn.models import Model
from physlearn.models.units import Units
from physlearn.training.windows import Windows

LONGEST = 0.3  # longest substep in units of the time scale: the error of a substep is then below 1e-4
JOINED = 1.0  # weight of the gaps between windows, relative to the misfit of a state
TESTS = 4  # test functions of a window
SMOOTH = 3  # power of the bump by which test functions vanish at the ends of a window


class StateLoss(ABC):
    """A loss of a model on windows of states.

    Parameters
    ----------
    model
        The model, in its own units.
    units
        These units.
    windows
        The data, in the units of the data.
    """

    name: ClassVar[str]

    def __init__(self, model: Model, units: Units, windows: Windows) -> None:
        self.model, self.windows = model, windows
        self.moving, self.drift = units.moving, units.drift * units.time / units.scale[: units.dim]
        dim, self.parts_of_a_step = units.dim, windows.parts
        self.t, self.z = windows.t / units.time, (windows.z - units.center[:dim]) / units.scale[:dim]
        self.given: Float[Tensor, "W L stages k"] | None = None
        if windows.driven:
            self.given = (windows.given(self.substeps) - units.center[dim:]) / units.scale[dim:]
        self.measured = windows.measured.to(self.z.dtype)
        part = self.measured.mean((0, 1))  # of the values that were measured
        self.measured = self.measured / part.where(part > 0, 1.0)
        moved = (self.z[:, 1:] - self.z[:, :1]).square().mean((0, 1))
        # a coordinate that does not move has no weight; the loss of a state that stays where it is equals one
        self.joining = torch.where(moved > 0, 1 / moved.where(moved > 0, 1.0), 0.0) / moved.numel()
        self.weights = torch.where(part > 0, self.joining, 0.0) * moved.numel() / (part > 0).sum()

    def __len__(self) -> int:
        return len(self.t)

    def parameters(self) -> list[nn.Parameter]:
        """Return what is trained: the weights of the model, and what else a loss learns."""
        return list(self.model.parameters())

    @property
    @abstractmethod
    def method(self) -> str:
        """What the loss integrates by, for reports."""

    @abstractmethod
    def parts(self, rows: Int[Tensor, " B"]) -> Float[Tensor, " D"]:
        """Return the contribution of each coordinate to the loss of some windows."""

    def noise(self) -> Float[Tensor, " D"]:
        """Estimate the standard deviation of the measured states from what the trained model does not explain; NaN if unknown.

        It is in the units of the model.
        """
        return torch.full_like(self.weights, torch.nan)

    def _of_measured(self, variance: Float[Tensor, " D"]) -> Float[Tensor, " D"]:
        """Return variances, which are zero for coordinates that do not move and NaN for those that were never measured."""
        return torch.where(self.measured.sum((0, 1)) > 0, torch.where(self.weights > 0, variance, 0.0), torch.nan)

    def field(self, z: Float[Tensor, "B D"], given: Float[Tensor, "B k"] | None = None) -> Float[Tensor, "B D"]:
        """Return dz/dt."""
        return self.moving * self.model(z if given is None else torch.cat([z, given], dim=-1)) + self.drift

    def misfit(self, z: Float[Tensor, "B D"], rows: Int[Tensor, " B"], step: int) -> Float[Tensor, " D"]:
        """Return the mean squares of the differences from the measured values of some windows after some of their steps."""
        return ((z - self.z[rows, step]).square() * self.measured[rows, step]).mean(0)

    def stepped(self, z: Float[Tensor, "B D"], rows: Int[Tensor, " B"], step: int) -> Float[Tensor, "B D"]:
        """Return states of some windows after one of their steps, by equal substeps of the classical Runge-Kutta method."""
        substeps = self.substeps
        h = (self.t[rows, step + 1] - self.t[rows, step]).unsqueeze(-1) / substeps
        given = [None] * (2 * substeps + 1) if self.given is None else self.given[rows, step].unbind(1)
        for first, middle, last in zip(given[:-1:2], given[1::2], given[2::2], strict=True):
            a = self.field(z, first)
            b = self.field(z + h / 2 * a, middle)
            c = self.field(z + h / 2 * b, middle)
            z = z + h / 6 * (a + 2 * (b + c) + self.field(z + h * c, last))
        return z

    @cached_property
    def substeps(self) -> int:
        """Number of substeps from one measured state to the next."""
        return max(self.parts_of_a_step, ceil(float(self.t.diff().abs().max()) / LONGEST - 1e-9))

    @property
    def _scheme(self) -> str:
        return f"rk4, {self.substeps} substep{'s' * (self.substeps > 1)}"


class StepLoss(StateLoss):
    r"""The error of the state that some steps from a measured state lead to.

    .. math:: \Bigl\langle \frac1D \sum_i
        \frac{(\Phi_{t_k - t_0}(z_0)_i - z_{k,i})^2}{\langle (z_{k,i} - z_{0,i})^2 \rangle} \Bigr\rangle

    References
    ----------
    Chen, Zhang, Arjovsky, Bottou, Symplectic recurrent neural networks, ICLR 2020.
    """

    name = "step"

    @property
    def method(self) -> str:
        """What the loss integrates by."""
        return self._scheme

    def parts(self, rows: Int[Tensor, " B"]) -> Float[Tensor, " D"]:
        """Return the contribution of each coordinate."""
        z, total = self.z[rows, 0], torch.zeros_like(self.weights)
        for k in range(1, self.t.shape[1]):
            z = self.stepped(z, rows, k - 1)
            total = total + self.misfit(z, rows, k)
        return total * self.weights / (self.t.shape[1] - 1)

    def noise(self) -> Float[Tensor, " D"]:
        """Estimate the noise, half of whose variance in a residual comes from the state before the step."""
        with torch.no_grad():
            return self._of_measured(self.parts(torch.arange(len(self))) / self.weights / 2).sqrt()


class ShootingLoss(StateLoss):
    r"""The error of orbits that start from learned initial states, one for each window, and the gaps between windows.

    Noise of the initial states does not enter the flow, because they are learned with it.

    References
    ----------
    Bock, Multiple shooting for parameter identification, in: Progress in Scientific Computing 2, 95 (1983).
    """

    name = "shooting"

    def __init__(self, model: Model, units: Units, windows: Windows, start: Float[Tensor, "W D"]) -> None:
        super().__init__(model, units, windows)
        self.follows = windows.follows
        self._origin, self._unit = units.center[: units.dim], units.scale[: units.dim]
        self.start = nn.Parameter((start - self._origin) / self._unit)

    @property
    def first(self) -> Float[Tensor, "W D"]:
        """The learned initial states, in the units of the data."""
        return self._origin + self._unit * self.start.detach()

    def parameters(self) -> list[nn.Parameter]:
        """Return the weights of the model and the initial states."""
        return [*self.model.parameters(), self.start]

    @property
    def method(self) -> str:
        """What the loss integrates by."""
        return f"{self._scheme}, windows of {self.t.shape[1] - 1} steps"

    def parts(self, rows: Int[Tensor, " B"]) -> Float[Tensor, " D"]:
        """Return the contribution of each coordinate."""
        z, total = self._followed(rows)
        after = (rows + 1).clamp(max=len(self) - 1)
        joins = ((rows + 1 < len(self)) & (self.follows[after] > 0)).unsqueeze(-1)
        gap = torch.where(joins, z - self.start[after], 0.0).square().mean(0)
        return total / self.t.shape[1] * self.weights + JOINED * gap * self.joining

    def _followed(self, rows: Int[Tensor, " B"]) -> tuple[Float[Tensor, "B D"], Float[Tensor, " D"]]:
        """Return the last states of some windows, and the sum over their points of the mean square errors."""
        z = self.start[rows]
        total = self.misfit(z, rows, 0)
        for k in range(1, self.t.shape[1]):
            z = self.stepped(z, rows, k - 1)
            total = total + self.misfit(z, rows, k)
        return z, total

    def noise(self) -> Float[Tensor, " D"]:
        """Estimate the noise from the misfit of all states of a window but one, since one state is learned from them."""
        with torch.no_grad():
            return self._of_measured(self._followed(torch.arange(len(self)))[1] / (self.t.shape[1] - 1)).sqrt()


class WeakLoss(StateLoss):
    r"""The residual of the flow against test functions that vanish at the ends of a window.

    .. math:: \Bigl\langle \frac{\bigl(\int \varphi_k' z_i \, dt + \int \varphi_k f_i(z) \, dt\bigr)^2}
        {\langle (\int \varphi_k' z_i \, dt)^2 \rangle} \Bigr\rangle, \qquad \varphi_k(s) = (1 - s^2)^3 s^k

    No derivative of the data is needed, and noise is averaged over the window.

    References
    ----------
    Messenger and Bortz, J. Comput. Phys. 443, 110525 (2021).
    """

    name = "weak"

    def __init__(self, model: Model, units: Units, windows: Windows) -> None:
        super().__init__(model, units, windows)
        first, last = self.t[:, :1], self.t[:, -1:]
        s = 2 * (self.t - first) / (last - first) - 1
        power = torch.arange(TESTS, dtype=s.dtype).reshape(-1, 1, 1)
        bump = (1 - s.square()).clamp(min=0)
        test = bump**SMOOTH * s**power
        lower = torch.where(power > 0, power * s ** (power - 1).clamp(min=0), 0.0)
        slope = (bump**SMOOTH * lower - 2 * SMOOTH * s ** (power + 1) * bump ** (SMOOTH - 1)) * 2 / (last - first)
        steps = self.t.diff()
        edge = steps.new_zeros(len(steps), 1)
        weight = (torch.cat([steps, edge], dim=1) + torch.cat([edge, steps], dim=1)) / 2  # trapezoidal rule
        self.test = (test * weight).transpose(0, 1)  # (W, tests, L + 1)
        self.target = torch.einsum("kwl,wld->wkd", slope * weight, self.z)
        size = self.target.square().mean((0, 1))
        self.weights = torch.where(size > 0, 1 / size.where(size > 0, 1.0), 0.0) / size.numel()

    @property
    def method(self) -> str:
        """What the loss integrates by."""
        return f"{TESTS} test functions, windows of {self.t.shape[1] - 1} steps"

    def parts(self, rows: Int[Tensor, " B"]) -> Float[Tensor, " D"]:
        """Return the contribution of each coordinate."""
        z = self.z[rows]
        given = None
        if self.given is not None:  # at the times of the states
            given = torch.cat([self.given[rows, :, 0], self.given[rows, -1:, -1]], dim=1).flatten(0, 1)
        rate = self.field(z.flatten(0, 1), given).reshape(z.shape)
        residual = self.target[rows] + torch.einsum("wkl,wld->wkd", self.test[rows], rate)
        return residual.square().mean((0, 1)) * self.weights
