r"""A smoother along a flow: states near measured ones that nearly are an orbit.

The states :math:`x_k` at the times :math:`t_k` minimise

.. math:: \sum_{k, i} \frac{(x_{k,i} - y_{k,i})^2}{\sigma_i^2}
    + \sum_{k, i} \frac{(x_{k+1,i} - \Phi(x_k)_i)^2}{\lambda^2 \sigma_i^2 \, (t_{k+1} - t_k) / h}

over all measured values y and all steps :math:`\Phi` of the flow. The second sum lets the flow be slightly wrong, as a learned
one is, so that long and chaotic orbits need not be orbits of the flow from their beginning to their end. The strength lambda
is the standard deviation of the error of a step of the median length h, in units of the noise. The likelihood is largest for
the strength and the noise that are chosen.

References
----------
Bell, The iterated Kalman smoother as a Gauss-Newton method, SIAM J. Optim. 4, 626 (1994).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import LinAlgError, cho_solve_banded, cholesky_banded

from systems import InputError

STRENGTHS = np.geomspace(10, 1e-3, 13)  # from states that follow the data to states that follow the flow
MOST, PARTS = 3000, 10  # nodes from which noise and strength are estimated, and the parts of the orbits that they are in
NEIGHBOURS = 2  # strengths on either side of the best one that are tried again
ROUNDS, SAME = 10, 0.02  # in which the noise of each coordinate is estimated again, and its change that ends them
STEPS = 20  # most Gauss-Newton steps
HALVINGS = 6  # of a step that is too long
ENOUGH = 1e-3  # predicted decrease of the sum of squares, in units of the noise, at which the search ends
SMALLEST = 1e-12  # noise, in units of the states

Array = np.ndarray
Step = Callable[[Array, Array], tuple[Array, Array]]


@dataclass(frozen=True, eq=False)
class Chain:
    """Measured states of several runs, one after another, and the flow between them.

    Parameters
    ----------
    step
        Takes states ``(m, D)`` at the beginning of some steps, and the numbers ``(m,)`` of these, to the states at their end
        and to the derivatives ``(m, D, D)``.
    number : shape ``(M,)``
        Numbers of the steps.
    links : shape ``(M,)``
        The node at which each step begins; it ends at the next node.
    lengths : shape ``(M,)``
        Lengths of the steps, in units of the median one.
    y : shape ``(N, D)``
        Measured states, NaN where nothing was measured, in units in which states are of order one.
    """

    step: Step
    number: Int[Array, " M"]
    links: Int[Array, " M"]
    lengths: Float[Array, " M"]
    y: Float[Array, "N D"]

    def among(self, kept: Bool[Array, " N"]) -> Chain:
        """Return the chain of some nodes, with the steps between neighbours."""
        both = kept[self.links] & kept[self.links + 1]
        place = np.cumsum(kept) - 1
        return replace(
            self, number=self.number[both], links=place[self.links[both]], lengths=self.lengths[both], y=self.y[kept]
        )

    @property
    def seen(self) -> Bool[Array, "N D"]:
        """Which values were measured."""
        return np.isfinite(self.y)

    @property
    def freedom(self) -> int:
        """Number of measured values, less those that the first states of the runs take."""
        return int(self.seen.sum()) - (len(self.y) - len(self.links)) * self.y.shape[1]


@dataclass(frozen=True, eq=False)
class SmoothedStates:
    """The result of the smoother.

    Parameters
    ----------
    z, errors : shape ``(N, D)``
        States and their standard errors.
    noise : shape ``(D,)``
        Standard deviation of the measured values.
    strength : float
        Standard deviation of the error of a step of the median length, in units of the noise.
    """

    z: Float[Array, "N D"]
    errors: Float[Array, "N D"]
    noise: Float[Array, " D"]
    strength: float


def smooth_along(chain: Chain, start: Float[Array, "N D"], noise: Float[Array, " D"]) -> SmoothedStates:
    """Return the most likely states.

    Parameters
    ----------
    chain
        The measured states.
    start : shape ``(N, D)``
        Where the search begins.
    noise : shape ``(D,)``
        First guess of the noise, up to a factor.

    Raises
    ------
    InputError
        If there are too few measured values, or if no states are found from where the search begins.
    """
    if chain.freedom < 1:
        raise InputError(
            f"{int(chain.seen.sum())} measured values are too few to tell the states from their noise: give longer orbits"
        )
    part = np.arange(len(start)) * PARTS / len(start) % 1 < MOST / len(start)
    noise, strength = _likeliest(chain.among(part), start[part], noise)
    found = None
    for one in (STRENGTHS[0], strength):
        found = _fitted(chain, start if found is None else found.z, noise, one)
    if found is None:
        raise _lost()
    return found.result


def _likeliest(chain: Chain, z: Float[Array, "N D"], noise: Float[Array, " D"]) -> tuple[Float[Array, " D"], float]:
    """Return the noise, up to a factor, and the strength with the largest likelihood."""
    strengths = STRENGTHS
    for _ in range(ROUNDS):
        found: list[_Fit] = []
        for strength in strengths:
            one = _fitted(chain, z, noise, strength)
            if one is not None:
                found.append(one)
                z = one.z
        if not found:
            raise _lost()
        best = min(found, key=lambda one: one.misfit)
        before, noise, z = best.scale * noise, best.noise_again, best.z
        if np.abs(np.log(noise / before)).max() < SAME:
            break
        place = int(np.argmin(np.abs(np.log(STRENGTHS / best.strength))))
        strengths = STRENGTHS[max(0, place - NEIGHBOURS) : place + NEIGHBOURS + 1]
    return noise, float(best.strength)


def _lost() -> InputError:
    return InputError("the flow does not pass near the measured states: train the model longer, or on orbits like these")


@dataclass(frozen=True, eq=False)
class _Fit:
    """The states for a given noise, up to a factor, and strength; the equations linearised there, and their factors."""

    chain: Chain
    z: Array
    noise: Array
    strength: float
    cost: float
    gradient: Array
    factor: Array  # of the banded matrix of the normal equations, by Cholesky

    @property
    def scale(self) -> float:
        """The factor of the noise: the root mean square of what is left, in units of the noise."""
        return float(np.sqrt(max(self.cost, np.finfo(float).tiny) / self.chain.freedom))

    @property
    def misfit(self) -> float:
        """Minus twice the logarithm of the likelihood, up to a constant."""
        seen, log = self.chain.seen, np.log(self.noise)
        steps = np.log(self.strength**2 * self.chain.lengths).sum() * len(log) + 2 * len(self.chain.lengths) * log.sum()
        volume = 2 * np.log(self.factor[-1]).sum()
        return float(2 * self.chain.freedom * np.log(self.scale) + 2 * (seen * log).sum() + steps + volume)

    @property
    def noise_again(self) -> Array:
        """The noise of each coordinate for which these states are most likely."""
        seen = self.chain.seen
        square = np.where(seen, np.square(self.z - self.chain.y) + np.square(self.errors), 0.0).sum(0)
        count = seen.sum(0)
        found = np.sqrt(square / np.maximum(count, 1))
        return np.maximum(np.where(count > 0, found, found[count > 0].mean()), SMALLEST)

    @property
    def errors(self) -> Array:
        """Standard errors of the states."""
        return self.scale * np.sqrt(_variances(self.factor, self.z.shape[1]))

    @property
    def result(self) -> SmoothedStates:
        """The states with their errors and noise."""
        return SmoothedStates(self.z, self.errors, self.scale * self.noise, self.strength)


def _fitted(chain: Chain, z: Array, noise: Array, strength: float) -> _Fit | None:
    """Return the states near z with the smallest sum of squares, by the Gauss-Newton method, or None if it fails."""
    now = _linearised(chain, z, noise, strength)
    for _ in range(STEPS):
        if now is None:
            return None
        shift = cho_solve_banded((now.factor, False), now.gradient.reshape(-1)).reshape(z.shape)
        gain = float((shift * now.gradient).sum())
        if gain <= ENOUGH * (now.cost / chain.freedom):
            return now
        for halving in range(HALVINGS):
            moved = _linearised(chain, now.z - shift / 2**halving, noise, strength)
            if moved is not None and moved.cost < now.cost:
                break
        else:
            return now
        now = moved
    return now


def _linearised(chain: Chain, z: Array, noise: Array, strength: float) -> _Fit | None:
    """Return the equations at some states, or None if they are not finite or cannot be solved."""
    links, seen = chain.links, chain.seen
    with np.errstate(all="ignore"):
        after, slope = chain.step(z[links], chain.number)
        w, v = seen / noise**2, 1 / (strength**2 * noise**2 * chain.lengths[:, None])
        off, jump = np.where(seen, z - chain.y, 0.0), z[links + 1] - after
        cost = float((w * off**2).sum() + (v * jump**2).sum())
    if not np.isfinite(cost) or not np.isfinite(slope).all():
        return None
    weighted = slope.transpose(0, 2, 1) * v[:, None]
    gradient = w * off
    gradient[links] -= np.einsum("mij,mj->mi", weighted, jump)
    gradient[links + 1] += v * jump
    inner, outer = (np.zeros((*z.shape, z.shape[1])) for _ in range(2))
    inner[:, range(z.shape[1]), range(z.shape[1])] = w
    inner[links] += weighted @ slope
    inner[links[:, None] + 1, range(z.shape[1]), range(z.shape[1])] += v
    outer[links] = -weighted
    try:
        factor = cholesky_banded(_banded(inner, outer), check_finite=False)
    except LinAlgError:
        return None
    return _Fit(chain, z, noise, strength, cost, gradient, factor)


def _banded(inner: Float[Array, "N D D"], outer: Float[Array, "N D D"]) -> Float[Array, "band ND"]:
    """Return a symmetric block-tridiagonal matrix in LAPACK's upper banded form.

    Its blocks are those on the diagonal, and those to the right of them.
    """
    n, dim, _ = inner.shape
    band = np.zeros((2 * dim, n * dim))
    for i in range(dim):
        for j in range(dim):
            if i <= j:
                band[2 * dim - 1 + i - j, j::dim] = inner[:, i, j]
            band[dim - 1 + i - j, dim + j :: dim] = outer[:-1, i, j]
    return band


def _variances(factor: Float[Array, "band ND"], dim: int) -> Float[Array, "N D"]:
    """Return the diagonal of the inverse of a block-tridiagonal matrix, given its banded factor.

    Source: Takahashi, Fagan and Chin (1973); see Erisman and Tinney, Commun. ACM 18, 177 (1975).
    """
    n = factor.shape[1] // dim
    own, after = np.zeros((n, dim, dim)), np.zeros((n, dim, dim))
    for i in range(dim):
        for j in range(dim):
            if i <= j:
                own[:, i, j] = factor[2 * dim - 1 + i - j, j::dim]
            after[:-1, i, j] = factor[dim - 1 + i - j, dim + j :: dim]
    inverse = np.linalg.inv(own)
    covariance, coupling = inverse @ inverse.transpose(0, 2, 1), inverse @ after
    for k in range(n - 2, -1, -1):
        covariance[k] += coupling[k] @ covariance[k + 1] @ coupling[k].T
    return np.asarray(np.diagonal(covariance, axis1=1, axis2=2))
