"""Print validation losses and valid times with and without the polish, which docs/defaults.md quotes."""

from __future__ import annotations

import pandas as pd

import systems
from physlearn.forecasting import contender, simulated


def main() -> None:
    """Print the table."""
    rows = []
    for name, model in [
        ("henon-heiles", "hnn"), ("henon-heiles", "nn"), ("henon-heiles", "hnn-mechanical"), ("van-der-pol", "nn"),
        ("pendulum", "hnn"), ("pendulum", "nn"), ("lorenz", "nn"), ("double-pendulum", "hnn"),
    ]:  # fmt: skip
        system = systems.get(name)
        protocol, chosen = simulated.protocol_of(system), contender.choose(model, None, system.canonical)[-1:]
        for seed in range(3):
            for polish in (0, None):
                report = simulated.forecast_system(
                    system, chosen, protocol, seed=seed, training={"polish": polish}, activation="sine"
                )
                loss = report.trained.forecasters[model].history["validation"].min()
                rows.append((name, model, seed, polish, loss, report.table["valid_time_median"].iloc[-1]))
    print(pd.DataFrame(rows, columns=["system", "model", "seed", "polish", "validation loss", "valid time"]))


if __name__ == "__main__":
    main()
