"""Orbits tell of which system they are, however they were made or copied."""

import pytest
import torch

import systems
from physlearn import Forecaster, integrate
from systems import InputError, Orbit

T = torch.linspace(0, 2, 21)
COPIES = {
    "orbit": lambda orbit: orbit,
    "pandas": lambda orbit: Orbit.of(orbit.to_pandas()),
    "xarray": lambda orbit: Orbit.of(orbit.to_xarray()),
}


def integrated(system):
    return integrate(system, system.sample(3), T, method="rk4", progress=False)


@pytest.mark.parametrize("make", [lambda system: system.orbit(system.sample(3), T), integrated], ids=["orbit", "integrate"])
@pytest.mark.parametrize("copy", COPIES)
def test_one_model_does_not_learn_the_average_of_two_systems(make, copy):
    orbits = [COPIES[copy](make(systems.get("van-der-pol", mu=mu))) for mu in (1.0, 5.0)]
    with pytest.raises(InputError, match=r"mu=1.0 and mu=5.0"):
        Forecaster("polynomial").fit(orbits)


def test_a_driven_system_is_told_by_its_integrated_orbits():
    with pytest.raises(InputError, match="forced-duffing does"):
        Forecaster("linear").fit(integrated(systems.get("forced-duffing")))


@pytest.mark.parametrize("copy", [lambda orbit: orbit, lambda orbit: orbit.to_pandas()], ids=["orbits", "tables"])
def test_orbits_of_two_systems_are_no_batch(copy):
    one, other = (integrated(systems.get("van-der-pol", mu=mu)) for mu in (1.0, 5.0))
    with pytest.raises(InputError, match="cannot be joined; keep them in a list"):
        Orbit.of([copy(one), copy(other)])
    assert Orbit.of([copy(one), copy(one)]).shape[0] == 6


def test_a_dataset_keeps_the_angles_and_other_peoples_attributes_are_not_ours():
    pendulum = systems.get("pendulum")
    data = pendulum.orbit(pendulum.sample(2), T).to_xarray()
    assert Orbit.of(data).periods == pendulum.periods
    data.attrs = {"provenance": "my laboratory", "periods": "none"}
    assert Orbit.of(data).provenance == {}
    data.attrs = {"format": "physlearn-orbit-1", "provenance": "my laboratory", "periods": "none"}
    assert Orbit.of(data).provenance == {}
