"""Whether a field depends on time, whatever is declared."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

# parts of the time at which fields are compared: multiples of the golden ratio, so that no gap, in which a push might
# hide, is larger than a seventh, and no period divides them
PROBES = tuple(k * 0.61803398875 % 1 for k in range(12))
STATES = 64  # at most as many are compared


def depends_on_time(field: Callable[[Tensor, Tensor], Tensor], z: Tensor, times: Iterable[float]) -> bool:
    """Return whether a field differs between some times, at the first of some states, in any bit.

    Parameters
    ----------
    field : callable
        Field ``f(t, z)``.
    z : shape ``(n, D)``
        States.
    times : iterable of float
        The times that are compared.

    Returns
    -------
    bool
        Whether it differs.
    """
    some = z[:STATES]
    with torch.no_grad():
        first, *others = (field(z.new_tensor(t), some).nan_to_num() for t in times)
    return not all(torch.equal(first, other) for other in others)
