"""The tasks of the paper: what they are learned on, scored on, and that the one never is the other."""

from itertools import combinations, pairwise

import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import compare, integrate, tasks
from physlearn.tasks import Forecasting, Task, register
from physlearn.tasks.registry import TASKS
from systems import InputError, Orbit, UnknownNameError

SIMULATED = [
    "van-der-pol",
    "henon-heiles-nn",
    "henon-heiles-hnn",
    "henon-heiles-hnn-separable",
    "henon-heiles-hnn-mechanical",
    "pendulum-clock-hnn",
    "double-pendulum-hnn",
    "oscillators",
]
DISTINCT = [
    "van-der-pol",
    "henon-heiles-nn",
    "pendulum-clock-hnn",
    "double-pendulum-hnn",
    "oscillators",
]  # the others have the data of the second
CONTRACT = ["van-der-pol", "henon-heiles-nn", "henon-heiles-hnn", "pendulum-clock-hnn", "mnist1d"]


@pytest.fixture(scope="module")
def made():
    return {name: tasks.get(name, orbits=10) for name in SIMULATED}


def first_states(task, part):
    return task.part(part).z[:, 0]


def test_the_tasks_of_the_contract_are_listed():
    assert set(CONTRACT) <= set(tasks.names())
    assert tasks.names() == sorted(tasks.names())


@pytest.mark.parametrize("name", SIMULATED)
def test_a_task_knows_its_own_name_model_and_what_to_roll_it_out_by(name, made):
    task = made[name]
    assert task.name == name
    network = task.network()
    assert network.name == task.model
    for integrator in task.forecast.methods:
        z0 = task.forecast.truth.z[:1, 0].float()
        with torch.no_grad():
            assert integrate(network, z0, torch.tensor([0.0, 0.01]), integrator).z.isfinite().all()


@pytest.mark.parametrize("name", DISTINCT)
def test_no_orbit_is_in_two_parts(name, made):
    task = made[name]
    together = torch.cat([first_states(task, part) for part in tasks.PARTS])
    assert len(together.unique(dim=0)) == len(together)
    for a, b in combinations(tasks.PARTS, 2):
        apart = torch.cdist(first_states(task, a), first_states(task, b))
        assert apart.min() > 0, (a, b)


@pytest.mark.parametrize("name", DISTINCT)
def test_what_is_forecast_was_never_learned_from(name, made):
    task = made[name]
    truth = task.forecast.truth.z[:, 0]
    for part in tasks.PARTS[:-1]:
        assert torch.cdist(truth, first_states(task, part)).min() > 0


@pytest.mark.parametrize("name", DISTINCT)
def test_a_seed_makes_the_orbits_and_another_makes_others(name, made):
    again, other = tasks.get(name, orbits=10), tasks.get(name, orbits=10, seed=1)
    assert torch.equal(again.part("test").z, made[name].part("test").z)
    assert torch.equal(again.part("test").rate, made[name].part("test").rate)
    everything = [first_states(task, part) for task in (made[name], other) for part in ("tuning", "validation", "test")]
    assert len(torch.cat(everything).unique(dim=0)) == len(torch.cat(everything))


def test_a_part_is_simulated_once(own_task):
    task = tasks.get("ellipses")
    assert task.part("tuning") is task.part("tuning")
    assert task.forecast is task.forecast


@pytest.mark.parametrize(("name", "samples", "dt"), [("van-der-pol", 50, 0.05), ("henon-heiles-nn", 50, 0.1)])
def test_parts_have_the_sizes_that_are_promised(name, samples, dt, made):
    task = made[name]
    sizes = {part: len(task.part(part)) for part in tasks.PARTS}
    assert sizes == {
        "meta-training": 10, "meta-validation": 2, "tuning": 2, "training": 10, "validation": 2, "test": 4
    }  # fmt: skip
    orbit = task.part("training")
    assert orbit.shape == (10, samples)
    assert_close(orbit.t.diff(), torch.full((samples - 1,), dt, dtype=torch.float64))
    pairs = task.pairs("training")
    assert (len(pairs), pairs.z.dtype) == (10 * samples, torch.float32)


def test_the_papers_size_is_ten_thousand_pairs():
    """Physics, section 4: at least 200 orbits of 50 samples at 0.1."""
    pairs = tasks.get("henon-heiles-nn").pairs("training")
    assert len(pairs) == 10_000


def test_the_stars_of_all_parts_have_the_energies_that_are_promised(henon_heiles):
    task = tasks.get("henon-heiles-hnn", orbits=60)
    for part in tasks.PARTS:
        orbit = task.part(part)
        energy = henon_heiles.hamiltonian(orbit.z)
        assert (energy > 0.02).all()
        assert (energy < 0.125).all()
        assert_close(orbit.rate, henon_heiles.vector_field(0.0, orbit.z))
    energies = henon_heiles.hamiltonian(first_states(task, "training"))
    assert abs(energies.mean() - 0.0725) < 4 * 0.105 / 12**0.5 / 60**0.5  # uniform
    assert (henon_heiles.hamiltonian(task.forecast.truth.z[:, 0]) < 0.125).all()


@pytest.mark.parametrize("name", SIMULATED[:4])
def test_the_truth_of_a_forecast_is_an_orbit_as_long_as_it_is_known(name, made):
    forecast = made[name].forecast
    truth = forecast.truth
    assert len(truth) == 8
    assert forecast.horizon.shape == (8,)
    assert (forecast.horizon > 0).all()
    assert (forecast.horizon <= truth.t[-1] - truth.t[0]).all()
    system = systems.get("van-der-pol" if name == "van-der-pol" else "henon-heiles")
    assert_close(system.orbit(truth.z[:, 0], truth.t[:20]).z, truth.z[:, :20], rtol=1e-7, atol=1e-8)
    if forecast.energy is None:
        assert name == "van-der-pol"
    else:
        energy = forecast.energy(truth.z)
        assert_close(energy, energy[:, :1].expand_as(energy), rtol=1e-8, atol=0)


def test_van_der_pols_mu_can_be_chosen():
    rate = tasks.get("van-der-pol", orbits=5, mu=1.0).part("training")
    assert_close(rate.rate, systems.get("van-der-pol", mu=1.0).vector_field(0.0, rate.z))
    assert "mu = 1," in tasks.get("van-der-pol", orbits=5, mu=1.0).title


def test_unknown_tasks_settings_and_parts_are_answered_with_those_there_are():
    with pytest.raises(UnknownNameError, match="henon-heiles-hnn"):
        tasks.get("henon-heiles")
    with pytest.raises(InputError, match=r"no setting 'nu'; it has mu, orbits, seed"):
        tasks.get("van-der-pol", nu=1)
    with pytest.raises(InputError, match="no setting 'data'"):
        tasks.get("van-der-pol", data="angles.csv")
    with pytest.raises(InputError, match="meta-training, meta-validation"):
        tasks.get("van-der-pol", orbits=5).part("training set")


@pytest.mark.parametrize(
    "wrong", [{"orbits": 4}, {"orbits": 0}, {"orbits": -3}, {"orbits": 7.5}, {"seed": 0.5}, {"seed": 2**70}]
)
def test_settings_that_make_no_sense_are_refused_before_anything_is_simulated(wrong):
    with pytest.raises(InputError, match="orbits"):
        tasks.get("van-der-pol", **wrong)


def test_a_network_of_the_task_is_drawn_from_its_seed():
    task = tasks.get("henon-heiles-hnn", orbits=5)
    a, b, c = (task.network("tanh", seed).state_dict() for seed in (1, 1, 2))
    assert_close(a, b, rtol=0, atol=0)
    assert not torch.equal(a["energy.network.layers.0.weight"], c["energy.network.layers.0.weight"])


def test_the_recorded_clock_is_cut_into_blocks_of_time_with_gaps(data):
    task = tasks.get("pendulum-clock-hnn", data=data / "clock_angles.csv")
    blocks = [task.part(part) for part in tasks.PARTS]
    recording = max(Orbit.from_csv(data / "clock_angles.csv", rates="derived"), key=lambda orbit: len(orbit.t))
    window = recording.provenance["filter"]["window"]
    step = float(recording.t.diff().median())
    for before, after in pairwise(blocks):
        assert float(after.t[0] - before.t[-1]) > window * step
    assert [len(block.t) > 50 for block in blocks] == [True] * 6
    assert blocks[-1].t[-1] == recording.t[-1]


def test_the_recorded_clocks_forecast_is_the_test_block_in_a_known_energy(data):
    task = tasks.get("pendulum-clock-hnn", data=data / "clock_angles.csv")
    forecast, test = task.forecast, task.part("test")
    assert torch.equal(forecast.truth.z[0], test.z)
    assert torch.equal(forecast.truth.t, test.t)
    energy = forecast.energy(forecast.truth.z)
    assert energy.std() < 0.2 * energy.mean()  # a clock keeps its swing
    assert forecast.horizon is None


def test_a_recording_that_is_missing_or_too_short_is_refused(tmp_path):
    with pytest.raises((OSError, InputError), match="missing"):
        tasks.get("pendulum-clock-hnn", data=tmp_path / "missing.csv")
    short = tmp_path / "short.csv"
    short.write_text("t,theta\n" + "\n".join(f"{k / 30},{0.1 * (-1) ** (k // 10)}" for k in range(40)))
    with pytest.raises(InputError):
        tasks.get("pendulum-clock-hnn", data=short)


@pytest.fixture
def own_task(monkeypatch):
    monkeypatch.setattr(TASKS, "_registered", dict(TASKS._registered))

    @register("ellipses")
    def make(orbits: int = 6, seed: int = 0) -> Task:
        system = systems.get("harmonic-oscillator")
        t = torch.linspace(0, 1, 8, dtype=torch.float64)

        def of_part(part):
            return system.orbit(system.sample(orbits, seed=10 * seed + tasks.PARTS.index(part)), t)

        return Task("ellipses", "ellipses", "hnn", of_part, lambda: Forecasting(of_part("test"), ("euler",)))

    return make


def test_a_task_of_ones_own_can_be_registered_got_and_compared_on(own_task):
    assert "ellipses" in tasks.names()
    task = tasks.get("ellipses", orbits=5)
    assert len(task.part("validation")) == 5
    result = compare(task, variants={"sine": "sine"}, replicates=2, epochs=1, tuned=False, progress=False)
    assert "valid_time_euler" in result.table
    assert "energy_error_euler" not in result.table  # it was not told


def test_a_name_that_is_taken_is_refused(own_task):
    with pytest.raises(InputError, match="taken"):
        register("ellipses")(lambda: None)


def test_a_task_is_described_by_its_data_so_that_no_other_passes_for_it():
    first, again, other = (tasks.get("van-der-pol", orbits=5, seed=seed) for seed in (0, 0, 1))
    assert first.describe("training") == again.describe("training")
    assert first.describe("training")["data"] != other.describe("training")["data"]
    assert first.describe("training")["data"] != first.describe("test")["data"]


def test_several_oscillators_keep_their_labels_and_have_their_own_fields():
    task = tasks.get("oscillators", orbits=8)
    pairs = task.pairs("training")
    assert pairs.dim == 6
    labels, rates = pairs.z[:, 2:], pairs.target
    assert torch.equal(labels.sum(1), torch.ones(len(pairs)))
    assert not rates[:, 2:].any()
    x = pairs.z[:, :2].double()
    for k, name in enumerate(["van-der-pol", "pendulum", "duffing", "fitzhugh-nagumo"]):
        own = labels[:, k] == 1
        assert own.sum() == 100
        assert_close(systems.get(name).vector_field(0.0, x[own]).float(), rates[own, :2], atol=1e-4, rtol=1e-4)
