"""What a search varies, as Optuna's distributions; imported only when a search begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from systems.extras import require

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_optuna = require("optuna.distributions", "search", "searching hyper-parameters")

NETWORKS: dict[str, BaseDistribution] = {
    "learning_rate": _optuna.FloatDistribution(1e-3, 2.0, log=True),
    "width": _optuna.IntDistribution(20, 200, log=True),
}
"""Of all networks."""

ACTIVATIONS: dict[str, BaseDistribution] = {
    "types": _optuna.IntDistribution(1, 5),
    "base": _optuna.CategoricalDistribution(("sine", "tanh", "zero")),
    "inner_steps": _optuna.IntDistribution(66, 660, log=True),
    "outer_steps": _optuna.IntDistribution(50, 400, log=True),
}
"""Of activations that are learned in each trial."""
