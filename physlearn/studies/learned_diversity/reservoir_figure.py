"""Reservoirs as a figure: the valid time with units of every kind, and its differences from that of tanh."""

from __future__ import annotations

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from physlearn.studies.learned_diversity import reservoir_study
from physlearn.studies.learned_diversity.figures import Drawn, Request, register
from physlearn.studies.learned_diversity.map_evidence import interval

USUAL = "tanh"
MEASURES = {"valid_time": "valid time", "disturbed": "valid time from a disturbed past"}


@register("reservoirs")
def reservoirs(request: Request) -> Drawn:
    """Draw the valid times of echo-state networks with one kind of unit and with two, on Lorenz's attractor."""
    table = pd.concat([reservoir_study.scores(request, noise) for noise in reservoir_study.NOISE], ignore_index=True)
    rows = claims(table)
    return Drawn(picture(rows), table, {"claims": rows.to_dict("records")}, to_markdown(rows))


def claims(table: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Compare each variant with tanh, one row for each variant, noise and measure.

    The intervals are Student's, for the mean over runs of the difference; each run has its own data and its own reservoir.
    """
    rows = []
    for noise, own in table.groupby("noise"):
        for measure in MEASURES:
            wide = own.pivot(index="run", columns="variant", values=measure)
            for variant in own["variant"].unique():
                gain = wide[variant] - wide[USUAL]
                low, high = interval(gain, confidence).tolist()
                found = own.loc[own["variant"] == variant, "found"].iloc[0]
                rows.append({
                    "noise": noise, "measure": measure, "variant": variant, "found": found, "runs": len(gain),
                    "mean": float(wide[variant].mean()), "gain": float(gain.mean()), "low": low, "high": high,
                })  # fmt: skip
    return pd.DataFrame(rows)


def to_markdown(rows: pd.DataFrame) -> str:
    """Return the claims as Markdown tables, one for each noise and measure."""
    lines: list[str] = []
    for (noise, measure), own in rows.groupby(["noise", "measure"], sort=False):
        told = f"{MEASURES[str(measure)]} in Lyapunov times, {own['runs'].iloc[0]} runs"
        lines += [f"{_called(float(str(noise)))}, {told}:", "",
                  "| units | which are | mean | minus that of tanh (95 %) |", "|---|---|---|---|"]  # fmt: skip
        for _, row in own.sort_values("mean", ascending=False).iterrows():
            gain = "" if row["variant"] == USUAL else f"{row['gain']:+.1f} ({row['low']:+.1f} to {row['high']:+.1f})"
            lines.append(f"| {row['variant']} | {row['found']} | {row['mean']:.1f} | {gain} |")
        lines.append("")
    return "\n".join(lines)


def picture(rows: pd.DataFrame) -> Figure:
    """Draw the gains over tanh with their intervals."""
    noises = list(rows["noise"].unique())
    figure, axes = plt.subplots(1, len(noises), figsize=(4.6 * len(noises) + 1.5, 4.4), layout="constrained", squeeze=False)
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    first = rows[(rows["noise"] == noises[0]) & (rows["measure"] == "valid_time")].sort_values("mean")
    order = [variant for variant in first["variant"] if variant != USUAL]
    for ax, noise in zip(axes[0], noises, strict=True):
        for k, (measure, marker) in enumerate(zip(MEASURES, ("o", "s"), strict=True)):
            own = rows[(rows["noise"] == noise) & (rows["measure"] == measure)].set_index("variant").loc[order]
            y = [i + 0.2 * (k - 0.5) for i in range(len(order))]
            error = [own["gain"] - own["low"], own["high"] - own["gain"]]
            ax.errorbar(
                own["gain"], y, xerr=error, fmt=marker, markersize=5, capsize=2, fillstyle="none", label=MEASURES[measure]
            )
        ax.axvline(0, color="0.5", linewidth=0.8)
        ax.set_yticks(range(len(order)), order if ax is axes[0][0] else [""] * len(order))
        ax.set(xlabel="Lyapunov times more than with tanh", title=_called(noise))
    axes[0][0].legend()
    return figure


def _called(noise: float) -> str:
    return f"noise of {noise:.0%}" if noise else "no noise"
