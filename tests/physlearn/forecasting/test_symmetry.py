"""Symmetries that a model has exactly."""

import copy
import math

import numpy as np
import pytest
import torch

import systems
from physlearn import Forecaster, tensor_file
from physlearn.forecasting import found_symmetries
from physlearn.models.group import Group
from systems import InputError, Orbit

STARS, T = systems.get("henon-heiles"), torch.linspace(0, 5, 26, dtype=torch.float64)
FEW = STARS.orbit(STARS.sample(5, seed=0), T)
GROUP = Group.of_system(STARS)
HOW = {"epochs": 10, "polish": 2, "progress": False}
MODELS = ["nn", "hnn", "hnn-separable", "hnn-mechanical", "cubic", "linear"]


def error(f, states):
    """The largest violation of f(S z) = +- S f(z), relative to the rates."""
    rate = f.vector_field(0.0, states)
    images, wanted = GROUP.images(states, rate)
    return float((f.vector_field(0.0, images) - wanted).abs().max() / rate.abs().max())


@pytest.mark.parametrize("model", MODELS)
def test_the_field_has_the_symmetries_of_the_system_everywhere(model):
    states = torch.randn(40, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))  # also far from the data
    f = Forecaster(model, hidden=(10,), symmetry=True).fit(FEW, **HOW)
    assert len(f.prior.group) == 12
    assert error(f, states) < 1e-12
    if model != "linear":
        assert error(Forecaster(model, hidden=(10,)).fit(FEW, **HOW), states) > 1e-9
    if hasattr(f, "hamiltonian"):
        images, _ = GROUP.images(states, states)
        energy = f.hamiltonian(images).reshape(12, -1)
        assert (energy - energy[0]).abs().max() < 1e-12 * energy.abs().max()
        z = states[0].clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(f.hamiltonian(z), z)
        torch.testing.assert_close(f.vector_field(0.0, states[0]), torch.cat([slope[2:], -slope[:2]]), rtol=1e-9, atol=1e-9)
    if getattr(f, "separable", False):
        q, p = states.chunk(2, dim=-1)
        torch.testing.assert_close(torch.cat([f.velocity(p), f.force(q)], -1), f.vector_field(0.0, states))


SLOW = [pytest.param(model, (10,), marks=pytest.mark.slow) for model in ("hnn", "hnn-mechanical")]


@pytest.mark.parametrize(("model", "hidden"), [("nn", (6, 5)), *SLOW])
def test_compiled_forecasts_are_those_by_torch(model, hidden):
    f = Forecaster(model, hidden=hidden, symmetry=True).fit(FEW, **HOW)
    z0 = FEW.z[:, 0]
    by = [f.forecast(z0, T, engine=engine, progress=False).z for engine in ("compiled", "torch")]
    torch.testing.assert_close(*by, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_a_symmetric_orbit_is_forecast_symmetrically():
    f = Forecaster("hnn", hidden=(10,), symmetry=True).fit(FEW, **HOW)
    turned = STARS.symmetries[0]
    z0 = FEW.z[0, 0]
    ahead = [f.forecast(z, T, method="gauss-legendre-4", progress=False).z for z in (z0, turned(z0))]
    torch.testing.assert_close(ahead[1], turned(ahead[0]), rtol=1e-9, atol=1e-9)
    back = f.forecast(STARS.reversals[0](z0), -T, method="gauss-legendre-4", progress=False).z
    torch.testing.assert_close(back, STARS.reversals[0](ahead[0]), rtol=1e-9, atol=1e-9)


def test_averaging_lowers_the_loss():
    """The mean square over all images is convex, so the average is at least as good as the mean of its terms."""
    states, rate = GROUP.images(FEW.z.flatten(0, 1), FEW.rate.flatten(0, 1))
    f = Forecaster("nn", hidden=(10,), symmetry=True, dtype=torch.float64).fit(FEW, **HOW)
    alone = copy.copy(f)
    alone._copies = {}
    alone._model = copy.deepcopy(f.model)
    alone._model.prior = type(f.prior)()
    losses = [float((one.vector_field(0.0, states) - rate).square().mean()) for one in (f, alone)]
    assert losses[0] < losses[1]
    assert losses[1] == pytest.approx(f.history["training_physical"].iloc[-1], rel=0.5)


def test_matrices_units_and_angles(tmp_path):
    pendulum = systems.get("pendulum")
    swings = pendulum.orbit(pendulum.sample(5), T)
    far = Orbit(T * 1e3, swings.z * 1e-6, rate=swings.rate * 1e-9, coordinates=("q", "p"))
    f = Forecaster("hnn", hidden=(8,), symmetry=-np.eye(2), seed=2).fit(far, **HOW)
    torch.testing.assert_close(f.vector_field(0.0, -far.z), -f.vector_field(0.0, far.z), rtol=1e-12, atol=0)
    assert "symmetry='2 matrices'" in repr(f)
    g = Forecaster("nn", hidden=(8,), symmetry=[-np.eye(2), (np.diag([1.0, -1.0]), -1)], angles=True).fit(swings, **HOW)
    z = swings.z[:, 0]
    torch.testing.assert_close(g.vector_field(0.0, -z), -g.vector_field(0.0, z), rtol=1e-9, atol=1e-12)
    turned = z + torch.tensor([2 * math.pi, 0.0], dtype=torch.float64)
    torch.testing.assert_close(g.vector_field(0.0, turned), g.vector_field(0.0, z), rtol=1e-5, atol=1e-5)
    g.save(tmp_path / "g")
    loaded = Forecaster.load(tmp_path / "g")
    assert torch.equal(loaded.vector_field(0.0, z), g.vector_field(0.0, z))
    assert g.forecast(z, T[:3], progress=False).provenance["learned"]["symmetry"] == g.prior.group.plain


def test_a_known_part_must_have_the_symmetry():
    pendulum = systems.get("pendulum")
    swings = pendulum.orbit(pendulum.sample(5), T)
    f = Forecaster("nn", hidden=(8,), known=pendulum, symmetry=True).fit(swings, **HOW)
    torch.testing.assert_close(f.vector_field(0.0, -swings.z), -f.vector_field(0.0, swings.z), rtol=1e-9, atol=1e-12)
    with pytest.raises(InputError, match="does not have the given symmetries"):
        Forecaster("nn", known=lambda t, z: z + 1, symmetry=True).fit(swings, **HOW)


@pytest.mark.slow
def test_states_alone_are_learned_symmetrically():
    states = [Orbit(T, z, coordinates=STARS.coordinates, provenance=FEW.provenance) for z in FEW.z]
    f = Forecaster("hnn", hidden=(8,), symmetry=True).fit(states, loss="step", epochs=40, polish=0, progress=False)
    assert error(f, FEW.z.flatten(0, 1)) < 1e-12


@pytest.mark.parametrize(
    ("symmetry", "message"),
    [
        (np.eye(2), r"of shape \(2, 2\), but the data have 4 coordinates"),
        (np.diag([1.0, 1.0, -1.0, -1.0]), "canonical"),
        (np.kron([[0.0, 1.0], [-1.0, 0.0]], np.eye(2)), "mixes positions with momenta"),
        ("mirror", "must be matrices"),
    ],
)
def test_symmetries_that_do_not_fit_are_refused(symmetry, message):
    with pytest.raises(InputError, match=message):
        Forecaster("hnn-separable", symmetry=symmetry).fit(FEW, **HOW)


def test_symmetries_of_an_unknown_system_are_refused():
    for orbit, message in [
        (Orbit(T, FEW.z, rate=FEW.rate, coordinates=STARS.coordinates), "orbits of none"),
        (Orbit(T, FEW.z, rate=FEW.rate, coordinates=tuple("abcd"), provenance=FEW.provenance), "are those of x, y"),
    ]:
        with pytest.raises(InputError, match=message):
            Forecaster("nn", symmetry=True).fit(orbit, **HOW)


def test_hostile_files_are_refused(tmp_path):
    Forecaster("nn", hidden=(4,), symmetry=True).fit(FEW, epochs=1, progress=False).save(tmp_path / "f")
    settings, tensors = tensor_file.read(tmp_path / "f", "forecaster")
    one = np.eye(4).tolist()
    for prior in (
        {"symmetry": [[one, 2]]},
        {"symmetry": [[one]]},
        {"symmetry": [[[[1.0, 2.0], [3.0]], 1]]},
        {"symmetry": [[(-np.eye(4)).tolist(), 1]]},
        {"symmetry": [[one, 1]] * 1000},
        {"symmetry": 3},
        {"symmetry": [[[["nan"]], 1]]},
        {"other": 3},
        {"known": {"system": "no such system"}},
        {"known": {"system": "pendulum", "parameters": {"no": 1}}},
        {"known": {"function": 3}},
        3,
    ):
        tensor_file.write(tmp_path / "g", "forecaster", {**settings, "prior": prior}, tensors)
        with pytest.raises(InputError):
            Forecaster.load(tmp_path / "g")


def test_the_symmetries_of_a_system_are_found_and_no_others():
    table = found_symmetries(STARS, FEW)
    found = set(table[table.found].index)
    assert found == {"-x -p_x", "-p_x -p_y, reversed", "-x -p_y, reversed", "rotation of x and y by 1/3 turn"}
    assert table.error.eq(table.error.iloc[0]).all()


def test_a_model_that_was_trained_without_them_has_them_to_within_its_error():
    orbits = STARS.orbit(STARS.sample(30, seed=3), T)
    f = Forecaster("hnn", hidden=(30,)).fit(orbits, epochs=100, progress=False)
    turn = STARS.symmetries[0](torch.eye(4).double()).T
    others = STARS.orbit(STARS.sample(10, seed=4), T)
    table = found_symmetries(f, others, {"turn": turn, "no": np.diag([1, 1, 1, -1.0])})
    assert table.loc["turn", "error"] < 0.1
    assert table.found.to_dict() == {"turn": True, "no": False}


def test_candidates_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"flip has shape \(2, 2\), but the orbits have 4"):
        found_symmetries(STARS, FEW, {"flip": -np.eye(2)})
    with pytest.raises(InputError, match="have none"):
        found_symmetries(STARS, Orbit(T, FEW.z, coordinates=STARS.coordinates))
