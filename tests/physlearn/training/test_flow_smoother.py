"""The smoother along a flow against the normal distribution of all states of a linear flow, written out as matrices."""

import numpy as np
import pytest

from physlearn.training.flow_smoother import Chain, _fitted, smooth_along
from systems import InputError

TURN = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])


def turned(z, number):
    return z @ TURN.T, np.broadcast_to(TURN, (len(z), 2, 2))


def chain_of(runs, noise, strength, seed):
    """Two coordinates that turn by 0.3 in each step, which is a little wrong, and are measured with an error."""
    random = np.random.default_rng(seed)
    lengths = np.concatenate([random.uniform(0.5, 2, n - 1) for n in runs])
    states, links = [], []
    for n in runs:
        z = random.normal(size=2)
        for k in range(n):
            states.append(z)
            if k < n - 1:
                links.append(len(states) - 1)
                z = TURN @ z + strength * noise * np.sqrt(lengths[len(links) - 1]) * random.normal(size=2)
    truth = np.array(states)
    y = truth + noise * random.normal(size=truth.shape)
    return Chain(turned, np.arange(len(links)), np.array(links), lengths, y), truth


def posterior(chain, noise, strength):
    """The mean and covariance of all states, and the density of the measured values, if the first states have a wide prior."""
    n = len(chain.y)
    wide, errors = 300.0, np.zeros(2 * n)
    back = np.eye(2 * n)  # takes the states to the errors of the flow
    errors[:] = wide
    for k, length in zip(chain.links, chain.lengths, strict=True):
        back[2 * k + 2 : 2 * k + 4, 2 * k : 2 * k + 2] = -TURN
        errors[2 * k + 2 : 2 * k + 4] = strength * noise * np.sqrt(length)
    seen, y = chain.seen.reshape(-1), np.nan_to_num(chain.y).reshape(-1)
    of_values = np.broadcast_to(noise**2, chain.y.shape).reshape(-1)
    covariance = np.linalg.inv(back.T @ np.diag(errors**-2) @ back + np.diag(seen / of_values))
    forth = np.linalg.inv(back)[seen]
    values = forth @ np.diag(errors**2) @ forth.T + np.diag(of_values[seen])
    misfit = y[seen] @ np.linalg.solve(values, y[seen]) + np.linalg.slogdet(values)[1]
    return (covariance @ (seen * y / of_values)).reshape(n, 2), np.diag(covariance).reshape(n, 2), misfit


def test_states_errors_and_likelihood_are_those_of_the_normal_distribution_of_a_linear_flow():
    noise = np.array([0.1, 0.3])
    chain, truth = chain_of((7, 5), noise, 0.5, 0)
    chain.y[[2, 3, 8], [0, 1, 1]] = np.nan
    fits = {strength: _fitted(chain, truth, noise, strength) for strength in (0.1, 0.5, 2.0)}
    for strength, fit in fits.items():
        mean, variance, _ = posterior(chain, noise, strength)
        np.testing.assert_allclose(fit.z, mean, atol=1e-5)  # the wide prior of the first states is not infinitely wide
        np.testing.assert_allclose(fit.errors / fit.scale, np.sqrt(variance), rtol=1e-5)
    # the factor of the noise is the likeliest, so that the density is compared for noise that has this factor
    misfits = {s: posterior(chain, fit.scale * noise, s)[2] for s, fit in fits.items()}
    for strength in (0.1, 2.0):
        assert fits[strength].misfit - fits[0.5].misfit == pytest.approx(misfits[strength] - misfits[0.5], abs=1e-3)


@pytest.mark.parametrize("strength", [0.02, 0.3, 1.0])
def test_noise_is_estimated_and_errors_are_as_large_as_they_say(strength):
    noise = np.array([0.01, 0.05])
    chain, truth = chain_of((400, 300), noise, strength, 1)
    found = smooth_along(chain, chain.y, np.ones(2))
    assert found.noise == pytest.approx(noise, rel=0.15)
    assert np.log(found.strength / strength) == pytest.approx(0, abs=np.log(2))
    off = (found.z - truth) / found.errors
    assert np.sqrt(np.square(off).mean()) == pytest.approx(1, abs=0.25)
    assert np.square(found.z - truth).mean() < np.square(chain.y - truth).mean()


def test_too_few_values_are_refused():
    chain, truth = chain_of((2,), np.array([0.1, 0.1]), 0.5, 0)
    chain.y[0] = np.nan
    with pytest.raises(InputError, match="2 measured values are too few"):
        smooth_along(chain, truth, np.ones(2))
