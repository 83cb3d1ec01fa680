"""Basins of attraction and uncertainty exponents, of systems for which they are known exactly."""

from math import log, pi

import pytest
import torch

import systems
from physlearn.chaos import basins, state_grid, uncertainty_exponent
from systems import InputError
from systems.maps import FunctionMap
from systems.sampling import box

STRONG = systems.get("forced-duffing", gamma=0.0, delta=0.5)  # two wells; it has a period in time, although nothing drives it
HENON = systems.maps.get("henon")


def double_well(t, z):
    return z - z**3


def particle(t, z):
    """A damped particle in a double well; nothing tells that it does not depend on time."""
    x, v = z.unbind(-1)
    return torch.stack([v, x - x**3 - 0.5 * v], dim=-1)


def cantor(z):
    """Both outer thirds of an interval are mapped onto another interval, and from there back, until a state is in neither.

    It then stays at -2 or 20, by the interval that it left. The boundary between these states is Cantor's set.
    """
    second = z > 5
    x = torch.where(second, z - 10, z)
    on = torch.where(x < 0.5, 3 * x, 3 * (1 - x))
    there = (x >= 0) & (x <= 1) & (on <= 1)
    rest = torch.where(second, torch.full_like(z, 20.0), torch.full_like(z, -2.0))
    return torch.where(there, torch.where(second, on, on + 10), rest)


def test_the_basins_of_a_double_well_end_at_its_top():
    z0 = state_grid(("x",), {"x": (-2, 2, 100)})
    found = basins(double_well, z0, 25)
    assert torch.equal(found.label, (z0[:, 0] < 0).long())
    assert found.attractors["z0"].tolist() == pytest.approx([1, -1], abs=1e-12)
    assert found.attractors["orbits"].tolist() == [50, 50]


def test_an_orbit_on_the_boundary_stays_there():
    found = basins(double_well, torch.tensor([[-1.0], [0.0], [0.5], [1.0]], dtype=torch.float64), 25)
    assert found.label.tolist() == [2, 1, 0, 0]


def test_the_basins_of_both_wells_are_mirror_images_with_equal_fractions():
    z0 = state_grid(STRONG, {"x": (-2, 2, 20), "v": (-2, 2, 20)})
    found = basins(STRONG, z0, 20 * STRONG.period)
    assert torch.equal(found.label, 1 - found.label.flip(0, 1))  # (x, v) -> (-x, -v)
    assert found.attractors["fraction"].tolist() == [0.5, 0.5]
    assert found.attractors["x"].tolist() == pytest.approx([1, -1], abs=1e-6)
    assert torch.equal(basins(particle, z0, 100).label, found.label)


def test_each_label_is_the_well_in_which_an_accurate_orbit_ends():
    z0 = STRONG.sample(20, seed=0)
    ends = STRONG.orbit(z0, torch.tensor([0.0, 200.0], dtype=torch.float64)).z[:, -1, 0]
    found = basins(STRONG, z0, 20 * STRONG.period)
    side = torch.tensor(found.attractors["x"].to_numpy().copy())[found.label]
    assert torch.equal(side.sign(), ends.sign())


def test_a_limit_cycle_is_one_attractor():
    cycle = systems.get("van-der-pol")
    found = basins(cycle, cycle.sample(50, seed=0), 60)
    assert found.label.unique().tolist() == [0]
    assert found.points["x"].abs().max() == pytest.approx(2.0228740434, abs=2e-2)  # its amplitude


def test_cycles_of_both_wells_under_a_weak_drive_are_two_attractors():
    driven = systems.get("forced-duffing", gamma=0.28)  # both cycles have twice the period of the drive
    found = basins(driven, driven.sample(60, seed=0), 60 * driven.period)
    assert found.attractors["orbits"].sum() == 60
    assert len(found.attractors) == 2
    assert found.attractors["fraction"].to_numpy() == pytest.approx(0.5, abs=0.2)  # 3 standard errors


def test_a_chaotic_attractor_is_one_and_a_map_that_escapes_is_told():
    z0 = state_grid(HENON, {"x": (-2, 2, 30), "y": (-2, 2, 30)})
    found = basins(HENON, z0, 200)
    assert found.label.unique().tolist() == [-1, 0]
    z = z0.reshape(-1, 2)
    for _ in range(200):
        z = HENON.step(z).clamp(-1e9, 1e9)
    assert torch.equal(found.label.reshape(-1) == -1, z[:, 0].abs() > 10)


def test_an_angle_is_the_same_after_a_turn():
    damped = FunctionMap(lambda z: z - 0.5 * z.sin(), ("theta",), {"theta": 2 * pi})
    z0 = torch.tensor([[0.5], [-0.5], [0.5 + 4 * pi], [-0.5 - 2 * pi]], dtype=torch.float64)
    assert basins(damped, z0, 100).label.tolist() == [0, 0, 0, 0]
    straight = FunctionMap(damped.function, ("theta",))
    assert basins(straight, z0, 100).label.unique().tolist() == [0, 1, 2]


def test_an_orbit_that_has_not_settled_is_undecided():
    def drifting(t, z):
        return torch.ones_like(z)

    assert basins(drifting, [[0.0], [1.0]], 10).label.tolist() == [-2, -2]


def test_few_coordinates_are_enough_to_tell_attractors_apart():
    z0 = STRONG.sample(30, seed=1)
    both, one = (basins(STRONG, z0, 20 * STRONG.period, coordinates=names) for names in (None, ["x"]))
    assert torch.equal(both.label, one.label)


def test_basins_are_drawn_on_their_grid():
    z0 = state_grid(STRONG, {"v": (-1, 1, 6), "x": (-2, 2, 8)})
    ax = basins(STRONG, z0, 20 * STRONG.period).plot()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$v$", "$x$")
    assert ax.collections[0].get_array().shape == (8, 6)
    with pytest.raises(InputError, match="no grid of two coordinates"):
        basins(STRONG, STRONG.sample(3), 20 * STRONG.period).plot()


def test_a_smooth_boundary_has_the_exponent_1():
    found = uncertainty_exponent(
        lambda z: basins(double_well, z, 30).label, box(6000, [(-1.5, 1.5)], seed=0), [0.003, 0.01, 0.03, 0.1]
    )
    assert abs(found.value - 1) < 3 * found.error
    assert found.error < 0.15
    expected = 2 * found.table["epsilon"] / 3  # the boundary lies within epsilon of a state
    n, fraction = found.table["states"], found.table["fraction"]
    assert (abs(fraction - expected) < 4 * (expected / n) ** 0.5).all()


def test_the_exponent_of_a_boundary_with_cantors_set_is_known():
    one = FunctionMap(cantor, ("x",))
    found = uncertainty_exponent(
        lambda z: basins(one, z, 60).label, box(20_000, [(0.0, 1.0)], seed=0), [3.0**-k for k in range(3, 10)]
    )
    assert found.value == pytest.approx(1 - log(2) / log(3), abs=3 * found.error)
    assert found.error < 0.02


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: basins(double_well, [[0.1]], 0.1), "need at least 4"),
        (lambda: basins(double_well, [[0.1]], 10, cells=1), "at least 2"),
        (lambda: basins(double_well, [[0.1]], 10, coordinates=["w"]), "no coordinate 'w'"),
        (lambda: basins(double_well, [[0.1]], 10, coordinates=[]), "coordinates is empty"),
        (lambda: state_grid(STRONG, {"w": (0, 1, 2)}), "no coordinate 'w'; the coordinates are x, v"),
        (lambda: state_grid(STRONG, {}), "no coordinate varies"),
        (lambda: state_grid(STRONG, {"x": (1, 0, 2)}), "low < high"),
        (lambda: state_grid(STRONG, {"x": (0, 1)}), r"\(low, high, parts\)"),
        (lambda: state_grid(double_well, {"x": (0, 1, 2)}), "a function has no names"),
        (lambda: uncertainty_exponent(lambda z: z[:, 0] > 0, [[0.0]], [0.1, 0.2]), "at least 3 different"),
        (lambda: uncertainty_exponent(lambda z: z[:, 0] > 9, [[0.0]] * 30, [0.1, 0.2, 0.3]), "too few"),
        (lambda: uncertainty_exponent(lambda z: z > 0, [[0.0]] * 30, [0.1, 0.2, 0.3]), "one number per state"),
        (lambda: uncertainty_exponent(lambda z: z[:, 0] > 0, [[0.0]] * 30, [0.1, 0.2, 0.3], coordinate=1), "an index"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.slow
def test_the_final_state_sensitivity_is_the_published_one():
    """Grebogi, McDonald, Ott, Yorke 1983 find alpha = 0.2 for this map."""

    def step(z):
        theta, x = z.unbind(-1)
        turned = theta + 1.32 * (2 * theta).sin() - 0.9 * (4 * theta).sin() - x * theta.sin()
        return torch.stack([turned % (2 * pi), -0.3 * theta.cos()], -1)

    one = FunctionMap(step, ("theta", "x"), {"theta": 2 * pi})
    found = uncertainty_exponent(
        lambda z: basins(one, z, 100).label,
        box(40_000, [(0, 2 * pi), (-0.5, 0.5)], seed=0),
        [10 ** (-k / 2) for k in range(4, 15)],
    )
    assert found.value == pytest.approx(0.2, abs=0.015)
    assert found.error < 0.005


@pytest.mark.slow
def test_a_trained_model_single_precision_and_no_orbits_are_taken():
    from physlearn import Forecaster

    swing = systems.get("duffing")
    t = torch.linspace(0, 5, 51, dtype=torch.float64)
    model = Forecaster("nn", hidden=(5,)).fit(swing.orbit(swing.sample(3), t), epochs=1, progress=False)
    assert basins(model, swing.sample(4), 5.0).label.shape == (4,)
    z0 = STRONG.sample(8, seed=2)
    exact, single, none = (basins(STRONG, z, 20 * STRONG.period) for z in (z0, z0.float(), z0[:0]))
    assert torch.equal(single.label, exact.label)
    assert none.label.shape == (0,)
    with torch.inference_mode():
        assert torch.equal(basins(STRONG, z0.numpy(), 20 * STRONG.period).label, exact.label)
