import inspect
import pickle

import numpy as np
import pytest
import torch

import systems
from systems import InputError, UnknownNameError
from systems.registry import DYSTS

flows = pytest.importorskip("dysts.flows", reason="the collection dysts is not installed")
from systems import of_dysts  # noqa: E402


@pytest.mark.parametrize("name", ["Halvorsen", "NuclearQuadrupole", "Torus", "HindmarshRose", "Hadley", "Tsucs2"])
def test_the_field_is_that_of_the_package(name):
    flow = systems.get(DYSTS + name)
    original = getattr(flows, name)()
    states = torch.tensor(flow.start, dtype=torch.float64) * torch.tensor([[1.0], [1.1], [0.7]], dtype=torch.float64)
    expected = np.array([original.rhs(np.array(state), 0.3) for state in states.tolist()])
    np.testing.assert_allclose(flow.vector_field(0.3, states).numpy(), expected, rtol=1e-12, atol=1e-12 * abs(expected).max())


def test_every_flow_that_is_offered_has_a_field_in_torch():
    names = of_dysts.names()
    assert len(names) > 90
    for name in names:
        flow = systems.get(name)
        start = torch.tensor(flow.start, dtype=torch.float64)
        field = flow.vector_field(0.0, start.expand(2, -1))
        assert field.shape == (2, flow.dim), name
        assert field.isfinite().all(), name
        assert list(flow.parameters) == sorted(flow.parameters), name


def test_lorenz_of_the_collection_is_ours():
    """Its parameters are those of Lorenz, but for beta = 2.667."""
    theirs, ours = systems.get("dysts:Lorenz", beta=8 / 3), systems.get("lorenz")
    z0, t = ours.sample(4, seed=1), torch.linspace(0, 2, 21, dtype=torch.float64)
    torch.testing.assert_close(theirs.orbit(z0, t).z, ours.orbit(z0, t).z, rtol=0, atol=1e-9)


def test_samples_lie_on_the_attractor():
    """Of the Rossler system: about its known mean and spread, as the collection gives them; seeds give other states."""
    flow = systems.get("dysts:Rossler")
    z, original = flow.sample(400, seed=3), flows.Rossler()
    spread = torch.from_numpy(np.asarray(original.std))
    assert ((z.mean(0) - torch.from_numpy(np.asarray(original.mean))).abs() < 0.3 * spread).all()
    assert ((z.std(0) / spread - 1).abs() < 0.3).all()
    assert torch.equal(z, flow.sample(400, seed=3))
    assert not torch.equal(z, flow.sample(400, seed=4))


def test_a_flow_can_be_pickled_and_has_parameters():
    flow = systems.get("dysts:Halvorsen", a=1.3)
    again = pickle.loads(pickle.dumps(flow))
    assert again == flow
    assert again.parameters == {"a": 1.3, "b": 4.0}
    with pytest.raises(InputError, match="has no parameter 'c'; it has a, b"):
        systems.get("dysts:Halvorsen", c=1.0)


@pytest.mark.parametrize("name", ["MackeyGlass", "ForcedVanDerPol", "Hopfield", "NoSuchFlow"])
def test_delays_growing_phases_and_unknown_names_are_refused(name):
    with pytest.raises(UnknownNameError, match=f"no flow of dysts is called 'dysts:{name}'.*; choose one of dysts:Aizawa, "):
        systems.get(DYSTS + name)


def test_a_misspelt_flow_is_answered_with_the_one_that_was_meant():
    with pytest.raises(UnknownNameError, match="did you mean 'dysts:Halvorsen'"):
        systems.get("dysts:halvorson")


def test_a_flow_says_what_it_is():
    told = inspect.getdoc(systems.find("dysts:Halvorsen"))
    assert told.startswith(flows.Halvorsen().description)
    assert flows.Halvorsen().citation in told
