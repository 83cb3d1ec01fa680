"""The study's verdicts follow from results that are made up so that the truth is known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from physlearn import tasks
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison import Comparison
from physlearn.studies.learned_diversity import mix_evidence, mix_study, study
from physlearn.studies.learned_diversity.mix_evidence import deciding
from physlearn.studies.learned_diversity.study import Study

EFFECTS = {"sine": 2.0, "type 1": 1.0, "type 2": 1.0, "mix": 0.0, "single": 0.0, "gelu": 1.5, "identity+square": -3.0}


def results(effects, seed=0, meta_seeds=8, replicates=6):
    """Log-normal losses: each variant's effect, for all meta-seeds or one by one, and what a replicate adds to all of them."""
    generator = np.random.default_rng(seed)
    rows = []
    for k in range(meta_seeds):
        for r in range(replicates):
            common = generator.normal()
            for variant, effect in effects.items():
                own = effect[k] if isinstance(effect, list) else effect
                told = {"meta_seed": k, "replicate": r, "variant": variant, "diverged": False}
                rows.append({**told, "loss": np.exp(own + common + 0.1 * generator.normal())})
    return pd.DataFrame(rows)


def found(**regimes):
    x = torch.linspace(-10, 10, 100)
    learned = LearnedActivations(torch.stack([x.sin(), x.tanh()]), "sine", "van-der-pol")
    made = {name: Comparison("van-der-pol", "", table, pd.DataFrame(), {}, 0.0, "mix") for name, table in regimes.items()}
    return Study(tasks.get("van-der-pol", orbits=5), [learned], [], made)


def decided(study):
    return pd.DataFrame(mix_evidence.deciding(study)).set_index(["regime", "claim"])["verdict"].to_dict()


def test_a_mix_wins_that_is_better_than_both_types_and_the_best_named_activation():
    study = found(converged=results(EFFECTS))
    rows = pd.DataFrame(mix_evidence.deciding(study))
    assert rows["difference"].to_list() == pytest.approx([-1.0, -1.0, -1.0, -1.5], abs=0.1)
    assert rows["claim"].iloc[-1].endswith("best named activation, gelu")
    assert all(mix_evidence.wins(rows, strictly=strict).loc["van-der-pol", "converged"] for strict in (True, False))


def test_the_better_type_is_another_one_in_each_run():
    """On average the mix is better than either, as the paper asks, yet in every run one type is better than the mix."""
    types = {"type 1": [-0.5, 4.0] * 4, "type 2": [4.0, -0.5] * 4}
    table = results({**EFFECTS, **types}, meta_seeds=8)
    rows = pd.DataFrame(mix_evidence.deciding(found(converged=table)))
    assert (rows["difference"].iloc[:2] < -1.5).all()
    assert rows["verdict"].to_list()[2:] == ["does not hold", "holds"]
    assert not mix_evidence.wins(rows, strictly=True).loc["van-der-pol", "converged"]
    rows.loc[rows["claim"].str.contains(r"type \d"), "verdict"] = "holds"
    assert mix_evidence.wins(rows, strictly=False).loc["van-der-pol", "converged"]


def test_in_the_short_regime_the_named_activation_is_tuned():
    study = found(untuned=results(EFFECTS), tuned=results({**EFFECTS, "gelu": -1.0}))
    verdicts = decided(study)
    assert verdicts["untuned", "the mix is better than the better of its types"] == "holds"
    assert verdicts["untuned", "the mix is better than the best named activation, gelu"] == "does not hold"


def test_a_named_activation_that_diverges_is_not_the_best():
    table = results({**EFFECTS, "gelu": -5.0})
    table.loc[(table["variant"] == "gelu") & (table["replicate"] == 0), "diverged"] = True
    assert mix_evidence.best_named(table, "sine") == "sine"


def test_the_intervals_that_decide_are_wider():
    table = results(EFFECTS)
    narrow = pd.DataFrame(mix_evidence.others(found(tuned=table))).set_index("claim").loc["the mix is better than gelu"]
    wide = pd.DataFrame(mix_evidence.deciding(found(tuned=table))).iloc[-1]
    assert wide["difference"] == pytest.approx(narrow["difference"])
    assert wide["low"] < narrow["low"]
    assert wide["high"] > narrow["high"]


def test_what_was_measured_of_some_variants_only_is_compared_among_these():
    table = results(EFFECTS)
    times = table["loss"].where(table["variant"].isin(["mix", "sine"]))
    rows = list(mix_evidence.others(found(tuned=table.assign(valid_time_rk4=times)), "valid_time_rk4"))
    assert [row["claim"] for row in rows] == ["the mix is better than sine"]
    assert rows[0]["verdict"] == "does not hold"  # a longer time is better


def test_random_functions_are_as_rough_as_they_are_said_to_be():
    values = torch.cat([mix_study.random_functions(seed).values for seed in range(100)])
    assert values.mean().abs() < 0.1
    assert values.var() == pytest.approx(1.0, abs=0.1)
    step = 20 / 99
    assert (values[:, 1:] - values[:, :-1]).square().mean() / step**2 == pytest.approx(1.0, abs=0.1)
    assert torch.equal(mix_study.random_functions(3).values, mix_study.random_functions(3).values)


@pytest.mark.parametrize(("name", "width"), [("van-der-pol", 14), ("henon-heiles-hnn", 13), ("mnist1d", 11)])
def test_a_spline_network_has_as_many_weights(name, width):
    task = tasks.get(name, **({"samples": 50} if name == "mnist1d" else {"orbits": 5}))
    splines = mix_study.spline_task(task)
    assert splines.hidden == (width,)
    ours, theirs = (sum(p.numel() for p in one.network("silu").parameters()) for one in (task, splines))
    assert theirs == pytest.approx(ours, rel=0.05)


def test_variants_of_fewer_meta_seeds_are_held_against_the_mix_of_these():
    table = results({**EFFECTS, "mix": [0.0] * 4 + [9.0] * 4, "three types": -1.0})
    few = table[(table["variant"] != "three types") | (table["meta_seed"] < 4)]
    rows = mix_evidence.against_the_mix(few, "loss", "log")
    assert rows.loc["three types", "meta_seeds"] == 4
    assert rows.loc["three types", "difference"] == pytest.approx(1.0, abs=0.1)
    assert rows.loc["gelu", "meta_seeds"] == 8


def test_the_scores_of_all_networks_give_the_claims_of_their_page():
    scores = Path(__file__).parents[4] / "docs" / "study"
    page = (scores / "mix-again-table.md").read_text().splitlines()
    table = pd.read_parquet(scores / "mix-again.parquet")
    (found,) = study.of_table(table)
    assert study.table_of([found]).equals(table.astype(study.table_of([found]).dtypes))
    rows = list(deciding(found))
    assert len(rows) == 2 * 4
    for row in rows:
        (line,) = [line for line in page if line.startswith(f"| {row['where']} | {row['claim']} |")]
        assert f"| {row['difference']:.3g} | {row['low']:.3g} to {row['high']:.3g} |" in line
        assert f"**{row['verdict']}**" in line
