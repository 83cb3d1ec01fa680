"""Steps a second of each integrator, beside torchdiffeq's fixed-step and SciPy's adaptive solvers on the same orbits.

Every row follows the same orbits of Henon-Heiles over the same time. The table at the end gives orbits x steps a second, and
the ratio to torchdiffeq's rk4 at the same number of orbits, all measured in one run.
"""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torchdiffeq import odeint

import systems
from physlearn import integrate, integrators

STEPS = 20
DT = 0.1
SYSTEM = systems.get("henon-heiles")
T = torch.arange(STEPS + 1, dtype=torch.float64) * DT
ORBITS = [1, 100, 10_000]


def scipy_solver(method, rtol):
    def run(z0):
        shape = z0.shape

        def rate(t, y):
            return SYSTEM.vector_field(t, torch.from_numpy(y).reshape(shape)).reshape(-1).numpy()

        return solve_ivp(rate, (0, float(T[-1])), z0.reshape(-1).numpy(), method, t_eval=T.numpy(), rtol=rtol, atol=rtol).y

    return run


RIVALS = {
    **{f"torchdiffeq {m}": lambda z0, m=m: odeint(SYSTEM.vector_field, z0, T, method=m) for m in ("euler", "midpoint", "rk4")},
    "scipy RK45 1e-6": scipy_solver("RK45", 1e-6),
    "scipy DOP853 1e-9": scipy_solver("DOP853", 1e-9),
}
OWN = {f"physlearn {m}": lambda z0, m=m: integrate(SYSTEM, z0, T, method=m).z for m in integrators.names()}


@pytest.mark.parametrize("orbits", ORBITS)
@pytest.mark.parametrize("name", [*RIVALS, *OWN])
def test_steps_a_second(name, orbits, benchmark):
    run = {**RIVALS, **OWN}[name]
    benchmark.group = f"{orbits} orbits"
    benchmark.extra_info.update(name=name, work=orbits * STEPS, rival="torchdiffeq rk4")
    z0 = SYSTEM.sample(orbits, energy=1 / 12)
    result = benchmark.pedantic(run, (z0,), rounds=15, warmup_rounds=3)
    assert np.isfinite(np.asarray(result)).all()
