import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import Forecaster, NotSeparableError, integrate, metrics
from systems import InputError

T = torch.linspace(0, 10, 101, dtype=torch.float64)
SYSTEM = systems.get("pendulum")


@pytest.fixture(scope="module")
def orbits():
    return [SYSTEM.orbit(SYSTEM.sample(n, seed=s), T) for n, s in ((30, 0), (8, 1), (6, 2))]


@pytest.fixture(scope="module")
def fitted(orbits):
    def fit(model, **training):
        settings = {"epochs": 30, "progress": False, **training}
        return Forecaster(model, hidden=(32,), activation="tanh", seed=0).fit(orbits[0], orbits[1], **settings)

    return {model: fit(model) for model in ("nn", "hnn", "hnn-mechanical", "linear")}


@pytest.mark.parametrize("model", ["hnn", "hnn-mechanical"])
def test_a_hamiltonian_forecast_keeps_the_energy_it_learned_and_follows_the_truth(model, fitted, orbits):
    f, truth = fitted[model], orbits[2]
    forecast = f.forecast(truth.z[:, 0], T)
    assert float(metrics.energy_error(forecast, f).max()) < 1e-3  # bounded by the integrator, not by what was learned
    assert float(metrics.valid_prediction_time(forecast, truth).median()) == 10.0


def test_the_integrator_suits_the_model_unless_one_is_named(fitted, orbits):
    z0 = orbits[2].z[:, 0]
    used = {m: f.forecast(z0, T[:3]).provenance["integrator"]["name"] for m, f in fitted.items()}
    assert used == {"nn": "rk4", "hnn": "gauss-legendre-4", "hnn-mechanical": "yoshida-4", "linear": "gauss-legendre-4"}
    assert fitted["hnn"].forecast(z0, T[:3], method="euler").provenance["integrator"]["name"] == "euler"


def test_leapfrog_on_a_plain_hnn_is_refused(fitted, orbits):
    with pytest.raises(NotSeparableError, match=r"leapfrog needs a separable Hamiltonian.*hnn"):
        fitted["hnn"].forecast(orbits[2].z[:, 0], T, method="leapfrog")


def test_a_symplectic_method_on_a_vector_field_network_is_refused(fitted, orbits):
    with pytest.raises(InputError, match="no Hamiltonian"):
        fitted["nn"].forecast(orbits[2].z[:, 0], T, method="symplectic-euler")


def test_a_forecaster_is_a_flow_like_any_other(fitted, orbits):
    z0 = orbits[2].z[:, 0]
    direct = integrate(fitted["hnn-mechanical"], z0, T[:20], method="leapfrog")
    assert_close(direct.z, fitted["hnn-mechanical"].forecast(z0, T[:20], method="leapfrog").z)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_forecast_has_the_dtype_of_its_initial_states(dtype, fitted, orbits):
    forecast = fitted["hnn"].forecast(orbits[2].z[:, 0].to(dtype), T[:5])
    assert forecast.z.dtype == dtype


def test_weights_learned_in_float32_forecast_in_float64_without_rounding_noise(fitted, orbits):
    forecast = fitted["hnn"].forecast(orbits[2].z[:, 0], T, method="gauss-legendre-6", substeps=4)
    assert float(metrics.energy_error(forecast, fitted["hnn"]).max()) < 1e-9  # float32 would stop near 1e-6


@pytest.mark.parametrize("model", ["nn", "hnn", "hnn-mechanical", "linear"])
def test_saving_and_loading_gives_the_same_forecast(model, fitted, orbits, tmp_path):
    path = tmp_path / "model.safetensors"
    fitted[model].save(path)
    loaded = Forecaster.load(path)
    z0 = orbits[2].z[:, 0]
    assert torch.equal(loaded.forecast(z0, T[:10]).z, fitted[model].forecast(z0, T[:10]).z)
    assert loaded.coordinates == ("theta", "p")
    assert loaded.training == fitted[model].training
    assert loaded.history.equals(fitted[model].history)


@pytest.fixture
def saved(fitted, tmp_path):
    path = tmp_path / "model.safetensors"
    fitted["hnn"].save(path)
    return path


@pytest.mark.parametrize("kept", [0, 5, 100, -1, -200])
def test_a_truncated_file_is_one_clear_error(kept, saved):
    saved.write_bytes(saved.read_bytes()[:kept])
    with pytest.raises(InputError, match="truncated"):
        Forecaster.load(saved)


def test_a_tampered_weight_is_noticed(saved):
    content = bytearray(saved.read_bytes())
    content[-3] ^= 1
    saved.write_bytes(bytes(content))
    with pytest.raises(InputError, match="checksum"):
        Forecaster.load(saved)


def test_a_tampered_setting_is_noticed(saved):
    content = saved.read_bytes()
    assert b"tanh" in content
    saved.write_bytes(content.replace(b"tanh", b"sine"))
    with pytest.raises(InputError, match="checksum"):
        Forecaster.load(saved)


def test_a_foreign_file_is_told_apart(tmp_path):
    from safetensors.torch import save_file

    foreign = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(2)}, foreign)
    with pytest.raises(InputError, match="not written by physlearn"):
        Forecaster.load(foreign)
    (tmp_path / "text").write_text("not weights at all, but a text that is longer than a header")
    with pytest.raises(InputError, match="safetensors"):
        Forecaster.load(tmp_path / "text")
    with pytest.raises(FileNotFoundError, match="missing"):
        Forecaster.load(tmp_path / "missing")


def test_nothing_is_forecast_before_fit():
    with pytest.raises(InputError, match="call fit first"):
        Forecaster("hnn").forecast(torch.zeros(2), T)
    with pytest.raises(InputError, match="call fit first"):
        Forecaster("nn").vector_field(0.0, torch.zeros(2))


def test_unknown_names_and_settings_are_refused(orbits):
    with pytest.raises(KeyError, match="hnn-mechanical"):
        Forecaster("hmm")
    with pytest.raises(KeyError, match="sine"):
        Forecaster("hnn", activation="sinus")
    with pytest.raises(InputError, match="momentum"):
        Forecaster("hnn").fit(orbits[0], momentum=0.9)


def test_validation_has_to_have_the_same_coordinates(orbits):
    other = systems.get("van-der-pol")
    with pytest.raises(InputError, match="validation has"):
        Forecaster("nn").fit(orbits[0], other.orbit(other.sample(2), T[:5]), progress=False)


def test_a_wrong_dimension_is_refused(fitted):
    with pytest.raises(InputError, match="2 coordinates"):
        fitted["hnn"].forecast(torch.zeros(3, dtype=torch.float64), T)


def test_the_history_has_a_row_an_epoch_and_a_row_a_step_of_the_polish(fitted):
    losses = ["training", "training_physical", "validation", "validation_physical"]
    assert list(fitted["hnn"].history.columns) == ["learning_rate", *losses]
    assert list(fitted["hnn"].history["learning_rate"].isna()) == [False] * 30 + [True] * 3
    assert fitted["hnn"].history["training"].iloc[-1] < fitted["hnn"].history["training"].iloc[0] / 10


def test_arguments_that_no_forecast_can_use_are_refused_in_a_sentence(fitted, orbits):
    f, z0 = fitted["hnn"], orbits[2].z[:, 0]
    for states in (None, "a", torch.tensor(1.0), torch.zeros(2, 2, dtype=torch.bool), z0.to_sparse(), z0.to("meta")):
        with pytest.raises(InputError, match=r"initial states|states must have"):
            f.forecast(states, T)
    for times in (None, "a", [], torch.tensor(1.0)):
        with pytest.raises(InputError, match="times"):
            f.forecast(z0, times)
    with pytest.raises(InputError, match="at least one orbit"):
        f.score(orbits[2][:0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": 5}, "hidden must be a list of widths"),
        ({"hidden": (10**12,)}, "GB of memory"),
        ({"members": 10**10}, "GB of memory"),
        ({"dtype": "float32"}, "floating-point type of torch"),
        ({"dtype": torch.int32}, "floating-point type of torch"),
        ({"dtype": torch.complex64}, "floating-point type of torch"),
        ({"device": "foo"}, "no device 'foo'"),
        ({"device": "meta"}, "no values"),
    ],
)
def test_settings_that_no_machine_can_use_are_refused_at_once(settings, message):
    with pytest.raises(InputError, match=message):
        Forecaster("nn", **settings)
