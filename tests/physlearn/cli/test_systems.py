"""`physlearn systems`."""

import json

import systems


def test_systems_lists_names_coordinates_and_parameters(run):
    text = run("systems").out
    assert "henon-heiles" in text
    assert "(x, y, p_x, p_y)" in text
    assert "mu=2.7" in text
    rows = json.loads(run("systems", "--json").out)
    assert [row["name"] for row in rows] == systems.names()
