"""The fused engine: many networks train at once on the CPU, each in its own compiled loop.

The result of a network does not depend, to the last bit, on the other networks or on the number of threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numba import config

from physlearn.activations.compiled import CODES
from physlearn.models.spline_network import FEATURES
from physlearn.training.fused import deep_kernels, kernels, spline_kernels
from physlearn.training.fused.rules import NONE, RULES
from physlearn.training.fused.step import KINDS
from systems import InputError

Kind = Literal["output", "gradient", "classes"]
Rule = Literal["adam", "sgd", "momentum", "rmsprop"]
Parameters = tuple[np.ndarray, ...]
"""W1 ``(R, H, D)``, b1 ``(R, H)``, W2 ``(R, O, H)``, b2 ``(R, O)`` of R networks out = W2 sigma(W1 x + b1) + b2, float32.

A deeper network has a matrix and a vector per further layer, in order. If the gradient is trained, O = 1 and the last vector
is ``(R, 0)``, because a constant in H has no gradient. In spline networks, which have one hidden layer, W1 and W2 have one
column per feature of each input."""


@dataclass(frozen=True)
class FusedProblem:
    """The problem that every network fits.

    Parameters
    ----------
    kind
        Loss: ``"output"`` is the mean over rows of sum_o weights_o (out_o - y_o)^2; ``"gradient"`` is the same for the
        gradient of the single output by the inputs, as in a Hamiltonian network; ``"classes"`` is the mean cross-entropy of
        the softmax of the outputs.
    inputs : shape ``(n, D)``, float32
        Inputs. The loops take float32; a polish of the weights has inputs, targets and weights in float64.
    targets : shape ``(n, O)``, of the type of the inputs
        Targets; ``(n, D)`` for ``"gradient"``, and ``(n,)`` int64 for ``"classes"``.
    weights : shape ``(O,)`` or ``(D,)``, of the type of the inputs
        Weight of each component of the targets; not used for classes.
    """

    kind: Kind
    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"kind must be {', '.join(KINDS)}, not {self.kind!r}")
        dtype = np.float64 if self.inputs.dtype == np.float64 else np.float32
        n, _ = _checked(self.inputs, "inputs", dtype, (None, None))
        if n == 0:
            raise InputError("a problem needs at least one row of inputs, not 0")
        if self.kind == "classes":
            _checked(self.targets, "targets", np.int64, (n,))
        else:
            _, components = _checked(self.targets, "targets", dtype, (n, None))
            _checked(self.weights, "weights", dtype, (components,))

    @property
    def _data(self) -> tuple[Any, ...]:
        """The arguments of the kernels, which take the targets of classes separately because of their type."""
        nothing, none = np.zeros((0, 0), np.float32), np.zeros(0, np.int64)
        values, labels = (nothing, self.targets) if self.kind == "classes" else (self.targets, none)
        return KINDS[self.kind], self.inputs, values, labels, self.weights


@dataclass(frozen=True)
class Functions:
    """The activation function of each neuron.

    Parameters
    ----------
    types : shape ``(R, H)``, int32
        Codes from `physlearn.activations.compiled.CODES`, layer by layer; ``CODES["table"] + k`` is table k.
    tables : shape ``(R or 1, T, cells, 4)``, float32
        Coefficients of the tables; the first length is 1 if all networks share them.
    start, inverse_step
        Grid of the tables, see `physlearn.activations.compiled`.
    splines
        Whether the networks are spline networks, each of which has one base function that is not a table.
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
            raise InputError(f"with {tables} tables, the types must be from 0 to {most - 1}")
        if self.splines and (self.types.max(initial=0) >= CODES["table"] or (self.types != self.types[:, :1]).any()):
            raise InputError("a spline network needs one base function that is not a table: give its neurons the same type")

    @property
    def features(self) -> int:
        """The number of features of each input of a layer."""
        return FEATURES if self.splines else 1

    @property
    def _data(self) -> tuple[Any, ...]:
        return self.types, self.tables, float(self.start), float(self.inverse_step)


@dataclass
class State:
    """State of the optimizer of each network, from which training can resume.

    Attributes
    ----------
    first, second : shape ``(R, P)``, float32
        Moments of all parameters, in the order W1, b1, W2, b2, and so on.
    count : shape ``(R,)``, int64
        Number of steps taken.
    alive : shape ``(R,)``, bool
        Whether all losses and gradients have been finite.
    """

    first: np.ndarray
    second: np.ndarray
    count: np.ndarray
    alive: np.ndarray

    @classmethod
    def fresh(cls, parameters: Parameters) -> State:
        """Return the state before the first step."""
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
    decay: np.ndarray | None = None,
) -> None:
    """Train every network; parameters, state, losses and parts are changed in place.

    If the loss or gradient of a network is not finite, the network keeps its parameters from before that step, its losses are
    NaN from then on, and its ``state.alive`` is False. The other networks are not affected.

    Parameters
    ----------
    problem, parameters, state, functions
        Problem, weights, optimizer state and activation functions.
    rule
        Optimizer, with the defaults of torch.optim; ``"momentum"`` is SGD with momentum 0.9.
    order : shape ``(R, m)``, int32
        Rows of the problem in the order in which each network sees them.
    batch
        Number of rows per step; the last step takes the remaining rows.
    learning_rate : shape ``(R, steps)``, float32
        Learning rates, where steps = ceil(m / batch).
    losses : shape ``(R, steps)``, float32
        Output: the loss of each step before its update.
    clip : shape ``(R,)``, float32
        Largest norm of the gradient of each network (torch.nn.utils.clip_grad_norm_). By default, gradients are not clipped.
    threads
        Number of threads; defaults to that of numba.
    parts : shape ``(R, steps, components)``, float64
        Output: the contribution of each component of the targets to each loss.
    decay : shape ``(R,)``, float32
        Decoupled weight decay of each network, as of torch.optim.AdamW; defaults to 0.

    Raises
    ------
    InputError
        If an array has the wrong shape or type or is not contiguous, or ``order`` has rows that do not exist.
    """
    networks, size = _checked_networks(problem, parameters, functions)
    if rule not in RULES:
        raise InputError(f"rule must be {', '.join(RULES)}, not {rule!r}")
    _, m = _checked(order, "order", np.int32, (networks, None))
    if batch < 1:
        raise InputError(f"batch must be at least 1, not {batch}")
    if order.size and not (order.min() >= 0 and order.max() < len(problem.inputs)):
        raise InputError(f"order must have rows from 0 to {len(problem.inputs) - 1}, not {order.min()} to {order.max()}")
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
    if decay is None:
        decay = np.zeros(networks, np.float32)
    _checked(decay, "decay", np.float32, (networks,))
    parts = _parts(problem, losses, parts)
    how = order, batch, RULES[rule], state
    _run(problem, parameters, functions, *how, learning_rate, losses, clip, decay, threads, parts)


def evaluate(
    problem: FusedProblem,
    parameters: Parameters,
    functions: Functions,
    threads: int | None = None,
    parts: np.ndarray | None = None,
) -> np.ndarray:
    """Return the loss of every network over all rows, ``(R,)`` float32; it is NaN or infinite for networks that diverged.

    parts, ``(R, components)`` float64, receives the contribution of each component of the targets.
    """
    networks, _ = _checked_networks(problem, parameters, functions)
    n = len(problem.inputs)
    losses = np.empty((networks, 1), np.float32)
    none = np.zeros((1, 0), np.float32)
    state = State(none, none, np.zeros(1, np.int64), np.ones(1, np.bool_))
    order, zero = np.arange(n, dtype=np.int32)[None], np.zeros(1, np.float32)
    each = _parts(problem, losses, None if parts is None else parts[:, None])
    _run(problem, parameters, functions, order, n, NONE, state, none, losses, zero, zero, threads, each)
    return losses[:, 0]


def _run(
    problem: FusedProblem, parameters: Parameters, functions: Functions, order: np.ndarray, batch: int, rule: int,
    state: State, rates: np.ndarray, losses: np.ndarray, clip: np.ndarray, decay: np.ndarray,
    threads: int | None, parts: np.ndarray,
) -> None:  # fmt: skip
    """Run the kernel for all networks; each free thread takes the next network, so that none waits for another."""
    if losses.size == 0:
        return
    networks = len(losses)
    deep = len(parameters) > 4
    run: Any = deep_kernels.run if deep else spline_kernels.run if functions.splines else kernels.run
    given = _joined(parameters) if deep else parameters

    def one(r: int) -> None:
        run(r, *problem._data, *given, *functions._data, order, batch, rule,
            state.first, state.second, state.count, state.alive, rates, losses, clip, decay, parts)  # fmt: skip

    threads = min(networks, threads or config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    if threads < 2:
        for r in range(networks):
            one(r)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, range(networks)))
    if deep and rule != NONE:
        begin = 0
        for part in parameters:
            part[:] = given[0][:, begin : begin + part[0].size].reshape(part.shape)
            begin += part[0].size


def _joined(parameters: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """Return the parameters of networks of any depth, ``(R, P)``, and the number of inputs and of rows of each layer."""
    flat = np.concatenate([part.reshape(len(part), -1) for part in parameters], axis=1)
    return flat, np.array([parameters[0].shape[2], *(W.shape[1] for W in parameters[::2])], np.int64)


def _parts(problem: FusedProblem, losses: np.ndarray, parts: np.ndarray | None) -> np.ndarray:
    """Return the checked array for the parts of the losses, or an empty one if they are not needed."""
    if parts is None:
        return np.zeros((*losses.shape, 0))
    _checked(parts, "parts", np.float64, (*losses.shape, len(problem.weights)))
    return parts


def _checked_networks(problem: FusedProblem, parameters: Parameters, functions: Functions) -> tuple[int, int]:
    """Check the arrays, and return the number of networks and the number of parameters of each."""
    _checked(problem.inputs, "inputs", np.float32, (None, None))
    networks, width = len(parameters[0]), functions.features * problem.inputs.shape[1]
    if len(parameters) % 2 or len(parameters) < 4 or (functions.splines and len(parameters) > 4):
        wanted = "of two layers" if functions.splines else "of each of at least two layers"
        raise InputError(f"the parameters must be W and b {wanted}, not {len(parameters)} arrays")
    neurons, outputs, layers = 0, 0, len(parameters) // 2
    gradient = problem.kind == "gradient"
    if gradient and problem.targets.shape != problem.inputs.shape:
        raise InputError(
            f"the targets of a gradient must have the shape of the inputs, {problem.inputs.shape}, not {problem.targets.shape}"
        )
    for layer, (W, b) in enumerate(zip(parameters[::2], parameters[1::2], strict=True), 1):
        if layer < layers:
            _, outputs, _ = _checked(W, f"W{layer}", np.float32, (networks, None, width))
            _checked(b, f"b{layer}", np.float32, (networks, outputs))
            neurons, width = neurons + outputs, functions.features * outputs
        else:
            _, constants = _checked(b, f"b{layer}", np.float32, (networks, 0 if gradient else None))
            outputs = 1 if gradient else constants
            _checked(W, f"W{layer}", np.float32, (networks, outputs, width))
    if problem.kind == "output":
        _checked(problem.targets, "targets", np.float32, (len(problem.inputs), outputs))
    if problem.kind == "classes" and not (problem.targets.min() >= 0 and problem.targets.max() < outputs):
        raise InputError(f"with {outputs} outputs, the classes must be from 0 to {outputs - 1}")
    _checked(functions.types, "types", np.int32, (networks, neurons))
    return networks, sum(p[0].size for p in parameters) if networks else 0


def _checked(array: np.ndarray, name: str, dtype: type, shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """Return the shape of an array after checking shape (None for any length) and type, which the kernels do not check."""
    fits = array.ndim == len(shape) and all(want in (None, is_) for want, is_ in zip(shape, array.shape, strict=True))
    if not fits or array.dtype != dtype or not array.flags.c_contiguous:
        wanted = str(tuple("any" if length is None else length for length in shape)).replace("'", "")
        raise InputError(
            f"{name} must be a contiguous {np.dtype(dtype)} array of shape {wanted}, not {array.dtype} {array.shape}"
            + ("" if array.flags.c_contiguous else " that is not contiguous")
        )
    return array.shape
