"""The dialects of CSV: what spreadsheets, loggers and numpy write is read, or refused in a sentence."""

import numpy as np
import pytest

from systems import InputError
from systems.recording.csv_columns import read_columns

T, THETA = [0.0, 0.5, 1.0], [0.25, -1.5, 1000.0]
DIALECTS = {
    "commas": "t,theta\n0,0.25\n0.5,-1.5\n1,1e3\n",
    "semicolons and decimal commas": "t;theta\n0,0;0,25\n0,5;-1,5\n1,0;1e3\n",
    "semicolons and decimal points": "t;theta\n0.0;0.25\n0.5;-1.5\n1.0;1000\n",
    "tabs": "t\ttheta\n0\t0.25\n0.5\t-1.5\n1\t1000\n",
    "tabs and decimal commas": "t\ttheta\n0\t0,25\n0,5\t-1,5\n1\t1000\n",
    "blanks": "t theta\n 0   0.25 \n 0.5 -1.5\n1   +1000.\n",
    "quoted": '"t","theta"\n"0","0.25"\n"0.5","-1.5"\n"1","1000"\n',
    "quoted decimal commas": '"t","theta"\n"0","0,25"\n"0,5","-1,5"\n"1","1000"\n',
    "carriage returns": "t,theta\r\n0,.25\r\n.5,-1.5\r\n1,1000\r\n",
    "returns alone": "t,theta\r0,.25\r.5,-1.5\r1,1000\r",
    "comments": "# a camera; 30 fps, 1.5 m\n# x\nt,theta\n# begin\n0,.25\n.5,-1.5\n% end\n1,1000\n",
    "a header in a comment": "# t,theta\n0,.25\n.5,-1.5\n1,1000\n",
    "a declared separator": "sep=;\nt;theta\n0;0,25\n0,5;-1,5\n1;1000\n",
    "a comma at the end": "t,theta,\n0,.25,\n.5,-1.5,\n1,1000,\n",
    "no header": "0,.25\n.5,-1.5\n1,1000\n",
}


@pytest.fixture
def read(tmp_path):
    def read(text, columns=None, encoding="utf-8"):
        path = tmp_path / "angles.csv"
        path.write_bytes(text.encode(encoding))
        return read_columns(path, columns)

    return read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_is_read(read, dialect, encoding):
    data = read(DIALECTS[dialect], encoding=encoding)
    assert {name: list(values) for name, values in data.items()} == {"t": T, "theta": THETA}
    assert data.units == {}


@pytest.mark.parametrize(
    "text",
    [
        "t,theta\ns,deg\n0,1\n",
        "t;theta\n[s];[deg]\n0;1\n",
        "t [s],theta [deg]\n0,1\n",
        "t (s), theta (deg)\n0,1\n",
        '"t/s","theta/deg"\n0,1\n',
    ],
)
def test_units_are_told_from_names(read, text):
    data = read(text)
    assert list(data) == ["t", "theta"]
    assert data.units == {"t": "s", "theta": "deg"}


def test_a_function_of_time_and_a_derivative_are_names(read):
    data = read("t,theta(t),dtheta/dt\n0,1,2\n")
    assert (list(data), data.units) == (["t", "theta(t)", "dtheta/dt"], {})


@pytest.mark.parametrize("cell", ["", "NaN", "nan", "NA"])
def test_what_was_not_measured_is_nan(read, cell):
    data = read(f"t,theta\n0,1\n1,{cell}\n")
    np.testing.assert_array_equal(data["theta"], [1, np.nan])


@pytest.mark.parametrize(
    "cell",
    ["1_0", "0x10", "٣", "\uff11", "1e4_0", "1d3", "1.5.2", "--1", "1e", ".", "+", "=1+1", "1 2", "infinite", "½"],
)
@pytest.mark.parametrize("first", [False, True])
def test_what_python_alone_takes_for_a_number_is_none(read, cell, first):
    text = f"0,{cell}\n" if first else f"t,theta\n0,1\n1,{cell}\n"
    with pytest.raises(InputError, match=r"is not a number"):
        read(text)


@pytest.mark.parametrize("cell", ["1_0", "0x10", "٣", "inf"])
def test_a_row_of_such_is_no_header(read, cell):
    with pytest.raises(InputError, match=r"is not a number|not finite"):
        read(f'"{cell}","{cell}"\n1.5,2\n', ["t", "theta"])


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e400", "-1e999"])
def test_an_infinite_number_is_refused(read, cell):
    with pytest.raises(InputError, match=r"column theta contains values that are not finite numbers, such as .* in line 3"):
        read(f"t,theta\n0,1\n1,{cell}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t,theta,theta\n0,1,2\n", r"two columns named 'theta', numbers 2 and 3"),
        ("t, theta ,theta [rad]\n0,1,2\n", r"two columns named 'theta'"),
        (",t,theta\n0,0,1\n", r"column 1 has no name"),
        ("0,0333,0,1000\n0,0667,0,1200\n", r"seems to have decimal commas"),
        ("t;theta\n1,234;5,678\n", r"'1,234' may have a decimal comma or a thousands separator"),
        ("t;theta\n0,5;1.5\n", r"decimal points, but also numbers such as '0,5'"),
        ("t;theta\n0;1.000,5\n", r"'1.000,5' in column theta is not a number"),
        ("t,theta\na,b\nc,d\n0,1\n", r"line 3: 'c' in column t is not a number"),
        ("t,theta\ns\n0,1\n", r"its line of units has 1; give one unit per column"),
        ("t,theta\n0,1\n1,2\n2;3\n", r"line 4: 1 columns"),
        ("# fps 30\n0,1\n1,2,3\n", r"line 3: 3 columns"),
        (",".join(f"column{i}" * 20 for i in range(500)) + "\n0,1\n", r"and 488 more"),
    ],
)
def test_what_is_ambiguous_is_refused_in_a_sentence(read, text, message):
    with pytest.raises(InputError, match=message) as refusal:
        read(text)
    assert len(str(refusal.value)) < 800


def test_names_given_are_none_twice_and_leave_columns_out(read):
    with pytest.raises(InputError, match="two columns named 'theta'"):
        read("0,1,2\n", ["t", "theta", "theta"])
    data = read("0,12:30,1,x\n1,12:31,2,y\n", ["t", "_", "theta [deg]", "_"])
    assert (list(data), list(data["theta"]), data.units) == (["t", "theta"], [1, 2], {"theta": "deg"})


def test_other_encodings_are_told_how_to_be_read(read):
    with pytest.raises(InputError, match="UTF-8"):
        read("t [s],theta [°]\n0,1\n", encoding="latin-1")


@pytest.mark.parametrize("cell", ["1" * 100_000 + "x", "a" * 100_000, "[" * 99, " ( " * 30, "1." * 60_000])
def test_long_cells_are_refused_without_being_searched_for_patterns(read, cell):
    with pytest.raises(InputError):
        read(f"{cell}\n1,2\n")
