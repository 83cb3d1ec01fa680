"""The table of losses, models and packages for measured states."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn.models.library import Library
from physlearn.studies import measured_orbits
from physlearn.studies.measured_orbits import cells, peers
from physlearn.studies.measured_orbits.orbits import PROTOCOLS
from systems import InputError


def rows(values, loss, seeds):
    settings = {"system": "pendulum", "per_turn": 6, "noise": 0.01, "loss": loss}
    return [settings | {"seed": seed, "valid_time": value} for seed, value in zip(range(seeds), values, strict=True)]


def test_the_table_has_medians_and_the_number_of_seeds():
    table = pd.DataFrame([*rows([1.0, 5.0, 30.0], "step", 3), *rows([10.0, 10.0], "shooting", 2)])
    text = measured_orbits.markdown(table).splitlines()
    assert text[0] == "| system | per turn | noise | seeds | step | shooting |"
    assert text[2] == "| pendulum | 6 | 1.0% | 2-3 | 5 (1-30) | 10 (10-10) |"
    assert measured_orbits.shortfall(table).tolist() == [1.0]


def test_a_package_that_is_missing_is_left_out_and_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "find_spec", lambda name: None)
    assert not cells.available("PySINDy")
    assert cells.available("step")
    with pytest.raises(InputError, match="the column PySINDy needs the package PySINDy"):
        measured_orbits.run(tmp_path, 1, ["PySINDy"], progress=False)
    with pytest.raises(InputError, match="there is no column 'stp'"):
        measured_orbits.run(tmp_path, 1, ["stp"], progress=False)


def test_seeds_are_computed_one_after_the_other_and_hamiltonian_networks_for_their_systems():
    units = list(measured_orbits.units(2))
    assert [unit["seed"] for unit in units] == sorted(unit["seed"] for unit in units)
    assert list(measured_orbits.units(1)) == units[: len(units) // 2]
    assert {unit["system"] for unit in units if unit["loss"] == "phlearn"} == {
        name for name in PROTOCOLS if isinstance(systems.get(name), systems.HamiltonianSystem)
    }


def test_a_sparse_model_of_measured_states_has_a_valid_time():
    found = measured_orbits.cell("pendulum", 6, 0.0, "sparse", seed=100)
    assert found["valid_time"] == 100.0
    assert found["energy_error"] < 1e-3


def test_pysindy_gets_the_products_of_our_library():
    library = Library.complete(3, 2, {0: 6.0})
    z = torch.randn(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = [peers._product(library, term)(*z.T.numpy()) for term in library.terms]
    assert_close(torch.from_numpy(np.stack(found, axis=-1)), library.values(z))


@pytest.mark.slow
@pytest.mark.parametrize("column", ["PySINDy", "phlearn"])
def test_other_packages_learn_dense_states_of_a_pendulum(column):
    pytest.importorskip(cells.PACKAGES[column])
    assert measured_orbits.cell("pendulum", 20, 0.0, column, seed=100)["valid_time"] > 10
