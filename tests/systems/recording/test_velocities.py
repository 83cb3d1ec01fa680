"""Velocities of measured positions, as further coordinates of an orbit."""

import math

import numpy as np
import pytest
import torch

import systems
from systems import InputError, Orbit
from systems.recording.velocities import sources_of

T = np.cumsum(np.random.default_rng(0).uniform(0.05, 0.15, 200))
ANGLE = T * 1.3 + 0.2 * np.sin(T)
RATE = 1.3 + 0.2 * np.cos(T)


def turning(scale=1.0, time=1.0, **options):
    """An angle that turns over, recorded within one turn, in a long and a short run."""
    wrapped = np.mod(ANGLE, 2 * math.pi) * scale
    periods = {"theta": 2 * math.pi * scale}
    t = T * time
    return Orbit.of([wrapped, wrapped[:120]], [t, t[:120]], coordinates=("theta",), periods=periods, **options)


def test_velocities_have_names_units_and_a_provenance_and_positions_stay():
    orbit = turning(units={"theta": "rad", "t": "s"})
    found = orbit.with_velocities()
    assert found.coordinates == ("theta", "omega")
    assert found.units == {"theta": "rad", "t": "s", "omega": "rad/s"}
    assert found.provenance == {"derived": {"omega": "theta"}}
    assert found.periods == orbit.periods
    torch.testing.assert_close(found.z[..., :1], orbit.z, rtol=0, atol=0, equal_nan=True)
    np.testing.assert_allclose(found.z[0, :, 1], RATE, atol=1e-3)
    np.testing.assert_allclose(found.z[1, :120, 1], RATE[:120], atol=1e-3)
    assert found.z[1, 120:].isnan().all()


def test_units_directions_types_and_batches_do_not_matter():
    plain = turning().with_velocities().z[0, :, 1]
    for scale, time in ((1e-9, 1e9), (1e9, 1e-9)):
        other = turning(scale, time).with_velocities().z[0, :, 1] * time / scale
        torch.testing.assert_close(other, plain, rtol=1e-6, atol=1e-6)
    back = Orbit.of(ANGLE[::-1].copy(), T[::-1].copy(), coordinates=("x",)).with_velocities()
    np.testing.assert_allclose(back.z.flip(0)[:, 1], RATE, atol=1e-3)
    single = Orbit(torch.tensor(T).float(), torch.tensor(ANGLE).float().expand(2, 3, -1).unsqueeze(-1)).with_velocities()
    assert single.z.dtype == torch.float32
    assert single.z.shape == (2, 3, 200, 2)
    np.testing.assert_allclose(single.z[1, 2, :, 1], RATE, atol=0.01)


def test_some_coordinates_can_be_positions_and_rates_are_velocities_as_they_are(tmp_path):
    table = np.stack([np.sin(T), np.cos(T), T**2], axis=-1)
    table[5, 1] = np.nan
    orbit = Orbit.of(table, T, coordinates=("torque", "x", "theta_2")).with_velocities(of=("x", "theta_2"))
    assert orbit.coordinates == ("x", "theta_2", "v_x", "omega_2", "torque")
    assert sources_of(orbit) == {2: 0, 3: 1}
    assert orbit.z[5, [0, 2]].isnan().all()
    assert orbit.z[5, [1, 3, 4]].isfinite().all()
    orbit.save(tmp_path / "orbit.nc")
    assert sources_of(Orbit.load(tmp_path / "orbit.nc")) == {2: 0, 3: 1}
    pendulum = systems.get("pendulum")
    exact = pendulum.orbit(pendulum.sample(3), torch.linspace(0, 3, 7))
    found = exact.with_velocities("theta", names="rate")
    assert found.coordinates == ("theta", "rate", "p")
    assert torch.equal(found.z[..., 1], exact.rate[..., 0])
    assert not sources_of(found)


@pytest.mark.parametrize("told", [5, {"omega": 5}, {"omega": "omega"}, {"gone": "theta"}, {"omega": "gone"}])
def test_a_provenance_from_elsewhere_does_no_harm(told):
    orbit = Orbit(torch.arange(5.0), torch.zeros(5, 2), coordinates=("theta", "omega"), provenance={"derived": told})
    assert sources_of(orbit) == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"of": "y"}, "no coordinate 'y'; choose one of theta"),
        ({"of": ()}, "of must name each position once"),
        ({"of": ("theta", "theta")}, "of must name each position once"),
        ({"names": ("a", "b")}, "names has 2 names for the velocities of theta; give one for each"),
        ({"names": "theta"}, "every coordinate needs a name of its own"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        turning().with_velocities(**options)


def test_too_few_values_and_velocities_of_velocities_are_refused():
    with pytest.raises(InputError, match="needs a run with at least two measured values"):
        Orbit.of([1.0], [0.0], coordinates=("x",)).with_velocities()
    with pytest.raises(InputError, match="theta has or is a velocity that was derived before"):
        turning().with_velocities().with_velocities()
