"""Tables of states are understood by the names of their columns, in any order."""

import pandas as pd
import pytest
import torch
import xarray as xr

import physlearn
import systems
from physlearn import chaos, metrics
from systems import InputError, Orbit

TIMES = torch.linspace(0, 1, 3, dtype=torch.float64)
ROW = {"p": [0.5], "theta": [1.0]}  # the pendulum's coordinates are theta and p
TABLES = [
    pd.DataFrame(ROW),
    xr.DataArray([[0.5, 1.0]], dims=("run", "coordinate"), coords={"coordinate": ["p", "theta"]}),
]
ASKED = [
    lambda flow, z0: flow.orbit(z0, TIMES).z,
    lambda flow, z0: physlearn.integrate(flow, z0, TIMES, "rk4", progress=False).z,
    lambda flow, z0: flow.hamiltonian(z0),
    lambda flow, z0: flow.vector_field(0.0, z0),
    lambda flow, z0: chaos.lyapunov_exponents(flow, z0, 5.0, dt=0.05),
]


@pytest.mark.parametrize("ask", ASKED)
@pytest.mark.parametrize("table", TABLES, ids=["pandas", "xarray"])
def test_columns_are_taken_by_name(table, ask):
    pendulum = systems.get("pendulum")
    assert torch.equal(ask(pendulum, table), ask(pendulum, [[1.0, 0.5]]))


@pytest.mark.parametrize("columns", [{"p": [0.5], "phi": [1.0]}, {**ROW, "torque": [0.0]}])
def test_columns_that_are_no_coordinates_are_refused(columns):
    for ask in ASKED:
        with pytest.raises(InputError, match="but the flow has theta, p"):
            ask(systems.get("pendulum"), pd.DataFrame(columns))


def test_columns_without_names_and_flows_without_names_go_by_position():
    pendulum = systems.get("pendulum")
    assert torch.equal(pendulum.hamiltonian(pd.DataFrame([[1.0, 0.5]])), pendulum.hamiltonian([[1.0, 0.5]]))
    shrinking = physlearn.integrate(lambda t, z: -z, pd.DataFrame(ROW), TIMES, "rk4", progress=False)
    assert shrinking.z[0, 0].tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    "measure",
    [
        metrics.energy_error,
        metrics.energy_rms,
        metrics.energy_drift,
        lambda orbit, system: metrics.derivative_loss(system, orbit),
    ],
)
def test_no_metric_mistakes_one_coordinate_for_another(measure):
    kepler = systems.get("kepler")
    orbit = kepler.orbit(kepler.sample(1, seed=4), torch.linspace(0, 6, 61, dtype=torch.float64))[0]
    swapped = Orbit(orbit.t, orbit.z[:, [2, 3, 0, 1]], rate=orbit.rate[:, [2, 3, 0, 1]], coordinates=("p_x", "p_y", "x", "y"))
    with pytest.raises(InputError, match="in the same order"):
        measure(swapped, kepler)
    unnamed = Orbit(orbit.t, orbit.z, rate=orbit.rate)
    assert measure(unnamed, kepler) == measure(orbit, kepler)
