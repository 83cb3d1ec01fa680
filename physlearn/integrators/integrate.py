"""The function integrate, which computes orbits from initial states by the method with a given name."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.flow import Field, Flow, FlowLike
from physlearn.integrators.accuracy import Accuracy, estimate, too_long
from physlearn.integrators.compiled import Compiled
from physlearn.integrators.engine import compiled_flow
from physlearn.integrators.errors import ConvergenceError
from physlearn.integrators.integrator import Integrator
from physlearn.integrators.registry import find
from physlearn.integrators.steps import RESOLVED, UNRESOLVED, Steps, choose, precision_of
from physlearn.threads import suited_to
from systems import AccuracyWarning, InputError, Orbit, System
from systems.autograd_mode import outside_inference
from systems.errors import outside
from systems.floats import HALF, takes_arrays
from systems.own_times import at_own_times
from systems.parametrized import origin_of
from systems.reference.engine import Engine
from systems.size import BYTES, check_memory
from systems.states import check_states, check_times

TYPICAL_WIDTH = 25  # tensor elements per coordinate of the state that a learned flow typically processes
ATTEMPTS, MORE_ATTEMPTS = 4, 7  # most attempts, each with shorter steps; in compiled code, which is fast
MOST_QUICK = 3e6  # steps of single orbits, which take about a second there
SHORTER = 8  # largest factor by which steps are shortened from one attempt to the next
FAILED = 4  # factor by which steps are shortened if an implicit step does not converge


@takes_arrays("z0", "t")
@outside_inference
@at_own_times
def integrate(
    flow: FlowLike,
    z0: Float[Tensor, "*batch D"],
    t: Float[Tensor, " T"],
    method: str,
    *,
    dt: float | None = None,
    substeps: int | None = None,
    engine: Engine = "auto",
    progress: bool = True,
    **options: Any,
) -> Orbit:
    """Integrate a flow from z0 at t[0], by a fixed-step method or by the adaptive dopri8.

    Steps are independent of the output times: the time between two outputs is divided into equal steps. The orbits have the
    dtype and device of z0, with times in float64; a system is integrated in float32 if the states have half precision. They
    are differentiable with respect to z0 and the flow's parameters, if these require gradients.

    Parameters
    ----------
    flow
        A system, a trained model or Forecaster, or a function ``f(t, z)``.
    z0 : shape ``(..., D)``
        Initial states, in the units of the flow.
    t : shape ``(T,)`` or ``(..., T)``
        Output times, strictly increasing or strictly decreasing (to integrate backwards in time); those of all orbits, or
        those of each.
    method
        Name of the method; see `names`.
    dt
        Longest step. With neither ``dt`` nor ``substeps``, a Forecaster takes steps as long as those of its training data.
        Any other flow takes one step per output time if these are no coarser than half of its fastest time scale (the inverse
        of the largest eigenvalue of its Jacobian), and steps of a tenth of that time scale otherwise. Default steps that turn
        out to be too long are shortened, and the orbits are computed again.
    substeps
        Number of equal steps between output times; ``substeps=1`` takes exactly one.
    engine
        Whether the flow is traced and compiled. ``"auto"`` compiles it where that is possible: a system or a function, with
        states in float64 on the CPU, without gradients, by a method that has a compiled form. ``"compiled"`` raises an error
        that says why where it is not possible, and ``"torch"`` calls the flow as it is. Both give the same orbits up to
        rounding. ``"taylor"`` is refused here: Taylor series are a method of their own, that of ``System.orbit``.
    progress
        Whether to show a progress bar, which appears after one second.
    **options
        Options of the method: ``tolerance`` and ``failure`` for implicit methods, ``omega`` for tao-4, ``rtol`` and ``atol``
        for dopri8.

    Returns
    -------
    Orbit
        States at the output times. ``provenance["integrator"]`` holds the steps (``substeps``, ``dt``, ``dt_from``) and their
        estimated error (``accuracy``): ``step_error``, the difference between one step and two shorter ones, relative to the
        size of each coordinate; ``resolution``, the step in units of the fastest time scale; and ``energy_drift``, relative
        to twice the kinetic energy. ``provenance["engine"]`` names the engine that ran.

    Raises
    ------
    InputError
        For invalid arguments.
    NotSeparableError, NotHamiltonianError
        If the flow does not have the separable or Hamiltonian form that the method needs.
    ConvergenceError
        If an implicit step does not converge.

    Warns
    -----
    AccuracyWarning
        If default steps could not be made short enough, or if steps chosen by the caller cause a gross error: a step error of
        3 % of a coordinate's size (10 % for second-order methods), or an energy drift of a tenth. For first-order methods,
        only if default steps could not be made short enough.

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
        raise InputError(
            f"{method} has no option {unknown[0]!r}; its options are: {', '.join(sorted(_options(cls))) or 'none'}"
        )
    z0, t = torch.as_tensor(z0), torch.as_tensor(t)
    if not z0.is_floating_point():
        raise InputError(f"states must be floating point, not {z0.dtype}; convert them, for example by z0.double()")
    if z0.dtype in HALF:
        if isinstance(seen.source, System):
            single = integrate(
                seen, z0.float(), t, method, dt=dt, substeps=substeps, engine=engine, progress=progress, **options
            )
            return replace(single, z=single.z.to(z0.dtype))
        warnings.warn(
            f"{seen.name} is integrated in {z0.dtype}, whose rounding adds up from step to step, and hides the error of the "
            "steps: give the initial states in float32 or float64",
            AccuracyWarning,
            stacklevel=outside(),
        )
    precision, t = precision_of(t), t.to(z0.device, torch.float64)
    check_times(t)
    coordinates = seen.coordinates or tuple(f"z{i}" for i in range(z0.shape[-1] if z0.ndim else 1))
    check_states(z0, coordinates)
    check_memory(z0.numel() * len(t) * z0.element_size() / BYTES, "the orbits from these states at these times")
    cls(seen, **options)
    seen = replace(seen, field=_in_the_states_dtype(seen.field))
    rates = seen.field(t[0], z0)
    shape = rates.shape
    if shape != z0.shape:
        raise InputError(
            f"{seen.name} returns rates of shape {tuple(shape)} for states of shape {tuple(z0.shape)}; both must be equal"
        )
    with suited_to(z0.numel() * TYPICAL_WIDTH):
        told: dict[str, Any] = {}
        if cls.adaptive:
            if dt is not None or substeps not in (None, 1):
                given = "dt" if dt is not None else "substeps"
                raise InputError(f"{method} chooses its own steps; give rtol and atol, not {given}")
            integrator = cls(seen, **options)
            compiled = compiled_flow(engine, seen, integrator, t, z0, rates)  # none: it raises an error if it is asked for
            z = integrator.solve(z0, t, 1, progress)
        else:
            resolved = UNRESOLVED if cls.order == 1 else RESOLVED
            compiled = compiled_flow(engine, seen, cls(seen, **options), t, z0, rates)
            quick = seen if compiled is None else compiled.flow(seen)
            steps = choose(quick, z0, t, precision, substeps=substeps, dt=dt, damping=cls.damping, resolved=resolved)
            z, integrator, told, compiled = _run(seen, compiled, cls, options, z0, t, steps, progress)
    return Orbit(
        t=t,
        z=z,
        coordinates=coordinates,
        provenance={
            "flow": seen.name,
            **({**origin_of(seen.source), "autonomous": seen.autonomous} if isinstance(seen.source, System) else {}),
            "integrator": {"name": method, **told, **options, **integrator.report},
            "engine": "torch" if compiled is None else "compiled",
        },
        periods=seen.periods,
    )


def _run(
    flow: Flow,
    compiled: Compiled | None,
    cls: type[Integrator],
    options: dict[str, Any],
    z0: Tensor,
    t: Tensor,
    steps: Steps,
    progress: bool,
) -> tuple[Tensor, Integrator, dict[str, Any], Compiled | None]:
    """Integrate, shortening default steps if needed; return the states, the integrator, and a description of the steps.

    Where an implicit step does not converge in compiled code, torch repeats the run: it names the step, or finds the solution.
    """
    before: Accuracy | None = None
    worse = 0  # attempts in a row that were no better than the one before
    for attempt in range(MORE_ATTEMPTS):
        integrator = cls(flow, **options)
        quickly = compiled is not None and sum(steps.counts) * z0[..., 0].numel() < MOST_QUICK
        last = attempt >= (MORE_ATTEMPTS if quickly else ATTEMPTS) - 1 or not steps.by_default
        try:
            solved = None if compiled is None else compiled.solve(integrator, z0, t, steps.counts, progress, early=not last)
            if solved is None:
                compiled = None
            z = integrator.solve(z0, t, steps.counts, progress) if solved is None else solved
        except ConvergenceError:
            if last:
                raise
            steps = steps.no_longer_than(steps.longest / FAILED)
            continue
        if not integrator.samples:
            return z, integrator, steps.describe(), compiled
        quick = flow if compiled is None else compiled.flow(flow)
        make = partial(cls, quick, **_for_a_trial(cls, options, integrator))
        accuracy = estimate(quick, make, integrator.samples, compiled)
        if not too_long(accuracy, cls, steps):
            break
        # if shorter steps do not help, the flow is not smooth or the orbit diverges
        worse = 0 if before is None or accuracy.better_than(before) else worse + 1
        if last or worse >= (3 if quickly else 1):
            warnings.warn(_warning(integrator, steps, accuracy), AccuracyWarning, stacklevel=outside())
            break
        before = accuracy
        steps = steps.no_longer_than(max(accuracy.shorter, steps.longest / SHORTER))
    return z, integrator, {**steps.describe(), "accuracy": accuracy.describe()}, compiled


def _for_a_trial(cls: type[Integrator], options: dict[str, Any], integrator: Integrator) -> dict[str, Any]:
    """Return the options for trial steps: those of the run, the values that it chose, and no error for a lost orbit."""
    known = _options(cls)
    chosen = {name: value for name, value in integrator.report.items() if name in known}
    return options | chosen | ({"failure": "nan"} if "failure" in known else {})


def _warning(integrator: Integrator, steps: Steps, accuracy: Accuracy) -> str:
    what = f"{integrator.name} with steps up to {steps.longest:.3g} on {integrator.flow.name}: {accuracy}"
    return f"{what}; use a smaller dt, such as {accuracy.shorter:.2g}, or a method of higher order"


def _in_the_states_dtype(field: Field) -> Field:
    """Wrap a field so that its rates have the dtype of the states, even if it computes with a time in float64."""
    return lambda t, z: field(t, z).to(z.dtype)


def _options(cls: type[Integrator]) -> set[str]:
    """Return the names of a method's options: the arguments of its classes' constructors other than the flow."""
    return {
        parameter.name
        for base in cls.__mro__
        if issubclass(base, Integrator)
        for parameter in inspect.signature(base.__init__).parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD
    } - {"self", "flow"}
