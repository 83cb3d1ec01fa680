"""Classes of orbits: chaos where it is established, and nowhere else."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch.testing import assert_close

import systems
from physlearn.chaos import (
    Dynamics,
    chaotic_fraction,
    classify,
    compare_dynamics,
    gali,
    is_chaotic,
    lyapunov_exponents,
    poincare_section,
    sali,
)
from physlearn.chaos.classification.growth import Growth
from physlearn.chaos.classification.returns import Turns
from physlearn.flow import Flow
from systems import InputError
from systems.sampling import on_section

DOUBLE = torch.float64
PLANE = ["pendulum", "duffing", "lotka-volterra", "van-der-pol", "harmonic-oscillator", "fitzhugh-nagumo", "tao-oscillator"]


def kepler_orbit(eccentricity, mu=1.0):
    """A state at the aphelion of an ellipse of semi-major axis 1."""
    speed = math.sqrt(mu * (1 - eccentricity) / (1 + eccentricity))
    return torch.tensor([1 + eccentricity, 0.0, 0.0, speed], dtype=DOUBLE)


def in_units(system, length, time):
    """The same motion with lengths, and times, in other units: the flow, and the factors of its states."""
    factor = torch.tensor([length, length, length / time, length / time], dtype=DOUBLE)
    flow = Flow(
        field=lambda t, z: system.vector_field(0.0, z / factor.to(z)) * factor.to(z) / time,
        name="in other units",
        coordinates=system.coordinates,
        hamiltonian=lambda z: system.hamiltonian(z / factor) * (length / time) ** 2,
        velocity=lambda p: p,
        force=lambda q: system.force(q / length) * length / time**2,
        autonomous=True,
    )
    return flow, factor


@pytest.mark.parametrize("name", PLANE)
def test_autonomous_flows_in_a_plane_have_no_chaos(name):
    """Poincare and Bendixson: and no computing is needed to know it."""
    system = systems.get(name)
    z0 = system.sample(10, seed=0)
    assert not is_chaotic(system, z0).any()
    assert not is_chaotic(system, z0, time=1e12, dt=1e-3).any()
    found = classify(system, z0)
    assert found.counts() == {"regular": 10, "chaotic": 0, "undecided": 0, "escaped": 0}
    assert found.to_frame()["reason"].str.contains("Bendixson").all()


def test_a_driven_flow_of_two_coordinates_may_be_chaotic():
    """Duffing's oscillator under its drive, whose exponent is .1 (test_driven.py)."""
    driven = systems.get("forced-duffing")
    found = classify(driven, driven.sample(3, seed=0), time=300, dt=0.1)
    assert found.chaotic.sum() >= 2
    assert found.exponent[found.chaotic].mean() == pytest.approx(0.1, abs=0.05)


def test_a_plain_function_of_two_coordinates_may_depend_on_time():
    """It is followed; a pendulum's deviations grow as the time, and their index falls as its square: no chaos."""
    pendulum = systems.get("pendulum")
    z0 = pendulum.sample(5, seed=0)
    found = classify(lambda t, z: pendulum.vector_field(t, z), z0, time=300, dt=0.1)
    assert found.index.min() < 1e-4
    assert found.regular.all()


@pytest.mark.slow
def test_ellipses_are_not_chaotic():
    """All orbits of one energy have one frequency: the index falls as a power of the time."""
    kepler = systems.get("kepler")
    z0 = torch.stack([kepler_orbit(e) for e in (0.1, 0.5, 0.8)])
    found = classify(kepler, z0, 120, dt=0.1)
    assert found.regular.all()
    assert found.dt.tolist() == pytest.approx([0.1, 0.1, 0.0125])
    assert (found.step_error < 3e-3).all()


@pytest.mark.slow
def test_an_orbit_that_no_step_resolves_is_undecided_and_told():
    """An eccentricity of .9999 has its perihelion at 1e-4, where a step of .1 is as long as the year of a circle there."""
    kepler = systems.get("kepler")
    found = classify(kepler, kepler_orbit(0.9999), 60, dt=0.1)
    assert found.undecided
    assert found.step_error > 3e-3
    assert "energy" in found.to_frame()["reason"][0]
    with pytest.warns(UserWarning, match="1 of 1 orbits have energy errors"):
        lyapunov_exponents(kepler, kepler_orbit(0.9999), 60, dt=0.1)
    with pytest.warns(UserWarning, match="left out of the section"):
        section = poincare_section(kepler, kepler_orbit(0.9999), 60, dt=0.1)
    assert bool(section.unresolved)
    assert len(section) == 0


def test_an_undecided_orbit_is_a_class_of_its_own_in_a_comparison():
    kepler = systems.get("kepler")
    z0 = torch.stack([kepler_orbit(0.3), kepler_orbit(0.9999)])
    seen = Dynamics.of(kepler, z0, 60, dt=0.1)
    comparison = compare_dynamics(seen, seen)
    assert comparison.table["class_truth"].tolist() == ["regular", "undecided"]
    assert comparison.table["chaotic_truth"].isna().tolist() == [False, True]
    assert comparison.table["agree"].isna().tolist() == [False, True]
    summary = comparison.summary()
    assert summary.loc["undecided_fraction", ["model", "truth"]].tolist() == [0.5, 0.5]
    assert summary.loc["chaotic_fraction", "orbits"] == 1


def test_steps_that_are_too_long_for_a_plain_function_are_refined():
    """Kepler's problem without a Hamiltonian to check: a step and two half steps differ."""
    kepler = systems.get("kepler")
    found = classify(lambda t, z: kepler.vector_field(t, z), torch.stack([kepler_orbit(0.2), kepler_orbit(0.9)]), 30, dt=0.1)
    assert found.dt.tolist() == pytest.approx([0.1, 0.0125])
    assert not found.chaotic.any()


def test_an_orbit_that_leaves_as_fast_as_its_deviations_grow_is_not_chaotic():
    def saddles(t, z):
        q, p = z.chunk(2, -1)
        return torch.cat([p, q * q.new_tensor([1.0, 1.7])], -1)

    z0 = torch.randn(4, 4, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    for time in (20, 100):
        assert classify(saddles, z0, time, dt=0.05).undecided.all()


def hyperbolic(t, z):
    x, y, s = z.unbind(-1)
    return torch.stack([y, x, -s], -1)


def slowly_growing(t, z):
    x, y, s = z.unbind(-1)
    return torch.stack([0.1 * x, -y, 0 * s], -1)


def unstable_cycle(t, z):
    x, y, s = z.unbind(-1)
    return torch.stack([x, s, -y], -1)


@pytest.mark.parametrize(
    ("flow", "z0", "time", "dt"),
    [
        (hyperbolic, [1.0, -1.0, 1.0], 40, 0.2),
        (slowly_growing, [0.0, 1.0, 1.0], 150, 0.2),
        (unstable_cycle, [0.0, 1.0, 0.0], 60, 0.2),
    ],
)
def test_linear_flows_are_not_chaotic(flow, z0, time, dt):
    """Their deviations grow exponentially, but in directions in which the orbit never turns."""
    found = classify(flow, torch.tensor(z0, dtype=DOUBLE), time, dt=dt)
    assert found.index < 1e-4
    assert found.undecided


def rigid_body(t, z):
    a, b, c = z.unbind(-1)
    return torch.stack([-b * c, 2 * a * c, -a * b], -1)


def test_an_equilibrium_is_not_chaotic_however_unstable_it_is(lorenz):
    axis = torch.tensor([[0.0, 1.0, 0.0]], dtype=DOUBLE)
    for flow, z0 in ((rigid_body, axis), (rigid_body, 1e9 * axis), (lorenz, 0 * axis)):
        found = classify(flow, z0, 10.0, dt=0.02)
        assert found.undecided  # a plain function may depend on time
        known = classify(Flow(flow, "autonomous", autonomous=True), z0, 10.0, dt=0.02)
        assert known.regular
        assert "did not move" in known.to_frame()["reason"][0]


def two_pendulums(t, z):
    a, b, p, q = z.unbind(-1)
    return torch.stack([p, q, -a.sin(), -b.sin()], -1)


SEPARATRIX = [
    ([math.pi, 1.0, 0.0, 0.0], [math.pi - 0.01, 0.5, 0.0, 0.0], [0.0, 0.5, 2.01, 0.0]),
    ([math.pi - 1e-5, 1.0, 0.0, 0.0], [0.0, 0.5, 2.0001, 0.0]),
]


def test_pendulums_near_their_separatrix_are_not_chaotic():
    """Deviations grow by large factors at each passage of the saddle, and shrink after it: the motion is integrable."""
    assert not is_chaotic(two_pendulums, torch.tensor(SEPARATRIX[0], dtype=DOUBLE), 150, dt=0.2).any()


@pytest.mark.slow
@pytest.mark.parametrize(("z0", "time"), [(SEPARATRIX[0], 300), (SEPARATRIX[1], None)])
def test_pendulums_near_their_separatrix_are_not_chaotic_for_long(z0, time):
    assert not is_chaotic(two_pendulums, torch.tensor(z0, dtype=DOUBLE), time).any()


def van_der_pol_with_a_clock(t, z):
    x, v, c, s = z.unbind(-1)
    return torch.stack([v, 5 * (1 - x * x) * v - x, -1.37 * s, 1.37 * c], -1)


@pytest.mark.slow
def test_growth_on_the_way_to_a_limit_cycle_is_not_chaos():
    assert classify(van_der_pol_with_a_clock, torch.tensor([0.001, 0.0, 1.0, 0.0], dtype=DOUBLE)).regular


@pytest.mark.parametrize("rho", [160.0, 20.0])
def test_transients_of_the_lorenz_flow_are_not_chaotic(rho):
    """The attractor is a cycle at rho = 160, and two equilibria at 20: the deviations of scipy's orbits stop growing."""
    system = systems.get("lorenz", rho=rho)
    start = torch.tensor([[20.0, 3.0, 115.0]], dtype=DOUBLE)
    assert classify(system, torch.cat([system.sample(6, seed=0), start])).regular.all()
    assert lorenz_growth(rho, start[0].numpy(), 50.0, 90.0) < 0.1


def lorenz_growth(rho, z0, begin, end):
    """The rate at which a deviation of scipy's solution grows between two times."""

    def rates(t, y):
        (x, y, z), (u, v, w) = y[:3], y[3:]
        return [
            10 * (y - x),
            x * (rho - z) - y,
            x * y - 8 / 3 * z,
            10 * (v - u),
            u * (rho - z) - x * w - v,
            u * y + x * v - 8 / 3 * w,
        ]

    seen = solve_ivp(rates, (0.0, end), [*z0, 1.0, 0.0, 0.0], t_eval=[begin, end], rtol=1e-8, atol=1e-9).y[3:]
    return np.diff(np.log(np.linalg.norm(seen, axis=0)))[0] / (end - begin)


def test_a_coordinate_turns_where_it_reverses_by_more_than_a_little():
    t = torch.linspace(0, 20, 401, dtype=DOUBLE)
    curves = torch.stack([t.cos(), (-t).exp() * (5 * t).cos(), t, 0 * t, 0.01 * t.sin()], -1)
    turns = Turns.of(curves[:1])
    for z in curves[1:]:
        count = turns.add(torch.arange(1), z[None])
    assert count[0, [0, 2, 3, 4]].tolist() == [6, 0, 0, 0]
    assert count[0, 1] < 8  # of 32: it comes to rest


@pytest.mark.parametrize(
    ("length", "time"), [(1e-12, 1e-6), *(pytest.param(*units, marks=pytest.mark.slow) for units in ((1e-3, 1.0), (1e6, 1e3)))]
)
def test_classes_and_exponents_do_not_depend_on_units(henon_heiles, at_one_eighth, length, time):
    z0 = at_one_eighth(0.55, -0.2)
    flow, factor = in_units(henon_heiles, length, time)
    own, other = (classify(f, z, 250 * t, dt=0.2 * t) for f, z, t in ((henon_heiles, z0, 1.0), (flow, z0 * factor, time)))
    assert own.code.tolist() == other.code.tolist() == [0, 1]
    assert_close(other.exponent * time, own.exponent, rtol=0.1, atol=0)  # chaos amplifies the rounding of the factors
    assert_close(sali(flow, z0 * factor, 20 * time, dt=0.2 * time), sali(henon_heiles, z0, 20, dt=0.2), rtol=1e-6, atol=0)
    assert_close(
        gali(flow, z0 * factor, 20 * time, 3, dt=0.2 * time), gali(henon_heiles, z0, 20, 3, dt=0.2), rtol=1e-6, atol=0
    )
    exponents = [
        lyapunov_exponents(f, z, 20 * t, dt=0.2 * t, k=2) * t
        for f, z, t in ((henon_heiles, z0, 1.0), (flow, z0 * factor, time))
    ]
    assert_close(*exponents, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("time", [1e-6, pytest.param(1e3, marks=pytest.mark.slow)])
def test_default_times_and_steps_follow_the_time_scale(henon_heiles, at_one_eighth, time):
    flow, factor = in_units(henon_heiles, 1.0, time)
    z0 = at_one_eighth(0.1, -0.2)
    section = poincare_section(flow, z0 * factor, 20 * time)
    assert_close(section.t / time, poincare_section(henon_heiles, z0, 20).t, rtol=1e-8, atol=0)
    # the same number of steps and the same results
    own, other = (classify(f, z, threshold=0.1) for f, z in ((henon_heiles, z0[1:]), (flow, z0[1:] * factor)))
    assert other.time == pytest.approx(1000 * time)
    assert other.dt[0] == pytest.approx(0.05 * time)
    assert own.chaotic.tolist() == other.chaotic.tolist() == [True]


@pytest.mark.parametrize(
    "mode",
    [torch.inference_mode, *(pytest.param(mode, marks=pytest.mark.slow) for mode in (torch.no_grad, torch.enable_grad))],
)
def test_the_callers_autograd_mode_does_not_matter(mode, lorenz, henon_heiles, at_one_eighth):
    start = torch.tensor([1.0, 1.0, 20.0], dtype=DOUBLE)
    outside = lyapunov_exponents(lorenz, start, 5, dt=0.01), sali(henon_heiles, at_one_eighth(0.1), 10, dt=0.2)
    with mode():
        z0 = at_one_eighth(0.1, -0.2) * 1.0
        inside = lyapunov_exponents(lorenz, start * 1.0, 5, dt=0.01), sali(henon_heiles, z0[:1], 10, dt=0.2)
        found = Dynamics.of(henon_heiles, z0, 200, dt=0.2)
        assert gali(henon_heiles, z0, 100, 2, dt=0.2)[1] < 1e-2
    assert_close(inside, outside)
    assert found.chaotic.tolist() == [False, True]
    assert not found.exponent.requires_grad


def test_growth_as_a_power_of_the_time_is_not_exponential():
    t = torch.arange(1, 401, dtype=DOUBLE)
    rows = torch.arange(5)
    growth = Growth.of(5, 1, 1, t.device)
    leap = torch.where(t > 350, 8.0, 0.0)  # a single one, late
    curves = torch.stack([0.05 * t, 2 * t.log(), leap, 0.05 * t, torch.where(t > 250, 0.05 * (t - 250), 0.0)])
    extents = torch.stack([0 * t, 0 * t, 0 * t, 0.05 * t, 0 * t])
    for k in range(len(t)):
        growth.add(rows, curves[:, k], extents[:, k, None], t[k].expand(5, 1))
    assert growth.exponential(rows, 4.6, rows[:, None] >= 0).tolist() == [True, False, False, False, True]
    assert growth.count <= 128


def test_a_fraction_leaves_undecided_orbits_out(henon_heiles):
    unclear = replace_hamiltonian(henon_heiles)
    table = chaotic_fraction(henon_heiles, [0.1], n=4, time=40, dt=0.2, flow=unclear)
    assert table[["chaotic", "undecided", "escaped", "n"]].values.tolist() == [[0, 4, 0, 4]]
    assert math.isnan(table.fraction[0])


def replace_hamiltonian(system):
    """The flow of a system with a Hamiltonian that it does not conserve."""
    return replace(Flow.of(system), hamiltonian=lambda z: z[..., 0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time": -1}, "time must be a positive number"),
        ({"dt": 0}, "dt must be a positive number"),
        ({"dt": math.nan}, "dt must be a positive number"),
        ({"threshold": 1e-17}, "use states in float64 or a larger threshold"),
        ({"z0": torch.zeros(3)}, "4 coordinates"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(henon_heiles, known, options, message):
    with pytest.raises(InputError, match=message):
        classify(henon_heiles, **{"z0": known, **options})


def test_shapes_are_those_of_the_batch(henon_heiles, known):
    for shape in ((), (2, 1), (0,), (0, 3)):
        z0 = known[0] if shape == () else known[: min(2, math.prod(shape))].reshape(*shape, 4)
        found = classify(henon_heiles, z0, 20, dt=0.2)
        assert found.code.shape == found.exponent.shape == found.dt.shape == shape
        assert len(found.to_frame()) == math.prod(shape)


@pytest.mark.slow
def test_no_orbit_of_keplers_problem_on_a_section_is_chaotic():
    kepler = systems.get("kepler")
    z0 = on_section(kepler, 12, -0.5, surface=kepler.surface, direction=1)
    assert not is_chaotic(kepler, z0, 400.0, dt=0.1).any()
