"""Every measure of chaos refuses states, times and steps that it cannot use, before it computes anything."""

import numpy as np
import pytest
import torch

import systems
from physlearn import chaos
from systems import InputError

WELL = systems.get("henon-heiles")
Z = WELL.sample(2, seed=0, energy=0.1)

MEASURES = {
    "lyapunov": lambda z, time, dt: chaos.lyapunov_exponents(WELL, z, time, dt=dt),
    "sali": lambda z, time, dt: chaos.sali(WELL, z, time, dt=dt),
    "gali": lambda z, time, dt: chaos.gali(WELL, z, time, 2, dt=dt),
    "megno": lambda z, time, dt: chaos.megno(WELL, z, time, dt=dt),
    "fli": lambda z, time, dt: chaos.fli(WELL, z, time, dt=dt),
    "section": lambda z, time, dt: chaos.poincare_section(WELL, z, time, dt=dt),
    "classes": lambda z, time, dt: chaos.classify(WELL, z, time, dt=dt),
    "drift": lambda z, time, dt: chaos.frequency_drift(WELL, z, time, dt=dt),
    "escapes": lambda z, time, dt: chaos.escape_times(WELL, z, time, dt=dt),
    "basins": lambda z, time, dt: chaos.basins(WELL, z, time, dt=dt),
    "covariant": lambda z, time, dt: chaos.covariant_vectors(WELL, z, time, transient=5.0, dt=dt),
}


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("z", "time", "dt", "message"),
    [
        (None, 20.0, 0.1, "states must"),
        ("a", 20.0, 0.1, "states must"),
        (Z.to_sparse(), 20.0, 0.1, "dense"),
        (Z.bfloat16(), 20.0, 0.1, "32 bits or more"),
        (Z * np.nan, 20.0, 0.1, "finite"),
        (Z, "a", 0.1, "time must be a finite number"),
        (Z, torch.tensor(20.0), 0.1, "time must be a finite number"),
        (Z, np.inf, 0.1, "time must be a positive number"),
        (Z, -1.0, 0.1, "time must be a positive number"),
        (Z, 20.0, 0.0, "dt must be a positive number"),
        (Z, 20.0, "a", "dt must be a finite number"),
        (Z, 1e18, None, "steps, more than"),
        (Z, 20.0, 1e-15, "steps, more than"),
        (Z, 20.0, 5e-324, "steps, more than"),
        (Z * 1e300, 20.0, None, "steps, more than"),
    ],
)
def test_what_cannot_be_followed_is_refused(measure, z, time, dt, message):
    with pytest.raises(InputError, match=message):
        MEASURES[measure](z, time, dt)


@pytest.mark.parametrize("z", [None, "a", torch.zeros(2, 4), [[0.0]]])
def test_a_periodic_orbit_begins_at_one_state(z):
    with pytest.raises(InputError, match="z0 must"):
        chaos.periodic_orbit(WELL, z)


def test_the_basin_of_one_state_is_that_of_the_state_among_others():
    well = systems.get("duffing")  # damped, so that every orbit comes to rest
    z = well.sample(2, seed=0)[0]
    alone, both = chaos.basins(well, z, 200.0), chaos.basins(well, torch.stack([z, z]), 200.0)
    assert (alone.label.shape, int(alone.label), both.label.tolist()) == ((), 0, [0, 0])
    assert np.allclose(alone.attractors[list(well.coordinates)], both.attractors[list(well.coordinates)], atol=1e-6)
