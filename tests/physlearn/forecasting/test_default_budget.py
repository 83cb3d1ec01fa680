"""What the default budget buys on Henon-Heiles: held-out orbits at E = 1/12 over t = 200 in steps of 0.1."""

import pytest

import systems
from physlearn.forecasting import contender, simulated

SYSTEM = systems.get("henon-heiles")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("model", "valid"), [("hnn-mechanical", 190), ("hnn-separable", 190), ("hnn", 100)])
def test_hamiltonian_networks_follow_unseen_orbits_with_bounded_energy_error(model, valid, seed):
    chosen = [c for c in contender.LINEUP if c.model == model and c.method != "euler"]
    report = simulated.forecast_system(SYSTEM, chosen, simulated.protocol_of(SYSTEM), seed=seed, progress=False)
    row = report.table.loc[chosen[0].label]
    assert row["valid_time_median"] >= valid
    assert row["energy_error_median"] < 1e-2
    assert report.table.loc["truth", "valid_time_median"] == 200  # the truth is known for as long as that
