import json
from dataclasses import replace

import pytest
import torch

import systems
from physlearn import metrics
from physlearn.chaos import Section
from physlearn.explorer import scene
from physlearn.explorer.asked import Asked
from physlearn.explorer.exploration import Exploration
from systems import InputError, UnknownNameError

NN, HNN = ({"kind": "model", "model": model, "neurons": "tanh"} for model in ("nn", "hnn"))


@pytest.mark.parametrize("name", ["pendulum", "double-pendulum", "lorenz", "three-body", "forced-duffing", "toda-ring"])
def test_every_kind_of_system_has_a_stage_and_a_true_orbit(answers, request_for, name):
    stage = answers.stage(Asked({"system": name}))
    reply = answers.orbits(request_for(name, time=1.0))
    json.dumps([stage, reply], allow_nan=False)
    assert len(reply["truth"]["bodies"][0]) == len(stage["extent"])
    assert reply["truth"]["bodies"][0][0][0] == pytest.approx(reply["points"][0][0], abs=1e-3)


def test_a_line_tells_how_long_it_is_valid(answers, request_for):
    reply = answers.orbits(request_for("pendulum", HNN, {"kind": "system", "method": "euler"}, dt=0.1, time=20.0))
    euler = reply["lines"][1]
    pendulum = systems.get("pendulum")
    here = Exploration(pendulum, torch.tensor(reply["z0"], dtype=torch.float64), dt=0.1, time=20.0)
    truth = here.truth()
    orbit = here.integrated("euler")
    there = truth[..., :: (len(truth.t) - 1) // (len(orbit.t) - 1)]
    assert euler["valid"] == float(metrics.valid_prediction_time(orbit, there)) < 20
    energy = pendulum.hamiltonian(orbit.z)
    assert euler["deviation"][: len(energy)] == pytest.approx(
        (energy - energy[0]).tolist()[: len(euler["deviation"])], abs=1e-3
    )


def test_a_second_start_goes_its_own_way_in_a_chaotic_system(answers, request_for):
    line = answers.orbits(request_for("lorenz", {"kind": "second", "offset": 1e-3}))["lines"][0]
    assert line["distance"][0] < 1e-3 < 0.4 < max(line["distance"])
    assert 2 < line["valid"] < 15


def test_points_that_are_dragged_replace_the_state(answers, request_for):
    reply = answers.orbits(request_for("pendulum", points=[[0.5, 0.25]], time=1.0))
    assert reply["z0"] == [0.5, 0.25]
    assert reply["energy"] == pytest.approx(0.25**2 / 2 + 1 - torch.tensor(0.5).cos().item())


def test_a_start_beyond_the_training_data_is_told_of(answers, request_for):
    assert not answers.orbits(request_for("pendulum", points=[[0.5, 0.25]], time=1.0))["unseen"]
    assert answers.orbits(request_for("pendulum", points=[[3.1, 2.0]], time=1.0))["unseen"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ({**NN, "neurons": "gelu"}, "nn with the activation gelu is not trained yet: press Train"),
        ({**NN, "neurons": "no"}, "no"),
        ({"kind": "system", "method": "no"}, "no"),
        ({"kind": "guess"}, "kind must be second, system or model, not 'guess'"),
        ({**HNN, "method": "leapfrog"}, "leapfrog needs a separable Hamiltonian"),
        ({"kind": "second", "offset": 5}, "offset must be a number from -1 to 1"),
    ],
)
def test_a_line_that_cannot_be_drawn_says_why_and_the_others_are_drawn(answers, request_for, line, sentence):
    bad, good = answers.orbits(request_for("pendulum", line, NN, time=2.0))["lines"]
    assert sentence in bad["error"]
    assert good["bodies"]


def test_a_true_orbit_that_cannot_be_followed_says_why(answers, request_for):
    reply = answers.orbits(request_for("henon-heiles", z0=[1.0, 1.0, 0.5, 0.5]))
    assert "cannot be followed" in reply["truth"]["error"]
    assert reply["lines"] == []


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"z0": [1.0]}, "z0 must hold 2"),
        ({"time": 1e4, "dt": 0.1}, "more than 20000 steps"),
        ({"lines": [{}] * 9}, "at most 8"),
    ],
)
def test_a_request_out_of_bounds_is_refused(answers, request_for, changes, match):
    with pytest.raises(InputError, match=match):
        answers.orbits(request_for("pendulum", **changes))


def test_a_system_that_is_none_is_refused(answers):
    with pytest.raises(UnknownNameError, match="pendulumm"):
        answers.stage(Asked({"system": "pendulumm"}))


def test_sections_come_one_by_one_in_the_order_of_time(answers, request_for):
    sent = []
    leapfrog = {"kind": "system", "method": "leapfrog"}
    answers.sections(request_for("henon-heiles", {**HNN, "neurons": "gelu"}, leapfrog, dt=0.1), sent.append)
    truth, untrained, found = sent
    assert (truth["line"], truth["resolved"], truth["held"]) == (-1, 21, 21)
    assert truth["t"] == sorted(truth["t"])
    assert "press Train" in untrained["error"]
    assert found["line"] == 1
    assert found["held"] == 21  # leapfrog keeps the energy to its step's square


def test_a_training_sends_its_losses_and_its_model_is_then_shown(answers, request_for):
    sent = []
    how = {"model": "nn", "neurons": "silu", "learning": [{"orbits": 5, "epochs": 3, "noise": 0.0}]}
    answers.train(Asked({"system": "duffing", **how}), sent.append)
    *losses, end = sent
    assert end == {"done": True}
    assert [part["epoch"] for part in losses] == list(range(len(losses)))
    assert losses[-1]["validation"] < losses[0]["validation"]
    (line,) = answers.orbits(request_for("duffing", {"kind": "model", **how}, time=1.0))["lines"]
    assert line["label"] == "nn by rk4"


def test_noise_hides_the_true_rates(shelf):
    pendulum = systems.get("pendulum")
    clean, noisy = (replace(shelf.learning, noise=noise).data(pendulum)[0] for noise in (0.0, 0.1))
    off = (noisy.z - clean.z).flatten(0, -2).std(0) / clean.z.flatten(0, -2).std(0)
    assert noisy.rate is None
    assert off.tolist() == pytest.approx([0.1, 0.1], rel=0.15)
    with pytest.raises(InputError, match="noise=1 must be"):
        replace(shelf.learning, noise=1.0)
    with pytest.raises(InputError, match="orbits=0 must be at least 1"):
        replace(shelf.learning, orbits=0)


def test_a_stage_tells_which_models_need_no_training(answers):
    assert answers.stage(Asked({"system": "pendulum"}))["ready"] == ["nn", "hnn"]
    assert answers.stage(Asked({"system": "three-body"}))["ready"] == []


def test_the_menus_offer_all_systems(answers):
    menus = answers.menus(Asked({}))
    assert menus["systems"] == scene.names()
    assert {"tanh", "learned:henon-heiles-hnn"} <= set(menus["neurons"])


def test_an_orbit_that_never_crosses_the_surface_does_not_count_as_held(answers, request_for):
    stage, here = answers._here(request_for("henon-heiles"))
    once, none = torch.zeros(1, dtype=torch.long), torch.zeros(2, dtype=torch.bool)
    names, plane = stage.system.coordinates, ("y", "p_y")
    section = Section(once, here.z0.new_zeros(1), here.z0[None], none, none, names, ("x", 0.0), plane)
    assert answers._section(stage, here, section, 0)["held"] == 1  # of two orbits
