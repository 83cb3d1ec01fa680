"""The comparison with other packages: the same equations, equal errors, and rows for packages that are not installed."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

import systems
from physlearn import integrate
from physlearn.studies.speed import adaptive_orbits, fixed_steps, markdown, training_steps
from physlearn.studies.speed.beside import Contender, by_tolerance, compared, simple
from systems.extras import require


@pytest.mark.parametrize("case", adaptive_orbits.CASES, ids=lambda case: case.name)
def test_the_equations_of_the_peers_are_those_of_the_system(case):
    system = systems.get(case.name)
    z = system.sample(20)
    rates = torch.stack(case.equations(z.unbind(-1), torch), dim=-1)
    torch.testing.assert_close(rates, system.vector_field(torch.tensor(0.0), z), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", fixed_steps.METHODS)
def test_loops_by_hand_take_the_same_steps(method):
    system = systems.get("henon-heiles")
    z0, t = system.sample(3), torch.tensor([0.0, 10.0], dtype=torch.float64)
    by_hand, _ = fixed_steps.METHODS[method]
    ours = integrate(system, z0, t, method, substeps=200, engine="torch", progress=False).z[:, -1]
    np.testing.assert_allclose(by_hand(z0.numpy(), 200, 0.05), ours, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", training_steps.MODELS)
def test_both_engines_train_the_same_network(name):
    contenders, true = training_steps.contenders(name, (6, 5), 20, 4)
    for _, prepare, _ in contenders[:2]:
        np.testing.assert_allclose(prepare(lambda found: 0.0, 0.0)(), true, rtol=1e-5)


def test_the_largest_tolerance_with_a_small_enough_error_is_taken():
    prepare = by_tolerance(lambda tolerance: lambda: np.array([5 * tolerance]))
    assert prepare(lambda found: float(found[0]), 1e-11)() == pytest.approx(5e-12)
    assert prepare(lambda found: float(found[0]), 0.0)() == pytest.approx(5e-15)  # none is small enough: the best


def test_a_package_that_is_not_installed_has_a_row_without_numbers():
    def missing(distance, error):
        return require("no_such_package", "bench", "this comparison")

    contenders = [
        Contender("physlearn", simple(lambda: np.array([1e-3]))),
        Contender("heyoka", missing),
        Contender("physlearn, torch", simple(lambda: np.array([2e-3])), share=0.5),
    ]
    told = {"what": "adaptive orbits", "case": "henon-heiles", "size": 1, "on": "CPU"}
    ours, theirs, half = compared(contenders, lambda found: float(found[0]), 100.0, **told)
    assert (ours["ratio"], ours["error"]) == (1.0, 1e-3)
    assert math.isnan(theirs["throughput"])
    assert math.isnan(half["error"])  # it does other work
    assert half["ratio"] == pytest.approx(half["throughput"] / ours["throughput"])
    text = markdown(pd.DataFrame([ours, theirs, half]))
    assert (
        "| adaptive orbits: time units / s (relative to physlearn) | orbits | physlearn | heyoka | physlearn, torch |" in text
    )
    assert "(1.00), error 1e-03 | not installed |" in text
