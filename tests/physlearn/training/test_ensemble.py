"""An ensemble is many trainings at once: each network must come out as if it were alone."""

import copy
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import models
from physlearn.activations import Mixture, Table
from physlearn.training import Pairs, Training, ensemble, train
from physlearn.training.ensemble import train_ensemble
from systems import InputError

MODELS = ["nn", "hnn", "hnn-separable", "hnn-mechanical"]
FEW = Training(epochs=2, batch_size=50, learning_rate=1e-2)  # 120 pairs: the last batch has 20
ROUNDING = {"rtol": 1e-4, "atol": 2e-5}  # Adam divides the rounding of small gradients by their size; steps are 1e-2


def pairs_of(seed, orbits=12, scale=1.0):
    system = systems.get("henon-heiles")
    orbit = system.orbit(system.sample(orbits, seed=seed, energy_range=(0.02, 0.125)), torch.linspace(0, 3, 10))
    pairs = Pairs.of(orbit).to("cpu", torch.float32)
    return Pairs(pairs.z, pairs.rate * torch.tensor([scale, scale, 1, 1]), pairs.coordinates)


@pytest.fixture(scope="module")
def pairs():
    return pairs_of(0)


@pytest.fixture(scope="module")
def held_out():
    return pairs_of(1, 5)


def build(name="nn", seeds=(0, 1, 2), hidden=(9,), activation="sine"):
    return [models.build(name, 4, hidden, activation, seed) for seed in seeds]


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def table(seed):
    bend = 0.1 * torch.randn(100, generator=torch.Generator().manual_seed(seed))
    return Table(torch.linspace(-10, 10, 100).sin() + bend.cumsum(0) / 10, name="learned")


def learned(seed):
    return Mixture([table(seed), table(seed + 100)])


def compare_with_training_alone(networks, pairs, held_out, how, engine, rates=None):
    """Trains a copy of each network alone, and all together."""
    seeds = [10 + k for k in range(len(networks))]
    alone = copy.deepcopy(networks)
    history = train_ensemble(networks, pairs, held_out, how, seeds, learning_rates=rates, engine=engine, progress=False)
    for k, model in enumerate(alone):
        own = how if rates is None else replace(how, learning_rate=rates[k])
        frame = train(model, pairs, held_out, own, seeds[k], progress=False)
        epochs = len(frame)
        assert_close(history.training[:epochs, k].double(), torch.tensor(frame["training"].to_numpy()), rtol=1e-4, atol=0)
        if held_out is not None:
            wanted = torch.tensor(frame["validation"].to_numpy())
            assert_close(history.validation[:epochs, k].double(), wanted, rtol=1e-4, atol=0)
            assert float(history.best[k]) == pytest.approx(wanted.min().item(), rel=1e-4)
        assert_close(weights(networks[k]), weights(model), **ROUNDING)
        assert int(history.stopped[k]) == epochs
    assert not history.diverged.any()
    return history


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("engine", ["torch", "fused"])
@pytest.mark.parametrize("activation", ["sine", "sine+tanh", learned(0)], ids=["sine", "sine+tanh", "learned"])
def test_a_network_of_an_ensemble_is_the_network_trained_alone(name, engine, activation, pairs, held_out):
    compare_with_training_alone(build(name, activation=activation), pairs, held_out, FEW, engine)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("engine", ["torch", "fused"])
@pytest.mark.parametrize("hidden", [(9, 8), (7, 6, 5)], ids=str)
@pytest.mark.parametrize("activation", ["tanh", "sine+gelu", learned(1)], ids=["tanh", "sine+gelu", "learned"])
def test_deeper_networks_train_together_as_alone(name, engine, hidden, activation, pairs, held_out):
    rates = [1e-3, 1e-2, 2e-2]
    networks = build(name, hidden=hidden, activation=activation)
    history = compare_with_training_alone(networks, pairs, held_out, FEW, engine, rates)
    assert history.engines == (engine,) * 3


@pytest.mark.parametrize("engine", ["torch", "fused"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adam"])
@pytest.mark.parametrize("clip", [None, 0.05])
def test_every_optimizer_with_and_without_clipping_trains_as_alone(engine, optimizer, clip, pairs):
    how = replace(FEW, optimizer=optimizer, clip=clip)
    compare_with_training_alone(build("hnn"), pairs, None, how, engine)


@pytest.mark.parametrize("engine", ["torch", "fused"])
@pytest.mark.parametrize("schedule", ["cosine", "constant"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_schedules_reductions_and_rates_of_its_own_are_those_of_a_network_alone(engine, schedule, reduction, pairs, held_out):
    how = replace(FEW, schedule=schedule, reduction=reduction)
    compare_with_training_alone(build("hnn-mechanical"), pairs, held_out, how, engine, rates=[1e-3, 1e-2, 5e-2])


@pytest.mark.parametrize("engine", ["torch", "fused"])
def test_networks_lose_their_patience_one_by_one_and_keep_the_best_weights(engine, pairs, held_out):
    how = Training(epochs=12, batch_size=40, schedule="constant", patience=2)
    networks = build(seeds=(0, 1, 2, 3))
    history = compare_with_training_alone(networks, pairs, held_out, how, engine, rates=[1e-3, 0.05, 0.1, 0.2])
    assert len(history.stopped.unique()) > 1  # else this would not test what it says
    for k, model in enumerate(networks):
        with torch.no_grad():
            reached = (model(held_out.z) - held_out.rate).square().mean()
        assert_close(reached, history.best[k])


@pytest.mark.parametrize("engine", ["torch", "fused"])
def test_a_network_out_of_patience_cannot_diverge_any_more(engine, pairs, held_out):
    """Network 0 grows slowly: it ends before it overflows, and would do so in the epochs that only network 1 still needs."""
    how = Training(epochs=60, schedule="constant", optimizer="momentum")

    def trained(patience):
        networks = build(activation="identity", seeds=(0, 1))
        settings, rates = replace(how, patience=patience), [50, 1e-4]
        return train_ensemble(networks, pairs, held_out, settings, [0, 1], learning_rates=rates, engine=engine, progress=False)

    patient, impatient = trained(None), trained(1)
    assert patient.diverged.tolist() == [True, False]
    assert impatient.diverged.tolist() == [False, False]
    assert impatient.stopped[0] < impatient.stopped[1]
    assert torch.isfinite(impatient.validation).all()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("activation", ["sine", "tanh", learned(2)], ids=["sine", "tanh", "learned"])
def test_the_engines_agree(name, activation, pairs, held_out):
    histories = [
        train_ensemble(build(name, activation=activation), pairs, held_out, FEW, [0, 1, 2], engine=engine, progress=False)
        for engine in ("torch", "fused")
    ]
    assert [history.engines[0] for history in histories] == ["torch", "fused"]
    for field in ("training", "validation", "best"):
        assert_close(*(getattr(history, field) for history in histories), rtol=1e-4, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_the_engines_train_equally_well_when_rounding_has_grown(name, pairs, held_out):
    how = Training(epochs=60, batch_size=30, learning_rate=1e-2)
    ends = [
        train_ensemble(build(name, seeds=range(30)), pairs, held_out, how, range(30), engine=engine, progress=False).best.log()
        for engine in ("torch", "fused")
    ]
    standard_error = (ends[0].var() / 30 + ends[1].var() / 30).sqrt()
    assert abs(ends[0].mean() - ends[1].mean()) < 3 * standard_error


@pytest.mark.parametrize("engine", ["torch", "fused"])
def test_many_networks_are_as_many_ensembles_of_one(engine, pairs, held_out):
    together, alone = build("hnn"), build("hnn")
    history = train_ensemble(together, pairs, held_out, FEW, [0, 1, 2], engine=engine, progress=False)
    for k, model in enumerate(alone):
        one = train_ensemble([model], pairs, held_out, FEW, [k], engine=engine, progress=False)
        assert_close(one.training[:, 0], history.training[:, k], rtol=1e-5, atol=0)
        assert_close(weights(model), weights(together[k]), **ROUNDING)
        if engine == "fused":
            assert torch.equal(weights(model), weights(together[k]))


def mixed():
    return [
        models.build("nn", 4, (9,), "sine", 0),
        models.build("hnn", 4, (5,), "tanh", 1),
        models.build("nn", 4, (6,), "sine", 2),
        models.build("nn", 4, (9,), "sine", 3),
        models.build("hnn-separable", 4, (5, 4), "sine+mish", 4),
        models.build("hnn", 4, (5,), learned(5), 5),
        models.build("nn", 4, (9,), "relu", 6),
        models.build("hnn", 4, (5,), "tanh", 7),
    ]


def test_networks_of_all_shapes_come_back_in_the_order_in_which_they_were_given(pairs, held_out):
    networks, rates = mixed(), [1e-3 * (1 + k) for k in range(8)]
    backwards = mixed()[::-1]
    history = compare_with_training_alone(networks, pairs, held_out, FEW, "auto", rates)
    assert history.engines == ("fused",) * 4 + ("torch",) + ("fused",) * 3
    seeds = [17 - k for k in range(8)]
    reverse = train_ensemble(backwards, pairs, held_out, FEW, seeds, learning_rates=rates[::-1], progress=False)
    assert_close(reverse.validation.flip(1), history.validation, rtol=1e-5, atol=0)
    assert reverse.engines == history.engines[::-1]


@pytest.mark.parametrize("engine", ["torch", "fused"])
def test_small_memory_changes_nothing_but_the_time(engine, pairs, held_out, monkeypatch):
    how = Training(epochs=12, batch_size=40, schedule="constant", patience=2)
    rates = [1e-3, 0.05, 0.1, 0.2, 1e-3]

    def trained():
        networks = build(seeds=range(5))
        history = train_ensemble(networks, pairs, held_out, how, range(5), learning_rates=rates, engine=engine, progress=False)
        return history, torch.stack([weights(model) for model in networks])

    whole, all_weights = trained()
    monkeypatch.setitem(ensemble.MEMORY, "cpu", 2 * 12 * 40 * 9 * 4)  # two networks at once
    parts, some_weights = trained()
    assert torch.equal(whole.stopped, parts.stopped)
    assert_close(some_weights, all_weights, rtol=1e-3, atol=1e-4)
    for field in ("training", "validation", "best"):
        assert_close(getattr(parts, field), getattr(whole, field), rtol=1e-3, atol=0)
    assert len(parts.seconds) == len(whole.seconds)
    assert (parts.seconds.diff() >= 0).all()


@pytest.mark.parametrize("engine", ["torch", "fused"])
@pytest.mark.parametrize("with_validation", [True, False])
def test_a_network_that_diverges_is_marked_and_no_other_notices(engine, with_validation, pairs, held_out):
    validation = held_out if with_validation else None
    rates = [1e-2, 1e30, 1e-2]
    hurt, healthy = build(activation="identity"), build(activation="identity")
    history = train_ensemble(hurt, pairs, validation, FEW, [0, 1, 2], learning_rates=rates, engine=engine, progress=False)
    other = train_ensemble(healthy, pairs, validation, FEW, [0, 1, 2], engine=engine, progress=False)
    assert history.diverged.tolist() == [False, True, False]
    assert not other.diverged.any()
    for k in (0, 2):
        assert torch.equal(weights(hurt[k]), weights(healthy[k]))
        assert torch.equal(history.training[:, k], other.training[:, k])
    assert not torch.isfinite(history.training[-1, 1])
    assert torch.isfinite(weights(hurt[1])).all()


@pytest.mark.parametrize("engine", ["torch", "fused"])
def test_without_validation_the_last_weights_are_kept(engine, pairs):
    networks = build()
    how = replace(FEW, patience=1)
    history = train_ensemble(networks, pairs, None, how, [0, 1, 2], engine=engine, progress=False)
    assert history.validation.isnan().all()
    assert_close(history.best, history.training[-1])
    assert history.stopped.tolist() == [2, 2, 2]  # patience is with the validation loss


def test_the_history_is_a_row_a_network_and_epoch(pairs, held_out):
    history = train_ensemble(build(), pairs, held_out, FEW, [0, 1, 2], progress=False)
    frame = history.frame()
    assert frame.index.names == ["epoch", "network"]
    assert frame.loc[(1, 2), "validation"] == history.validation[1, 2].item()
    assert history.steps == 3


def test_a_model_keeps_its_own_parameters_and_state(pairs):
    networks = build("hnn", activation=learned(3))
    before = [list(model.parameters()) for model in networks]
    curves = [model.energy.network.activation.types[0].values.clone() for model in networks]
    train_ensemble(networks, pairs, None, FEW, [0, 1, 2], engine="torch", progress=False)
    for model, parameters, curve in zip(networks, before, curves, strict=True):
        assert all(a is b for a, b in zip(model.parameters(), parameters, strict=True))
        assert all(p.requires_grad and p.is_leaf and p.ndim < 3 for p in parameters)
        assert torch.equal(model.energy.network.activation.types[0].values, curve)


@pytest.mark.parametrize("engine", ["torch", "fused"])
def test_each_network_computes_with_its_own_table(engine, pairs, held_out):
    networks = [models.build("hnn", 4, (8,), learned(10 * k), seed=0) for k in range(3)]
    compare_with_training_alone(networks, pairs, held_out, FEW, engine)


@pytest.mark.parametrize("engine", ["torch", "fused"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_velocities_that_are_not_the_momenta_count_as_error_in_a_mechanical_model(engine, reduction):
    """Those of a mass of 2: no weight can change the error that remains, and it has to be told."""
    heavy, other = pairs_of(0, scale=0.5), pairs_of(1, 5, scale=0.5)
    how = replace(FEW, reduction=reduction)
    networks = build("hnn-mechanical")
    history = compare_with_training_alone(networks, heavy, other, how, engine)
    q_dot_error = (other.rate - other.z.roll(2, 1))[:, :2].square().sum(1).mean()
    assert (history.best >= q_dot_error / (4 if reduction == "mean" else 1)).all()


def test_the_fused_engine_is_refused_where_it_does_not_apply(pairs):
    clipped = replace(FEW, clip=0.05)  # by the norm over both networks, which the loops train one by one
    for networks, how in (
        (build("nn-splines", hidden=(4, 3)), FEW),
        (build("hnn-separable"), clipped),
        (build(activation="mish"), FEW),
    ):
        with pytest.raises(InputError, match="a compiled activation"):
            train_ensemble(networks, pairs, None, how, [0, 1, 2], engine="fused", progress=False)
    exact = Pairs(pairs.z.double(), pairs.rate.double(), pairs.coordinates)
    doubles = [model.double() for model in build()]
    with pytest.raises(InputError, match="a compiled activation"):
        train_ensemble(doubles, exact, None, FEW, [0, 1, 2], engine="fused", progress=False)
    assert train_ensemble(doubles, exact, None, FEW, [0, 1, 2], progress=False).engines == ("torch",) * 3


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"seeds": [0, 1]}, "3 networks need one seed and one learning rate each, but there are 2 seeds"),
        ({"learning_rates": [1e-3]}, "learning rates"),
        ({"learning_rates": [1e-3, 0.0, 1e-3]}, "positive"),
        ({"learning_rates": [1e-3, float("nan"), 1e-3]}, "positive"),
        ({"engine": "steam"}, "auto, torch, fused"),
        ({"models": []}, "0 networks"),
    ],
)
def test_wrong_arguments_are_named(wrong, sentence, pairs):
    given = {"models": build(), "seeds": [0, 1, 2], "engine": "auto", "learning_rates": None, **wrong}
    with pytest.raises(InputError, match=sentence):
        train_ensemble(given.pop("models"), pairs, None, FEW, given.pop("seeds"), progress=False, **given)


def test_a_baseline_is_not_trained(pairs):
    with pytest.raises(InputError, match="least squares"):
        train_ensemble([models.build("linear", 4)], pairs, None, FEW, [0], progress=False)


def test_random_numbers_of_the_program_are_left_alone(pairs):
    before = torch.get_rng_state()
    train_ensemble(build(), pairs, None, FEW, [0, 1, 2], engine="torch", progress=False)
    assert torch.equal(before, torch.get_rng_state())
