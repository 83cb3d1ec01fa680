"""A model of one's own, which joins the others by one registration."""

import textwrap
from dataclasses import replace

import pytest
import torch
from torch import nn

import systems
from physlearn import Forecaster, models
from physlearn.comparison import compare
from physlearn.forecasting import contender
from physlearn.models import HamiltonianNetwork, Model, VectorFieldNetwork
from physlearn.models.registry import CLASSIFIERS, MODELS
from physlearn.models.scaling import over_batch
from physlearn.tasks import get as get_task
from physlearn.testing import check_model
from physlearn.training import fused_engine
from systems import InputError

T = torch.linspace(0, 3, 31, dtype=torch.float64)


class Damped(Model):
    """Hamilton's equations for a learned H(q, p), and friction in proportion to each momentum."""

    name = "hnn-damped"
    structure = "odd"
    default_method = "rk4"

    def __init__(self, dim, hidden, activation, generator, angles):
        super().__init__()
        self.conservative = HamiltonianNetwork(dim, hidden, activation, generator, angles)
        self.friction = nn.Parameter(torch.zeros(dim // 2))

    def standardize(self, z, rate):
        self.conservative.standardize(z, rate)

    def vector_field(self, t, z):
        dq, dp = self.conservative.vector_field(t, z).chunk(2, dim=-1)
        p = z.chunk(2, dim=-1)[1]
        return torch.cat([dq, dp - over_batch(self.friction, 1) * p], dim=-1)


class Oscillation(Model):
    """An ellipse about the origin, at a frequency that is learned: no network, and no angles."""

    name = "oscillation"
    default_method = "rk4"
    takes_angles = False

    def __init__(self, dim, hidden, activation, generator):
        super().__init__()
        self.matrix = nn.Parameter(torch.empty(dim, dim).uniform_(-1, 1, generator=generator))

    @classmethod
    def fewest_numbers(cls, dim, hidden, angles):
        return dim * dim

    def standardize(self, z, rate):
        pass

    def vector_field(self, t, z):
        return z @ self.matrix.mT


OWN = [Damped, Oscillation]


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    """What a test registers is forgotten at its end."""
    for registry in (MODELS, CLASSIFIERS):
        monkeypatch.setattr(registry, "_registered", dict(registry._registered))


@pytest.fixture(params=OWN, ids=lambda cls: cls.name)
def own(request):
    return models.register(request.param)


@pytest.fixture(scope="module")
def swings():
    pendulum = systems.get("pendulum")
    return pendulum.orbit(pendulum.sample(10), T)


def test_it_is_listed_found_and_built(own):
    assert models.names()[-1] == own.name
    assert models.find(own.name) is own
    assert isinstance(models.build(own.name, 2, (5,)), own)


def test_it_passes_the_checks(own):
    check_model(own.name)


def test_it_is_trained_rolled_out_saved_and_loaded(own, swings, tmp_path):
    trained = Forecaster(own.name, hidden=(10,)).fit(swings, epochs=3, progress=False)
    forecast = trained.forecast(swings.z[:2, 0], T)
    assert forecast.provenance["integrator"]["name"] == "rk4"
    trained.save(tmp_path / "own.safetensors")
    loaded = Forecaster.load(tmp_path / "own.safetensors")
    assert torch.equal(loaded.forecast(swings.z[:2, 0], T).z, forecast.z)


def test_it_joins_the_line_up_with_its_own_integrator(own):
    assert contender.choose(own.name, None, hamiltonian=True) == (contender.Contender(own.name, "rk4"),)
    assert contender.choose(own.name, "euler", hamiltonian=True) == (contender.Contender(own.name, "euler"),)


def test_whether_it_needs_momenta_follows_from_its_structure():
    models.register(Damped)
    with pytest.raises(InputError, match="needs positions and momenta"):
        contender.choose("hnn-damped", None, hamiltonian=False)
    with pytest.raises(InputError, match="as many momenta as positions"):
        models.build("hnn-damped", 3)


def test_a_model_that_takes_no_angles_refuses_them():
    models.register(Oscillation)
    with pytest.raises(InputError, match="leave angles out"):
        Forecaster("oscillation", angles=True)


def test_the_command_line_forecasts_with_it(own, run, tmp_path):
    quick = ["--orbits", 8, "--test-orbits", 3, "--time", 3, "--epochs", 2, "--hidden", 5]
    result = run("forecast", "pendulum", "--model", own.name, *quick, "--out", tmp_path)
    assert result.code == 0, result.err
    assert f"{own.name} + rk4" in result.out


def test_it_can_be_the_model_of_a_task(own):
    task = replace(get_task("henon-heiles-hnn", orbits=5), model=own.name)
    result = compare(task, variants={"sine": "sine"}, replicates=2, epochs=1, tuned=False, progress=False)
    assert result.table["loss"].notna().all()


def test_the_compiled_loops_train_what_says_that_they_may(swings):
    class Another(VectorFieldNetwork):
        name = "another"

    class Same(VectorFieldNetwork):
        name, compiled = "same", True

    generator = torch.Generator().manual_seed(0)
    given = (2, (5,), "tanh", generator)
    assert not fused_engine.networks_of(Another(*given))
    assert fused_engine.networks_of(Same(*given))


def test_a_name_is_given_once():
    models.register(Damped)
    models.register(Damped)
    other = type("Other", (Damped,), {})
    with pytest.raises(InputError, match="the model name 'hnn-damped' is taken by Damped"):
        models.register(other)


def test_a_classifier_of_ones_own_joins_the_classifiers():
    class Narrow(models.Classifier):
        name = "narrow"

    models.register(Narrow)
    assert CLASSIFIERS.get("narrow") is Narrow
    assert "narrow" not in models.names()


PLUG_IN = """
    from physlearn.models import VectorFieldNetwork


    class Renamed(VectorFieldNetwork):
        name = "renamed"
"""


def test_a_model_of_another_distribution_needs_no_import(tmp_path, monkeypatch, swings):
    (tmp_path / "renamed_model.py").write_text(textwrap.dedent(PLUG_IN))
    metadata = tmp_path / "renamed-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: renamed\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[physlearn.models]\nrenamed = renamed_model:Renamed\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "renamed" in models.names()
    trained = Forecaster("renamed", hidden=(5,)).fit(swings, epochs=1, progress=False)
    trained.save(tmp_path / "renamed.safetensors")
    assert Forecaster.load(tmp_path / "renamed.safetensors").name == "renamed"
