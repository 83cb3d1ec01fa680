"""States in float32 have the answers of the same states in float64, rounded, wherever compiled code follows them."""

from dataclasses import fields, is_dataclass

import pytest
import torch
from torch import Tensor

from physlearn import chaos


def tensors(result):
    found = [getattr(result, f.name) for f in fields(result)] if is_dataclass(result) else [result]
    return [tensor for tensor in found if isinstance(tensor, Tensor)]


@pytest.mark.parametrize(
    "ask",
    [
        lambda flow, z: chaos.classify(flow, z, 30.0),
        lambda flow, z: chaos.classify(flow, z, 30.0, threshold=1e-9),  # an index that float32 does not resolve
        lambda flow, z: chaos.lyapunov_exponents(flow, z, 30.0, k=2),
        lambda flow, z: chaos.sali(flow, z, 300.0),
        lambda flow, z: chaos.megno(flow, z, 30.0),
        lambda flow, z: chaos.poincare_section(flow, z, 30.0),
        lambda flow, z: chaos.frequency_drift(flow, z, 40.0, dt=0.05),
        lambda flow, z: chaos.Dynamics.of(flow, z, 30.0, progress=False).classes,
    ],
)
def test_float32_has_the_rounded_answers_of_float64(ask, henon_heiles):
    z0 = henon_heiles.sample(3, seed=0, energy=0.15).float()
    for single, double in zip(tensors(ask(henon_heiles, z0)), tensors(ask(henon_heiles, z0.double())), strict=True):
        assert single.dtype == (torch.float32 if double.is_floating_point() else double.dtype)
        torch.testing.assert_close(single, double.to(single.dtype), rtol=1e-6, atol=0, equal_nan=True)
