"""Importing the packages imports nothing heavy; every public name is there when it is asked for."""

import importlib

import pytest

COMPUTING = [
    *("physlearn.analysis", "physlearn.chaos", "physlearn.comparison", "physlearn.metalearning", "physlearn.tasks"),
    *(f"physlearn.forecasting.{name}" for name in ("long_run", "measured_forecast", "recorded", "simulated")),
]
HEAVY = ("torch", "numba", "pandas", "matplotlib", "xarray", "scipy", "cv2", "optuna")


@pytest.mark.parametrize("package", ["systems", "physlearn"])
def test_importing_a_package_imports_nothing_heavy(package, run_apart):
    program = f"import sys, {package}; print([name for name in {HEAVY} if name in sys.modules])"
    assert run_apart(program) == "[]\n"


def test_matplotlib_is_imported_only_to_draw(run_apart):
    program = f"""
        import importlib, sys
        for package in {COMPUTING}:
            module = importlib.import_module(package)
            for name in getattr(module, "__all__", ()):
                getattr(module, name)
        print("matplotlib" in sys.modules)
    """
    assert run_apart(program) == "False\n"


@pytest.mark.parametrize("package", ["systems", "physlearn"])
def test_every_public_name_is_there(package):
    module = importlib.import_module(package)
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("package", ["systems", "physlearn"])
def test_an_unknown_name_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match="has no attribute 'nonesuch'"):
        _ = importlib.import_module(package).nonesuch
