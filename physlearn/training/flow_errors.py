r"""Errors of a learned flow on windows of states, and their normal equations, for the Levenberg-Marquardt method.

The first state of each window is either the measured one or learned. A learned one, s, is eliminated. If A and B are the
Jacobians of the errors e of a window by s and by the weights, and Q is an orthonormal basis of the columns of A, the weights
see the errors

.. math:: (1 - Q Q^T)\,e, \qquad \text{with the Jacobian}\quad (1 - Q Q^T)\,B,

and s then follows by Gauss-Newton steps. This is variable projection, in Kaufman's approximation.

References
----------
Golub and Pereyra, Inverse Problems 19, R1 (2003); Kaufman, BIT 15, 49 (1975).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from scipy.linalg.blas import dsyrk

from physlearn.models import Model
from physlearn.models.folded import placed
from physlearn.models.layers import Layers
from physlearn.models.neurons import neurons_of
from physlearn.training.polish_losses import by_normal_equations
from physlearn.training.state_losses import ShootingLoss, StateLoss
from physlearn.training.tangent_loops import ALL, STARTS, STATES, Tower, follow
from systems.compiled.operators import UntraceableError

MEMORY = 2**24  # bytes of the Jacobian of the windows that are treated at once
SEARCHES = 4  # Gauss-Newton steps for first states that are far away
TINY, WILD = np.finfo(float).tiny, 1e30  # bounds of the contribution of a window whose logarithm is taken


def in_closed_form(model: Model) -> bool:
    """Return whether the loops can differentiate the flow of a model, and its weights are few enough for normal equations."""
    if not by_normal_equations(model):
        return False
    try:
        placed(model)
    except UntraceableError:
        return False
    return True


class FlowErrors:
    """The errors of a step loss or of shooting, for a model whose networks have one hidden layer.

    Parameters
    ----------
    loss
        The loss, with the model in float64.
    """

    def __init__(self, loss: StateLoss) -> None:
        field = placed(loss.model)
        moving, drift = loss.moving.numpy(), loss.drift.numpy()
        self._linear = np.ascontiguousarray(moving[:, None] * field.linear)
        self._constant = moving * field.constant + drift
        networks = [part for part in loss.model.modules() if isinstance(part, Layers)]
        self._size = sum(parameter.numel() for parameter in loss.model.parameters())
        self._places = [(tower, np.ascontiguousarray(moving[:, None] * tower.outer)) for tower in field.towers]
        self._neurons = [neurons_of(network.activation, network.shapes[0][0]) for network in networks]
        self._order = _order(networks)
        self.t, self.z = loss.t.numpy(), loss.z.numpy()
        self.substeps = loss.substeps
        windows, steps = self.t.shape[0], self.t.shape[1] - 1
        none = np.zeros((windows, steps, 2 * self.substeps + 1, 0))
        self.given = none if loss.given is None else loss.given.numpy()
        self.learned = isinstance(loss, ShootingLoss)
        self.start = loss.start.detach().numpy().copy() if isinstance(loss, ShootingLoss) else self.z[:, 0].copy()
        self._roots = np.sqrt(loss.weights.numpy() / (windows * (steps + self.learned)))
        still = self._roots == 0  # coordinates that do not move; their first states are the measured ones
        self._first = np.where(still, 1.0, self._roots)
        self._tried: tuple[np.ndarray, np.ndarray, np.ndarray] = np.empty(0), self.start, np.empty(0)
        self._at: np.ndarray | None = None

    def arranged(self, weights: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
        """Return weights in the order of the loops, given those in the order of the parameters of the model."""
        return weights[self._order]

    def given_back(self, weights: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
        """Return weights in the order of the parameters of the model."""
        found = np.empty_like(weights)
        found[self._order] = weights
        return found

    def loss(self, weights: Float[np.ndarray, " P"]) -> float:
        """Return the loss, for the best first states near the last ones if they are learned."""
        return float(self._of_windows(weights).sum())

    def typical(self, weights: Float[np.ndarray, " P"]) -> float:
        """Return the loss if all windows had the geometric mean of theirs, to which a few wild ones contribute little."""
        each = np.nan_to_num(self._of_windows(weights), nan=WILD, posinf=WILD).clip(TINY, WILD)
        return float(len(each) * np.exp(np.log(each).mean()))

    def _of_windows(self, weights: np.ndarray) -> np.ndarray:
        """Return the contribution of each window to the loss."""
        if self._tried[0] is not weights:
            with np.errstate(all="ignore"):
                self._tried = weights, *self._evaluated(self._towers(weights))
        return self._tried[2]

    def _evaluated(self, towers: tuple[Tower, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return first states, and the contributions of the windows."""
        if not self.learned:
            return self.start, self._squares(towers, self.start)
        moved, before = self.start.copy(), np.empty(len(self.start))
        for rows, e, tangent in self._blocks(towers, self.start, STARTS):
            before[rows] = np.square(e).sum(1)
            q, r = np.linalg.qr(np.where(np.isfinite(tangent), tangent, 0.0))
            shift = np.linalg.solve(r, (np.swapaxes(q, 1, 2) @ e[..., None]))[..., 0]
            moved[rows] -= np.where(np.isfinite(shift), shift, 0.0)
        after = self._squares(towers, moved)
        better = after < before
        return np.where(better[:, None], moved, self.start), np.where(better, after, before)

    def _squares(self, towers: tuple[Tower, ...], start: np.ndarray) -> np.ndarray:
        return np.concatenate([np.square(e).sum(1) for _, e, _ in self._blocks(towers, start, STATES)])

    @property
    def tried(self) -> Float[np.ndarray, "W D"]:
        """The first states for which the loss was last evaluated."""
        return self._tried[1]

    def adopt(self) -> None:
        """Take the first states for which the loss was last evaluated."""
        self.start = self._tried[1]
        self._tried = np.empty(0), *self._tried[1:]

    def settled(self, weights: Float[np.ndarray, " P"], start: Float[np.ndarray, "W D"]) -> float:
        """Return the typical loss after several searches for the first states, from those given on."""
        self._tried = np.empty(0), start, np.empty(0)
        for _ in range(SEARCHES):
            self.adopt()
            found = self.typical(weights)
        return found

    def gradient(self, weights: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
        """Return half of the gradient of the loss."""
        self._sum_up(weights)
        return self._gradient

    def matrix(self, weights: Float[np.ndarray, " P"], step: int = 0) -> Float[np.ndarray, "P P"]:
        """Return the matrix of the normal equations."""
        self._sum_up(weights)
        return self._matrix

    def _sum_up(self, weights: np.ndarray) -> None:
        if self._at is weights:
            return
        self._at = weights
        if self._tried[0] is weights:
            self.adopt()
        N, P = self.z.shape[2], len(weights)
        gradient, products = np.zeros(P), np.zeros((P, P), order="F")
        for _, e, tangent in self._blocks(self._towers(weights), self.start, ALL):
            own, other = tangent[..., :N], tangent[..., N:]
            if self.learned:
                q, _ = np.linalg.qr(own)
                turned = np.swapaxes(q, 1, 2)
                e = e - (q @ (turned @ e[..., None]))[..., 0]
                other = other - q @ (turned @ other)
            flat = np.ascontiguousarray(other).reshape(-1, P)
            gradient += e.reshape(-1) @ flat
            products = dsyrk(1.0, flat.T, beta=1.0, c=products, overwrite_c=1)
        self._gradient, self._matrix = gradient, np.triu(products) + np.triu(products, 1).T

    def _blocks(
        self, towers: tuple[Tower, ...], start: np.ndarray, what: int
    ) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Yield the rows of some windows, their errors ``(n, E)`` and the derivatives ``(n, E, N + P)`` of these."""
        windows, points, N = self.z.shape
        width = {STATES: 0, STARTS: N, ALL: N + self._size}[what]
        at_once = max(1, MEMORY // (8 * points * N * max(width, 1)))
        for begin in range(0, windows, at_once):
            rows = slice(begin, begin + at_once)
            n = len(self.t[rows])
            z = np.empty((n, points - 1, N))
            tangent = np.empty((n, points, N, width) if width else (0, 0, N, 0))
            moved = np.empty((n, points - 1, N, width)) if width else tangent
            follow(towers, self._linear, self._constant, self.t[rows], start[rows], self.given[rows],
                   self.substeps, what, z, moved)  # fmt: skip
            e = (z - self.z[rows, 1:]) * self._roots
            moved *= self._roots[:, None]
            if self.learned:
                first = (start[rows] - self.z[rows, 0]) * self._first
                e = np.concatenate([first[:, None], e], axis=1)
                if width:
                    tangent[:, 0] = 0.0
                    tangent[:, 0, range(N), range(N)] = self._first
                    tangent[:, 1:] = moved
                    moved = tangent
            yield rows, e.reshape(n, -1), moved.reshape(n, -1, width) if width else moved

    def _towers(self, weights: np.ndarray) -> tuple[Tower, ...]:
        """Return the networks with these weights, filled up to two because the loops are compiled for this number."""
        towers, begin = [], 0
        for (place, out), neurons in zip(self._places, self._neurons, strict=True):
            d, H, outputs = len(place.shift), sum(block.count for block in neurons), out.shape[1]
            potential = place.last is not None
            sizes = [d * H, H, *([H] if potential else [outputs * H, outputs])]
            matrix, biases, last, *constant = np.split(weights[begin : begin + sum(sizes)], np.cumsum(sizes)[:-1])
            W = matrix.reshape(d, H)
            mixed = out @ W if potential else np.empty((0, H))
            starts = np.cumsum([0, *(len(block.numbers) for block in neurons)])
            blocks = [(block.count, block.code, int(potential), at) for block, at in zip(neurons, starts, strict=False)]
            towers.append(
                Tower(
                    into=np.ascontiguousarray(place.inner),
                    shift=place.shift,
                    weights=W,
                    biases=biases,
                    inner=np.ascontiguousarray(place.inner.T @ W),
                    outer=mixed * last if potential else out @ last.reshape(outputs, H),
                    mixed=mixed,
                    constant=np.zeros(len(out)) if potential else out @ constant[0],
                    out=out,
                    last=last if potential else np.empty(0),
                    blocks=np.array(blocks, np.int64),
                    numbers=np.concatenate([block.numbers for block in neurons]),
                    begin=np.array([begin], np.int64),
                )
            )
            begin += sum(sizes)
        return (*towers, *[_no_tower(len(self._constant))] * (2 - len(towers)))


def _no_tower(dim: int) -> Tower:
    """Return a network without inputs, neurons and outputs."""
    none, empty = np.empty(0), np.empty((0, 0))
    nothing = np.empty((dim, 0))
    return Tower(empty, none, empty, none, empty, nothing, nothing, np.zeros(dim), nothing, none,
                 np.empty((0, 4), np.int64), none, np.zeros(1, np.int64))  # fmt: skip


def _order(networks: list[Layers]) -> np.ndarray:
    """Return the place of each weight of the loops, which take the first matrix of a network transposed, in the parameters."""
    places, begin = [], 0
    for network in networks:
        (H, d), _ = network.shapes
        end = begin + sum(parameter.numel() for parameter in network.parameters())
        places += [begin + np.arange(H * d).reshape(H, d).T.reshape(-1), np.arange(begin + H * d, end)]
        begin = end
    return np.concatenate(places)
