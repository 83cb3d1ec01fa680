"""The same on a GPU."""

import pytest
import torch
from torch.testing import assert_close

from physlearn import models
from physlearn.analysis import LossSlice, activities, hessian, langevin, participation_ratio

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


@pytest.fixture
def fields(drawn):
    """A model and a loss of it, on a device."""

    def fields(device):
        model = models.build("hnn", 4, (60,), "tanh", seed=0).double().to(device)
        z, rate = drawn(30, 4).to(device), drawn(30, 4, seed=1).to(device)
        return model, lambda model: (model(z) - rate).square().mean()

    return fields


def test_hessians_are_the_same(fields):
    on_cpu, on_gpu = (hessian(*fields(device)) for device in ("cpu", "cuda"))
    assert on_gpu.matrix().device.type == "cuda"
    assert_close(on_gpu.matrix().cpu(), on_cpu.matrix())
    assert_close(on_gpu.eigenvalues().cpu(), on_cpu.eigenvalues(), rtol=1e-8, atol=1e-10)
    assert_close(on_gpu.leading()[0].cpu(), on_cpu.leading()[0])
    assert on_gpu.trace(5) == pytest.approx(on_cpu.trace(5))
    assert on_gpu.density(2, 10).moment(3) == pytest.approx(on_cpu.density(2, 10).moment(3))


def test_activities_and_their_dimensions_are_the_same(fields, drawn):
    x = drawn(50, 4)
    on_cpu, on_gpu = (activities(fields(device)[0], x.to(device)) for device in ("cpu", "cuda"))
    assert_close(on_gpu.cpu(), on_cpu)
    assert_close(participation_ratio(on_gpu).cpu(), participation_ratio(on_cpu))


def test_paths_are_the_same(drawn):
    D = torch.diag(torch.tensor([0.3, 0.1], dtype=torch.float64))
    for diffusion in (0.2, D, lambda theta: theta.square().sum(-1)[..., None, None] * D.to(theta)):
        on_cpu, on_gpu = (langevin(lambda x: x, drawn(9, 2).to(device), diffusion, 1.0, 0.1) for device in ("cpu", "cuda"))
        assert on_gpu.z.device.type == "cuda"
        assert_close(on_gpu.z.cpu(), on_cpu.z)


def test_slices_are_the_same(fields):
    on_cpu, on_gpu = (LossSlice(*fields(device), reach=0.1) for device in ("cpu", "cuda"))
    assert_close(on_gpu.hessian, on_cpu.hessian, rtol=1e-8, atol=1e-10)
    assert_close(on_gpu.values.sum(), on_cpu.values.sum())
