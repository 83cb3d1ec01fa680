"""The functions of neurons in double precision against torch's."""

import numpy as np
import pytest
import torch

from physlearn import activations
from physlearn.activations import double
from physlearn.activations.compiled import CODES

X = torch.cat([torch.linspace(-20, 20, 2001, dtype=torch.float64), torch.tensor([0.0, -0.0, 1e-300, 750.0, -750.0, 1e5])])


def evaluated(code, order, x, numbers=None):
    at, out = torch.as_tensor(x, dtype=torch.float64).numpy(), np.empty(len(x))
    double.activate(code, order, np.empty(0) if numbers is None else numbers, at, out)
    return out


@pytest.mark.parametrize("name", sorted(set(CODES) - {"table"}))
@pytest.mark.parametrize("order", [0, 1, 2])
def test_named_functions_and_their_derivatives_agree_with_torch(name, order):
    function = activations.get(name)
    wanted = (function.value, function.first, function.second)[order](X).numpy()
    if name in ("relu", "ramp") and order == 1:
        jumps = np.isin(X.abs().numpy(), (0.0, 1.0))  # of the slope
        wanted = np.where(jumps, evaluated(CODES[name], order, X), wanted)
    np.testing.assert_allclose(evaluated(CODES[name], order, X), wanted, rtol=4e-15, atol=4e-15)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_a_table_agrees_with_torch_inside_and_outside_of_its_grid(order):
    table = activations.Table.capture(torch.sin, (-3, 5), 40, dtype=torch.float64)
    numbers = np.concatenate([[*table.grid, len(table.coefficients)], table.coefficients.reshape(-1).numpy()])
    wanted = (table.value, table.first, table.second)[order](X).numpy()
    np.testing.assert_allclose(evaluated(CODES["table"], order, X, numbers), wanted, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", ["sine", "tanh", "sigmoid", "silu", "softplus", "gelu"])
def test_what_is_not_a_number_stays_so(name):
    for order in (0, 1, 2):
        assert np.isnan(evaluated(CODES[name], order, [np.nan, 1.0])).tolist() == [True, False]
