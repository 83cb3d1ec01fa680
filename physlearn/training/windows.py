"""Windows of consecutive measured states, from which a flow is learned without its rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physlearn.training.driven import DrivenOrbit, given_at
from systems import InputError, Orbit

GAP = 3  # median steps; the integration of a few longer ones would take more time than that of all others


@dataclass(frozen=True)
class Windows:
    """Windows of ``L + 1`` consecutive states of an orbit, of which some coordinates may not have been measured.

    Parameters
    ----------
    t : shape ``(W, L + 1)``
        Times, which may be uneven.
    z : shape ``(W, L + 1, D)``
        States.
    measured : shape ``(W, L + 1, D)``
        Which coordinates were measured; the others have estimated values.
    follows : shape ``(W,)``
        Whether the window begins where the previous one ends.
    runs : tuple of Orbit
        The orbits, whose given values, if they have any, belong to the windows.
    run : shape ``(W,)``
        The index of the orbit of each window.
    """

    t: Float[Tensor, "W L1"]
    z: Float[Tensor, "W L1 D"]
    measured: Bool[Tensor, "W L1 D"]
    follows: Int[Tensor, " W"]
    runs: tuple[Orbit, ...]
    run: Int[Tensor, " W"]

    def __len__(self) -> int:
        return len(self.t)

    @classmethod
    def of(
        cls,
        orbits: Orbit | Sequence[Orbit],
        length: int,
        *,
        every: int | None = None,
        estimates: Sequence[Orbit] | None = None,
    ) -> Windows:
        """Return the windows of some orbits, of which each begins ``every`` states after the one before.

        Parameters
        ----------
        orbits
            An orbit, a batch of orbits, or a list of either.
        length
            Number L of steps from the first state of a window to its last.
        every
            By default, a window begins where the previous one ends.
        estimates
            Orbits at the same times, one for each single orbit, with values for what was not measured. Times at which a
            coordinate has neither a measured value nor an estimate are left out.

        Raises
        ------
        InputError
            If no orbit has so many states.
        """
        every = length if every is None else every
        t, z, seen, follows, run = [], [], [], [], []
        most = 0
        single = [one for orbit in ([orbits] if isinstance(orbits, Orbit) else orbits) for one in orbit.separate()]
        others = [None] * len(single) if estimates is None else estimates
        for place, (one, other) in enumerate(zip(single, others, strict=True)):
            filled = one.z.detach() if other is None else one.z.detach().where(one.measured, other.z)
            known = ~filled.isnan().any(-1)
            times, states, there = one.t.detach()[known].double(), filled[known].double(), one.measured[known]
            most = max(most, len(times))
            if len(times) > length:
                t.append(times.unfold(0, length + 1, every))
                z.append(states.unfold(0, length + 1, every).transpose(1, 2))
                seen.append(there.unfold(0, length + 1, every).transpose(1, 2))
                follows.append((torch.arange(len(t[-1])) > 0) & (every == length))
                run += [place] * len(t[-1])
        if not t:
            raise InputError(
                f"windows of {length + 1} states need an orbit in which all coordinates were measured at so many times, but "
                f"the longest has {most}"
            )
        parts = torch.cat(t), torch.cat(z), torch.cat(seen), torch.cat(follows).long()
        return cls(*parts, tuple(single), torch.tensor(run))

    def within(self, longest: float) -> Windows:
        """Return the windows in which no step is longer than this, or than three median steps, which are gaps.

        Raises InputError if none is left.
        """
        steps = self.t.diff().abs()
        kept = (steps <= min(longest, max(GAP * float(steps.median()), float(steps.min())))).all(-1)
        if not kept.any():
            step = float(steps.min())
            raise InputError(
                f"all steps between measured states are longer than {longest:.3g}, in which the motion turns once (the "
                f"shortest is {step:.3g}): measure more often, or give the rates"
            )
        return self.among(kept)

    def among(self, chosen: Tensor | slice) -> Windows:
        """Return the chosen windows."""
        parts = {name: getattr(self, name)[chosen] for name in ("t", "z", "measured", "follows", "run")}
        return replace(self, **parts)

    @property
    def driven(self) -> bool:
        """Whether the orbits have given values."""
        return isinstance(self.runs[0], DrivenOrbit)

    @property
    def parts(self) -> int:
        """The largest number of parts into which the times of given values divide a step between measured states."""
        most = 1
        for number, orbit in enumerate(self.runs):
            if isinstance(orbit, DrivenOrbit) and orbit.given_t is not None:
                place = torch.searchsorted(orbit.given_t.sort().values, self.t[self.run == number].contiguous())
                most = max([most, *place.diff().abs().flatten().tolist()])
        return most

    def given(self, substeps: int) -> Float[Tensor, "W L stages k"]:
        """Return the given values at the beginning, the middle and the end of each substep, of which there are 2 S + 1.

        Parameters
        ----------
        substeps
            Number S of equal substeps from each state to the next.
        """
        part = torch.linspace(0, 1, 2 * substeps + 1, dtype=self.t.dtype)
        times = self.t[:, :-1, None] + self.t.diff().unsqueeze(-1) * part
        found = [given_at(orbit, times[self.run == number]) for number, orbit in enumerate(self.runs)]
        return torch.cat(found)[torch.cat([torch.where(self.run == n)[0] for n in range(len(self.runs))]).argsort()]
