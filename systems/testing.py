"""The contract that every system keeps, as checks for its own tests and for those of other people's systems.

Each check has a name, and raises AssertionError, which names what is broken. ``check_system`` carries them all out; a test
that reports them one by one parametrises over ``system_checks``.
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
from systems.orbit import Orbit
from systems.periodic import check_periods as valid_periods
from systems.system import HamiltonianSystem, SeparableSystem, System

STEP = 1e-5  # of central differences, in units of the coordinate: its error is about STEP^2, and 1e-16 / STEP from rounding
DIFFERENCE_TOLERANCE = 1e-6
DURATION = 10.0  # of the orbits, in the system's unit of time
TIMES = (0.0, 1.7, 4.1)  # at which the field of a system that depends on time is looked at, in the same unit

Check = Callable[[], object]


@dataclass(frozen=True)
class Units:
    """The sizes that a system's quantities have at its samples, by which errors are measured: in any units the same.

    size: the spread of each coordinate, a radian for an angle. rate: the largest rate of each coordinate. time: the
    shortest in which a coordinate changes by its size. energy: the most by which a change of one coordinate changes H.
    """

    size: Tensor
    rate: Tensor
    time: float
    energy: float

    @classmethod
    def of(cls, system: System, z: Tensor) -> Units:
        """The units of a system, from its samples; what no sample tells follows from the unit of time, or is 1."""
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
    """Yield the name of each check of a system, and a function that carries it out.

    Parameters
    ----------
    system
        The system, with its parameters.
    n, seed
        Number of samples at which it is checked, and their seed.

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
    """Raise AssertionError, naming what is broken, unless the system keeps the contract.

    Checked: the samples (shape, dtype, seeds, stated energy), the vector field (shapes and batches, dtype and device kept,
    input untouched, dependence on time as declared), the declared periods of coordinates, symmetries and divergence, the
    orbit; for a Hamiltonian system the vector field against finite differences of the Hamiltonian, its split into
    T(p) + V(q), zero divergence, and energy along an orbit. Errors are measured, coordinate by coordinate, in the sizes that
    occur at the samples, so that the verdict is the same in all units.

    >>> import systems
    >>> check_system(systems.get("henon-heiles"))
    """
    for _, check in system_checks(system, n, seed):
        check()


def check_declarations(system: System) -> None:
    """It has a name, coordinates with names of their own, a surface among them, and periods that make sense."""
    assert system.name, "name is empty: decorate the class with @register"
    assert len(set(system.coordinates)) == system.dim, f"coordinates {system.coordinates} repeat a name"
    assert system.surface[0] in system.coordinates, f"the surface {system.surface} is of no coordinate"
    try:
        valid_periods(system.periods, system.coordinates)
    except InputError as error:
        raise AssertionError(f"periods are wrong: {error}") from error


def check_samples(system: System, n: int, seed: int) -> Tensor:
    """Samples are (n, D) in float64, finite, and a function of their seed alone."""
    state = torch.get_rng_state()
    z = system.sample(n, seed=seed)
    assert torch.equal(state, torch.get_rng_state()), "sample disturbs torch's global random numbers"
    assert z.shape == (n, system.dim), f"sample({n}) has shape {tuple(z.shape)}, not {(n, system.dim)}"
    assert z.dtype == torch.float64, f"sample gives {z.dtype}, not float64"
    assert torch.isfinite(z).all(), "sample gives states that are not finite"
    assert torch.equal(z, system.sample(n, seed=seed)), "sample differs between two calls with one seed"
    assert not torch.equal(z, system.sample(n, seed=seed + 1)), "sample is the same for two seeds"
    return z


def check_energies(system: System, n: int, seed: int, units: Units) -> None:
    """Samples of a Hamiltonian system have the energy that was asked for, where it can be."""
    energy = inspect.signature(system.sample).parameters.get("energy")
    if isinstance(system, HamiltonianSystem) and energy is not None:
        known = system.hamiltonian(system.sample(n, seed=seed))
        usual = float(known.median()) if energy.default is None else energy.default
        for value in (usual, 0.5 * usual):
            found = system.hamiltonian(system.sample(n, seed=seed, energy=value))  # type: ignore[call-arg]
            _assert_close(found, torch.full_like(found, value), 1e-9, f"energy of sample(energy={value:g})", units.energy)


def check_vector_field(system: System, z: Tensor) -> None:
    """The field keeps shape, dtype and device, leaves its input alone, and treats the states of a batch one by one."""
    before = z.clone()
    f = system.vector_field(0.0, z)
    assert torch.equal(z, before), "vector_field changes the states that it is given"
    assert f.shape == z.shape, f"vector_field turns shape {tuple(z.shape)} into {tuple(f.shape)}"
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
        raise AssertionError(f"vector_field does not work on another device than the CPU: {error}") from error
    assert kept, "vector_field does not keep the device"


def check_time(system: System, z: Tensor, units: Units) -> None:
    """The field depends on time as declared, has its period, and takes one time for each state as well as one for all."""
    times = [t * units.time for t in TIMES]
    fields = torch.stack([system.vector_field(t, z) for t in times])
    if system.autonomous:
        assert torch.equal(fields, fields[:1].expand_as(fields)), "autonomous is True, but vector_field depends on time"
        return
    assert not torch.equal(fields, fields[:1].expand_as(fields)), "autonomous is False, but vector_field ignores time"
    assert not isinstance(system, HamiltonianSystem), "a Hamiltonian that depends on time is no HamiltonianSystem"
    if system.period is not None:
        later = torch.stack([system.vector_field(t + system.period, z) for t in times])
        _assert_close(later, fields, 1e-9, "vector_field a period later", units.rate)
    each = torch.tensor(times, dtype=z.dtype).unsqueeze(-1).expand(-1, len(z))
    found = system.vector_field(each, z.expand(len(times), *z.shape))
    _assert_close(found, fields, 1e-12, "vector_field at a time for each", units.rate)


def check_periods(system: System, z: Tensor, t: float, units: Units) -> None:
    """The field, and a Hamiltonian, are the same a period further on and back in each coordinate that has one."""
    for name, step in ((name, sign * period) for name, period in system.periods.items() for sign in (1, -1)):
        on = z.clone()
        on[:, system.coordinates.index(name)] += step
        what = f"a period of {name} further on"
        _assert_close(system.vector_field(t, on), system.vector_field(t, z), 1e-9, f"vector_field {what}", units.rate)
        if isinstance(system, HamiltonianSystem):
            _assert_close(system.hamiltonian(on), system.hamiltonian(z), 1e-9, f"hamiltonian {what}", units.energy)


def check_symmetries(system: System, z: Tensor, t: float, units: Units) -> None:
    """A linear symmetry S carries the field along: f(S z) = S f(z); and a Hamiltonian is the same at z and S z."""
    for i, symmetry in enumerate(system.symmetries):
        f = system.vector_field(t, z)
        _assert_close(system.vector_field(t, symmetry(z)), symmetry(f), 1e-9, f"vector_field under symmetry {i}", units.rate)
        if isinstance(system, HamiltonianSystem):
            energy = system.hamiltonian(z)
            _assert_close(system.hamiltonian(symmetry(z)), energy, 1e-9, f"hamiltonian under symmetry {i}", units.energy)


def check_divergence(system: System, z: Tensor, t: float, units: Units) -> None:
    """The trace of the field's Jacobian is what ``divergence`` declares, by autodiff and by finite differences alike."""
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
    """The field is J grad H; where H splits, kinetic + potential is H, and velocity and force are their gradients."""
    energy = system.hamiltonian(z)
    assert energy.shape == z.shape[:-1], f"hamiltonian turns shape {tuple(z.shape)} into {tuple(energy.shape)}"
    assert system.dim % 2 == 0, f"a Hamiltonian system needs as many momenta as positions, not {system.dim} coordinates"
    n = system.dim // 2
    slope = torch.stack([_central(system.hamiltonian, z, j, units) for j in range(system.dim)], dim=-1)
    expected = torch.cat([slope[..., n:], -slope[..., :n]], dim=-1)
    field = system.vector_field(0.0, z)
    _assert_close(field, expected, DIFFERENCE_TOLERANCE, "vector_field as (dH/dp, -dH/dq)", units.rate)
    if system.separable:
        assert isinstance(system, SeparableSystem), "separable is True, but it is no SeparableSystem"
    else:
        assert not isinstance(system, SeparableSystem), "separable is False, but it is a SeparableSystem"
    if isinstance(system, SeparableSystem):
        q, p = z.chunk(2, dim=-1)
        _assert_close(system.kinetic(p) + system.potential(q), energy, 1e-12, "kinetic + potential", units.energy)
        split = torch.cat([system.velocity(p), system.force(q)], -1)
        _assert_close(split, expected, DIFFERENCE_TOLERANCE, "velocity and force", units.rate)


def check_orbit(system: System, z: Tensor, units: Units) -> None:
    """The orbit starts at z0, obeys the field by finite differences, and keeps the energy of a Hamiltonian system."""
    t = units.time * torch.linspace(0.0, DURATION, 101, dtype=torch.float64)
    orbit = system.orbit(z, t)
    assert isinstance(orbit, Orbit), f"orbit gives a {type(orbit).__name__}, not an Orbit"
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
    # where a push sets in meanwhile, the mean slope lies between those before and after
    rates = torch.stack([system.vector_field(k * h, near[:, k]) for k in range(3)])
    _assert_close(slope, slope.clamp(rates.amin(0), rates.amax(0)), 1e-3, "the orbit's slope", units.rate)
    check_periods(system, orbit.z.flatten(0, 1), 0.0, units)
    if isinstance(system, HamiltonianSystem):
        energy = system.hamiltonian(orbit.z)
        _assert_close(energy, energy[:, :1].expand_as(energy), 1e-8, "energy along the orbit", units.energy)


def _central(f: Callable[[Tensor], Tensor], z: Tensor, j: int, units: Units) -> Tensor:
    """df/dz_j by a central difference."""
    h = torch.zeros_like(z)
    h[..., j] = STEP * units.size[j]
    return (f(z + h) - f(z - h)) / (2 * h[0, j])


def _assert_close(found: Tensor, expected: Tensor, tolerance: float, what: str, unit: Tensor | float = 1.0) -> None:
    """Relative to the largest expected value, or to the unit where that is larger; of each coordinate that has its own."""
    if isinstance(unit, Tensor):
        largest = expected.abs().flatten(0, -2).amax(0).maximum(unit.to(expected))
    else:
        largest = expected.abs().max().clamp(min=unit)
    error = float(((found - expected).abs() / largest).max())
    assert error <= tolerance, f"{what} is off by {error:.2g} (tolerance {tolerance:g})"
