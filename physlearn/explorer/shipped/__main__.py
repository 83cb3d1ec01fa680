"""Train the models that come with the explorer, and replace their files.

The command is ``python -m physlearn.explorer.shipped [SYSTEM ...]``.
"""

from __future__ import annotations

import sys

import pandas as pd
import torch
from tqdm.auto import tqdm

import systems
from physlearn.explorer.neurons import Neurons
from physlearn.explorer.shipped import ACTIVATION, FOLDER, SYSTEMS, models
from physlearn.explorer.trained_models import Shelf


def main(names: list[str]) -> None:
    """Train the models of some systems, or of all."""
    torch.set_num_threads(1)
    shelf, neurons = Shelf(), Neurons.named(ACTIVATION)
    for name in tqdm(names or SYSTEMS):
        system = systems.get(name)
        for model in models(system):
            forecaster = shelf.train(system, model, neurons)
            forecaster.history = pd.DataFrame()  # nobody reads it, and it is larger than the weights
            file = shelf.name(system, model, neurons)
            for old in FOLDER.glob(f"{name}-{model}-*.safetensors"):
                old.unlink()
            forecaster.save(FOLDER / file)


if __name__ == "__main__":
    main(sys.argv[1:])
