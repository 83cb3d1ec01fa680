"""The fused engine: many networks of one hidden layer trained at once on the CPU, each in a compiled loop of its own.

A network's arithmetic does not depend on which others are trained beside it, nor on the number of threads, to the last bit.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numba import config

from physlearn.activations.compiled import CODES
from physlearn.models.spline_network import FEATURES
from physlearn.training.fused import kernels, spline_kernels
from physlearn.training.fused.rules import NONE, RULES
from physlearn.training.fused.step import KINDS
from systems import InputError

Kind = Literal["output", "gradient", "classes"]
Rule = Literal["adam", "sgd", "momentum", "rmsprop"]
Parameters = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""W1 ``(R, H, D)``, b1 ``(R, H)``, W2 ``(R, O, H)``, b2 ``(R, O)`` of R networks out = W2 sigma(W1 x + b1) + b2, float32.

O = 1 and b2 ``(R, 0)`` where the gradient is trained: a constant in H has none. W1 and W2 of spline networks have as many
columns for each input as that has features."""


@dataclass(frozen=True)
class FusedProblem:
    """What every network has to fit.

    kind: "output", the mean over rows of sum_o weights_o (out_o - y_o)^2; "gradient", the same of the gradient of the single
    output by the inputs, as in a Hamiltonian network; "classes", the mean cross-entropy of the softmax of the outputs.

    inputs: ``(n, D)`` float32; targets: ``(n, O)`` float32, for "gradient" ``(n, D)``, for "classes" ``(n,)`` int64;
    weights: ``(O,)`` or ``(D,)`` float32, one for each component of the targets; classes take none.
    """

    kind: Kind
    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"kind must be {', '.join(KINDS)}, not {self.kind!r}")
        n, _ = _checked(self.inputs, "inputs", np.float32, (None, None))
        if n == 0:
            raise InputError("a problem needs at least one row")
        if self.kind == "classes":
            _checked(self.targets, "targets", np.int64, (n,))
        else:
            _, components = _checked(self.targets, "targets", np.float32, (n, None))
            _checked(self.weights, "weights", np.float32, (components,))

    @property
    def _data(self) -> tuple[Any, ...]:
        """What the kernels take, where classes have targets of another type."""
        nothing, none = np.zeros((0, 0), np.float32), np.zeros(0, np.int64)
        values, labels = (nothing, self.targets) if self.kind == "classes" else (self.targets, none)
        return KINDS[self.kind], self.inputs, values, labels, self.weights


@dataclass(frozen=True)
class Functions:
    """The activation function of each neuron.

    types: ``(R, H)`` int32, a number from `physlearn.activations.compiled.CODES`; ``CODES["table"] + k`` is table k.
    tables: ``(R or 1, T, cells, 4)`` float32, a leading 1 for tables that all networks share; start, inverse_step: the
    tables' grid, see `physlearn.activations.compiled`. splines: the networks are spline networks, and their base functions
    are of one type in each, which is no table.
    """

    types: np.ndarray
    tables: np.ndarray = field(default_factory=lambda: np.zeros((1, 0, 1, 4), np.float32))
    start: float = 0.0
    inverse_step: float = 1.0
    splines: bool = False

    def __post_init__(self) -> None:
        networks, _ = _checked(self.types, "types", np.int32, (None, None))
        several, tables, cells, _ = _checked(self.tables, "tables", np.float32, (None, None, None, 4))
        if several not in (1, networks) or cells < 1:
            raise InputError(f"tables must be of shape (1 or {networks}, T, cells, 4), not {self.tables.shape}")
        most = CODES["table"] + tables
        if self.types.size and not (self.types.min() >= 0 and self.types.max() < most):
            raise InputError(f"with {tables} tables the types must be numbers from 0 to {most - 1}")
        if self.splines and (self.types.max(initial=0) >= CODES["table"] or (self.types != self.types[:, :1]).any()):
            raise InputError("a spline network has one base function, which is no table")

    @property
    def features(self) -> int:
        """Of each input of a layer."""
        return FEATURES if self.splines else 1

    @property
    def _data(self) -> tuple[Any, ...]:
        return self.types, self.tables, float(self.start), float(self.inverse_step)


@dataclass
class State:
    """Where each network's optimiser is, to go on from there.

    first, second: ``(R, P)`` float32, the moments of all parameters one after the other (W1, b1, W2, b2); count: ``(R,)``
    int64, steps made; alive: ``(R,)`` bool, False since a loss or a gradient was not finite.
    """

    first: np.ndarray
    second: np.ndarray
    count: np.ndarray
    alive: np.ndarray

    @classmethod
    def fresh(cls, parameters: Parameters) -> State:
        """Before the first step."""
        networks = len(parameters[0])
        moments = (networks, sum(p[0].size for p in parameters) if networks else 0)
        return cls(
            np.zeros(moments, np.float32),
            np.zeros(moments, np.float32),
            np.zeros(networks, np.int64),
            np.ones(networks, np.bool_),
        )


def advance(
    problem: FusedProblem,
    parameters: Parameters,
    state: State,
    rule: Rule,
    functions: Functions,
    order: np.ndarray,
    batch: int,
    learning_rate: np.ndarray,
    losses: np.ndarray,
    clip: np.ndarray | None = None,
    threads: int | None = None,
    parts: np.ndarray | None = None,
) -> None:
    """Train every network; parameters, state, losses and parts are changed in place.

    order: ``(R, m)`` int32, the rows of the problem that each network sees, ``batch`` at a step, in the last step what is
    left; learning_rate: ``(R, steps)`` float32, where steps = ceil(m / batch); losses: ``(R, steps)`` float32, each step's
    before its update; clip: ``(R,)`` float32, the largest norm of a network's gradient (torch.nn.utils.clip_grad_norm_);
    threads: as many as numba has by default; parts: ``(R, steps, components)`` float64, what each component of the targets
    adds to each loss. The rules are those of torch.optim with its defaults; momentum is SGD with
    momentum 0.9.

    A network whose loss or gradient is not finite keeps its parameters from before that step, and has losses of NaN from it
    on; ``state.alive`` tells. The others are not affected.
    Raises InputError for arrays of other shapes or types, or that are not contiguous, and for rows that there are not.
    """
    networks, size = _checked_networks(problem, parameters, functions)
    if rule not in RULES:
        raise InputError(f"rule must be {', '.join(RULES)}, not {rule!r}")
    _, m = _checked(order, "order", np.int32, (networks, None))
    if batch < 1:
        raise InputError(f"batch must be at least 1, not {batch}")
    if order.size and not (order.min() >= 0 and order.max() < len(problem.inputs)):
        raise InputError(f"order must hold rows from 0 to {len(problem.inputs) - 1}, not {order.min()} to {order.max()}")
    steps = -(-m // batch)
    _checked(learning_rate, "learning_rate", np.float32, (networks, steps))
    _checked(losses, "losses", np.float32, (networks, steps))
    _checked(state.first, "state.first", np.float32, (networks, size))
    _checked(state.second, "state.second", np.float32, (networks, size))
    _checked(state.count, "state.count", np.int64, (networks,))
    _checked(state.alive, "state.alive", np.bool_, (networks,))
    if clip is None:
        clip = np.full(networks, np.inf, np.float32)
    _checked(clip, "clip", np.float32, (networks,))
    parts = _parts(problem, losses, parts)
    _run(problem, parameters, functions, order, batch, RULES[rule], state, learning_rate, losses, clip, threads, parts)


def evaluate(
    problem: FusedProblem,
    parameters: Parameters,
    functions: Functions,
    threads: int | None = None,
    parts: np.ndarray | None = None,
) -> np.ndarray:
    """The loss of every network over all rows of the problem, ``(R,)`` float32; NaN or infinity where one has diverged.

    parts: ``(R, components)`` float64, into which goes what each component of the targets adds to it.
    """
    networks, _ = _checked_networks(problem, parameters, functions)
    n = len(problem.inputs)
    losses = np.empty((networks, 1), np.float32)
    none = np.zeros((1, 0), np.float32)
    state = State(none, none, np.zeros(1, np.int64), np.ones(1, np.bool_))
    order = np.arange(n, dtype=np.int32)[None]
    each = _parts(problem, losses, None if parts is None else parts[:, None])
    _run(problem, parameters, functions, order, n, NONE, state, none, losses, np.zeros(1, np.float32), threads, each)
    return losses[:, 0]


def _run(
    problem: FusedProblem, parameters: Parameters, functions: Functions, order: np.ndarray, batch: int, rule: int,
    state: State, rates: np.ndarray, losses: np.ndarray, clip: np.ndarray, threads: int | None, parts: np.ndarray,
) -> None:  # fmt: skip
    """All networks, each as a whole by the next thread that is free, as they do not wait for each other."""
    if losses.size == 0:
        return
    networks = len(losses)
    run: Any = spline_kernels.run if functions.splines else kernels.run

    def one(r: int) -> None:
        run(r, *problem._data, *parameters, *functions._data, order, batch, rule,
            state.first, state.second, state.count, state.alive, rates, losses, clip, parts)  # fmt: skip

    threads = min(networks, threads or config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    if threads < 2:
        for r in range(networks):
            one(r)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, range(networks)))


def _parts(problem: FusedProblem, losses: np.ndarray, parts: np.ndarray | None) -> np.ndarray:
    """The array for the parts of the losses, with no place for any where they are not asked for."""
    if parts is None:
        return np.zeros((*losses.shape, 0))
    _checked(parts, "parts", np.float64, (*losses.shape, len(problem.weights)))
    return parts


def _checked_networks(problem: FusedProblem, parameters: Parameters, functions: Functions) -> tuple[int, int]:
    """How many networks there are, and how many parameters each has."""
    W1, b1, W2, b2 = parameters
    networks, H, _ = _checked(W1, "W1", np.float32, (None, None, functions.features * problem.inputs.shape[1]))
    _checked(b1, "b1", np.float32, (networks, H))
    if problem.kind == "gradient":
        if problem.targets.shape != problem.inputs.shape:
            raise InputError(f"a gradient has the inputs' shape {problem.inputs.shape}, the targets {problem.targets.shape}")
        outputs = 1
        _checked(b2, "b2", np.float32, (networks, 0))
    else:
        outputs = _checked(b2, "b2", np.float32, (networks, None))[1]
    _checked(W2, "W2", np.float32, (networks, outputs, functions.features * H))
    if problem.kind == "output":
        _checked(problem.targets, "targets", np.float32, (len(problem.inputs), outputs))
    if problem.kind == "classes" and not (problem.targets.min() >= 0 and problem.targets.max() < outputs):
        raise InputError(f"with {outputs} outputs the classes must be numbers from 0 to {outputs - 1}")
    _checked(functions.types, "types", np.int32, (networks, H))
    return networks, sum(p[0].size for p in parameters) if networks else 0


def _checked(array: np.ndarray, name: str, dtype: type, shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """The array's shape, when it is of this one (None: any length) and of that type. The kernels would not notice."""
    fits = array.ndim == len(shape) and all(want in (None, is_) for want, is_ in zip(shape, array.shape, strict=True))
    if not fits or array.dtype != dtype or not array.flags.c_contiguous:
        wanted = str(tuple("any" if length is None else length for length in shape)).replace("'", "")
        raise InputError(
            f"{name} must be a contiguous {np.dtype(dtype)} array of shape {wanted}, not {array.dtype} {array.shape}"
            + ("" if array.flags.c_contiguous else " that is not contiguous")
        )
    return array.shape
