"""The model "best" is the one of the line-up that forecasts validation orbits best."""

import warnings

import pytest
import torch

import systems
from physlearn import Forecaster, models
from physlearn.forecasting import best, contender, simulated
from systems import InputError, Orbit

T = torch.linspace(0, 6, 61)
HOW = {"epochs": 30, "progress": False}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """A short line-up."""
    monkeypatch.setattr(best, "line_up", lambda: ["linear", "nn", "hnn-mechanical"])


def orbits(name="pendulum", n=10, seed=0):
    system = systems.get(name)
    return system.orbit(system.sample(n, seed=seed), T)


def test_it_becomes_the_best_model_and_tells_the_figures_of_all(tmp_path):
    train, held = orbits(n=5), orbits(n=2, seed=1)
    f = Forecaster("best", hidden=(20,), seed=1).fit(train, held, **HOW)
    assert f.name == f.comparison.index[0] != "linear"
    assert set(f.comparison.index) == {"linear", "nn", "hnn-mechanical"}
    alone = Forecaster(f.name, hidden=(20,), seed=1).fit(train, held, **HOW)
    assert torch.equal(f.vector_field(0.0, held.z), alone.vector_field(0.0, held.z))
    for name, row in f.comparison.iterrows():
        one = Forecaster(name, hidden=(20,), seed=1).fit(train, held, **HOW)
        assert row.score == pytest.approx(one.score(held), rel=1e-6)
    assert f.get_params()["model"] == "best"
    f.save(tmp_path / "f")
    loaded = Forecaster.load(tmp_path / "f")
    assert loaded.name == f.name
    assert loaded.comparison.equals(f.comparison)


@pytest.mark.slow
def test_it_chooses_anew_or_resumes_what_it_chose():
    f = Forecaster("best", hidden=(20,)).fit(orbits(), **HOW)
    first = f.name
    f.fit(orbits(), resume=True, **HOW)
    assert f.name == first != "linear"
    assert f.history["learning_rate"].count() == 60
    assert f.fit(orbits("van-der-pol"), **HOW).name == "nn"


@pytest.mark.slow
def test_only_models_that_apply_are_trained_and_failures_are_told():
    lorenz = systems.get("lorenz")
    f = Forecaster("best", hidden=(8,)).fit(lorenz.orbit(lorenz.sample(4), T), epochs=2, progress=False)
    assert set(f.comparison.index) == {"linear", "nn"}
    f = Forecaster("best", hidden=(8,), known=systems.get("pendulum")).fit(orbits(), epochs=2, progress=False)
    assert "kinetic energy of its own" in f.comparison.failure["hnn-mechanical"]
    with pytest.raises(InputError, match="no model could be trained"):
        Forecaster("best", known=lambda t, z: z[..., :1]).fit(orbits(), **HOW)


def test_one_orbit_is_validated_on_its_end():
    f = Forecaster("best", hidden=(10,)).fit(orbits(n=1)[0], **HOW)
    assert f.name == f.comparison.error.idxmin() != "linear"


@pytest.mark.slow
def test_states_alone_are_enough():
    states = [Orbit(T, z, coordinates=("theta", "p")) for z in orbits(n=5).z]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        f = Forecaster("best", hidden=(8,)).fit(states, loss="derivative", **HOW)
    assert f.name in f.comparison.index


def test_misuse_is_refused():
    with pytest.raises(InputError, match="call fit without resume first"):
        Forecaster("best").fit(orbits(), resume=True)
    with pytest.raises(InputError, match="cannot be built by its name"):
        models.build("best", 2)
    assert "best" not in models.names()
    with pytest.raises(InputError, match="has not been trained"):
        Forecaster("best").forecast(orbits().z[0, 0], T)


@pytest.mark.slow
def test_the_command_line_forecasts_with_the_best():
    protocol = simulated.Protocol(training_orbits=5, validation_orbits=3, test_orbits=3, time=5.0)
    chosen = contender.choose("best", None, True)
    report = simulated.forecast_system(
        systems.get("pendulum"), chosen, protocol, progress=False, training={"epochs": 20}, hidden=(10,)
    )
    lines = str(report).splitlines()
    assert lines[1].startswith("best forecast: best + gauss-legendre-4, valid for ")
    chosen_model = report.trained.forecasters["best"].name
    assert any(f"best: {chosen_model}, which forecasts" in line for line in lines)
    assert contender.choose("best", "rk4", True) == (contender.Contender("best", "rk4"),)
