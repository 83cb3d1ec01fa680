"""compare: the same networks with different activations, which start alike and are scored alike."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from physlearn import compare, metrics
from physlearn.activations import Table
from physlearn.comparison import line_up
from physlearn.comparison.forecasts import forecast_merits
from physlearn.integrators import integrate
from physlearn.training import Training
from systems import Orbit

QUICK = {"replicates": 3, "epochs": 2, "tuned": False, "progress": False}
TWO = {"sine": "sine", "tanh": "tanh"}


def test_a_comparison_tells_a_row_a_replicate_and_variant_in_the_columns_of_the_contract(result):
    table = result.table
    assert list(table.columns) == [
        "meta_seed", "replicate", "variant", "loss", "validation_loss", "diverged", "learning_rate",
        "valid_time_euler", "energy_error_euler", "valid_time_implicit-midpoint", "energy_error_implicit-midpoint",
    ]  # fmt: skip
    variants = ["sine", "type 1", "type 2", "mix", "single", "tanh", "relu", "sine+tanh"]
    assert table["variant"].unique().tolist() == variants
    assert len(table) == 3 * len(variants)
    assert not table.isna().to_numpy().any()
    assert result.reference == "mix"


def test_replicates_are_paired_they_begin_with_the_same_weights_and_see_the_same_batches(task):
    """Activations that compute the same must come out the same."""
    table = Table.capture(torch.sin, points=2000)
    result = compare(task, variants={"sine": "sine", "captured": table}, engine="torch", **QUICK)
    wide = result.table.pivot(index="replicate", columns="variant", values="loss")
    np.testing.assert_allclose(wide["sine"], wide["captured"], rtol=1e-4)
    assert wide["sine"].nunique() == 3  # and yet replicates differ


def test_what_hardly_trains_is_scored_as_its_initial_weights_are(task):
    result = compare(task, variants=TWO, seed=7, learning_rate=1e-12, **QUICK)
    pairs, test = task.pairs("training"), task.pairs("test")
    for row in result.table.itertuples():
        model = task.network(row.variant, 7 + row.replicate)
        model.standardize(pairs.z, pairs.rate)
        with torch.no_grad():
            wanted = (model(test.z) - test.rate).square().mean()
        assert row.loss == pytest.approx(float(wanted), rel=1e-4)


def test_what_is_scored_is_the_test_part_and_what_is_kept_the_best_of_validation(task):
    result = compare(task, variants=TWO, **{**QUICK, "epochs": 5}, learning_rate=0.3, schedule="constant")
    other = replace(task, data=lambda part: task.part("training" if part == "test" else part))
    elsewhere = compare(other, variants=TWO, **{**QUICK, "epochs": 5}, learning_rate=0.3, schedule="constant")
    pd.testing.assert_series_equal(result.table["validation_loss"], elsewhere.table["validation_loss"])
    assert (result.table["loss"] != elsewhere.table["loss"]).all()
    best = result.curves.groupby("variant")["median"].min()
    assert (result.table.groupby("variant")["validation_loss"].median() <= best + 1e-7).all()


def test_the_same_seed_gives_the_same_table_and_another_does_not(task):
    def table(seed):
        return compare(
            task, variants=TWO, seed=seed, learning_rates=(1e-3, 1e-2), tuning_replicates=2, **{**QUICK, "tuned": True}
        ).table

    pd.testing.assert_frame_equal(table(0), table(0))
    assert (table(0)["loss"] != table(1)["loss"]).all()


def test_a_variant_does_not_depend_on_the_others_beside_it(task):
    alone = compare(task, variants={"tanh": "tanh"}, **QUICK).table
    beside = compare(task, variants=TWO, **QUICK).table.query("variant == 'tanh'").reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, beside)


def test_several_meta_seeds_are_rows_of_their_own_with_networks_of_their_own(task, learned):
    result = compare(task, [learned(seed=k) for k in range(2)], single=[learned(1, 8), learned(1, 9)], **QUICK)
    assert result.table["meta_seed"].unique().tolist() == [0, 1]
    sine = result.table.query("variant == 'sine'")
    assert sine["loss"].nunique() == 6
    assert "single" in set(result.table["variant"])
    summary = result.summary()
    assert set(summary.loc["sine":, "meta_seeds"]) == {2}
    assert len(result.settings["learned"]) == 2


def test_one_learned_type_is_called_single_and_stands_without_a_mix(task, learned):
    result = compare(task, learned(1), variants={"tanh": "tanh"}, forecast=False, **QUICK)
    assert result.table["variant"].unique().tolist() == ["sine", "single", "tanh"]
    assert result.reference == "sine"


def test_the_line_up_names_what_is_compared(learned):
    assert list(line_up(learned(3), None)) == ["sine", "type 1", "type 2", "type 3", "mix", "tanh", "relu", "sine+tanh"]
    assert list(line_up(learned(2, base="tanh"), learned(1))) == [
        "tanh", "type 1", "type 2", "mix", "single", "relu", "sine+tanh"
    ]  # fmt: skip
    assert list(line_up(None)) == ["tanh", "relu", "sine+tanh"]


def test_networks_that_diverge_are_counted_and_not_dropped(task, tmp_path):
    training = Training(epochs=3, batch_size=20, learning_rate=1e30, schedule="constant")
    variants = {"sine": "sine", "identity": "identity"}
    wild = compare(replace(task, model="nn", training=training), variants=variants, replicates=3, tuned=False, progress=False)
    table = wild.table.set_index("variant")
    assert len(table) == 6
    assert table.loc["identity", "diverged"].all()
    assert wild.summary().loc["identity", "diverged"] == 3
    assert math.isinf(wild.summary().loc["identity", "median"])
    wild.save(tmp_path)  # with infinities and all


def test_a_network_that_stands_still_has_an_energy_error_that_can_be_compared(task):
    """With the base zero, a learned H is constant: energy is conserved to the last bit, and its logarithm is asked for."""
    result = compare(task, variants={"zero": "zero", "sine": "sine"}, **QUICK)
    assert (result.table["energy_error_euler"] > 0).all()
    assert result.summary("energy_error_euler").loc["zero", "median"] < 1e-15


@pytest.mark.parametrize("model", ["nn", "hnn"])
def test_a_forecast_of_many_is_that_of_each_network_alone(model, pendulum_task):
    task = pendulum_task(model)
    pairs = task.pairs("training")
    networks = [task.network("sine", seed) for seed in range(3)]
    for network in networks:
        network.standardize(pairs.z, pairs.rate)
    merits = forecast_merits(networks, task.forecast)
    truth = task.forecast.truth
    for k, network in enumerate(networks):
        for name in task.forecast.methods:
            with torch.no_grad():
                alone = integrate(network.double(), truth.z[:, 0], truth.t, name)
            rolled = Orbit(alone.t, alone.z, coordinates=truth.coordinates)
            valid = metrics.valid_prediction_time(rolled, truth, horizon=task.forecast.horizon)
            assert float(merits[f"valid_time_{name}"][k]) == pytest.approx(np.median(valid.numpy()))
            error = metrics.energy_error(rolled, task.forecast.energy)
            assert float(merits[f"energy_error_{name}"][k]) == pytest.approx(np.median(error.numpy()), rel=1e-6)


def test_a_forecast_leaves_the_networks_as_they_are(task):
    network = task.network("sine")
    forecast_merits([network], task.forecast)
    assert all(p.dtype == torch.float32 and p.requires_grad for p in network.parameters())
