"""Evidence for the claims of the paper from the results behind each figure, one row per claim.

A row has ``figure``, ``claim``, ``where``, ``measure``, ``difference`` with the 95 % interval from ``low`` to ``high``, ``p``,
``meta_seeds``, ``pairs`` and ``verdict``. Differences of losses are differences of logarithms.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch

from physlearn.analysis import curve_distances
from physlearn.comparison.statistics import Scale, paired
from physlearn.studies.learned_diversity.study import Study

HOLDS, REVERSED, OPEN = "holds", "does not hold", "undecided"
FIGURES = {
    "mnist1d": "fig3",
    "van-der-pol": "fig5",
    "henon-heiles-nn": "fig6",
    "henon-heiles-hnn": "fig6",
    "pendulum-clock-hnn": "fig7",
}
CONTROLS = ("single", "tanh", "relu")  # variants that are compared as well, although the figures of the paper do not show them
NORMAL = 1.96  # half width of a 95 % interval in standard errors

Row = dict[str, Any]


def verdict(low: float, high: float, sign: int) -> str:
    """Return what an interval says about the claim that the difference is negative (sign -1) or positive (sign 1)."""
    if not np.isfinite([low, high]).all():
        return OPEN
    if sign * low > 0 and sign * high > 0:
        return HOLDS
    return REVERSED if sign * low < 0 and sign * high < 0 else OPEN


def in_words(row: pd.Series) -> list[str]:
    """Return the difference of a row, its interval and p as text, which is empty if there is none.

    The mean logarithm of energy errors is not finite if a forecast has escaped to infinity.
    """
    difference = "not finite" if pd.isna(row["difference"]) else f"{row['difference']:.3g}"
    interval = "" if pd.isna(row["low"]) else f"{row['low']:.3g} to {row['high']:.3g}"
    return [difference, interval, "" if pd.isna(row["p"]) else f"{row['p']:.1e}"]


def differences(table: pd.DataFrame, column: str, reference: str, sign: int, scale: Scale, **told: Any) -> Iterator[Row]:
    """Yield one row per other variant: the claim that the reference is better, for which the difference has the given sign."""
    for other, row in paired(table, column, reference, scale=scale).iterrows():
        yield {
            **told,
            "claim": told["claim"].format(reference=reference, other=other),
            "difference": row["difference"],
            "low": row["difference_low"],
            "high": row["difference_high"],
            "p": row["p_holm"],
            "meta_seeds": row["meta_seeds"],
            "pairs": row["pairs"],
            "verdict": verdict(row["difference_low"], row["difference_high"], sign),
        }


def mix_against_the_rest(found: Study) -> Iterator[Row]:
    """Claim that the mix of learned types is better than its base, each pure type, and the controls."""
    known = [found.learned[0].base, *(table.name for table in found.learned[0].types), "mix", *CONTROLS]
    for regime, result in found.results.items():
        table = result.table[result.table["variant"].isin(known)]
        told = {"figure": FIGURES[found.task.name], "where": f"{found.task.name}, {regime}"}
        claim = "the mix is better than {other}"
        if "accuracy" in table:
            yield from differences(table, "accuracy", "mix", 1, "linear", claim=claim, measure="accuracy", **told)
        else:
            yield from differences(table, "loss", "mix", -1, "log", claim=claim, measure="log loss", **told)


def hamiltonian(nn: Study, hnn: Study) -> Iterator[Row]:
    """Claim that Hamiltonian networks are much better, and that their losses spread less.

    The energy error is that of forecasts by the better integrator of each model: RK4 for the vector field, the implicit
    midpoint rule for the Hamiltonian.
    """
    for regime in nn.results:
        parts = {name: one.results[regime].table.query("variant == 'mix'") for name, one in (("NN", nn), ("HNN", hnn))}
        losses = pd.concat([part.assign(variant=name) for name, part in parts.items()])
        told = {"figure": "fig6", "where": f"henon-heiles, {regime}"}
        claim = "the {reference}'s mix is better than the {other}'s"
        yield from differences(losses, "loss", "HNN", -1, "log", claim=claim, measure="log loss", **told)
        energies = [part.assign(energy=part[column]) for part in parts.values() for column in part if _energy(str(column))]
        if len(energies) == len(parts):
            kept = pd.concat([part.assign(variant=name) for name, part in zip(parts, energies, strict=True)])
            claim = "the {reference}'s mix keeps energy better than the {other}'s"
            yield from differences(kept, "energy", "HNN", -1, "log", claim=claim, measure="log energy error", **told)
        spread = losses.groupby(["meta_seed", "variant"], sort=False)["loss"].std().rename("spread").reset_index()
        spread = spread.assign(replicate=0, diverged=False)
        claim = "the {reference}'s losses spread less than the {other}'s"
        yield from differences(spread, "spread", "HNN", -1, "log", claim=claim, measure="log standard deviation", **told)


def _energy(column: str) -> bool:
    return column.startswith("energy_error") and not column.endswith("euler")


def diversify(found: Study) -> Row:
    """Claim that the types quickly become different: how soon their distance reaches half of its final value."""
    soon = []
    for learned in found.learned:
        history = learned.history
        grid = learned.grid.double()
        apart = [float(curve_distances(torch.tensor(curves), grid)[0, 1]) for curves in history.to_numpy().astype(float)]
        steps = history["outer_step"].to_numpy()
        soon.append(next(step for step, d in zip(steps, apart, strict=True) if d >= apart[-1] / 2) / max(steps[-1], 1))
    return {
        "figure": FIGURES[found.task.name],
        "where": found.task.name,
        "claim": "the types quickly diversify",
        "measure": "share of the outer steps until they are half as different as in the end",
        "difference": float(np.median(soon)),
        "low": min(soon),
        "high": max(soon),
        "meta_seeds": len(soon),
        "verdict": HOLDS if max(soon) < 0.5 else OPEN,
    }


def network_sizes(table: pd.DataFrame) -> Iterator[Row]:
    """Claim that the mix is better than pure networks and traditional activations at all sizes."""
    for (base, neurons), part in table[table["variant"] != "zero"].groupby(["base", "neurons"], sort=False):
        told = {"figure": "fig4", "where": f"grown from {base}, {neurons} neurons", "measure": "accuracy"}
        yield from differences(part, "accuracy", "mix", 1, "linear", claim="the mix is better than {other}", **told)


def network_depths(table: pd.DataFrame) -> Iterator[Row]:
    """Claim that the results are similar for different numbers of layers."""
    for layers, part in table.groupby("layers", sort=False):
        told = {"figure": "Results", "where": f"mnist1d, {layers} hidden layers", "measure": "accuracy"}
        yield from differences(part, "accuracy", "mix", 1, "linear", claim="the mix is better than {other}", **told)


def participation(table: pd.DataFrame) -> Iterator[Row]:
    """Claim that the mix has the best accuracy and the highest participation ratio."""
    told = {"figure": "fig8", "where": "mnist1d"}
    for measure in ("accuracy", "participation"):
        claim = f"the mix has more {measure} than {{other}}"
        yield from differences(table, measure, "mix", 1, "linear", claim=claim, measure=measure, **told)


def flatness(table: pd.DataFrame) -> Iterator[Row]:
    """Claim that Tr H_1 > Tr H_2 > Tr H_12 and f_1 < f_2 < f_12."""
    for epochs, part in table[table["variant"].isin(["type 1", "type 2", "mix"])].groupby("epochs"):
        told = {"figure": "Analysis", "where": f"mnist1d, {epochs} epochs"}
        claim = "the mix has a smaller trace than {other}"
        yield from differences(part, "trace", "mix", -1, "linear", claim=claim, measure="trace", **told)
        claim = "the mix has more eigenvalues near zero than {other}"
        yield from differences(part, "near_zero", "mix", 1, "linear", claim=claim, measure="fraction near zero", **told)


def descent(table: pd.DataFrame) -> Iterator[Row]:
    """Claim that the noise of descent leads to minima flatter than the initial one, and flatter than isotropic noise does."""
    s, paths = table["sharpness"], int(table["paths"].iloc[0])
    mean, variance = {}, {}
    for name in ("share", "share_of_even_noise"):
        mean[name] = float((table[name] * s).sum())
        variance[name] = float((table[name] * (s - mean[name]) ** 2).sum()) / paths
    told = {"figure": "fig9", "where": "drawn landscape", "measure": "mean sharpness where the paths end", "pairs": paths}
    for claim, other, squared in (
        ("noise leads away from the sharpest minimum", float(s.max()), variance["share"]),
        ("to flatter minima than even noise", mean["share_of_even_noise"], sum(variance.values())),
    ):
        difference, error = mean["share"] - other, NORMAL * squared**0.5
        low, high = difference - error, difference + error
        yield {**told, "claim": claim, "difference": difference, "low": low, "high": high, "verdict": verdict(low, high, -1)}


def polynomials(table: pd.DataFrame) -> Iterator[Row]:
    """Claim that accurate fits of the learned curves need polynomials of orders above 10."""
    share = float((table["order"].isna() | (table["order"] > 10)).mean())
    yield {
        "figure": "Methods",
        "where": "all tasks",
        "claim": "accurate polynomials need orders above 10",
        "measure": "share of the curves",
        "difference": share,
        "meta_seeds": table["meta_seed"].nunique(),
        "pairs": len(table),
        "verdict": HOLDS if share > 0.5 else REVERSED,
    }


def reuse(table: pd.DataFrame) -> Iterator[Row]:
    """Claim that learned activations can be reused in networks for other problems."""
    for _, row in table[table["source"] != table["target"]].iterrows():
        low, high = row["difference_low"], row["difference_high"]
        yield {
            "figure": "Motivation",
            "where": f"{row['source']} to {row['target']}",
            "claim": "curves of another task are better than a sine",
            "measure": "log loss",
            "difference": row["difference"],
            "low": low,
            "high": high,
            "p": row["p"],
            "meta_seeds": row["meta_seeds"],
            "pairs": row["pairs"],
            "verdict": verdict(low, high, -1),
        }
