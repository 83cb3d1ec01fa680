"""Chaos indicators by compiled code are those of torch, for orbits that stay and orbits that escape."""

import pytest
import torch

import systems
from physlearn import chaos

CASES = {
    "henon-heiles": {"time": 8.0},
    "lorenz": {"time": 0.8},
    "double-pendulum": {"time": 0.6},
    "van-der-pol": {"time": 4.0, "method": "euler", "dt": 0.01},
    "forced-duffing": {"time": 6.0},
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("n", [1, 18])
def test_exponents_and_their_history(name, n, by_both):
    system = systems.get(name)
    options = {"k": system.dim, "transient": 0.2, **CASES[name]}
    ours, theirs = by_both(lambda: chaos.lyapunov_history(system, system.sample(n, seed=0), **options))
    torch.testing.assert_close(ours.t, theirs.t)
    torch.testing.assert_close(ours.history, theirs.history, rtol=1e-7, atol=1e-8)
    torch.testing.assert_close(ours.error, theirs.error, rtol=1e-6, atol=1e-8, equal_nan=True)


@pytest.mark.parametrize("n", [1, 18])
def test_alignment(n, by_both):
    system = systems.get("henon-heiles")
    z0 = system.sample(n, seed=0, energy=0.12)
    ours, theirs = by_both(lambda: (chaos.sali(system, z0, 10.0), chaos.gali(system, z0, 10.0, k=3)))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-9)


def test_orbits_that_escape_have_no_exponents_and_do_not_harm_the_others(by_both):
    system = systems.get("henon-heiles")
    z0 = torch.cat([system.sample(2, energy=0.1), torch.tensor([[0.0, 1.2, 0.0, 1.0]], dtype=torch.float64)])
    with pytest.warns(UserWarning, match="1 of 3 orbits escape"):
        ours, theirs = by_both(lambda: chaos.lyapunov_exponents(system, z0, 12.0, k=2))
    assert ours[2].isnan().all()
    torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-8, equal_nan=True)
    ours = chaos.sali(system, z0, 12.0)
    assert ours.isnan().tolist() == [False, False, True]
