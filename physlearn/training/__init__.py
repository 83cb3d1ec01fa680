"""Training: pairs, splits, losses, and the loop."""

from physlearn.training.loss import rate_loss
from physlearn.training.pairs import Pairs
from physlearn.training.split import join, longest_stretch, split_orbits, split_time
from physlearn.training.train import Training, train

__all__ = ["Pairs", "Training", "join", "longest_stretch", "rate_loss", "split_orbits", "split_time", "train"]
