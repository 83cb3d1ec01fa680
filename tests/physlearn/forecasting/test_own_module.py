"""Modules and losses of the user's own."""

import math

import pytest
import torch
from torch import nn

import systems
from physlearn import Forecaster, models
from systems import InputError, Orbit

PENDULUM, T = systems.get("pendulum"), torch.linspace(0, 6, 41)
ORBITS = PENDULUM.orbit(PENDULUM.sample(8, seed=0), T)
HOW = {"epochs": 40, "progress": False}


class Rates(nn.Module):
    """Rates that are one layer of tanh."""

    def __init__(self, results=2, width=12, inputs=2, seed=0):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.net = nn.Sequential(nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, results))

    def forward(self, z):
        return self.net(z)


class Energy(Rates):
    """An energy that is one layer of tanh."""

    def __init__(self, results=1, **settings):
        super().__init__(results, **settings)

    def hamiltonian(self, z):
        return self.net(z).squeeze(-1)


@pytest.mark.parametrize("own", [Rates, Energy])
def test_a_module_is_trained_forecasts_and_is_saved_without_its_code(own, tmp_path):
    module = own()
    before = [p.clone() for p in module.parameters()]
    f = Forecaster(module).fit(ORBITS, **HOW)
    off = ((f.vector_field(0.0, ORBITS.z) - ORBITS.rate) / ORBITS.rate.flatten(0, 1).std(0)).square().mean().sqrt()
    assert off < 0.1
    assert f.forecast(ORBITS.z[0, 0], T[:3], progress=False).z.shape == (3, 2)
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))  # it was copied
    f.save(tmp_path / "f")
    loaded = Forecaster.load(tmp_path / "f", module=own(seed=5))
    assert torch.equal(loaded.vector_field(0.0, ORBITS.z), f.vector_field(0.0, ORBITS.z))
    assert own.__name__ in repr(loaded)


def test_a_hamiltonian_module_follows_hamiltons_equations_in_the_units_of_the_data():
    scales = torch.tensor([1e-6, 1e3], dtype=torch.float64)
    orbits = Orbit(1e4 * T.double(), ORBITS.z * scales, rate=ORBITS.rate * scales / 1e4, coordinates=("q", "p"))
    f = Forecaster(Energy(), dtype=torch.float64).fit(orbits, **HOW)
    z = orbits.z[0, 3].clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(f.hamiltonian(z), z)
    torch.testing.assert_close(f.vector_field(0.0, z.detach()), torch.stack([slope[1], -slope[0]]), rtol=1e-9, atol=0)
    plain = Forecaster(Energy(), dtype=torch.float64).fit(ORBITS, **HOW)
    torch.testing.assert_close(
        f.vector_field(0.0, orbits.z), plain.vector_field(0.0, ORBITS.z) * scales / 1e4, rtol=1e-4, atol=1e-12
    )


def test_a_module_of_the_same_layers_learns_what_nn_learns():
    """The model nn standardises its outputs once more, which a linear last layer can as well."""
    f = Forecaster("nn", hidden=(12,), activation="tanh").fit(ORBITS, **HOW)
    own = Forecaster(Rates()).fit(ORBITS, **HOW)
    ratio = own.history["training"].iloc[-1] / f.history["training"].iloc[-1]
    assert abs(math.log(ratio)) < math.log(30)
    assert own.history["training"].iloc[-1] < 1e-2


def test_parameters_are_inputs_of_a_module():
    orbits = [systems.get("duffing", beta=b).orbit(systems.get("duffing").sample(3), T) for b in (0.5, 1.0, 2.0)]
    f = Forecaster(Energy(inputs=3), parameters=("beta",)).fit(orbits, **HOW)
    z = orbits[0].z[0, :1]
    low, high = (f.given(parameters={"beta": b}).vector_field(0.0, z) for b in (0.5, 2.0))
    assert (low - high).abs().max() > 0


@pytest.mark.parametrize("loss", [pytest.param("step", marks=pytest.mark.slow), "weak"])
def test_a_module_is_trained_by_losses_of_states(loss):
    states = [Orbit(T, z, coordinates=PENDULUM.coordinates) for z in ORBITS.z]
    f = Forecaster(Energy()).fit(states, loss=loss, polish=20, epochs=20, progress=False)
    assert f.history["training"].iloc[-1] < f.history["training"].iloc[0]


class Broken(Rates):
    """A module that fails."""

    def forward(self, z):
        raise RuntimeError("not today")


class Whole(Rates):
    """A module with a counter."""

    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(1, dtype=torch.long))


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Rates(3), r"Rates.forward must map states of shape \(3, 2\) to \(3, 2\), but it returns shape \(3, 3\)"),
        (Energy(2), r"Energy.hamiltonian must map states of shape \(3, 2\) to \(3,\), but it returns shape \(3, 2\)"),
        (Rates(inputs=4), r"Rates.forward fails for states of shape \(3, 2\)"),
        (Broken(), "not today"),
        (nn.Tanh(), "Tanh has no parameters to train"),
        (Whole(), "buffer count of torch.int64"),
    ],
)
def test_a_module_that_does_not_fit_is_refused(module, message):
    with pytest.raises(InputError, match=message):
        Forecaster(module).fit(ORBITS, **HOW)


def test_other_misuse_is_refused(tmp_path):
    with pytest.raises(InputError, match="needs the module itself"):
        Forecaster("own")
    with pytest.raises(InputError, match="a module of your own, which has no random weights"):
        Forecaster(Rates(), members=2)
    with pytest.raises(InputError, match="no network to take cosines"):
        Forecaster(Rates(), angles=True)
    with pytest.raises(InputError, match="has no option"):
        Forecaster(Rates(), width=3)
    assert "own" not in models.names()
    Forecaster(Rates()).fit(ORBITS, epochs=1, progress=False).save(tmp_path / "f")
    with pytest.raises(InputError, match="not its code"):
        Forecaster.load(tmp_path / "f")
    with pytest.raises(InputError, match="not those of a Energy"):
        Forecaster.load(tmp_path / "f", module=Energy())
    with pytest.raises(InputError):
        Forecaster.load(tmp_path / "f", module=Rates(width=3))
    Forecaster("linear").fit(ORBITS).save(tmp_path / "g")
    with pytest.raises(InputError, match="leave module out"):
        Forecaster.load(tmp_path / "g", module=Rates())


def mean_square(predicted, true):
    """The loss that is the default."""
    return (predicted - true).square().mean(0) / 2


def test_a_loss_of_ones_own_that_is_the_default_trains_the_same():
    settings, how = {"hidden": (8,), "dtype": torch.float64}, {"epochs": 5, "polish": 0, "progress": False}
    f = Forecaster("hnn", **settings).fit(ORBITS, **how)
    own = Forecaster("hnn", **settings).fit(ORBITS, loss=mean_square, **how)
    torch.testing.assert_close(own.vector_field(0.0, ORBITS.z), f.vector_field(0.0, ORBITS.z), rtol=1e-9, atol=1e-9)
    assert own.history["training"].tolist() == pytest.approx(f.history["training"].tolist(), rel=1e-9)
    assert (own.loss, own.loss_reason) == ("own", "the function mean_square was given")


def test_the_median_is_learned_by_absolute_errors():
    """A tenth of the rates is wrong: the absolute error ignores it, the mean square does not."""
    bad = ORBITS.rate.clone()
    bad[..., ::10, :] += 20.0
    orbits = Orbit(T, ORBITS.z, rate=bad, coordinates=PENDULUM.coordinates)
    how = {"epochs": 60, "polish": 0, "progress": False}
    square = Forecaster("nn", hidden=(12,)).fit(orbits, **how)
    robust = Forecaster("nn", hidden=(12,)).fit(orbits, loss=lambda a, b: (a - b).abs().mean(), **how)
    off = [float((f.vector_field(0.0, ORBITS.z) - ORBITS.rate).abs().median()) for f in (square, robust)]
    assert off[1] < off[0] / 3


@pytest.mark.parametrize("polish", [0, 20])
def test_members_and_a_polish_by_a_loss_of_ones_own(polish):
    f = Forecaster("hnn", hidden=(8,), members=2).fit(ORBITS, loss=mean_square, epochs=3, polish=polish, progress=False)
    assert len(f.members) == 2
    assert len(f.history) == 3 + polish // 20


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda a, b: (a - b).square(), r"must return a tensor of shape \(\) or \(2,\)"),
        (lambda a, b: 3.0, "not 3.0"),
        (lambda a, b: (a - b).detach().mean(), "does not depend on the predicted rates"),
        ("median", "must be one of derivative, step, shooting, weak or a function"),
    ],
)
def test_a_wrong_loss_is_refused(loss, message):
    with pytest.raises(InputError, match=message):
        Forecaster("hnn", hidden=(4,)).fit(ORBITS, loss=loss, epochs=1, progress=False)


def test_a_baseline_takes_no_loss_of_ones_own():
    with pytest.raises(InputError, match="fitted by least squares"):
        Forecaster("linear").fit(ORBITS, loss=mean_square)
