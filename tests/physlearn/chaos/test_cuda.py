"""The same on a GPU."""

import pytest
import torch
from torch.testing import assert_close

from physlearn import models
from physlearn.chaos import Dynamics, compare_dynamics, gali, is_chaotic, lyapunov_exponents, poincare_section, sali

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


@pytest.fixture(params=["system", "model"])
def flow(request, henon_heiles):
    """For states on any device."""
    if request.param == "system":
        return lambda device: henon_heiles
    model = models.build("hnn", 4, (16,), "sine", seed=0).double().requires_grad_(False)
    return lambda device: model.to(device)


def test_sections_are_the_same(flow, known):
    on_cpu = poincare_section(flow("cpu"), known, 50, surface=(0, 0.0), dt=0.1)
    on_gpu = poincare_section(flow("cuda"), known.cuda(), 50, surface=(0, 0.0), dt=0.1)
    assert on_gpu.z.device.type == "cuda"
    assert_close(on_gpu.z.cpu(), on_cpu.z, atol=1e-8, rtol=0)


@pytest.mark.parametrize("measure", [lyapunov_exponents, sali, lambda f, z, time, dt: gali(f, z, time, 3, dt=dt)])
def test_deviations_are_the_same(measure, flow, known):
    on_gpu = measure(flow("cuda"), known.cuda(), 20, dt=0.1)
    assert on_gpu.device.type == "cuda"
    assert_close(on_gpu.cpu(), measure(flow("cpu"), known, 20, dt=0.1), atol=1e-8, rtol=0)


def test_classes_and_comparisons_are_the_same(henon_heiles, known):
    assert (
        is_chaotic(henon_heiles, known.cuda(), 60, dt=0.1, threshold=0.1).tolist()
        == is_chaotic(henon_heiles, known, 60, dt=0.1, threshold=0.1).tolist()
    )
    tables = []
    for z0 in (known, known.cuda()):
        truth = Dynamics.of(henon_heiles, z0, 60, dt=0.1)
        tables.append(compare_dynamics(truth, truth).table)
    assert_close(
        torch.tensor(tables[1]["exponent_truth"]), torch.tensor(tables[0]["exponent_truth"]), atol=1e-6, rtol=0, equal_nan=True
    )
