"""Forecasters behave as estimators do."""

import copy
import multiprocessing
import pickle

import pytest
import torch

import systems
from physlearn import Forecaster
from systems import InputError

PENDULUM = systems.get("pendulum")
ORBITS = list(PENDULUM.orbit(PENDULUM.sample(12, seed=0), torch.linspace(0, 6, 61)))


class Short(Forecaster):
    """A forecaster that trains briefly."""

    def fit(self, orbits, validation=None, **settings):
        return super().fit(orbits, validation, **{"epochs": 100, "progress": False, **settings})


def test_settings_are_told_and_changed_by_name():
    hidden = [20]
    f = Forecaster("nn", hidden=hidden, seed=3)
    assert f.get_params()["hidden"] is hidden
    names = ["model", "hidden", "activation", "angles", "delays", "inputs", "parameters", "known", "symmetry"]
    assert list(f.get_params()) == [*names, "seed", "members", "dtype", "device"]
    assert f.set_params(model="hnn", seed=4) is f
    assert (f.name, f.seed, f.hidden) == ("hnn", 4, (20,))
    with pytest.raises(InputError, match="no setting 'width'"):
        f.set_params(width=3)
    with pytest.raises(KeyError):
        f.set_params(model="no such model")


def test_the_score_is_the_part_of_the_length_that_is_forecast_well():
    f = Short("hnn-mechanical", hidden=(20,)).fit(ORBITS)
    assert f.score(ORBITS) > 0.9
    assert 0 <= f.score(ORBITS[0]) <= 1
    assert Short("linear").fit(ORBITS).score(ORBITS) < f.score(ORBITS)
    with pytest.raises(InputError, match="at least two times"):
        f.score(ORBITS[0][:1])


def test_copies_and_pickles_forecast_the_same():
    f = Short("hnn", hidden=(10,)).fit(ORBITS)
    z, t = ORBITS[0].z[0], ORBITS[0].t
    for other in (copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
        assert torch.equal(other.forecast(z, t, progress=False).z, f.forecast(z, t, progress=False).z)
        assert other.get_params() == f.get_params()


def test_scikit_learn_clones_it_and_searches_over_its_settings():
    selection = pytest.importorskip("sklearn.model_selection")
    base = pytest.importorskip("sklearn.base")
    f = Short("hnn-mechanical", hidden=(10,), seed=1)
    assert base.clone(f).get_params() == f.get_params()
    search = selection.GridSearchCV(f, {"model": ["linear", "hnn-mechanical"]}, cv=3)
    assert search.fit(ORBITS).best_params_ == {"model": "hnn-mechanical"}
    assert search.best_score_ > 0.5


def _forecast(f, z, t):
    return f.forecast(z, t, progress=False).z


@pytest.mark.slow
def test_a_trained_forecaster_is_sent_to_other_processes():
    """Spawned processes get it by pickling, as those of joblib do."""
    f = Short("hnn", hidden=(10,)).fit(ORBITS)
    z, t = ORBITS[0].z[0], ORBITS[0].t[:5]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert torch.equal(pool.apply(_forecast, (f, z, t)), _forecast(f, z, t))
    joblib = pytest.importorskip("joblib")
    found = joblib.Parallel(n_jobs=2, backend="threading")(joblib.delayed(_forecast)(f, one.z[0], t) for one in ORBITS[:2])
    assert torch.equal(found[0], _forecast(f, ORBITS[0].z[0], t))
    assert torch.equal(copy.copy(f).vector_field(0.0, z), f.vector_field(0.0, z))


@pytest.mark.parametrize("settings", [{}, {"known": PENDULUM, "symmetry": True}], ids=["alone", "informed"])
def test_torch_exports_a_trained_model(settings, tmp_path):
    f = Short("nn", hidden=(10,), **settings).fit(ORBITS, epochs=5)
    z = ORBITS[0].z
    model = f.model_for(z)
    program = torch.export.export(model, (z,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.export.save(program, tmp_path / "model.pt2")
    again = torch.export.load(tmp_path / "model.pt2").module()
    torch.testing.assert_close(again(z[:7]), f.vector_field(0.0, z[:7]), rtol=1e-12, atol=1e-12)
