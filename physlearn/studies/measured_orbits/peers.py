"""Other packages that learn flows from measured states; each is imported when it is called."""

from __future__ import annotations

import contextlib
import io
import itertools
import warnings
from collections.abc import Callable, Iterator
from math import inf
from typing import Any

import numpy as np
import torch
from torch import Tensor

from physlearn.integrators import integrate
from physlearn.models.library import Library, Term
from physlearn.models.sparse import SparseField
from systems import InputError, IntegrationError, Orbit
from systems.extras import require

Field = Callable[[Any, Tensor], Tensor]

PURPOSE = "this column"
HELD = 5  # one of so many orbits is held out
THRESHOLDS = (0.02, 0.05, 0.1, 0.2, 0.5)  # of PySINDy's coefficients
DOMAINS = 100  # of the weak form, per orbit
STEPS, BATCH = 2000, 32  # least number of steps by which phlearn trains, and pairs per step


def pysindy(measured: Orbit, turn: float) -> Field:
    """Return the field that PySINDy finds by thresholded least squares, with the products of the model ``"sparse"``.

    The rates are finite differences, smoothed or not, or the equations are those of the weak form. These and the threshold
    have the smallest median error of states half a turn ahead on a fifth of the orbits, which are held out.

    Parameters
    ----------
    measured : states ``(W, T, D)``
        Orbits at the same, evenly spaced times.
    turn
        Time in which the fastest coordinate oscillates once.

    Raises
    ------
    MissingExtraError
        If PySINDy is not installed.
    InputError
        If no candidate gives a field whose orbits stay finite.
    """
    ps = require("pysindy", "bench", PURPOSE)
    angles = {measured.coordinates.index(name): period for name, period in measured.periods.items()}
    model = SparseField(measured.dim, angles)
    library, t = model.library(model.highest), measured.t.numpy()
    functions = ps.CustomLibrary([_product(library, term) for term in library.terms])

    def fitted(states: Tensor, how: dict[str, Any], threshold: float) -> Field:
        found = ps.SINDy(optimizer=ps.STLSQ(threshold=threshold), **how)
        found.fit(list(states.numpy()), t=t)
        matrix = torch.from_numpy(np.array(found.coefficients(), float).T)
        return lambda _, z: library.values(z.double()) @ matrix

    def candidates() -> Iterator[dict[str, Any]]:
        yield {"feature_library": functions, "differentiation_method": ps.FiniteDifference()}
        dt = float(t[1] - t[0])
        for length in sorted({max(5, 2 * round(part * turn / dt / 2) + 1) for part in (0.25, 0.5, 1.0)}):
            if length <= len(t):
                smooth = ps.SmoothedFiniteDifference(smoother_kws={"window_length": length, "polyorder": 3})
                yield {"feature_library": functions, "differentiation_method": smooth}
        for part in (0.5, 1.0):
            half = min(max(part * turn, 4 * dt), float(t[-1] - t[0])) / 2
            options = {"spatiotemporal_grid": t, "K": DOMAINS, "H_xt": half}
            yield {"feature_library": ps.WeakPDELibrary(function_library=functions, **options)}

    held = range(len(measured.z)) if len(measured.z) < HELD else range(HELD // 2, len(measured.z), HELD)
    seen = [i for i in range(len(measured.z)) if i not in held or len(measured.z) < HELD]
    best: tuple[float, dict[str, Any], float] = (inf, {}, 0.0)
    with warnings.catch_warnings(), _numpy_seeded():
        warnings.simplefilter("ignore")
        for how, threshold in itertools.product(candidates(), THRESHOLDS):
            with contextlib.suppress(ValueError, ArithmeticError, np.linalg.LinAlgError):
                error = _error(fitted(measured.z[seen], how, threshold), measured, list(held), turn)
                best = min(best, (error, how, threshold), key=lambda one: one[0])
        if best[0] == inf:
            raise InputError("no field that PySINDy finds follows the held-out states: give more states, or smoother ones")
        return fitted(measured.z, *best[1:])


def phlearn(measured: Orbit, seed: int) -> Field:
    """Return the field of phlearn's Hamiltonian network, trained on pairs of states by its symmetric method of order 4.

    The network and the optimizer are those that the package takes by default. A fifth of the orbits is held out, and the
    weights with the smallest loss on them are kept.

    Parameters
    ----------
    measured : states ``(W, T, D)``
        Orbits at the same, evenly spaced times; positions before momenta.
    seed
        Random seed of the network and of the batches.

    Raises
    ------
    MissingExtraError
        If phlearn is not installed.
    """
    ph = require("phlearn.phnns", "bench", PURPOSE)
    n = measured.dim // 2
    zero, one = torch.zeros(n, n), torch.eye(n)
    matrix = torch.cat([torch.cat([zero, one], dim=1), torch.cat([-one, zero], dim=1)])
    held = torch.arange(len(measured.z)) % HELD == HELD // 2
    with (
        torch.random.fork_rng(devices=[]),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        torch.manual_seed(seed)
        network = ph.PseudoHamiltonianNN(
            2 * n,
            skewsymmetric_matrix=matrix,
            hamiltonian_est=ph.HamiltonianNN(2 * n),
            dissipation_true=torch.zeros(2 * n, 2 * n),
        )
        data = _pairs(measured.z[~held], measured.t)
        epochs = max(1, -(-STEPS * BATCH // len(data[1])))
        network, _ = ph.train(
            network, "srk4", data, valdata=_pairs(measured.z[held], measured.t), epochs=epochs, batch_size=BATCH,
            verbose=False, return_best=True,
        )  # fmt: skip

    def field(t: Any, z: Tensor) -> Tensor:
        rows = z.reshape(-1, z.shape[-1])
        with torch.enable_grad():
            rate = network.x_dot(rows.float().requires_grad_(), torch.zeros(len(rows), 1))
        return rate.detach().to(z.dtype).reshape(z.shape)

    return field


@contextlib.contextmanager
def _numpy_seeded() -> Iterator[None]:
    """Seed NumPy's global generator, by which PySINDy draws the domains of the weak form, and restore it afterwards."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def _product(library: Library, term: Term) -> Callable[..., Any]:
    """Return a function of the coordinates, one argument each: a product of powers of them, of cosines and of sines."""
    turning = {i: 2 * np.pi / period for i, period in sorted(library.angles.items())}

    def value(*z: Any) -> Any:
        found = np.ones_like(z[0])
        for i, power in enumerate(term[: library.size]):
            if power:
                found = found * (np.cos(turning[i] * z[i]) if i in turning else z[i]) ** power
        for i, power in zip(turning, term[library.size :], strict=True):
            if power:
                found = found * np.sin(turning[i] * z[i])
        return found

    by_count: dict[int, Callable[..., Any]] = {  # PySINDy counts the arguments of a function
        2: lambda a, b: value(a, b),
        3: lambda a, b, c: value(a, b, c),
        4: lambda a, b, c, d: value(a, b, c, d),
    }
    return by_count[library.size]


def _error(field: Field, measured: Orbit, held: list[int], turn: float) -> float:
    """Return the median error of states half a turn ahead, relative to the spread of each coordinate."""
    dt = float(measured.t[1] - measured.t[0])
    ahead = max(1, min(round(turn / 2 / dt), len(measured.t) - 1))
    first, last = (measured.z[held, rows].flatten(0, 1) for rows in (slice(None, -ahead), slice(ahead, None)))
    t = torch.tensor([0.0, ahead * dt], dtype=torch.float64)
    try:
        found = integrate(field, first, t, "rk4", dt=turn / 60, engine="torch", progress=False).z[:, -1]
    except IntegrationError:
        return inf
    return float(((found - last) / measured.z.std((0, 1))).norm(dim=-1).nan_to_num(inf).median())


def _pairs(z: Tensor, t: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
    """Return pairs of successive states as phlearn takes them, with finite differences in the place of the rates."""
    dt = t.diff().unsqueeze(-1).expand(len(z), -1, 1)
    begin = t[:-1].unsqueeze(-1).expand(len(z), -1, 1)
    first, last = z[:, :-1], z[:, 1:]
    parts = (first, last, begin, begin + dt, dt, torch.zeros_like(first))
    return tuple(part.flatten(0, 1).float() for part in parts), ((last - first) / dt).flatten(0, 1).float()
