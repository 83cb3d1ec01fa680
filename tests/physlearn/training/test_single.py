"""A network trained by the compiled loops alone against the training loop in torch."""

import pytest
import torch
from torch.testing import assert_close

from physlearn import models
from physlearn.training import Training, train
from physlearn.training.ensemble import train_single
from systems import IntegrationError


def weights_of(model):
    return torch.cat([parameter.flatten() for parameter in model.parameters()])


@pytest.mark.parametrize("validated", [True, False])
@pytest.mark.parametrize("name", ["nn", "hnn", "hnn-mechanical", "hnn-separable"])
def test_it_is_the_training_in_torch_up_to_rounding(name, validated, pendulum_pairs):
    pairs, held_out = pendulum_pairs
    both = [models.build(name, 2, (10,), "tanh", seed=3) for _ in range(2)]
    how = Training(epochs=4, batch_size=30, learning_rate=0.01)
    histories = [
        f(model, pairs, held_out if validated else None, how, seed=5, progress=False)
        for f, model in zip((train, train_single), both, strict=True)
    ]
    assert_close(weights_of(both[1]), weights_of(both[0]), rtol=1e-4, atol=1e-5)
    assert list(histories[1].columns) == list(histories[0].columns)
    assert histories[1].index.equals(histories[0].index)
    assert histories[1].index.name == "epoch"
    assert (histories[1] / histories[0]).to_numpy() == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize("rate", [1e30, 1e10])
def test_a_loss_that_diverges_is_the_same_error_in_the_same_epoch(rate, pendulum_pairs):
    messages = []
    for f in (train, train_single):
        model = models.build("nn", 2, (8,), "identity")
        with pytest.raises(IntegrationError, match="lower learning_rate") as error:
            f(model, pendulum_pairs[0], None, Training(epochs=5, learning_rate=rate), progress=False)
        messages.append(str(error.value))
    assert messages[0] == messages[1]
