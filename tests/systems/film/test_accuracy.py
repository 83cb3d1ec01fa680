"""The measure of accuracy: what it says of films that are tracked well, and of those that are not."""

import math

import pandas
import pytest

from systems import InputError
from systems.film import Defects
from systems.film import accuracy as module
from systems.film.accuracy import accuracy, main, summary


@pytest.fixture(scope="module")
def table():
    return accuracy(clocks=2, duration=4.0)


def test_clean_films_are_tracked_to_a_hundredth_of_a_degree(table):
    assert len(table) == 2
    assert (table["rms"] < 0.02).all()
    assert (table["period"].abs() < 1e-3).all()
    assert not table["lost"].any()
    assert (table["frames"] == 121).all()
    assert (table["frames_lost"] == 0).all()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_clocks_and_another_seed_others(table):
    numbers = ["rms", "period"]
    again, other = accuracy(clocks=2, duration=4.0), accuracy(clocks=2, duration=4.0, seed=1)
    assert again[numbers].equals(table[numbers])
    assert not other[numbers].equals(table[numbers])


def test_frames_that_repeat_the_one_before_are_not_counted():
    assert accuracy(clocks=1, defects=Defects(duplicated=0.25), duration=4.0)["frames"].item() == 121 - 30


def test_a_clock_that_is_not_found_is_counted_as_lost_with_all_of_its_frames(monkeypatch):
    def lose(path):
        raise InputError("nothing swings")

    monkeypatch.setattr(module, "track", lose)
    lost = accuracy(clocks=1, duration=2.0)
    assert lost["lost"].item()
    assert lost["frames_lost"].item() == lost["frames"].item() == 61
    assert math.isnan(lost["rms"].item())


def test_the_summary_leaves_lost_clocks_out_of_the_errors_and_counts_them():
    rows = [
        {"rms": 0.1, "period": -2e-5, "frames": 100, "frames_lost": 5, "lost": False},
        {"rms": 0.3, "period": 4e-5, "frames": 100, "frames_lost": 0, "lost": False},
        {"rms": math.nan, "period": math.nan, "frames": 100, "frames_lost": 100, "lost": True},
    ]
    row = summary(pandas.DataFrame([{"kind": "clean", "milliseconds": 8.0, **row} for row in rows])).loc["clean"]
    assert row["clocks"] == 3
    assert row["lost"] == 1
    assert row["rms, median"] == pytest.approx(0.2)
    assert row["rms, greatest"] == 0.3
    assert row["period, greatest"] == 4e-5
    assert row["frames lost"] == pytest.approx(105 / 300)


@pytest.mark.slow  # films of two kinds are tracked
def test_the_command_prints_a_table_and_writes_the_rows(tmp_path, capsys):
    main(["--kinds", "clean,noise", "--clocks", "1", "--duration", "3", "--out", str(tmp_path / "rows.csv")])
    printed = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in printed[2:]] == ["clean", "noise"]
    assert len({line.count("|") for line in printed}) == 1
    assert pandas.read_csv(tmp_path / "rows.csv")["kind"].tolist() == ["clean", "noise"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kinds", "dust"], "no kind of defects is named 'dust'; there are clean, noise"),
        (["--clocks", "0"], "clocks must be at least 1, not 0"),
        (["--duration", "-1"], "duration of a film must be a positive number of seconds, not -1"),
        (["--out", "missing/rows.csv"], "missing/rows.csv"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as refusal:
        main(arguments)
    assert refusal.value.code == 2
    assert message in capsys.readouterr().err
