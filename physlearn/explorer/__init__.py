"""The explorer: a local web page that compares true and learned orbits while the user drags the initial state."""

from physlearn.explorer.exploration import Exploration
from physlearn.explorer.learning import Learning
from physlearn.explorer.neurons import Neurons
from physlearn.explorer.panel import Panel, show
from physlearn.explorer.scene import Scene
from physlearn.explorer.serve import serve
from physlearn.explorer.trained_models import Shelf

__all__ = ["Exploration", "Learning", "Neurons", "Panel", "Scene", "Shelf", "serve", "show"]
