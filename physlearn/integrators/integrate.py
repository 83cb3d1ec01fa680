"""integrate: from initial states to orbits, by a method's name."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.flow import Field, Flow, FlowLike
from physlearn.integrators.accuracy import Accuracy, estimate, too_long
from physlearn.integrators.errors import ConvergenceError
from physlearn.integrators.integrator import Integrator
from physlearn.integrators.registry import find
from physlearn.integrators.steps import RESOLVED, UNRESOLVED, Steps, choose, precision_of
from physlearn.threads import suited_to
from systems import AccuracyWarning, InputError, Orbit
from systems.autograd_mode import outside_inference
from systems.errors import outside
from systems.floats import takes_arrays
from systems.size import BYTES, check_memory
from systems.states import check_states, check_times

TYPICAL_WIDTH = 25  # elements that a learned flow works on for each coordinate of the state
ATTEMPTS = 4  # runs with ever shorter steps
SHORTER = 8  # how much shorter steps may become from one run to the next
FAILED = 4  # how much shorter they become where an implicit step has no solution


@takes_arrays("z0", "t")
@outside_inference
def integrate(
    flow: FlowLike,
    z0: Float[Tensor, "*batch D"],
    t: Float[Tensor, " T"],
    method: str,
    *,
    dt: float | None = None,
    substeps: int | None = None,
    progress: bool = True,
    **options: Any,
) -> Orbit:
    """Return the orbits of a flow from z0 at t[0], by a method of fixed steps, or by dopri8.

    The times asked for and the steps taken are two things: steps divide the time from one output to the next evenly. The
    orbits keep the dtype and device of z0, with times in float64, and are differentiable by z0 and by the flow's parameters.

    Parameters
    ----------
    flow
        A system, a trained model or Forecaster, or a function ``f(t, z)``.
    z0 : shape ``(..., D)``
        Initial states, in the units of the flow.
    t : shape ``(T,)``
        Times of the output, strictly increasing or strictly decreasing (to go back in time).
    method
        Name of the method, see `names`.
    dt
        Longest step. With neither ``dt`` nor ``substeps``, a Forecaster takes steps as long as those of the grid that it was
        trained on. Any other flow takes one step per time where the grid is no coarser than 0.2 of its fastest time scale
        (the inverse of the largest eigenvalue of its Jacobian), else steps of a tenth of it; steps that turn out to be too
        long are then made shorter, and the orbits are computed again.
    substeps
        Number of equal steps from each time to the next. ``substeps=1`` takes exactly one.
    progress
        Whether to show a progress bar, of which integrations of less than a second have none.
    **options
        Options of the method: ``tolerance`` and ``failure`` of the implicit ones, ``omega`` of tao-4, ``rtol`` and ``atol``
        of dopri8.

    Returns
    -------
    Orbit
        States at the times. ``provenance["integrator"]`` tells the steps (``substeps``, ``dt``, ``dt_from``) and their
        estimated error (``accuracy``): ``step_error``, by which a step differs from two half steps, relative to the size of
        each coordinate; ``resolution``, the step in units of the fastest time scale; ``energy_drift``, relative to twice the
        kinetic energy.

    Raises
    ------
    InputError
        For wrong arguments.
    NotSeparableError, NotHamiltonianError
        Where the flow does not offer what the method needs.
    ConvergenceError
        Where an implicit step has no solution.

    Warns
    -----
    AccuracyWarning
        Where a default could not make the steps short enough, or the caller's own steps make a gross error: a step that errs
        by 3 % of a coordinate's size (10 % with a method of order 2), or an energy that drifts by a tenth. Methods of order 1
        never warn.

    Examples
    --------
    >>> import systems
    >>> oscillator = systems.get("harmonic-oscillator")
    >>> orbit = integrate(oscillator, torch.tensor([1.0, 0.0]), torch.linspace(0, 100, 1001), method="leapfrog")
    >>> bool((oscillator.hamiltonian(orbit.z) - 0.5).abs().max() < 2e-3)
    True
    >>> few = integrate(oscillator, torch.tensor([1.0, 0.0]), torch.tensor([0.0, 50.0, 100.0]), method="leapfrog")
    >>> few.provenance["integrator"]["substeps"]
    500
    """
    seen = Flow.of(flow)
    cls = find(method)
    if unknown := sorted(set(options) - _options(cls)):
        raise InputError(f"{method} has no option {unknown[0]!r}")
    z0, t = torch.as_tensor(z0), torch.as_tensor(t)
    if not z0.is_floating_point():
        raise InputError(f"states must be floating point, not {z0.dtype}")
    precision, t = precision_of(t), t.to(z0.device, torch.float64)
    check_times(t)
    coordinates = seen.coordinates or tuple(f"z{i}" for i in range(z0.shape[-1] if z0.ndim else 1))
    check_states(z0, coordinates)
    check_memory(z0.numel() * len(t) * z0.element_size() / BYTES, "the orbits from these states at these times")
    cls(seen, **options)
    seen = replace(seen, field=_in_the_states_dtype(seen.field))
    shape = seen.field(t[0], z0).shape
    if shape != z0.shape:
        raise InputError(f"{seen.name} turns states of shape {tuple(z0.shape)} into rates of shape {tuple(shape)}")
    with suited_to(z0.numel() * TYPICAL_WIDTH):
        told: dict[str, Any] = {}
        if cls.adaptive:
            if dt is not None or substeps not in (None, 1):
                given = "dt" if dt is not None else "substeps"
                raise InputError(f"{method} chooses its own steps: it takes rtol and atol, not {given}")
            integrator = cls(seen, **options)
            z = integrator.solve(z0, t, 1, progress)
        else:
            resolved = UNRESOLVED if cls.order == 1 else RESOLVED
            steps = choose(seen, z0, t, precision, substeps=substeps, dt=dt, damping=cls.damping, resolved=resolved)
            z, integrator, told = _run(seen, cls, options, z0, t, steps, progress)
    return Orbit(
        t=t,
        z=z,
        coordinates=coordinates,
        provenance={"flow": seen.name, "integrator": {"name": method, **told, **options, **integrator.report}},
        periods=seen.periods,
    )


def _run(
    flow: Flow, cls: type[Integrator], options: dict[str, Any], z0: Tensor, t: Tensor, steps: Steps, progress: bool
) -> tuple[Tensor, Integrator, dict[str, Any]]:
    """Return the states, the method with its report, and a description of the steps; shorten default steps where needed."""
    before: Accuracy | None = None
    for attempt in range(ATTEMPTS):
        integrator = cls(flow, **options)
        last = attempt == ATTEMPTS - 1 or not steps.by_default
        try:
            z = integrator.solve(z0, t, steps.counts, progress)
        except ConvergenceError:
            if last:
                raise
            steps = steps.no_longer_than(steps.longest / FAILED)
            continue
        if not integrator.samples:
            return z, integrator, steps.describe()
        accuracy = estimate(flow, lambda: cls(flow, **_for_a_trial(cls, options, integrator)), integrator.samples)  # noqa: B023
        if not too_long(accuracy, cls, steps):
            break
        # an orbit that shorter steps do not make better is rough, or diverges
        hopeless = before is not None and not accuracy.better_than(before)
        if last or hopeless:
            warnings.warn(_warning(integrator, steps, accuracy), AccuracyWarning, stacklevel=outside())
            break
        before = accuracy
        steps = steps.no_longer_than(max(accuracy.shorter, steps.longest / SHORTER))
    return z, integrator, {**steps.describe(), "accuracy": accuracy.describe()}


def _for_a_trial(cls: type[Integrator], options: dict[str, Any], integrator: Integrator) -> dict[str, Any]:
    """The options for trial steps: those of the run, with what it chose by itself, and without an error for a lost orbit."""
    known = _options(cls)
    chosen = {name: value for name, value in integrator.report.items() if name in known}
    return options | chosen | ({"failure": "nan"} if "failure" in known else {})


def _warning(integrator: Integrator, steps: Steps, accuracy: Accuracy) -> str:
    what = f"{integrator.name} with steps up to {steps.longest:.3g} on {integrator.flow.name}: {accuracy}"
    return f"{what}; take a smaller dt, such as {accuracy.shorter:.2g}, or a method of higher order"


def _in_the_states_dtype(field: Field) -> Field:
    """The field with its rates in the dtype of the states, also where it computes them from a time in float64."""
    return lambda t, z: field(t, z).to(z.dtype)


def _options(cls: type[Integrator]) -> set[str]:
    """The names of a method's options: what the constructors of its classes take beside the flow."""
    return {
        parameter.name
        for base in cls.__mro__
        if issubclass(base, Integrator)
        for parameter in inspect.signature(base.__init__).parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD
    } - {"self", "flow"}
