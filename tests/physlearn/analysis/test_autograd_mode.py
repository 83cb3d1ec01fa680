"""Derivatives of a loss, and of an activation given by its values alone, are the same in inference mode."""

import torch

from physlearn import analysis, models
from physlearn.activations.activation import derivative


def test_a_hessian_is_the_same_in_inference_mode():
    model = models.build("nn", dim=2, hidden=(3,)).double()
    z = torch.randn(5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def loss(model):
        return model(z).square().mean()

    expected = analysis.Hessian(model, loss).matrix()
    with torch.inference_mode():
        found = analysis.Hessian(model, loss).matrix()
    assert float(expected.abs().max()) > 0.1
    assert torch.equal(found, expected)


def test_the_slope_of_an_activation_is_the_same_in_inference_mode():
    with torch.inference_mode():
        slope = derivative(torch.sin)(torch.zeros(2))
    assert torch.equal(slope, torch.ones(2))
