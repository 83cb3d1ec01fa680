"""The long run of models beside the truth."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import pyplot as plt

import systems
from physlearn import Forecaster, LearnedActivations
from physlearn.forecasting.long_run import choose, long_run
from physlearn.forecasting.simulated import Protocol
from systems import InputError
from systems.sampling import on_section

QUICK = Protocol(training_orbits=20, validation_orbits=4, samples=20, dt=0.1, training_sample={"energy_range": (0.02, 0.125)})


@pytest.fixture(scope="module")
def result():
    system = systems.get("henon-heiles")
    z0 = on_section(system, 3, 0.1)
    models = {"nn": ("nn", "sine"), "hnn-mechanical, tanh": ("hnn-mechanical", "tanh")}
    return long_run(system, z0, models, QUICK, time=80.0, energy=0.1, progress=False, training={"epochs": 20}, hidden=(16,))


def test_every_flow_is_followed_from_the_same_states_the_truth_first(result):
    assert list(result.flows) == list(result.comparisons) == ["truth", "nn", "hnn-mechanical, tanh"]
    for seen in result.flows.values():
        assert torch.equal(seen.orbit.z[:, 0], result.flows["truth"].orbit.z[:, 0])
        assert seen.section.surface == ("x", 0.0)


def test_the_truth_agrees_with_itself_and_sets_the_distances_that_are_left(result):
    table = result.table
    assert table.loc["truth", "class_agreement"] == 1
    summary = result.comparisons["nn"].summary()
    assert table.loc["truth", "nearest"] == summary.loc["nearest", "truth"]
    assert table.loc["nn", "nearest"] == summary.loc["nearest", "model"]
    assert (table["class_agreement_low"] <= table["class_agreement"]).all()


def test_the_tables_hold_every_orbit_and_every_crossing(result):
    assert result.orbits.groupby("flow").size().to_dict() == dict.fromkeys(result.flows, 3)
    for label, crossings in result.sections.groupby("flow"):
        np.testing.assert_allclose(crossings["p_y"], result.flows[label].section.z[:, 3])


def test_the_picture_has_a_panel_for_each_within_the_limits_of_the_truth(result):
    panels = result.plot().axes
    assert [ax.get_title() for ax in panels] == list(result.flows)
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in panels}) == 1
    plt.close("all")


def test_what_is_written_can_be_read(result, tmp_path):
    assert [path.name for path in result.save(tmp_path / "few")] == ["report.html", "section.png"]
    paths = result.save(tmp_path / "new", keep_all=True)
    assert all(path.is_file() for path in paths)
    assert len(pd.read_parquet(tmp_path / "new" / "sections.parquet")) == len(result.sections)
    rows = json.loads((tmp_path / "new" / "metrics.json").read_text())["rows"]
    assert [row["flow"] for row in rows] == list(result.flows)
    settings = json.loads((tmp_path / "new" / "manifest.json").read_text())["settings"]
    assert settings["models"]["nn"] == ["nn", "sine"]
    loaded = Forecaster.load(tmp_path / "new" / "hnn-mechanical_tanh.safetensors")
    z = result.flows["truth"].orbit.z[:, 0]
    forecaster = result.forecasters["hnn-mechanical, tanh"]
    torch.testing.assert_close(loaded.vector_field(0.0, z), forecaster.vector_field(0.0, z))


def test_a_system_alone_is_a_long_run_too():
    lorenz = systems.get("lorenz")
    seen = long_run(lorenz, lorenz.sample(2, seed=0), {}, Protocol(dt=0.02), time=6.0, progress=False)
    assert list(seen.table.index) == ["truth"]
    assert seen.flows["truth"].section.surface == ("z", 27.0)
    assert seen.plot().axes[0].get_xlabel() == "$x$"


@pytest.mark.slow
def test_a_trained_separable_network_tells_order_from_chaos_as_the_truth_does():
    """Class agreement of at least 90 % on 50 orbits of E = 1/8."""
    system = systems.get("henon-heiles")
    z0 = on_section(system, 50, 0.125)
    protocol = Protocol(training_sample={"energy_range": (0.02, 0.125)})
    models = {"hnn-separable": ("hnn-separable", "sine")}
    seen = long_run(system, z0, models, protocol, time=1000.0, energy=0.125, progress=False, training={"epochs": 200})
    assert seen.table.loc["hnn-separable", "class_agreement"] >= 0.9


def test_the_usual_models_are_chosen_by_the_coordinates_and_once_more_with_learned_activations():
    x = torch.linspace(-10, 10, 100)
    learned = LearnedActivations(torch.stack([x.sin(), x.tanh()]), base="sine", task="by hand")
    assert list(choose(None, "sine", canonical=True)) == ["nn", "hnn", "hnn-separable"]
    assert choose(None, "tanh", canonical=False) == {"nn": ("nn", "tanh")}
    assert choose([], "sine", canonical=True) == {}
    assert list(choose(["nn"], "sine", True, learned)) == ["nn", "nn, learned mix"]
    with pytest.raises(InputError, match="positions and momenta"):
        choose(["hnn"], "sine", canonical=False)
