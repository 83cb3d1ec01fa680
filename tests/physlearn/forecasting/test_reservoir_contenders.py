import pytest
import torch

from physlearn.forecasting import contender
from physlearn.forecasting.simulated import Protocol, forecast_system
from systems import InputError, get


def test_reservoirs_stand_in_the_line_up_of_systems_without_a_hamiltonian():
    found = {c.model for c in contender.choose(None, None, hamiltonian=False)}
    assert {"nn", "next-generation-reservoir", "echo-state"} <= found
    assert "echo-state" not in {c.model for c in contender.choose(None, None, hamiltonian=True)}
    assert contender.choose("echo-state", None, hamiltonian=False)[0].label == "echo-state"
    with pytest.raises(InputError, match="leave out --method rk4"):
        contender.choose("echo-state", "rk4", hamiltonian=False)


def test_all_forecasts_begin_after_the_past_and_are_scored_at_the_same_times(tmp_path):
    system = get("van-der-pol")
    protocol = Protocol(training_orbits=15, validation_orbits=3, samples=16, dt=0.2, test_orbits=3, time=5.0)
    chosen = (contender.Contender("linear", "rk4"), contender.Contender("next-generation-reservoir", ""))
    report = forecast_system(system, chosen, protocol, progress=False)
    first = report.truth.z[:, 0]
    later = system.orbit(system.sample(3, seed=report.settings["sample_seeds"]["test"]), torch.arange(17).double() * 0.2)
    torch.testing.assert_close(first, later.z[:, 16], rtol=0, atol=1e-9)
    for orbit in report.forecasts.values():
        torch.testing.assert_close(orbit.z[:, 0], first, rtol=0, atol=1e-12)
        assert torch.equal(orbit.t, report.truth.t)
    times = report.table["valid_time_median"]
    assert times["next-generation-reservoir"] > 2 * times["linear + rk4"]
    assert "nan" not in str(report)
    assert report.metrics()["rows"][2]["derivative_loss"] is None
    assert tmp_path / "next-generation-reservoir.safetensors" in report.save(tmp_path, keep_all=True)
    alone = forecast_system(system, chosen[:1], protocol, progress=False)
    torch.testing.assert_close(alone.truth.z[:, 0], later.z[:, 0])
