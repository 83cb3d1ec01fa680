"""The contract of integrators, and the checks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import cos, sin
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import ellipj
from torch import Tensor

from physlearn.flow import Flow, NotHamiltonianError, NotSeparableError
from physlearn.integrators import find
from physlearn.integrators.integrator import Integrator
from systems.hamiltonian_system import rotate
from systems.oscillators import Pendulum
from systems.testing import Check

MODULUS = (0.3, 0.6, 0.9)  # moduli of the elliptic functions, for amplitudes of 35, 74 and 128 degrees
DURATION = 2.0
SMALL, TINY = 1e-2, 1e-11  # range of errors that shows the order: above rounding, and with negligible higher powers
STEPS = [2**k for k in range(3, 15)]
ACCURATE = 1e-6  # largest error of a method that chooses its own steps
DIFFERENCE = 1e-5  # step of central differences, whose error is of the order of its square

Make = Callable[[Flow], Integrator]
Exact = Callable[[float], Float[Tensor, "3 2"]]


def integrator_checks(method: str, **options: Any) -> Iterator[tuple[str, Check]]:
    """Yield the checks of an integrator.

    Parameters
    ----------
    method
        Name of a registered integrator.
    **options
        Options of its constructor.

    Yields
    ------
    name : str
        The name of the check.
    check : callable
        A function without arguments that runs the check.

    Examples
    --------
    >>> [name for name, _ in integrator_checks("rk4")]
    ['declarations', 'states', 'flows', 'order', 'backward', 'drive']
    """
    cls = find(method)

    def make(flow: Flow) -> Integrator:
        return cls(flow, **options)

    yield "declarations", lambda: _check_declarations(method, cls)
    yield "states", lambda: _check_states(make(Flow.of(Pendulum())))
    yield "flows", lambda: _check_flows(make)
    if cls.adaptive:
        yield "accuracy", lambda: _check_accuracy(make)
    else:
        yield "order", lambda: _check_order(make, Flow.of(Pendulum()), _exact, "forward in time")
        yield "backward", lambda: _check_order(make, Flow.of(Pendulum()), _exact, "backward in time")
        yield "drive", lambda: _check_drive(make)
    if cls.symmetric:
        yield "reversibility", lambda: _check_reversibility(make)
    if getattr(cls, "symplectic", False):
        yield "symplecticity", lambda: _check_symplecticity(make)


def check_integrator(method: str, **options: Any) -> None:
    """Check that an integrator satisfies the contract.

    The checks cover

    * the declared attributes;
    * the states: shapes and batches, dtype, and an unchanged input;
    * that a flow without a Hamiltonian is either integrated or rejected;
    * the declared order, forward and backward in time, against the exact motion of a pendulum, and for a field that depends on
      time, unless the method rejects fields without a Hamiltonian;
    * for a symmetric method, that steps backward undo steps forward;
    * for a symplectic method, that the Jacobian of a step is symplectic.

    Parameters
    ----------
    method, **options
        As in `integrator_checks`.

    Raises
    ------
    AssertionError
        If a check fails; the message says what is wrong.

    Examples
    --------
    >>> check_integrator("leapfrog")
    """
    for _, check in integrator_checks(method, **options):
        check()


def _exact(t: float) -> Float[Tensor, "3 2"]:
    r"""Return the states of three swings of the pendulum at time t.

    .. math:: \theta = 2 \arcsin(k \,\mathrm{sn}(t + t_0 | k^2)), \quad p = 2 k \,\mathrm{cn}(t + t_0 | k^2)
    """
    k = np.array(MODULUS)
    sn, cn, _, _ = ellipj(t + np.arange(len(k)), k**2)
    return torch.from_numpy(np.stack([2 * np.arcsin(k * sn), 2 * k * cn], axis=-1))


def _check_declarations(method: str, cls: type[Integrator]) -> None:
    for attribute in ("name", "order", "symplectic"):
        assert hasattr(cls, attribute), f"the class registered as {method!r} does not declare {attribute!r}"
    assert cls.name == method, f"the class registered as {method!r} has the name {cls.name!r}"
    assert cls.order in range(1, 100), f"order must be a positive whole number, not {cls.order!r}"
    for flag in ("symplectic", "symmetric", "adaptive"):
        assert isinstance(getattr(cls, flag), bool), f"{flag} must be True or False, not {getattr(cls, flag)!r}"


def _check_states(integrator: Integrator) -> None:
    """Check that shapes, batch axes and dtypes are preserved, and that the input is not changed."""
    z0, t = _exact(0.0), torch.linspace(0, 0.3, 4, dtype=torch.float64)
    before = z0.clone()
    batch = integrator.solve(z0, t, 2, progress=False)
    assert torch.equal(z0, before), "solve changes its input states in place"
    assert batch.shape == (3, 4, 2), f"solve returns shape {tuple(batch.shape)} for states (3, 2) at 4 times"
    assert torch.equal(batch[:, 0], z0), "the first states are not the initial states"
    for i, state in enumerate(z0):
        alone = integrator.solve(state, t, 2, progress=False)
        assert torch.allclose(alone, batch[i], rtol=0, atol=1e-7), "the states of a batch are not independent of each other"
    deep = integrator.solve(z0.expand(2, 3, 2), t, 2, progress=False)
    assert deep.shape == (2, 3, 4, 2), "solve does not preserve several batch axes"
    for dtype in (torch.float32, torch.float64):
        assert integrator.solve(z0.to(dtype), t, 2, progress=False).dtype == dtype, f"solve does not preserve {dtype}"


def _check_flows(make: Make) -> None:
    """Check that a vector field without a Hamiltonian is integrated, or rejected with the right error."""
    try:
        integrator = make(Flow.of(Pendulum().vector_field))
    except (NotHamiltonianError, NotSeparableError):
        return
    error = float((_end(integrator, 0.0, DURATION, 500) - _exact(DURATION)).abs().max())
    assert error < SMALL, f"a flow given as a plain function has an error of {error:.2g} after 500 steps"


def _check_accuracy(make: Make) -> None:
    for first, last in ((0.0, DURATION), (DURATION, 0.0)):
        error = float((_end(make(Flow.of(Pendulum())), first, last, 1) - _exact(last)).abs().max())
        assert error < ACCURATE, f"the error from t = {first:g} to {last:g} is {error:.2g}, but must be below {ACCURATE:g}"


def _check_drive(make: Make) -> None:
    """Check the order for a field that depends on time, unless the method needs a Hamiltonian."""
    flow = Flow.of(_driven)
    try:
        make(flow)
    except (NotHamiltonianError, NotSeparableError):
        return
    _check_order(make, flow, _turned, "for a field that depends on time")


def _driven(t: Tensor, z: Tensor) -> Tensor:
    """Return the field of a rotation, forth and back, at the rate cos t."""
    return torch.cos(torch.as_tensor(t, dtype=z.dtype)) * rotate(z)


def _turned(t: float) -> Float[Tensor, "3 2"]:
    """Return states that rotated at the rate cos t since t = 0."""
    z0 = _exact(0.0)
    return cos(sin(t)) * z0 + sin(sin(t)) * rotate(z0)


def _check_order(make: Make, flow: Flow, exact: Exact, what: str) -> None:
    """Check that the error decreases as the step to the power of the order."""
    first, last = (DURATION, 0.0) if what.startswith("backward") else (0.0, DURATION)
    order = make(flow).order
    errors: list[float] = []
    for steps in STEPS:
        error = float((_end(make(flow), first, last, steps, exact(first)) - exact(last)).norm())
        if error < TINY or len(errors) == 3:
            break
        if error < SMALL:
            errors.append(error)
    assert len(errors) > 1, f"the error {what} does not fall below {SMALL:g} in {STEPS[-1]} steps over t = {DURATION:g}"
    found = float(np.log2(errors[-2] / errors[-1]))
    assert abs(found - order) < 0.25, f"the order {what} is {found:.2f}, but the class declares order = {order}"


def _check_reversibility(make: Make) -> None:
    z0 = _exact(0.0)
    there = _end(make(Flow.of(Pendulum())), 0.0, DURATION, 20, z0)
    off = float((_end(make(Flow.of(Pendulum())), DURATION, 0.0, 20, there) - z0).abs().max())
    assert off < 1e-10, f"symmetric is True, but steps backward miss the initial state by {off:.2g}"


def _check_symplecticity(make: Make) -> None:
    r"""Check that the Jacobian of a step satisfies :math:`M^T J M = J`."""
    z0, columns = _exact(0.0), []
    for j in range(2):
        h = torch.zeros(2, dtype=torch.float64)
        h[j] = DIFFERENCE
        on, back = (_end(make(Flow.of(Pendulum())), 0.0, 0.2, 1, z0 + sign * h) for sign in (1, -1))
        columns.append((on - back) / (2 * DIFFERENCE))
    M = torch.stack(columns, dim=-1)
    J = rotate(torch.eye(2, dtype=torch.float64)).T
    off = float((M.mT @ J @ M - J).abs().max())
    assert off < 1e-7, f"symplectic is True, but M^T J M differs from J by {off:.2g}"


def _end(integrator: Integrator, first: float, last: float, steps: int, z0: Tensor | None = None) -> Float[Tensor, "3 2"]:
    """Return the states at the last time, by default starting from the exact states at the first time."""
    t = torch.tensor([first, last], dtype=torch.float64)
    return integrator.solve(_exact(first) if z0 is None else z0, t, steps, progress=False)[:, -1]
