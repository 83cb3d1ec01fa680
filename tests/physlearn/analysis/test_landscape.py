"""The drawn landscape has the minima that it says, and the valleys that steepest descent finds."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch.testing import assert_close

from physlearn.analysis import Landscape
from systems import InputError


@pytest.fixture(scope="module")
def landscape():
    return Landscape.draw(seed=4)


def points(n, seed=0):
    return 4 * torch.rand(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 2


def test_gradient_and_hessian_are_the_derivatives_of_the_value(landscape):
    theta = points(50).requires_grad_()
    (gradient,) = torch.autograd.grad(landscape.value(theta).sum(), theta)
    assert_close(landscape.gradient(theta), gradient)
    jacobian = torch.func.vmap(torch.func.hessian(landscape.value))(theta.detach())
    assert_close(landscape.hessian(theta), jacobian)


@pytest.mark.parametrize("seed", range(2))
def test_every_well_has_a_minimum_and_the_lowest_is_as_low_as_asked(seed):
    drawn = Landscape.draw(8, lowest=0.3, seed=seed)
    minima = drawn.minima
    assert_close(drawn.gradient(minima), torch.zeros_like(minima), rtol=0, atol=1e-6)
    assert (torch.linalg.eigvalsh(drawn.hessian(minima)) > 0).all()
    values = drawn.value(minima)
    assert float(values[0]) == pytest.approx(0.3)
    assert (values.diff() >= 0).all()
    assert (torch.cdist(drawn.centers, minima).min(1).values < drawn.widths).all()


def test_a_seed_draws_the_same_landscape_again(landscape):
    again, other = Landscape.draw(seed=4), Landscape.draw(seed=5)
    assert torch.equal(again.centers, landscape.centers)
    assert not torch.equal(other.centers, landscape.centers)


@pytest.mark.slow
def test_valleys_are_where_the_flow_of_the_gradient_leads(landscape):
    """Against an adaptive solver; points on the borders between valleys may fall to either side."""

    def downhill(_, theta):
        return -landscape.gradient(torch.from_numpy(theta)).numpy()

    theta = points(25, seed=1)
    ends = np.stack([solve_ivp(downhill, (0, 40), x, method="LSODA", rtol=1e-6).y[:, -1] for x in theta.numpy()])
    expected = torch.cdist(torch.from_numpy(ends), landscape.minima).argmin(1)
    assert (landscape.valley(theta) == expected).double().mean() >= 0.95
    assert len(expected.unique()) > 4


@pytest.mark.slow
def test_the_valley_of_a_minimum_is_its_own_and_so_is_its_hessian(landscape):
    minima = landscape.minima
    assert landscape.valley(minima).tolist() == list(range(len(minima)))
    assert_close(landscape.valley_hessian(minima + 0.02), landscape.hessian(minima))


def test_the_census_tells_how_many_are_where(landscape):
    census = landscape.census(landscape.minima[[0, 0, 2, 1]])
    assert census["share"][:3].tolist() == [0.5, 0.25, 0.25]
    assert census["share"].sum() == pytest.approx(1)
    sharpness = [float(torch.trace(H)) for H in landscape.hessian(landscape.minima)]
    np.testing.assert_allclose(census["sharpness"], sharpness)
    np.testing.assert_allclose(census[["x", "y"]], landscape.minima)


def test_wells_for_which_there_is_no_room_are_refused():
    for arguments, said in (({"wells": 0}, "at least 1 well"), ({"wells": 200}, "no room"), ({"lowest": 0.0}, "positive")):
        with pytest.raises(InputError, match=said):
            Landscape.draw(**arguments)
