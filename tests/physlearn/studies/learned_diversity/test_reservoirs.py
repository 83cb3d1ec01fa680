"""The study of reservoirs: what its search finds where the answer is known, and what is claimed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from physlearn.metalearning.pool import DICTIONARY, pool_of
from physlearn.studies.learned_diversity import reservoir_figure, reservoir_study
from physlearn.studies.learned_diversity.reservoir_study import Size

SIZE = Size(candidates=40, finalists=4, reservoirs=3)


@pytest.fixture(scope="module")
def pool():
    x = torch.linspace(-10, 10, 100, dtype=torch.float64)
    return pool_of(x, SIZE.candidates - len(DICTIONARY), torch.Generator().manual_seed(0))


def search(pool, types, error):
    asked = []

    def tried(members, reservoir):
        asked.append((members, reservoir))
        return error(pool.name(members)) + 0.01 * np.sin(reservoir)  # a reservoir is a little better or worse than another

    return reservoir_study._found(pool, types, SIZE, 7, tried), asked


def error(name):
    """A function is as bad as its place in this list; a sine and a square do what the other cannot."""
    known = ["tanh", "sine", "gaussian", "sigmoid", "square"]
    parts = name.split("+")
    return -1.0 if set(parts) == {"sine", "square"} else min(known.index(part) if part in known else 9 for part in parts)


def test_the_best_function_and_the_best_pair_are_found_with_the_same_effort(pool):
    single, tried = search(pool, 1, error)
    pair, others = search(pool, 2, error)
    assert single.settings["found"] == "tanh"
    assert sorted(pair.settings["found"].split("+")) == ["sine", "square"]
    assert len(tried) == len(others) == SIZE.candidates + SIZE.finalists * SIZE.reservoirs
    assert len(set(tried)) == len(tried)
    torch.testing.assert_close(single.values, pool.values[[DICTIONARY.index("tanh")]])


def test_one_lucky_reservoir_does_not_decide(pool):
    def lucky(members, reservoir):
        return -9.0 if (pool.name(members), reservoir) == ("cube", 7) else error(pool.name(members))

    assert reservoir_study._found(pool, 1, SIZE, 7, lucky).settings["found"] == "tanh"


def test_gains_over_tanh_have_intervals_over_runs():
    random, rows = np.random.default_rng(0), []
    for run in range(8):
        luck = random.normal(scale=3)  # of the data and the reservoir, which all variants of a run share
        for variant, gain in (("tanh", 0.0), ("square+tanh", 2.0), ("sine", 0.0)):
            time = 10 + luck + gain + random.normal(scale=0.1)
            rows.append({"run": run, "variant": variant, "noise": 0.0, "found": variant, "valid_time": time, "disturbed": 5.0})
    claims = reservoir_figure.claims(pd.DataFrame(rows)).set_index(["measure", "variant"])
    pair, sine = claims.loc[("valid_time", "square+tanh")], claims.loc[("valid_time", "sine")]
    assert pair["low"] < 2.0 < pair["high"] < 2.3
    assert sine["low"] < 0.0 < sine["high"]
    assert claims.loc[("disturbed", "square+tanh"), "gain"] == 0.0
    text = reservoir_figure.to_markdown(claims.reset_index())
    assert text.index("square+tanh") < text.index("| tanh |")


def test_an_orbit_is_noisy_by_a_part_of_its_spread():
    clean, noisy = (reservoir_study.orbits(2, 400, 3, noise).z for noise in (0.0, 0.01))
    ratio = (noisy - clean).flatten(0, 1).std(0) / clean.flatten(0, 1).std(0)
    torch.testing.assert_close(ratio, torch.full_like(ratio, 0.01), rtol=0.15, atol=0)


def test_units_that_do_not_forget_are_lost():
    train = reservoir_study.orbits(1, 300, 0)
    held = reservoir_study.orbits(2, reservoir_study.PAST + 50, 1)
    assert reservoir_study._error("exp", train, held, 20, 0) <= 1.0  # the logarithm of the error of a lost forecast


def test_the_page_has_the_numbers_of_its_scores():
    docs = Path(__file__).parents[4] / "docs"
    page = (docs / "reservoir-units.md").read_text()
    claims = reservoir_figure.claims(pd.read_parquet(docs / "study" / "reservoirs.parquet"))
    for variant, own in claims[claims["measure"] == "valid_time"].groupby("variant"):
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{variant}` |")] or [page]
        for _, row in own.iterrows():
            assert f"{row['mean']:.1f}" in line
            assert variant == "tanh" or f"{row['gain']:+.1f} ({row['low']:+.1f} to {row['high']:+.1f})" in line
