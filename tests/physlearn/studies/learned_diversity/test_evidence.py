"""Evidence: verdicts follow from results that are made up so that the truth is known."""

import numpy as np
import pandas as pd
import pytest
import torch

from physlearn import tasks
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison import Comparison
from physlearn.studies.learned_diversity import evidence
from physlearn.studies.learned_diversity.claims import to_markdown
from physlearn.studies.learned_diversity.study import Study

EFFECTS = {"sine": 2.0, "type 1": 0.5, "type 2": 0.0, "mix": 0.0, "single": -0.5, "relu": 2.0, "tanh": 2.0}


def results(effects, seed=0, meta_seeds=6, replicates=8, column="loss", **told):
    """Log-normal measures: each variant's effect, and what a replicate and a meta-seed add to all of them."""
    generator = np.random.default_rng(seed)
    rows = []
    for k in range(meta_seeds):
        for r in range(replicates):
            common = generator.normal()
            for variant, effect in effects.items():
                value = np.exp(effect + common + 0.1 * generator.normal())
                rows.append({"meta_seed": k, "replicate": r, "variant": variant, "diverged": False, column: value, **told})
    return pd.DataFrame(rows)


def study(table, task="van-der-pol", snapshots=None, steps=()):
    x = torch.linspace(-10, 10, 100)
    learned = LearnedActivations(torch.stack([x.sin(), x.tanh()]), "sine", task, snapshots=snapshots, snapshot_steps=steps)
    result = Comparison(task, "", table, pd.DataFrame(), {}, 0.0, "mix")
    return Study(tasks.get("van-der-pol", orbits=5), [learned], [], {"untuned": result})


def test_the_interval_and_the_side_that_is_claimed_decide():
    assert evidence.verdict(-2, -1, -1) == "holds"
    assert evidence.verdict(-2, -1, 1) == "does not hold"
    assert evidence.verdict(-1, 1, 1) == evidence.verdict(-1, 1, -1) == evidence.verdict(np.nan, np.nan, 1) == "undecided"


def test_the_mix_is_held_against_all_others_with_the_verdicts_that_were_put_in():
    rows = pd.DataFrame(evidence.mix_against_the_rest(study(results(EFFECTS)))).set_index("claim")
    verdicts = {claim.rsplit(" ", 1)[-1] if "type" not in claim else claim[-6:]: v for claim, v in rows["verdict"].items()}
    assert verdicts["sine"] == verdicts["type 1"] == verdicts["relu"] == verdicts["tanh"] == "holds"
    assert verdicts["type 2"] == "undecided"
    assert verdicts["single"] == "does not hold"
    assert rows["difference"].to_list() == pytest.approx([-2, -0.5, 0, 0.5, -2, -2], abs=0.1)
    assert (rows["figure"] == "fig5").all()


def test_hamiltonian_networks_are_held_against_others_in_their_losses_and_in_their_spread():
    wide, narrow = results({"mix": 0.0}, seed=1), results({"mix": -3.0}, seed=2)
    rows = list(evidence.hamiltonian(study(wide), study(narrow)))
    assert [row["verdict"] for row in rows] == ["holds", "holds"]
    assert rows[0]["difference"] == pytest.approx(-3, abs=0.6)
    kept = [
        study(table.assign(**{f"energy_error_{method}": table["loss"] ** power, "energy_error_euler": 1.0}))
        for table, method, power in ((wide, "rk4", -1), (narrow, "implicit-midpoint", -1))
    ]
    assert [row["verdict"] for row in evidence.hamiltonian(*kept)] == ["holds", "does not hold", "holds"]


def test_types_diversify_at_the_step_at_which_they_are_half_as_different():
    x = torch.linspace(-10, 10, 100)
    shapes = [x.sin() + share * (x.tanh() - x.sin()) for share in (0.0, 0.05, 0.8, 1.0)]
    snapshots = torch.stack([torch.stack([x.sin(), shape]) for shape in shapes])
    row = evidence.diversify(study(results(EFFECTS), snapshots=snapshots, steps=(0, 10, 20, 100)))
    assert row["difference"] == pytest.approx(0.2)
    assert row["verdict"] == "holds"


def test_sizes_participation_and_flatness_are_held_against_each_other():
    table = pd.concat(
        [results({"zero": 9.0, "mix": 1.0, "relu": 0.0}, 3, column="accuracy", base="zero", neurons=n) for n in (10, 20)]
    )
    rows = list(evidence.network_sizes(table))
    assert [row["where"] for row in rows] == ["grown from zero, 10 neurons", "grown from zero, 20 neurons"]
    assert {row["verdict"] for row in rows} == {"holds"}
    deep = table.rename(columns={"neurons": "layers"})
    assert {row["verdict"] for row in evidence.network_depths(deep[deep["variant"] != "zero"])} == {"holds"}
    both = results({"mix": 1.0, "sine": 0.0}, 4, column="accuracy")
    both["participation"] = -both["accuracy"]
    assert [row["verdict"] for row in evidence.participation(both)] == ["holds", "does not hold"]
    flat = results({"type 1": 1.0, "type 2": 1.0, "mix": 0.0, "sine": 5.0}, 5, column="trace", epochs=10)
    flat["near_zero"] = 1 / (1 + flat["trace"])
    assert [row["verdict"] for row in evidence.flatness(flat)] == ["holds"] * 4


def test_a_descent_that_ends_where_it_is_flat_is_told_from_one_that_does_not():
    table = pd.DataFrame({"sharpness": [10.0, 2.0], "share": [0.1, 0.9], "share_of_even_noise": [0.5, 0.5], "paths": 1000})
    assert [row["verdict"] for row in evidence.descent(table)] == ["holds", "holds"]
    alike = table.assign(share_of_even_noise=table["share"])
    assert [row["verdict"] for row in evidence.descent(alike)] == ["holds", "undecided"]
    turned = table.assign(share=[0.9, 0.1])
    assert [row["verdict"] for row in evidence.descent(turned)] == ["holds", "does not hold"]


def test_polynomials_that_do_not_get_there_count_as_of_too_high_an_order():
    table = pd.DataFrame({"order": [12.0, np.nan, 8.0], "meta_seed": [0, 0, 1]})
    (row,) = evidence.polynomials(table)
    assert row["difference"] == pytest.approx(2 / 3)
    assert row["verdict"] == "holds"


def test_only_curves_of_another_task_are_reused():
    told = {"difference": -1.0, "difference_low": -2.0, "difference_high": -0.5, "p": 0.1, "meta_seeds": 2, "pairs": 4}
    table = pd.DataFrame([{"source": a, "target": b, **told} for a in "xy" for b in "xy"])
    assert [row["where"] for row in evidence.reuse(table)] == ["x to y", "y to x"]


def test_the_claims_are_a_table_to_read():
    table = pd.DataFrame([*evidence.polynomials(pd.DataFrame({"order": [12.0], "meta_seed": [0]})),
                          *evidence.mix_against_the_rest(study(results(EFFECTS)))])  # fmt: skip
    title, _, *lines = to_markdown(table).splitlines()
    assert title == "# Every claim"
    assert len(lines) == 2 + len(table)
    assert {line.count("|") for line in lines} == {11}
    assert "**holds**" in lines[2]


def test_a_difference_that_is_not_finite_says_so():
    told = pd.Series({"difference": np.nan, "low": np.nan, "high": np.nan, "p": np.nan})
    assert evidence.in_words(told) == ["not finite", "", ""]
    assert evidence.in_words(pd.Series({"difference": -1.0, "low": -2.0, "high": -0.5, "p": 0.25})) == [
        "-1",
        "-2 to -0.5",
        "2.5e-01",
    ]
