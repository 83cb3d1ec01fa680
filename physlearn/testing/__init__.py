"""Contracts that every model and every integrator keeps, as checks for the tests of one's own.

Each check has a name, and raises AssertionError, which names what is broken. ``check_model`` and ``check_integrator`` carry
them all out; a test that reports them one by one parametrises over ``model_checks`` or ``integrator_checks``::

    CHECKS = dict(model_checks("my-model"))

    @pytest.mark.parametrize("name", CHECKS)
    def test_my_model(name):
        CHECKS[name]()

``systems.testing`` has the same for systems.
"""

from physlearn.testing.integrator import check_integrator, integrator_checks
from physlearn.testing.model import check_model, model_checks

__all__ = ["check_integrator", "check_model", "integrator_checks", "model_checks"]
