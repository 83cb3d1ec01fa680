"""The benchmarks' definitions against closed forms and plain torch, and that a run goes on where it was stopped."""

import math
import shutil
from dataclasses import replace

import pandas as pd
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from physlearn.studies.hamiltonian_networks.benchmarks import (
    BENCHMARKS,
    Problem,
    markdown,
    published_network,
    run,
    summary,
    train_as_published,
)
from physlearn.training import Pairs
from systems import InputError

GROWTH = 0.01


@pytest.fixture(scope="module")
def spring():
    return Problem.of(BENCHMARKS["spring"], seed=0)


def exact(z):
    return torch.stack([2 * z[..., 1], -2 * z[..., 0]], dim=-1)


def test_the_true_field_of_the_spring_has_the_loss_of_the_noise_and_no_energy_error(spring):
    """Each rate is twice a state, whose noise of 0.1 it does not share: (2 * 0.1)^2 = 0.04, within four deviations."""
    measured = spring.score(exact)
    assert measured == pytest.approx(spring.measure("exact", seed=0))
    for loss in ("train_loss", "test_loss"):
        assert measured[loss] == pytest.approx(0.04, rel=4 * (2 / 1500) ** 0.5)
    assert measured["energy_mse"] < 1e-15


def test_the_energy_mse_is_the_mean_over_orbits_and_times(spring):
    """A spiral dz/dt = J grad H + a z has the energy E exp(2 a t)."""
    measured = spring.score(lambda z: exact(z) + GROWTH * z)
    first = spring.truth.z[:, 0].square().sum(-1, keepdim=True)
    expected = (first * (torch.exp(2 * GROWTH * spring.truth.t) - 1)).square().mean()
    assert measured["energy_mse"] == pytest.approx(float(expected), rel=1e-6)


def test_what_cannot_be_followed_has_an_infinite_energy_mse(spring):
    assert spring.score(lambda z: z**3 * 10)["energy_mse"] == math.inf


def test_the_loss_is_the_mean_over_samples_and_components(spring):
    measured = spring.score(torch.zeros_like)
    assert measured["test_loss"] == pytest.approx(float(spring.test.rate.double().square().mean()))


@pytest.mark.parametrize("kind", ["nn", "hnn"])
def test_published_networks_have_orthogonal_weights_and_no_last_bias(kind):
    layers = [m for m in published_network(kind, 4, seed=1).modules() if hasattr(m, "weight")]
    assert [tuple(layer.weight.shape) for layer in layers] == [(200, 4), (200, 200), (4 if kind == "nn" else 1, 200)]
    for layer in layers:
        w = layer.weight if layer.weight.shape[0] <= layer.weight.shape[1] else layer.weight.T
        assert_close(w @ w.T, torch.eye(len(w)), rtol=0, atol=1e-5)
    assert [layer.bias is None for layer in layers] == [False, False, True]


@pytest.mark.parametrize("kind", ["nn", "hnn"])
def test_the_published_training_is_plain_torch(kind):
    """The same weights in a plain network of torch, differentiated by autograd, end up the same after a few steps."""
    z, rate = torch.randn(2, 50, 4, generator=torch.Generator().manual_seed(0))
    model = published_network(kind, 4, seed=2)
    layers = [m for m in model.modules() if hasattr(m, "weight")]
    plain = nn.Sequential(nn.Linear(4, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh(), nn.Linear(200, 4, bias=False))
    if kind == "hnn":
        plain[4] = nn.Linear(200, 1, bias=False)
    with torch.no_grad():
        for ours, theirs in zip(layers, (plain[0], plain[2], plain[4]), strict=True):
            theirs.weight.copy_(ours.weight)
            if ours.bias is not None:
                theirs.bias.copy_(ours.bias)

    def field(z):
        if kind == "nn":
            return plain(z)
        z = z.clone().requires_grad_()
        (slope,) = torch.autograd.grad(plain(z).sum(), z, create_graph=True)
        return torch.cat([slope[:, 2:], -slope[:, :2]], dim=-1)

    optimizer = torch.optim.Adam(plain.parameters(), 1e-3, weight_decay=1e-4)
    for _ in range(5):
        optimizer.zero_grad()
        (field(z) - rate).square().mean().backward()
        optimizer.step()
    train_as_published(model, Pairs(z, rate, ("a", "b", "c", "d")), BENCHMARKS["spring"], steps=5, seed=0)
    for ours, theirs in zip(layers, (plain[0], plain[2], plain[4]), strict=True):
        assert_close(ours.weight, theirs.weight, rtol=0, atol=2e-5)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setitem(BENCHMARKS, "spring", replace(BENCHMARKS["spring"], steps=40))


def test_a_run_goes_on_where_it_was_and_gives_the_same(short, tmp_path, monkeypatch):
    whole = run(tmp_path / "whole", ["spring"], 1, quick=True, progress=False)
    trained = []
    measure = Problem.measure

    def stopped(self, variant, seed):
        trained.append(variant)
        if len(trained) == 3:
            raise KeyboardInterrupt
        return measure(self, variant, seed)

    monkeypatch.setattr(Problem, "measure", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "part", ["spring"], 1, quick=True, progress=False)
    part = run(tmp_path / "part", ["spring"], 1, quick=True, progress=False)
    assert trained == ["exact", "nn, as published", "hnn, as published", "hnn, as published", "hnn", "hnn-separable"]
    pd.testing.assert_frame_equal(part.drop(columns="seconds"), whole.drop(columns="seconds"))


def test_rows_of_an_older_table_are_not_measured_again(short, tmp_path, monkeypatch):
    first = run(tmp_path, ["spring"], 1, quick=True, progress=False)
    shutil.rmtree(tmp_path / "quick-rows")
    monkeypatch.setattr(Problem, "measure", None)
    again = run(tmp_path, ["spring"], 1, quick=True, progress=False)
    pd.testing.assert_frame_equal(again, first)


def test_other_steps_are_measured_again_and_replace_the_rows(short, tmp_path, monkeypatch):
    first = run(tmp_path, ["spring"], 1, quick=True, progress=False)
    monkeypatch.setitem(BENCHMARKS, "spring", replace(BENCHMARKS["spring"], steps=80))
    again = run(tmp_path, ["spring"], 1, quick=True, progress=False)
    assert again["variant"].to_list() == first["variant"].to_list()
    assert again["train_loss"].to_list()[1:] != first["train_loss"].to_list()[1:]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "quick.csv"), again)


def test_the_table_has_the_papers_numbers_beside_the_mean_and_its_error():
    rows = [("spring", "hnn", seed, 0.03 + 0.01 * seed, 0.04, 1e-4) for seed in range(3)]
    table = pd.DataFrame(rows, columns=["benchmark", "variant", "seed", "train_loss", "test_loss", "energy_mse"])
    found = summary(table)
    ours = found.loc[("spring", "hnn")]
    assert ours[["n", "train_loss", "train_loss_error"]].tolist() == pytest.approx([3, 0.04, 0.01 / 3**0.5])
    assert found.loc[("spring", "hnn, the paper's numbers"), "energy_mse"] == 3.8416e-4
    text = markdown(table)
    assert "| spring | hnn, the paper's numbers | | 3.69e-02 ± 1.9e-03 | 3.59e-02 ± 1.8e-03 | 3.84e-04 ± 6.5e-05 |" in text
    assert "| spring | hnn | 3 | 4.00e-02 ± 5.8e-03 | 4.00e-02 ± 0.0e+00 | 1.00e-04 ± 0.0e+00 |" in text
    assert "pendulum" not in text


def test_wrong_settings_are_refused(tmp_path):
    with pytest.raises(InputError, match="no benchmark 'springs'; there are spring"):
        run(tmp_path, ["springs"])
    with pytest.raises(InputError, match="seeds must be at least 1"):
        run(tmp_path, ["spring"], 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["spring", "pendulum", "two-body"])
def test_our_hamiltonian_network_is_as_good_as_the_published_one(name):
    """Mean energy MSE over five seeds, within two of the paper's errors of its number, or less."""
    energies = [Problem.of(BENCHMARKS[name], seed).measure("hnn", seed)["energy_mse"] for seed in range(5)]
    value, error = BENCHMARKS[name].published["hnn"][2]
    assert sum(energies) / 5 <= value + 2 * error


@pytest.mark.slow
def test_the_recorded_pendulum_is_learned_as_well_as_published(data, monkeypatch):
    monkeypatch.setenv("PHYSLEARN_DATA", str(data))
    problem = Problem.of(BENCHMARKS["real-pendulum"], seed=0)
    _, (test_loss, test_error), (value, error) = BENCHMARKS["real-pendulum"].published["hnn"]
    for variant in ("hnn, as published", "hnn", "hnn-mechanical"):
        measured = problem.measure(variant, seed=0)
        assert measured["energy_mse"] <= value + 2 * error
        assert measured["test_loss"] <= test_loss + 2 * test_error
    assert measured["energy_mse"] < value  # where momentum is known to be velocity, it is better
