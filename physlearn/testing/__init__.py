"""Checks that a model or an integrator satisfies the contract of its kind, for use in your own tests.

Each check has a name, and raises an AssertionError that says what is wrong. ``check_model`` and ``check_integrator`` run all
checks. To report the checks separately, parametrize a test over ``model_checks`` or ``integrator_checks``::

    CHECKS = dict(model_checks("my-model"))

    @pytest.mark.parametrize("name", CHECKS)
    def test_my_model(name):
        CHECKS[name]()

``systems.testing`` provides the same for systems.
"""

from physlearn.testing.integrator import check_integrator, integrator_checks
from physlearn.testing.model import check_model, model_checks

__all__ = ["check_integrator", "check_model", "integrator_checks", "model_checks"]
