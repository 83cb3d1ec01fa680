"""Deep fields: the flow of a network with several hidden layers, for compiled solvers, in double precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from physlearn.activations.compiled import ZERO
from physlearn.models import deep_loops
from physlearn.models.deep_loops import HEAD, LAYER, SUMS, TOWER
from physlearn.models.shallow import Neurons
from systems.compiled.field import Field
from systems.compiled.function import LANES, Function
from systems.compiled.loops import Array


@dataclass(frozen=True)
class Layer:
    """The weights, biases and neurons of a hidden layer after the first."""

    weight: Array
    bias: Array
    neurons: tuple[Neurons, ...]


@dataclass(frozen=True, eq=False)
class Tower:
    """A network inside a field; see `physlearn.models.deep_loops`.

    Parameters
    ----------
    inner : shape ``(H, D)``
        The matrix B of the first layer, which acts on the state.
    shift : shape ``(H,)``
        The biases of the first layer.
    neurons : tuple of Neurons
        The functions of the neurons of the first layer, in blocks.
    layers : tuple of Layer
        The other hidden layers.
    outer : shape ``(N, H')``
        The matrix A, which acts on the last layer, or on the gradient by the values of the first layer.
    last : shape ``(H'',)``, or None
        The weights w of the potential whose gradient this is; None for the network itself.
    """

    inner: Array
    shift: Array
    neurons: tuple[Neurons, ...]
    layers: tuple[Layer, ...]
    outer: Array
    last: Array | None


@dataclass(frozen=True, eq=False)
class Deep:
    """A field, or some of its components: c + L z, and a sum of towers.

    Parameters
    ----------
    linear : shape ``(N, D)``
        The matrix L.
    constant : shape ``(N,)``
        The vector c.
    towers : tuple of Tower
        The networks.
    """

    linear: Array
    constant: Array
    towers: tuple[Tower, ...]

    def rows(self, begin: int, end: int | None) -> Deep:
        """Return some components of the field, without the towers that do not matter for them."""
        towers = (replace(tower, outer=tower.outer[begin:end]) for tower in self.towers)
        return Deep(self.linear[begin:end], self.constant[begin:end], tuple(tower for tower in towers if tower.outer.any()))

    @property
    def weights(self) -> int:
        """The number of multiplications of one evaluation in the hidden layers."""
        return sum(
            layer.weight.size * (1 if tower.last is None else 2) for tower in self.towers for layer in tower.layers
        ) + sum(tower.inner.size + tower.outer.size for tower in self.towers)

    @property
    def neurons(self) -> int:
        """The number of neurons of all hidden layers."""
        return sum(len(tower.shift) + sum(len(layer.bias) for layer in tower.layers) for tower in self.towers)

    def numbers(self, vectors: int) -> Array:
        """Return everything as one array, for the compiled functions, which move some deviation vectors, too."""
        size = HEAD + sum(TOWER + LAYER * (1 + len(tower.layers)) for tower in self.towers)
        store = _Store(size)
        results, dim = self.linear.shape
        head = [dim, results, vectors, len(self.towers), LANES, store.keep(self.constant), store.keep(self.linear)]
        for tower in self.towers:
            head += _described(tower, store)
        return store.with_head(head)


class _Store:
    """Numbers after a head of a known size."""

    def __init__(self, head: int) -> None:
        self.end, self.parts = head, [np.empty(0)]

    def keep(self, numbers: Array) -> int:
        """Keep an array and return where it begins."""
        begin = self.end
        self.parts.append(np.asarray(numbers, float).reshape(-1))
        self.end += numbers.size
        return begin

    def with_head(self, head: Sequence[int]) -> Array:
        """Return all numbers, of which the first are the total number and the whole numbers of the head."""
        return np.concatenate([np.array([self.end, *head], dtype=np.int64).view(np.float64), *self.parts])


def _described(tower: Tower, store: _Store) -> list[int]:
    """Keep the numbers of a tower, and return its head. Neurons without weights fill each layer up to the partial sums."""
    first = Layer(tower.inner, tower.shift, tower.neurons)
    hidden = [_filled(layer, sides=place > 0) for place, layer in enumerate((first, *tower.layers))]
    more = -tower.outer.shape[1] % SUMS
    last = np.empty(0) if tower.last is None else np.pad(tower.last, (0, -len(tower.last) % SUMS))
    head = [len(hidden), int(tower.last is not None), max(len(layer.bias) for layer in hidden)]
    head += [store.keep(hidden[0].weight.T), store.keep(hidden[0].bias)]
    head += [store.keep(np.pad(tower.outer, ((0, 0), (0, more)))), store.keep(last)]
    for place, layer in enumerate(hidden):
        blocks = [(block.count, block.code, block.order, store.keep(block.numbers)) for block in layer.neurons]
        functions = store.keep(np.array(blocks, dtype=np.int64).view(np.float64))
        weight = layer.weight if place else np.empty((0, 0))
        head += [len(layer.bias), len(blocks), functions, store.keep(weight), store.keep(weight.T), store.keep(layer.bias)]
    return head


def _filled(layer: Layer, *, sides: bool) -> Layer:
    """Return a layer whose number of neurons is a multiple of the partial sums; with ``sides``, also that of its inputs."""
    more, beside = -len(layer.bias) % SUMS, -layer.weight.shape[1] % SUMS if sides else 0
    *before, last = layer.neurons or (Neurons(0, ZERO, 0, np.empty(0)),)
    blocks = (*before, replace(last, count=last.count + more))
    return Layer(np.pad(layer.weight, ((0, more), (0, beside))), np.pad(layer.bias, (0, more)), blocks)


class DeepFunction(Function):
    """A deep field, or its derivatives, for compiled solvers."""

    def __init__(self, deep: Deep, vectors: int, *, jacobian: bool = False) -> None:
        results, dim = deep.linear.shape
        code = deep_loops.derivatives if jacobian else deep_loops.one
        super().__init__(results * (dim if jacobian else vectors + 1), code.address, deep.numbers(vectors))

    @property
    def wide(self) -> int:
        """Address of the machine code for ``LANES`` states side by side."""
        return int(deep_loops.many.address)


class DeepField(Field):
    """A deep field for compiled solvers.

    Parameters
    ----------
    deep
        The field.
    vectors
        Number of deviation vectors that move with each state.
    """

    def __init__(self, deep: Deep, vectors: int = 0) -> None:
        super().__init__()
        self.deep, self.vectors = deep, vectors

    @property
    def dim(self) -> int:
        """Number of coordinates, of the state and of the vectors."""
        return self.deep.linear.shape[1] * (self.vectors + 1)

    @property
    def cost(self) -> int:
        """Approximate number of operations of one evaluation."""
        return (2 * self.deep.weights + 20 * self.deep.neurons) * (self.vectors + 1)

    def make(self, begin: int, end: int | None) -> Function:
        """Return the rates of some coordinates."""
        step = self.vectors + 1
        rows = self.deep.rows(begin // step, None if end is None else end // step)
        return DeepFunction(rows, self.vectors)

    def make_jacobian(self) -> Function:
        """Return the derivatives of the field."""
        return DeepFunction(self.deep, self.deep.linear.shape[1], jacobian=True)

    def make_tangent(self, k: int) -> Field:
        """Return the field of a state and k deviation vectors."""
        return DeepField(self.deep, k)
