"""Options of a model: settings of its own, which a forecaster checks, passes on, keeps in files, and tells."""

import copy
from typing import ClassVar

import pytest
import torch

from physlearn import Forecaster, models, tensor_file
from physlearn.models.baselines import LeastSquaresModel
from physlearn.models.options import checked
from physlearn.models.registry import MODELS
from physlearn.testing import check_model
from systems import InputError, Orbit


class Powers(LeastSquaresModel):
    """Rates that are sums of powers of their own coordinates, up to a degree."""

    name = "powers"
    options: ClassVar = {"degree": 2, "constant": True, "shrink": 0.0, "kind": "monomial", "only": None}

    def __init__(self, dim, degree, constant, shrink, kind, only):
        super().__init__()
        self.degree, self.constant = degree, constant
        self.register_buffer("weights", torch.zeros(degree + 1, dim))

    @classmethod
    def check_options(cls, options):
        if options["degree"] < 1:
            raise InputError(f"degree must be at least 1, not {options['degree']}")

    @classmethod
    def fewest_numbers(cls, dim, hidden, angles, degree, **others):
        return dim * (degree + 1)

    def standardize(self, z, rate):
        pass

    def solve(self, z, rate, *, weighted=False):
        columns = [z**k for k in range(0 if self.constant else 1, self.degree + 1)]
        for i in range(z.shape[1]):
            design = torch.stack([column[:, i] for column in columns], dim=1)
            self.weights[-len(columns) :, i] = torch.linalg.lstsq(design, rate[:, i]).solution

    def vector_field(self, t, z):
        return sum(self.weights[k] * z**k for k in range(self.degree + 1))


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    """What a test registers is forgotten at its end."""
    monkeypatch.setattr(MODELS, "_registered", dict(MODELS._registered))
    models.register(Powers)


@pytest.fixture(scope="module")
def growth():
    """Logistic growth, of degree 2 exactly."""
    t = torch.linspace(0, 3, 61, dtype=torch.float64)
    z = (1 / (1 + torch.tensor([9.0, 4.0, 1.5]).double()[:, None] * (-t).exp()))[..., None]
    return Orbit(t, z, rate=z * (1 - z), coordinates=("x",))


def test_options_decide_what_is_learned(growth):
    z, t = growth.z[:, 0], growth.t
    error = [
        float((Forecaster("powers", degree=degree).fit(growth).forecast(z, t).z - growth.z).abs().max())
        for degree in (1, 2, 3)
    ]
    assert error[0] > 1e-2 > 1e-6 > max(error[1:])


def test_defaults_and_given_values_are_told(growth):
    f = Forecaster("powers", degree=3)
    assert f.options == {"degree": 3, "constant": True, "shrink": 0.0, "kind": "monomial", "only": None}
    assert f.get_params()["degree"] == 3
    assert f.get_params()["constant"] is True
    assert "degree=3, constant=True, shrink=0.0, kind='monomial'" in repr(f)
    assert "degree" not in repr(Forecaster("hnn"))
    assert models.build("powers", 2, degree=4).weights.shape == (5, 2)


def test_options_are_changed_by_name_and_dropped_by_a_model_without_them():
    f = Forecaster("powers", degree=3)
    assert f.set_params(degree=4).options["degree"] == 4
    assert f.set_params(seed=1).options["degree"] == 4
    assert f.set_params(model="hnn").options == {}
    assert f.set_params(model="powers", degree=5).get_params()["degree"] == 5
    with pytest.raises(InputError, match="model hnn has no setting 'degree'"):
        f.set_params(model="hnn", degree=5)


def test_scikit_learn_clones_and_searches_options(growth):
    base, selection = pytest.importorskip("sklearn.base"), pytest.importorskip("sklearn.model_selection")
    f = Forecaster("powers", degree=3)
    assert base.clone(f).get_params() == f.get_params()
    assert copy.deepcopy(f).options == f.options
    search = selection.GridSearchCV(f, {"degree": [1, 2]}, cv=3).fit(list(growth))
    assert search.best_params_ == {"degree": 2}


def test_a_file_keeps_options(growth, tmp_path):
    f = Forecaster("powers", degree=3, only=["x", 1]).fit(growth)
    f.save(tmp_path / "f")
    loaded = Forecaster.load(tmp_path / "f")
    assert loaded.options == {**f.options, "only": ("x", 1)}
    assert torch.equal(loaded.vector_field(0.0, growth.z), f.vector_field(0.0, growth.z))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"degree": 10**9}, "at least"),
        ({"degree": -1}, "at least 1"),
        ({"degree": "3"}, "whole number"),
        ({"no": 3}, "no option 'no'"),
        ([3], "mapping"),
    ],
)
def test_a_file_with_other_options_is_refused(options, message, growth, tmp_path):
    Forecaster("powers").fit(growth).save(tmp_path / "f")
    settings, tensors = tensor_file.read(tmp_path / "f", "forecaster")
    tensor_file.write(tmp_path / "g", "forecaster", {**settings, "options": options}, tensors)
    with pytest.raises(InputError, match=message):
        Forecaster.load(tmp_path / "g")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"degre": 3}, r"the model powers has no option 'degre': its options are degree, constant, shrink, kind, only"),
        ({"degree": 0}, "degree must be at least 1"),
        ({"degree": 2.5}, "degree must be a whole number"),
        ({"constant": 1}, "constant must be True or False"),
        ({"shrink": "much"}, "shrink must be a finite number"),
        ({"shrink": float("nan")}, "shrink must be a finite number"),
        ({"kind": 3}, "kind must be a text"),
        ({"only": object()}, "only must consist of numbers and texts"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Forecaster("powers", **options)


def test_a_model_without_options_says_so():
    with pytest.raises(InputError, match="the model hnn has no option 'degree': it has none"):
        Forecaster("hnn", degree=3)
    assert checked("nn", {}) == {}


def test_a_model_with_options_passes_the_checks():
    check_model("powers")
