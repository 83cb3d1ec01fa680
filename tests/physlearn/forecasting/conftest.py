"""Programs of the documentation, whose figures the tests check."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def program():
    """A function that imports a program of the documentation by its name."""

    def load(name):
        path = Path(__file__).parents[3] / "docs" / f"{name}.py"
        specification = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        return module

    return load
