"""A model's dynamics against the truth's."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import Forecaster, integrate
from physlearn.chaos import Dynamics, compare_dynamics, is_chaotic
from physlearn.metrics import valid_prediction_time
from systems import InputError

LEAVING = torch.tensor([0.1, 1.2, 0.0, 0.5], dtype=torch.float64)
AMPLITUDES = torch.tensor([[1.0, 0.0], [0.5, 0.0]], dtype=torch.float64)
DISTANCES = ["section", "marginals", "spectrum"]


@pytest.fixture(scope="module")
def galaxy(henon_heiles, at_one_eighth):
    """A regular orbit, a chaotic one and one that leaves; the threshold is that of a shorter time than the default's."""
    return Dynamics.of(henon_heiles, torch.cat([at_one_eighth(0.55, -0.2), LEAVING[None]]), 200, dt=0.2, threshold=1e-4)


def oscillation(flow):
    return Dynamics.of(flow, AMPLITUDES, 80, surface=(0, 0.0), dt=0.2)


@pytest.fixture(scope="module")
def oscillator(harmonic_oscillator):
    return oscillation(harmonic_oscillator)


@pytest.fixture(scope="module")
def left(oscillator):
    """A model that drifts away steadily instead of turning, and never blows up."""
    return compare_dynamics(oscillation(lambda t, z: torch.ones_like(z)), oscillator)


def test_orbits_get_their_classes_and_one_that_leaves_has_none(galaxy):
    table = compare_dynamics(galaxy, galaxy).table
    assert table["chaotic_truth"][:2].tolist() == [False, True]
    assert table["chaotic_truth"].isna().tolist() == [False, False, True]
    assert table["section"].fillna("").tolist() == ["nearest", "hellinger", ""]
    assert table["escaped_truth"].tolist() == [False, False, True]
    assert table["agree"].isna().tolist() == [False, False, True]
    assert table.loc[2, [f"{name}_truth" for name in DISTANCES]].isna().all()
    assert table["exponent_truth"][0] < 0.03 < table["exponent_truth"][1]  # ln(T)/T = .026
    assert math.isnan(table["exponent_truth"][2])


def test_a_model_that_is_the_truth_agrees_and_is_as_far_from_it_as_the_truth_itself(galaxy):
    comparison = compare_dynamics(galaxy, galaxy)
    summary = comparison.summary()
    for name in DISTANCES:
        assert comparison.table[f"{name}_model"].equals(comparison.table[f"{name}_truth"])
    assert comparison.pooled[0] == comparison.pooled[1]
    assert comparison.table["section_truth"][0] < 0.1  # one curve
    assert summary.loc["class_agreement", "model"] == 1
    z = 1.959964
    assert summary.loc["class_agreement", "low"] == pytest.approx(2 / (2 + z**2), rel=1e-5)  # Wilson's, of 2 out of 2
    assert summary.loc["chaotic_fraction", ["model", "truth", "orbits"]].tolist() == [0.5, 0.5, 2]
    assert summary.loc["escaped_fraction", "model"] == pytest.approx(1 / 3)


def test_valid_times_of_chaotic_orbits_alone_are_told_in_lyapunov_times_and_end_at_the_horizon(galaxy):
    table = compare_dynamics(galaxy, galaxy).table
    np.testing.assert_allclose(table["valid_time"][:2], galaxy.horizon[:2])
    assert table["lyapunov_times"].isna().tolist() == [True, False, True]
    assert table["lyapunov_times"][1] == pytest.approx(table["valid_time"][1] * table["exponent_truth"][1])


def test_the_horizon_is_where_a_far_more_accurate_orbit_parts(galaxy, henon_heiles):
    followed = galaxy.stretches[0][:2, :100]
    accurate = henon_heiles.orbit(followed.z[:, 0], followed.t)
    parted = valid_prediction_time(followed, accurate, threshold=0.01)
    assert_close(galaxy.horizon[:2], parted, rtol=0.15, atol=0)  # the finer steps have an error of a sixteenth


def test_a_model_twice_as_fast_along_the_same_orbits_is_off_in_time_alone(oscillator, harmonic_oscillator):
    fast = compare_dynamics(oscillation(lambda t, z: 2 * harmonic_oscillator.vector_field(t, z)), oscillator)
    table = fast.table
    assert table["agree"].all()
    assert (table["section_model"] < 0.05).all()
    assert (table["marginals_model"] < 0.05).all()
    assert (table["spectrum_model"] > 0.5).all()  # lines of a tenth in width at .16 and .32
    assert (table["spectrum_truth"] < 0.1).all()
    assert table["valid_time"].tolist() == pytest.approx([0.8, 0.8])  # 2 sin(t/2) = .4 at t = .403; a state every .8
    assert table["lyapunov_times"].isna().all()  # nothing regular has a Lyapunov time


def test_a_model_that_drifts_away_has_escaped_and_is_as_far_off_as_can_be(left):
    table, summary = left.table, left.summary()
    assert table["escaped_model"].all()
    assert not table["escaped_truth"].any()
    assert table["chaotic_model"].isna().all()
    assert not table["agree"].any()
    assert (table[["section_model", "marginals_model"]] == math.inf).all(axis=None)
    assert (table["spectrum_model"] == 1).all()
    assert summary.loc["escaped_fraction", ["model", "truth"]].tolist() == [1, 0]
    assert summary.loc["class_agreement", "model"] == 0
    assert summary.loc["nearest", "model"] == math.inf


def test_a_limit_cycle_is_not_chaotic_though_its_deviations_align():
    """All deviations turn along the cycle, by the Floquet exponent -3.46; none grows."""
    van_der_pol = systems.get("van-der-pol")
    z0 = torch.tensor([[2.0, 0.0]], dtype=torch.float64)
    assert is_chaotic(van_der_pol, z0, 20).tolist() == [False]
    seen = Dynamics.of(van_der_pol, z0, 20, surface=(0, 0.0))
    assert seen.chaotic.tolist() == [False]
    assert abs(seen.exponent.item()) < 0.1


def test_a_strange_attractor_is_chaotic_with_the_exponent_of_the_books(lorenz):
    """.906, as for `lyapunov_exponents`."""
    noise = torch.randn(40, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z0 = torch.tensor([3.0, 3.0, 15.0], dtype=torch.float64) + 5 * noise
    on_it = integrate(lorenz, z0, torch.arange(0, 15, 0.025, dtype=torch.float64), "rk4").z[:, -1]
    seen = Dynamics.of(lorenz, on_it, 20, surface=("z2", 27.0), dt=0.025, threshold=1e-4)
    assert seen.chaotic.double().mean() > 0.9
    assert seen.exponent.mean().item() == pytest.approx(0.906, abs=0.05)
    assert (seen.error > 0).all()


def test_a_forecaster_is_compared_like_any_other_flow(henon_heiles):
    orbit = henon_heiles.orbit(henon_heiles.sample(4, energy=0.1), torch.linspace(0, 5, 51))
    forecaster = Forecaster("hnn", hidden=(8,), seed=0)
    forecaster.fit(orbit, epochs=1, progress=False)
    z0 = henon_heiles.sample(4, seed=1, energy=0.1).reshape(2, 2, 4)
    model, truth = (Dynamics.of(flow, z0, 26, dt=0.1) for flow in (forecaster, henon_heiles))
    assert model.chaotic.shape == (2, 2)
    assert len(compare_dynamics(model, truth).table) == 4


def test_the_halves_of_a_walk_follow_each_other(oscillator):
    first, second = oscillator.stretches
    assert torch.equal(first.z[:, -1], second.z[:, 0])
    assert first.t[-1] == 80
    assert second.t[-1] == pytest.approx(160)
    early, late = oscillator.crossings(1)
    assert len(early) == 12  # q = 0 upwards at 3 pi/2 + 2 pi n
    assert len(early) + len(late) == 25


def test_no_orbits_are_no_work(henon_heiles):
    none = Dynamics.of(henon_heiles, torch.zeros(0, 4, dtype=torch.float64), 20, dt=0.05)
    comparison = compare_dynamics(none, none)
    assert len(comparison.table) == 0
    assert comparison.summary()["orbits"].tolist() == [0] * 12


def turning(t, z):
    """The oscillator as a function, which torch follows in the precision of the states."""
    q, p = z.unbind(-1)
    return torch.stack([p, -q], dim=-1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time": 0}, "time must be a positive number"),
        ({"time": math.inf}, "time must be a positive number"),
        ({"dt": -0.1}, "dt must be a positive number"),
        ({"threshold": 2}, "threshold must lie between 0 and 1"),
        ({"flow": turning, "z0": AMPLITUDES.float(), "threshold": 1e-7}, "use states in float64 or a larger threshold"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(harmonic_oscillator, options, message):
    with pytest.raises(InputError, match=message):
        Dynamics.of(**{"flow": harmonic_oscillator, "z0": AMPLITUDES, "time": 10, "surface": (0, 0.0), **options})


def test_what_was_not_followed_alike_is_not_compared(harmonic_oscillator, oscillator):
    def seen(z0=AMPLITUDES, time=16, surface=(0, 0.0), direction=1):
        return Dynamics.of(harmonic_oscillator, z0, time, surface=surface, direction=direction, dt=1.0)

    for other, message in (
        (seen(time=8), "orbits of different shapes or times"),
        (seen(z0=2 * AMPLITUDES), "different initial states"),
        (seen(surface=("p", 0.0)), "sections differ"),
        (seen(direction=-1), "sections differ"),
    ):
        with pytest.raises(InputError, match=message):
            compare_dynamics(other, seen())
    with pytest.raises(InputError, match="no coordinate 'x'"):
        compare_dynamics(oscillator, oscillator, plane=["x"])
    with pytest.raises(InputError, match="at least one of the coordinates"):
        compare_dynamics(oscillator, oscillator, plane=[])
    with pytest.raises(InputError, match="confidence"):
        compare_dynamics(oscillator, oscillator).summary(confidence=1.0)


@pytest.mark.slow
def test_the_equations_themselves_are_at_the_baseline_and_a_softer_well_is_not(henon_heiles, known):
    """As a plain function by another method: other rounding, other chaotic orbits, the same dynamics."""

    def equations(t, z):
        return henon_heiles.vector_field(t, z)

    softer = systems.get("henon-heiles", coupling=0.8)
    truth = Dynamics.of(henon_heiles, known, 1000, dt=0.1)
    assert truth.chaotic.tolist() == [False, True]
    assert truth.chaotic.tolist() == is_chaotic(henon_heiles, known, 1000, dt=0.1).tolist()
    assert 0.03 < truth.exponent[1] < 0.06
    same = compare_dynamics(Dynamics.of(equations, known, 1000, surface=(0, 0.0), dt=0.1), truth, plane=["y", "p_y"]).table
    other = compare_dynamics(Dynamics.of(softer, known, 1000, dt=0.1), truth).table
    assert same["agree"].all()
    assert same["section_model"][0] < 1.5 * same["section_truth"][0]
    assert other["section_model"][0] > 3 * other["section_truth"][0]
    assert other["chaotic_model"].tolist() == [False, False]  # E = 1/8 is as 0.08 is at coupling 1
    assert other["agree"].tolist() == [True, False]
