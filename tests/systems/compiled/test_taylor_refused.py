"""Where Taylor series do not apply, one sentence says why; these tests do not need heyoka."""

import sys

import pytest
import torch

import physlearn
import systems
from systems import InputError, MissingExtraError


def test_without_heyoka_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "heyoka", None)
    with pytest.raises(MissingExtraError) as caught:
        systems.get("toda-ring").orbit(torch.ones(6), [0.0, 1.0], engine="taylor")
    assert str(caught.value) == "engine='taylor' needs heyoka: run pip install 'physlearn-orbits[taylor]'"


def test_a_method_of_another_name_is_refused():
    with pytest.raises(InputError, match="because Taylor series are a method of their own, not Radau; use engine='auto'"):
        systems.get("lorenz").orbit([1.0, 1.0, 1.0], [0.0, 1.0], engine="taylor", method="Radau")


@pytest.mark.parametrize("method", ["dopri8", "rk4"])
def test_integrate_refuses_it(method):
    message = rf"method of their own, not {method}: call orbit\(z0, t, engine='taylor'\) of a system; use engine='auto'"
    with pytest.raises(InputError, match=message):
        physlearn.integrate(systems.get("lorenz"), torch.ones(3), [0.0, 1.0], method, engine="taylor")


def test_a_clock_is_refused():
    with pytest.raises(InputError, match="engine='taylor' does not apply, because it does not follow the events of a clock"):
        systems.get("pendulum-clock").orbit([0.1, 0.0], [0.0, 1.0], engine="taylor")


def test_auto_does_not_choose_it():
    assert systems.get("lorenz").orbit([1.0, 1.0, 1.0], [0.0, 1.0]).provenance["engine"] == "compiled"
