"""`physlearn learn`: output, files and exit code."""

import json
import sys

import pytest

from physlearn import tensor_file
from physlearn.activations.learned import LearnedActivations
from physlearn.metalearning.outer import OuterLoop

SMALL = ["--outer-steps", 3, "--inner-steps", 3, "--networks", 2]
LEARN = ["learn", "van-der-pol", "--set", "orbits=5", "--variant", "unrolled", *SMALL]


def content(path):
    """Everything in a file of learned activations; the order of its header may differ."""
    settings, tensors = tensor_file.read(path, "learned activations")
    return settings, {name: tensor.tolist() for name, tensor in tensors.items()}


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_learn_writes_the_activations_and_their_control_each_with_a_picture(run, here):
    result = run(*LEARN)
    assert result.code == 0, result.err
    stems = ("van-der-pol", "van-der-pol-single")
    assert names(here) == sorted(f"{stem}.{end}" for stem in stems for end in ("png", "safetensors"))
    mix, single = (LearnedActivations.load(here / f"{stem}.safetensors") for stem in stems)
    assert (len(mix), len(single)) == (2, 1)
    assert mix.task == single.task == "van-der-pol"
    assert mix.settings["seed"] == 0
    assert len(mix.losses) == 3
    assert (here / "van-der-pol.png").read_bytes().startswith(b"\x89PNG")
    assert "van der Pol oscillator" in result.out
    assert all(name in result.out for name in names(here))


def test_learn_answers_scripts_in_json(run, here):
    options = ["--types", 3, "--base", "tanh", "--no-single", "--seed", 4, "--out", "deep/mine.safetensors", "--json"]
    result = run(*LEARN, *options)
    assert result.code == 0, result.err
    answer = json.loads(result.out)
    assert answer["written"] == ["deep/mine.safetensors", "deep/mine.png"]
    told = answer["result"]["deep/mine.safetensors"]
    assert told["types"] == 3
    assert told["seed"] == 4
    assert len(told["smoothed_log_loss"]) == 3
    learned = LearnedActivations.load("deep/mine.safetensors")
    assert (len(learned), learned.base) == (3, "tanh")
    assert names(here) == ["deep/mine.png", "deep/mine.safetensors"]


@pytest.mark.parametrize("base", ["sine,square", "sine+square"])
def test_types_may_start_from_different_functions_and_the_control_from_the_first(run, here, plain, base):
    assert run(*LEARN, "--base", base).code == 0
    mix, single = (LearnedActivations.load(here / f"van-der-pol{end}.safetensors") for end in ("", "-single"))
    assert (mix.base, single.base) == ("sine+square", "sine")


def test_one_type_is_its_own_control(run, here, plain):
    assert run(*LEARN, "--types", 1).code == 0
    assert names(here) == ["van-der-pol.png", "van-der-pol.safetensors"]


def test_the_same_command_gives_the_same_file_and_another_seed_another(run, here, plain):
    for out, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert run(*LEARN, "--no-single", "--out", f"{out}.safetensors", "--seed", seed).code == 0
    a, b, c = (content(here / f"{out}.safetensors") for out in "abc")
    assert a == b
    assert a != c


@pytest.mark.slow
def test_several_meta_seeds_in_processes_are_those_of_one_after_the_other(run, here, plain):
    answer = run(*LEARN, "--no-single", "--meta-seeds", 2, "--workers", 2, "--json")
    assert answer.code == 0, answer.err
    files = ["van-der-pol-0.safetensors", "van-der-pol-1.safetensors"]
    assert list(json.loads(answer.out)["result"]) == files
    assert run(*LEARN, "--no-single", "--seed", 1, "--out", "alone.safetensors").code == 0
    assert content(here / files[1]) == content(here / "alone.safetensors")
    assert content(here / files[0]) != content(here / files[1])
    assert not list(here.glob("*.checkpoint"))


def test_without_its_history_a_file_holds_the_same_curves_and_settings(run, here, plain):
    for out, options in (("whole", []), ("bare", ["--no-history"])):
        assert run(*LEARN, "--no-single", "--out", f"{out}.safetensors", *options).code == 0
    (settings, tensors), (bare_settings, bare_tensors) = (content(here / f"{out}.safetensors") for out in ("whole", "bare"))
    assert bare_tensors == {"values": tensors["values"]}
    assert bare_settings == {**settings, "losses": {}, "snapshot_steps": []}


@pytest.mark.parametrize("stopped_at", [2, 4, 6])
def test_a_learn_that_was_interrupted_goes_on_to_the_same_files(run, here, plain, monkeypatch, stopped_at):
    """Three outer steps for the mix, three for its control; none that was kept is taken again."""
    assert run(*LEARN).code == 0
    wanted = {path.name: content(path) for path in here.glob("*.safetensors")}
    for path in here.iterdir():
        path.unlink()
    monkeypatch.setattr(sys.modules["physlearn.metalearning.metalearn"], "CHECKPOINT_EVERY", 1)
    step, taken = OuterLoop.step, []

    def limited(self):
        if len(taken) == stopped_at - 1:
            raise KeyboardInterrupt
        taken.append(self)
        step(self)

    with monkeypatch.context() as patch:
        patch.setattr(OuterLoop, "step", limited)
        result = run(*LEARN)
    assert result.code == 130
    assert result.err.splitlines()[-1] == "physlearn: interrupted"
    assert len(list(here.glob("*.checkpoint"))) == (1 if stopped_at <= 4 else 2)
    again = []
    with monkeypatch.context() as patch:
        patch.setattr(OuterLoop, "step", lambda self: again.append(self) or step(self))
        assert run(*LEARN).code == 0
    assert len(again) == 6 - (stopped_at - 1)
    assert {path.name: content(path) for path in here.glob("*.safetensors")} == wanted
    assert not list(here.glob("*.checkpoint"))


def test_another_command_does_not_go_on_from_the_checkpoint_of_the_first(run, refused, here, plain, monkeypatch):
    step = OuterLoop.step

    def interrupted(self):
        if self.step_count:
            raise KeyboardInterrupt
        step(self)

    monkeypatch.setattr(sys.modules["physlearn.metalearning.metalearn"], "CHECKPOINT_EVERY", 1)
    with monkeypatch.context() as patch:
        patch.setattr(OuterLoop, "step", interrupted)
        assert run(*LEARN).code == 130
    assert "started with other settings" in refused(*LEARN, "--seed", 3)
    assert run(*LEARN).code == 0


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (["learn", "van-der-pool"], "henon-heiles-hnn"),
        ([*LEARN, "--variant", "magic"], "two-stage"),
        ([*LEARN, "--base", "cosinus"], "no activation 'cosinus'"),
        ([*LEARN, "--base", "sine,square", "--types", "3"], "2 functions for 3 types"),
        ([*LEARN, "--types", "0"], "types must be"),
        ([*LEARN, "--types", "two"], "integer"),
        ([*LEARN, "--outer-steps", "-2"], "outer_steps must be"),
        ([*LEARN, "--networks", "0"], "networks must be"),
        ([*LEARN, "--data", "angles.csv"], "no setting 'data'"),
        ([*LEARN, "--set", "orbits"], "orbits"),
        ([*LEARN, "--set", "orbits=many"], "orbits=many"),
        ([*LEARN, "--set", "orbits=nan"], "finite"),
        ([*LEARN, "--set", "orbits=inf"], "finite"),
        ([*LEARN, "--set", "orbits=5.5"], "whole numbers"),
        ([*LEARN, "--set", "orbits=3"], "at least 5 orbits"),
        ([*LEARN, "--set", "seed=0.5"], "whole numbers"),
        ([*LEARN, "--set", "seed=1e30"], "below 2^32"),
        ([*LEARN, "--set", "nu=3"], "no setting 'nu'"),
        (["learn", "mnist1d", "--set", "orbits=5"], "no setting 'orbits'; it has samples, seed"),
        (["learn", "mnist1d", "--set", "samples=2.5"], "whole number of at least 10"),
        (["learn", "mnist1d", "--set", "seed=-1"], "from 0 to"),
        ([*LEARN, "--set", "device=3"], "device"),
        ([*LEARN, "--set", "name=3"], "name"),
        ([*LEARN, "--set", "data=0"], "data"),
        ([*LEARN, "--device", "abacus"], "no device"),
        ([*LEARN, "--out", "picture.png"], "must end with .safetensors"),
        ([*LEARN, "--out", "learned.checkpoint"], "must end with .safetensors"),
        ([*LEARN, "--out", "file/learned.safetensors"], "cannot write"),
        (["learn", "pendulum-clock-hnn", "--data", "missing.csv"], "missing.csv"),
        (["learn", "pendulum-clock-hnn", "--data", "file"], "file"),
    ],
    ids=lambda value: " ".join(map(str, value[-2:])) if isinstance(value, list) else "",
)
def test_a_wrong_use_of_learn_gets_one_line_and_leaves_nothing(wrong, sentence, refused, here):
    (here / "file").write_text("in the way\n")
    assert sentence in refused(*wrong)
    assert names(here) == ["file"]


def test_a_folder_in_the_way_is_noticed_before_the_work(refused, here):
    (here / "learned.safetensors").mkdir()
    assert "is a folder, not a file" in refused(*LEARN, "--out", "learned.safetensors")
