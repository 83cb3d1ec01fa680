"""Formulas that were put in come out, in a form that computes the same."""

import sys

import numpy as np
import pytest
import torch

from physlearn.activations import Table
from physlearn.analysis import symbolic_fit
from systems import InputError


def test_a_formula_of_the_known_functions_is_found():
    pytest.importorskip("gplearn")
    found = symbolic_fit(lambda a: a.sin() - a, population=300, generations=15, functions=("add", "sub", "sin", "neg"), seed=1)
    assert found.rms_error < 1e-9
    assert found.length < 12
    parts = {"add": np.add, "sub": np.subtract, "sin": np.sin, "neg": np.negative}
    a = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(eval(found.text, {**parts, "a": a}), np.sin(a) - a, atol=1e-9)


def test_the_same_seed_finds_the_same_and_the_error_is_that_of_the_function():
    pytest.importorskip("gplearn")
    table = Table.capture(torch.tanh, points=100).double()
    few = {"population": 60, "generations": 3, "seed": 2}
    first, again = symbolic_fit(table.value, **few), symbolic_fit(table.value, **few)
    assert first == again
    assert symbolic_fit(lambda a: 0 * a + 7.0, functions=("add", "sub"), **few).rms_error < 7


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"interval": (1, 1)}, "interval"),
        ({"functions": ("exp",)}, "not 'exp'"),
        ({"population": 0}, "generations"),
    ],
)
def test_fits_that_cannot_be_are_refused(wrong, said):
    with pytest.raises(InputError, match=said):
        symbolic_fit(torch.sin, **wrong)


def test_without_the_extra_the_user_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "gplearn", None)
    with pytest.raises(InputError, match=r"pip install 'physlearn-orbits\[study\]'"):
        symbolic_fit(torch.sin)
