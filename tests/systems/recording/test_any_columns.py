"""CSV files with anybody's columns: what was written is read by Orbit.of, or refused in a sentence."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from systems import InputError, Orbit

HOUR = ["2024-03-01 12:00:00", "2024-03-01 12:00:00.5", "2024-03-01 12:00:02"]
SECONDS = [0.0, 0.5, 2.0]


@pytest.fixture
def read(tmp_path):
    def read(text, encoding="utf-8", **arguments):
        path = tmp_path / "data.csv"
        path.write_bytes(text.encode(encoding))
        return Orbit.of(path, **arguments)

    return read


@st.composite
def files(draw):
    """A file in a random dialect, and what it says: the runs, each with times and states, and the units."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|", " "]))
    names = draw(
        st.lists(st.sampled_from(["x", "y", "v_x", "Druck", "Länge", "pos (m)x", "U-I", "T"]), min_size=1, unique=True)
    )
    names = [name for name in names if delimiter != " " or " " not in name] or ["x"]
    time = draw(st.sampled_from(["t", "Time", "TIME", "timestamp", "seconds"]))
    how = draw(st.sampled_from(["one", "column", "words", "anew"]))
    comma = draw(st.booleans()) and (delimiter in (";", "\t", "|") or (delimiter == " " and how in ("one", "anew")))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    runs = []
    for _ in range(1 if how == "one" else draw(st.integers(2, 3))):
        n = int(random.integers(3, 7))
        t = np.round(np.cumsum(random.uniform(0.5, 1.0, n)) - 0.5, 3) + (0 if how == "anew" else random.integers(0, 9))
        z = np.round(random.normal(scale=10.0 ** random.integers(-9, 9), size=(n, len(names))), 12)
        runs.append((t, np.where(random.random(z.shape) < 0.1, np.nan, z)))
    titles = [time, *names]
    units = {}
    if (style := draw(st.sampled_from(["none", "row", "brackets"]))) != "none" and delimiter != " ":
        units = {"t": "ms", names[0]: "mm"}
    if style == "brackets" and units:
        titles = [f"{name} [{units[told]}]" if (told := "t" if name == time else name) in units else name for name in titles]
    lines = [
        [*titles],
        *([[units.get("t" if n == time else n, "") for n in (time, *names)]] if style == "row" and units else []),
    ]
    number = draw(st.sampled_from([repr, lambda x: f"{x:.17e}"]))
    for k, (t, z) in enumerate(runs):
        for row in np.column_stack([t, z]):
            cells = ["NaN" if np.isnan(x) else number(float(x)) for x in row]
            lines.append([cell.replace(".", ",") if comma else cell for cell in cells])
            if how in ("column", "words"):
                lines[-1] = [("ABC"[k] if how == "words" else str(k + 1)), *lines[-1]]
    if how in ("column", "words"):
        lines[: len(lines) - sum(len(t) for t, _ in runs)] = [
            ["Run" if i == 0 else "", *line] for i, line in enumerate(lines[: len(lines) - sum(len(t) for t, _ in runs)])
        ]
    elif draw(st.booleans()) and delimiter != " " and not (style == "row" and units):
        lines = [["" if i == 0 else str(i - 1), *line] for i, line in enumerate(lines)]
    text = [delimiter.join(line) for line in lines]
    for place in sorted(draw(st.lists(st.integers(0, len(text)), max_size=2)), reverse=True):
        text.insert(place, draw(st.sampled_from(["# a remark; of 1,5", "% 3", ""])))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    return (end.join(text) + end).encode(encoding), names, runs, units


@settings(max_examples=60)
@given(files())
def test_what_was_written_in_any_dialect_is_read(tmp_path_factory, file):
    content, names, runs, units = file
    path = tmp_path_factory.mktemp("dialects") / "data.csv"
    path.write_bytes(content)
    orbit = Orbit.of(path)
    assert list(orbit.coordinates) == names
    assert orbit.units == units
    parts = [orbit] if len(runs) == 1 else [orbit[k] for k in range(len(orbit))]
    assert len(parts) == len(runs)
    for part, (t, z) in zip(parts, runs, strict=True):
        np.testing.assert_array_equal(part.t[: len(t)].numpy(), t)
        np.testing.assert_array_equal(part.z[: len(t)].numpy(), z)
        assert part.z[len(t) :].isnan().all()


def test_a_file_and_a_table_of_pandas_say_the_same(tmp_path):
    table = pd.DataFrame({"run": ["a", "a", "b", "b"], "t [s]": [0, 0.1, 0, 0.3], "theta [deg]": [1.0, np.nan, 359, 2]})
    for index in (True, False):
        table.to_csv(tmp_path / "data.csv", index=index)
        one, other = Orbit.of(tmp_path / "data.csv"), Orbit.of(table)
        np.testing.assert_array_equal(one.z, other.z)
        np.testing.assert_array_equal(one.t, other.t)
        assert (one.coordinates, one.units, one.periods) == (other.coordinates, other.units, other.periods)
        assert one.periods == {"theta": 360.0}
        assert one.provenance["file"] == "data.csv"


def test_several_files_are_several_runs(tmp_path):
    for name, n in (("a.csv", 3), ("b.csv", 4)):
        (tmp_path / name).write_text("t,x\n" + "".join(f"{i},{i * i}\n" for i in range(n)))
    orbit = Orbit.of([tmp_path / "a.csv", str(tmp_path / "b.csv")])
    assert orbit.shape == (2, 4)
    assert orbit.provenance["file"] == "a.csv, b.csv"


def test_motion_of_one_angle_is_the_same_as_columns_and_with_derived_rates(tmp_path):
    t = np.arange(400) / 20
    np.savetxt(tmp_path / "swing.csv", np.stack([t, np.sin(t), np.cos(t)], 1), delimiter=",", header="t [s],theta [rad],omega")
    plain, (derived,) = Orbit.of(tmp_path / "swing.csv"), Orbit.from_csv(tmp_path / "swing.csv")
    assert plain.coordinates == derived.coordinates == ("theta", "omega")
    assert plain.periods == derived.periods
    assert plain.units == {"t": "s", "theta": "rad"}
    assert derived.units == {"t": "s", "theta": "rad", "omega": "rad/s"}
    start = int(np.searchsorted(t, float(derived.t[0]) - 1e-9))
    np.testing.assert_allclose(derived.z, plain.z[start : start + len(derived.t)], atol=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "t,x\n{0},1\n{1},2\n{2},3\n",
        "x,date\n1,{0}\n2,{1}\n3,{2}\n",
        "t;x\n{0};1,0\n{1};2,0\n{2};3,0\n",
    ],
)
@pytest.mark.parametrize(
    "moments",
    [
        HOUR,
        [one.replace(" ", "T") + "Z" for one in HOUR],
        ["2024-03-01T12:00:00+00:00", "2024-03-01T14:00:00.500+02:00", "2024-03-01T11:00:02-0100"],
        ["2024/3/1 12:00:00", "2024/3/1 12:00:00.5", "2024/3/1 12:00:02"],
        ["01.03.2024 12:00:00", "01.03.2024 12:00:00.5", "01.03.2024 12:00:02"],
        ["31/12/2024 23:59:59", "31/12/2024 23:59:59.5", "1/1/2025 00:00:01"],
        ["12/31/2024 23:59:59", "12/31/2024 23:59:59.5", "1/1/2025 00:00:01"],
        ["23:59:59", "23:59:59.5", "00:00:01"],
        ["9:00:00,0", "9:00:00,5", "9:00:02,0"],
    ],
)
def test_dates_and_times_of_day_are_seconds(read, text, moments):
    if "," in moments[0] and ";" not in text:
        moments = [f'"{one}"' for one in moments]
    orbit = read(text.format(*moments))
    np.testing.assert_allclose(orbit.t, SECONDS, atol=1e-9)
    assert orbit.z[:, 0].tolist() == [1, 2, 3]
    assert orbit.units == {"t": "s"}


def test_a_column_of_dates_and_one_of_times_of_day_belong_together(read):
    orbit = read("Date,Time,x\n01.03.2024,23:59:59,1\n02.03.2024,00:00:01,2\n04.03.2024,00:00:01,3\n")
    assert orbit.coordinates == ("x",)
    assert orbit.t.tolist() == [0, 2, 2 + 2 * 86400]


@pytest.mark.parametrize(("name", "unit"), [("time_s", "s"), ("Time_ms", "ms"), ("t_s", "s"), ("timestamp_us", "us")])
def test_a_unit_after_the_name_of_the_time_is_its_unit(read, name, unit):
    for chosen in (None, name):
        orbit = read(f"{name},x_cm,t_min\n0,1,2\n1,2,3\n", t=chosen)
        assert (orbit.coordinates, orbit.units) == (("x_cm", "t_min"), {"t": unit})


def test_a_column_of_times_is_found_by_its_name_with_or_without_its_unit(read):
    for chosen in ("Zeit", "Zeit [min]"):
        assert read("Zeit [min],t\n0,1\n1,2\n", t=chosen).coordinates == ("t",)


def test_a_temperature_is_no_time(read):
    assert read("T,Time,x\n20,0,1\n21,1,2\n").coordinates == ("T", "x")
    assert read("Zeit [s],T [K]\n0,20\n1,21\n").coordinates == ("T",)


def test_a_time_that_goes_back_to_its_beginning_is_a_new_run_and_any_other_a_mistake(read):
    assert read("t,x\n0,1\n1,2\n2,3\n0.1,4\n1.1,5\n2.1,6\n3,7\n").shape == (2, 4)
    for times in ((0, 1, 2, 1.5, 3), (0, 1, 2, 0, 1), (0, 1, 1, 2)):
        with pytest.raises(InputError, match=r"must strictly increase .* sort the rows"):
            read("t,x\n" + "".join(f"{t},1\n" for t in times))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1,2\n1,2,3\n", "has no header, so its 3 columns have no names"),
        ("t,x\n0,1\n,5\n1,2\n", "row 2 of a run has no time"),
        ("t,x,note\n0,1,a\n1,2,b\n", "column 'note' contains .* instead of numbers"),
        ("theta,t\n0.1,0\n6.2,1\n0.2,2\n", r"jumps by up to 6.1, like an angle .* periods={} if not"),
        ("angle,t\n1,0\n359,1\n", r"modulo 360"),
        ("Zeit,x\n0,1\n1,2\n", "no column of times among Zeit, x; give the name of the column"),
        ("date,x\n12/03/2024,1\n11/04/2024,2\n", "day and month cannot be told apart"),
        ("date,x\n2024-02-30,1\n2024-03-01,2\n", "a date that does not exist"),
        ("date,x\n2024-02-28,1\n12:00:00,2\n", "mixes dates of different forms"),
        ("t,x\nsoon,1\nlater,2\n0,3\n", "'soon' in column t is not a number"),
        ("t,x\n12:30,1\n12:31,2\n", "must contain numbers or dates, .* it contains '12:30'"),
        ("Experiment 5\nof 2024\nt,x\n0,1\n1,2\n", "begin lines before the header with #"),
        ("t\n0\n1\n", "no column besides that of times"),
        ("t,x\n,\n,-\n", "contains no"),
        ("", "contains no rows"),
        ("t,x\n0,1\n1,abc\n", "line 3: 'abc' in column x is not a number"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_a_sentence_that_names_the_file(read, text, message):
    with pytest.raises(InputError, match=message) as refusal:
        read(text)
    assert "data.csv" in str(refusal.value)


def test_columns_can_be_named_chosen_and_left_out(read):
    text = "0,5,1,7\n0.5,6,2,8\n"
    orbit = read(text, columns=["clock [ms]", "_", "x [m]", "w"], t="clock", coordinates="x")
    assert (orbit.coordinates, orbit.units, orbit.t.tolist()) == (("x",), {"t": "ms", "x": "m"}, [0, 0.5])
    assert read("who,t,x\nA1,0,1\nA1,1,2\n7,0,1\n7,1,2\n", run="who").shape == (2, 2)
    with pytest.raises(InputError, match="columns names the columns of a file"):
        Orbit.of({"t": [0, 1], "x": [1, 2]}, columns=["t", "x"])


def test_a_file_of_another_kind_is_refused(tmp_path):
    Orbit.of([[0.0], [1.0]], [0.0, 1.0]).save(tmp_path / "orbit.nc")
    with pytest.raises(InputError, match=r"read it by Orbit\.load"):
        Orbit.of(tmp_path / "orbit.nc")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        Orbit.of(tmp_path / "nothing.csv")


def test_an_angle_that_is_declared_may_jump(read):
    text = "theta,t\n0.1,0\n6.2,1\n0.2,2\n"
    assert read(text, periods={"theta": 2 * np.pi}).periods == {"theta": 2 * np.pi}
    assert read(text, periods={}).periods == {}
    assert read(text.replace("theta", "theta [rad]")).periods == {"theta": 2 * np.pi}
    assert read(text.replace("theta", "theta_deg")).periods == {"theta_deg": 360.0}
