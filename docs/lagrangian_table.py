"""Valid times of models on positions and velocities that are not canonical, for docs/how-to/positions-only.md.

``python docs/lagrangian_table.py`` takes some minutes and prints one row per system and model.
"""

import torch
from torch.func import jvp

import systems
from physlearn import Forecaster
from physlearn.metrics import valid_prediction_time
from systems import Orbit


def double_pendulum(n: int, t: torch.Tensor, seed: int) -> tuple[Orbit, Orbit]:
    """Return orbits in angles and momenta, and the same in angles and rates."""
    system = systems.get("double-pendulum")
    orbit = system.orbit(system.sample(n, seed=seed), t)
    velocity = orbit.rate[..., :2]
    acceleration = jvp(lambda z: system.vector_field(0.0, z)[..., :2], (orbit.z,), (orbit.rate,))[1]
    z, rate = torch.cat([orbit.z[..., :2], velocity], -1), torch.cat([velocity, acceleration], -1)
    names = ("theta_1", "theta_2", "omega_1", "omega_2")
    return orbit, Orbit(t, z, rate=rate, coordinates=names, periods=orbit.periods)


def elastic_pendulum(n: int, t: torch.Tensor, seed: int) -> tuple[Orbit, Orbit]:
    """Return orbits in the polar coordinates (r, theta) with their momenta, and the same with their rates."""
    system = systems.get("elastic-pendulum")
    orbit = system.orbit(system.sample(n, seed=seed), t)
    (x, y, u, v), (_, _, a, b) = orbit.z.unbind(-1), orbit.rate.unbind(-1)
    r, theta = (x**2 + y**2).sqrt(), torch.atan2(x, -y)
    speed, omega, torque = (x * u + y * v) / r, (x * v - y * u) / r**2, x * b - y * a
    change = r * omega**2 + (x * a + y * b) / r
    momenta = Orbit(
        t,
        torch.stack([r, theta, speed, r**2 * omega], -1),
        rate=torch.stack([speed, omega, change, torque], -1),
        coordinates=("r", "theta", "p_r", "p_theta"),
    )
    rates = Orbit(
        t,
        torch.stack([r, theta, speed, omega], -1),
        rate=torch.stack([speed, omega, change, (torque - 2 * r * speed * omega) / r**2], -1),
        coordinates=("r", "theta", "v_r", "omega"),
    )
    return momenta, rates


if __name__ == "__main__":
    for make, short, long, times in ((double_pendulum, 2, 40, 801), (elastic_pendulum, 6, 100, 1001)):
        known = make(60, torch.linspace(0, short, 51, dtype=torch.float64), 0)
        truth = make(12, torch.linspace(0, long, times, dtype=torch.float64), 1)
        for model, which in (("hnn", 0), ("hnn", 1), ("nn", 1), ("lnn", 1)):
            f = Forecaster(model, hidden=(50,), activation="gelu", seed=0).fit(known[which], epochs=100, progress=False)
            forecast = f.forecast(truth[which].z[:, 0], truth[which].t, progress=False)
            median = float(valid_prediction_time(forecast, truth[which]).median())
            print(f"{make.__name__}, {model} on {', '.join(truth[which].coordinates)}: {median:.3g}")
