"""Forecasters behave as estimators do."""

import copy
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
    names = ["model", "hidden", "activation", "angles", "inputs", "parameters", "known", "symmetry"]
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
