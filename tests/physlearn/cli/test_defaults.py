"""The command line trains as the library does by default."""

import inspect

import pytest

from physlearn import Forecaster
from physlearn.cli import chaos, forecast


@pytest.mark.parametrize("command", [forecast.forecast, chaos.chaos])
def test_commands_have_the_default_activation_of_forecasters(command):
    default = inspect.signature(Forecaster).parameters["activation"].default
    assert inspect.signature(command).parameters["activation"].default == default
