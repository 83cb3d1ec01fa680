"""Checks of the contract that every system keeps, for the tests of built-in and of third-party systems.

Each check has a name and raises AssertionError with a message that says what is broken. `check_system` runs all checks. A test
that reports them separately is parametrised over `system_checks`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from math import pi

import torch
from torch import Tensor
from torch.func import jacrev, vmap

from systems.errors import InputError
from systems.hamiltonian_system import HamiltonianSystem, SeparableSystem
from systems.orbit import Orbit
from systems.periodic import check_periods as valid_periods
from systems.system import System
from systems.time_dependence import depends_on_time

STEP = 1e-5  # central differences, relative to the coordinate; the error is about STEP^2, plus 1e-16 / STEP from rounding
DIFFERENCE_TOLERANCE = 1e-6
DURATION = 10.0  # length of the orbits, in the system's unit of time
TIMES = (0.0, 1.7, 4.1)  # at which a field that depends on time is checked, in the same unit

Check = Callable[[], object]


@dataclass(frozen=True)
class Units:
    """Typical magnitudes of a system's quantities at its samples, relative to which errors are independent of units.

    Parameters
    ----------
    size : shape ``(D,)``
        Spread of each coordinate, or one radian for an angle.
    rate : shape ``(D,)``
        Largest rate of each coordinate.
    time : float
        Shortest time in which a coordinate changes by its size.
    energy : float
        Largest change of H when one coordinate changes by its size.
    """

    size: Tensor
    rate: Tensor
    time: float
    energy: float

    @classmethod
    def of(cls, system: System, z: Tensor) -> Units:
        """Estimate the units from samples. A unit that they do not determine follows from the unit of time, or is 1."""
        size = (z - z.mean(0)).abs().amax(0)
        size = torch.where(size > 0, size, z.abs().amax(0))
        for name, period in system.periods.items():
            size[system.coordinates.index(name)] = period / (2 * pi)
        rate = system.vector_field(0.0, z).abs().amax(0).to(size)
        known = (size > 0) & (rate > 0) & size.isfinite() & rate.isfinite()
        time = float((size / rate)[known].amin()) if known.any() else 1.0
        size = torch.where(size > 0, size, torch.where(rate > 0, rate * time, 1.0))
        rate = torch.where(rate > 0, rate, size / time)
        energy = 1.0
        if isinstance(system, HamiltonianSystem) and system.dim % 2 == 0:
            energy = float((size * rate.roll(system.dim // 2)).amax())  # dH = (dq/dt) dp - (dp/dt) dq
        return cls(size, rate, time, energy)


def system_checks(system: System, n: int = 8, seed: int = 0) -> Iterator[tuple[str, Check]]:
    """Yield the name of each check of a system and a function that runs it.

    Parameters
    ----------
    system : System
        System to check.
    n : int, default 8
        Number of samples at which it is checked.
    seed : int, default 0
        Random seed of the samples.

    Yields
    ------
    name : str
        Name of the check.
    check : callable
        Function without arguments, which raises AssertionError if the check fails.

    Examples
    --------
    >>> import systems
    >>> [name for name, _ in system_checks(systems.get("van-der-pol"))]
    ['declarations', 'samples', 'vector-field', 'energies', 'time', 'periods', 'symmetries', 'divergence', 'orbit']
    """

    @cache
    def z() -> Tensor:
        return system.sample(n, seed=seed)

    @cache
    def units() -> Units:
        return Units.of(system, z())

    def at_times(check: Callable[[System, Tensor, float, Units], None]) -> Check:
        def at_each() -> None:
            for t in TIMES[:1] if system.autonomous else TIMES:
                check(system, z(), t * units().time, units())

        return at_each

    yield "declarations", lambda: check_declarations(system)
    yield "samples", lambda: check_samples(system, n, seed)
    yield "vector-field", lambda: check_vector_field(system, z())
    yield "energies", lambda: check_energies(system, n, seed, units())
    yield "time", lambda: check_time(system, z(), units())
    yield "periods", at_times(check_periods)
    yield "symmetries", at_times(check_symmetries)
    yield "divergence", at_times(check_divergence)
    if isinstance(system, HamiltonianSystem):
        yield "hamiltonian", lambda: check_hamiltonian(system, z(), units())
    yield "orbit", lambda: check_orbit(system, z(), units())


def check_system(system: System, n: int = 8, seed: int = 0) -> None:
    """Check that a system keeps the contract of `systems.System`.

    The checks cover the samples (shape, dtype, seeds, requested energy), the vector field (shapes and batches, dtype and
    device, unchanged input, dependence on time as declared), the declared periods, symmetries and divergence, and the orbit.
    For a Hamiltonian system, they also compare the vector field with finite differences of the Hamiltonian, and check the
    split into T(p) + V(q), zero divergence, and conservation of energy along an orbit. Errors are relative to the magnitude
    of each coordinate at the samples, so the result does not depend on units.

    Parameters
    ----------
    system : System
        System to check.
    n : int, default 8
        Number of samples at which it is checked.
    seed : int, default 0
        Random seed of the samples.

    Raises
    ------
    AssertionError
        If a check fails. The message says what is broken.

    Examples
    --------
    >>> import systems
    >>> check_system(systems.get("henon-heiles"))
    """
    for _, check in system_checks(system, n, seed):
        check()


def check_declarations(system: System) -> None:
    """Check that the system has a name, distinct coordinates, a surface in one of them, and valid periods."""
    assert system.name, "name is empty; decorate the class with @register"
    assert len(set(system.coordinates)) == system.dim, f"coordinates {system.coordinates} repeat a name"
    assert system.surface[0] in system.coordinates, f"the surface {system.surface} names no coordinate"
    try:
        valid_periods(system.periods, system.coordinates)
    except InputError as error:
        raise AssertionError(f"periods are wrong: {error}") from error


def check_samples(system: System, n: int, seed: int) -> Tensor:
    """Check that samples have shape (n, D) in float64, are finite, and depend on their seed alone."""
    state = torch.get_rng_state()
    z = system.sample(n, seed=seed)
    assert torch.equal(state, torch.get_rng_state()), "sample changes the state of torch's global random numbers"
    assert z.shape == (n, system.dim), f"sample({n}) has shape {tuple(z.shape)}, not {(n, system.dim)}"
    assert z.dtype == torch.float64, f"sample returns {z.dtype}, not float64"
    assert torch.isfinite(z).all(), "sample returns states that are not finite"
    assert torch.equal(z, system.sample(n, seed=seed)), "sample differs between two calls with the same seed"
    assert not torch.equal(z, system.sample(n, seed=seed + 1)), "sample is the same for two seeds"
    return z


def check_energies(system: System, n: int, seed: int, units: Units) -> None:
    """Check that samples of a Hamiltonian system have the requested energy, if ``sample`` has such an argument."""
    energy = inspect.signature(system.sample).parameters.get("energy")
    if isinstance(system, HamiltonianSystem) and energy is not None:
        known = system.hamiltonian(system.sample(n, seed=seed))
        usual = float(known.median()) if energy.default is None else energy.default
        for value in (usual, 0.5 * usual):
            found = system.hamiltonian(system.sample(n, seed=seed, energy=value))  # type: ignore[call-arg]
            _assert_close(found, torch.full_like(found, value), 1e-9, f"energy of sample(energy={value:g})", units.energy)


def check_vector_field(system: System, z: Tensor) -> None:
    """Check that the field keeps shape, dtype and device, does not change its input, and treats states independently."""
    before = z.clone()
    f = system.vector_field(0.0, z)
    assert torch.equal(z, before), "vector_field changes the states that are passed to it"
    assert f.shape == z.shape, f"vector_field changes shape {tuple(z.shape)} to {tuple(f.shape)}"
    assert torch.isfinite(f).all(), "vector_field is not finite at the samples"
    rate = Units.of(system, z).rate
    single = torch.stack([system.vector_field(0.0, state) for state in z])
    _assert_close(single, f, 1e-12, "vector_field state by state", rate)
    deep = z[: len(z) // 2 * 2].reshape(2, -1, system.dim)
    _assert_close(
        system.vector_field(0.0, deep).flatten(0, 1),
        f[: deep.shape[1] * 2],
        1e-12,
        "vector_field in a batch of batches",
        rate,
    )
    for dtype in (torch.float32, torch.float64):
        assert system.vector_field(0.0, z.to(dtype)).dtype == dtype, f"vector_field does not keep {dtype}"
    device = torch.device("cuda" if torch.cuda.is_available() else "meta")
    try:
        kept = system.vector_field(0.0, z.to(device)).device.type == device.type
    except RuntimeError as error:
        raise AssertionError(f"vector_field fails on a device other than the CPU: {error}") from error
    assert kept, "vector_field does not keep the device"


def check_time(system: System, z: Tensor, units: Units) -> None:
    """Check that the field depends on time as declared, with its period, and accepts one time per state or one for all."""
    times = [t * units.time for t in TIMES]
    driven = depends_on_time(system.vector_field, z, times)
    if system.autonomous:
        assert not driven, "autonomous is True, but vector_field depends on time"
        return
    assert driven, "autonomous is False, but vector_field ignores time"
    assert not isinstance(system, HamiltonianSystem), "a HamiltonianSystem must not depend on time; derive from System instead"
    fields = torch.stack([system.vector_field(t, z) for t in times])
    if system.period is not None:
        later = torch.stack([system.vector_field(t + system.period, z) for t in times])
        _assert_close(later, fields, 1e-9, "vector_field a period later", units.rate)
    each = torch.tensor(times, dtype=z.dtype).unsqueeze(-1).expand(-1, len(z))
    found = system.vector_field(each, z.expand(len(times), *z.shape))
    _assert_close(found, fields, 1e-12, "vector_field with one time per state", units.rate)


def check_periods(system: System, z: Tensor, t: float, units: Units) -> None:
    """Check that the field and the Hamiltonian are unchanged when a periodic coordinate changes by a period."""
    for name, step in ((name, sign * period) for name, period in system.periods.items() for sign in (1, -1)):
        on = z.clone()
        on[:, system.coordinates.index(name)] += step
        what = f"shifted by a period of {name}"
        _assert_close(system.vector_field(t, on), system.vector_field(t, z), 1e-9, f"vector_field {what}", units.rate)
        if isinstance(system, HamiltonianSystem):
            _assert_close(system.hamiltonian(on), system.hamiltonian(z), 1e-9, f"hamiltonian {what}", units.energy)


def check_symmetries(system: System, z: Tensor, t: float, units: Units) -> None:
    """Check that each symmetry S satisfies f(S z) = S f(z), each reversal f(R z) = -R f(z), and that they conserve H."""
    f = system.vector_field(t, z)
    named = [*((f"symmetry {i}", 1, one) for i, one in enumerate(system.symmetries))]
    named += [(f"reversal {i}", -1, one) for i, one in enumerate(system.reversals)]
    for name, sign, symmetry in named:
        _assert_close(system.vector_field(t, symmetry(z)), sign * symmetry(f), 1e-9, f"vector_field under {name}", units.rate)
        if isinstance(system, HamiltonianSystem):
            energy = system.hamiltonian(z)
            _assert_close(system.hamiltonian(symmetry(z)), energy, 1e-9, f"hamiltonian under {name}", units.energy)


def check_divergence(system: System, z: Tensor, t: float, units: Units) -> None:
    """Check the Jacobian of the field against finite differences, and its trace against ``divergence``."""
    jacobian = vmap(jacrev(lambda state: system.vector_field(t, state)))(z)
    columns = [_central(lambda state: system.vector_field(t, state), z, j, units) for j in range(system.dim)]
    scale = units.rate.unsqueeze(-1) / units.size
    found, expected = jacobian / scale, torch.stack(columns, dim=-1) / scale
    _assert_close(found, expected, DIFFERENCE_TOLERANCE, "Jacobian of vector_field by autodiff")
    declared: Callable[[Tensor], Tensor] | None = getattr(system, "divergence", None)
    if declared is None and isinstance(system, HamiltonianSystem):
        declared = lambda z: torch.zeros_like(z[..., 0])  # noqa: E731 - Liouville's theorem
    if declared is not None:
        trace = jacobian.diagonal(dim1=-2, dim2=-1).sum(-1)
        _assert_close(trace, declared(z), 1e-9, "divergence of vector_field", 1 / units.time)


def check_hamiltonian(system: HamiltonianSystem, z: Tensor, units: Units) -> None:
    """Check that the field is J grad H and, for a separable H, that its parts and their gradients agree with H."""
    energy = system.hamiltonian(z)
    assert energy.shape == z.shape[:-1], f"hamiltonian changes shape {tuple(z.shape)} to {tuple(energy.shape)}"
    assert system.dim % 2 == 0, f"a Hamiltonian system needs as many momenta as positions, not {system.dim} coordinates"
    n = system.dim // 2
    slope = torch.stack([_central(system.hamiltonian, z, j, units) for j in range(system.dim)], dim=-1)
    expected = torch.cat([slope[..., n:], -slope[..., :n]], dim=-1)
    field = system.vector_field(0.0, z)
    _assert_close(field, expected, DIFFERENCE_TOLERANCE, "vector_field as (dH/dp, -dH/dq)", units.rate)
    if system.separable:
        assert isinstance(system, SeparableSystem), "separable is True, but the system is not a SeparableSystem"
    else:
        assert not isinstance(system, SeparableSystem), "separable is False, but the system is a SeparableSystem"
    if isinstance(system, SeparableSystem):
        q, p = z.chunk(2, dim=-1)
        _assert_close(system.kinetic(p) + system.potential(q), energy, 1e-12, "kinetic + potential", units.energy)
        split = torch.cat([system.velocity(p), system.force(q)], -1)
        _assert_close(split, expected, DIFFERENCE_TOLERANCE, "velocity and force", units.rate)


def check_orbit(system: System, z: Tensor, units: Units) -> None:
    """Check that the orbit starts at z0, follows the field, and conserves the energy of a Hamiltonian system."""
    t = units.time * torch.linspace(0.0, DURATION, 101, dtype=torch.float64)
    orbit = system.orbit(z, t)
    assert isinstance(orbit, Orbit), f"orbit returns a {type(orbit).__name__}, not an Orbit"
    assert orbit.z.shape == (len(z), len(t), system.dim), f"orbit has states of shape {tuple(orbit.z.shape)}"
    assert orbit.coordinates == system.coordinates, f"orbit has the coordinates {orbit.coordinates}"
    assert dict(orbit.periods) == dict(system.periods), f"orbit has the periods {dict(orbit.periods)}"
    assert orbit.rate is not None, "orbit has no rates"
    _assert_close(orbit.z[:, 0], z, 1e-12, "the orbit's first state", units.size)
    rates = torch.stack([system.vector_field(time, state) for time, state in zip(t, orbit.z.unbind(-2), strict=True)], -2)
    _assert_close(orbit.rate, rates, 1e-9, "the orbit's rate", units.rate)
    h = 1e-3 * units.time
    near = system.orbit(z, torch.tensor([0.0, h, 2 * h], dtype=torch.float64)).z
    slope = (near[:, 2] - near[:, 0]) / (2 * h)
    # if the field jumps during the step, the mean slope lies between those before and after
    rates = torch.stack([system.vector_field(k * h, near[:, k]) for k in range(3)])
    _assert_close(slope, slope.clamp(rates.amin(0), rates.amax(0)), 1e-3, "the orbit's slope", units.rate)
    check_periods(system, orbit.z.flatten(0, 1), 0.0, units)
    if isinstance(system, HamiltonianSystem):
        energy = system.hamiltonian(orbit.z)
        _assert_close(energy, energy[:, :1].expand_as(energy), 1e-8, "energy along the orbit", units.energy)


def _central(f: Callable[[Tensor], Tensor], z: Tensor, j: int, units: Units) -> Tensor:
    """Estimate df/dz_j by a central difference."""
    h = torch.zeros_like(z)
    h[..., j] = STEP * units.size[j]
    return (f(z + h) - f(z - h)) / (2 * h[0, j])


def _assert_close(found: Tensor, expected: Tensor, tolerance: float, what: str, unit: Tensor | float = 1.0) -> None:
    """Check an error relative to the largest expected value or to the unit, whichever is larger, per coordinate."""
    if isinstance(unit, Tensor):
        largest = expected.abs().flatten(0, -2).amax(0).maximum(unit.to(expected))
    else:
        largest = expected.abs().max().clamp(min=unit)
    error = float(((found - expected).abs() / largest).max())
    assert error <= tolerance, f"{what} is off by {error:.2g} (tolerance {tolerance:g})"
