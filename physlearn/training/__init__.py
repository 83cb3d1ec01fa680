"""Training of models: pairs to learn from, splits of the data, losses and the training loop."""

from physlearn.training.loss import derivative_loss
from physlearn.training.pairs import Pairs
from physlearn.training.split import join, longest_stretch, split_orbits, split_time
from physlearn.training.train import train
from physlearn.training.train_settings import Training
from systems.deprecation import old_names

__all__ = ["Pairs", "Training", "derivative_loss", "join", "longest_stretch", "split_orbits", "split_time", "train"]
__getattr__ = old_names(__name__, {"rate_loss": "physlearn.training.derivative_loss"})
