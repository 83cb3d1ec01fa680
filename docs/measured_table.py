"""Compute the tables of docs/measured-losses.md; a run that was stopped resumes."""

from __future__ import annotations

import argparse
from pathlib import Path

from physlearn.studies import measured_orbits


def main() -> None:
    """Compute and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="Folder for the results.")
    parser.add_argument("--seeds", type=int, default=10, help="Number of seeds.")
    parser.add_argument("--columns", help="Columns to compute, with commas between them; by default, all that are installed.")
    parser.add_argument("--quick", action="store_true", help="Compute a few cells of the pendulum only, as a trial.")
    given = parser.parse_args()
    columns = given.columns.split(",") if given.columns else None
    table = measured_orbits.run(given.out, given.seeds, columns, quick=given.quick)
    for value in ("valid_time", "energy_error"):
        print(f"{value}\n\n{measured_orbits.markdown(table, value)}\n")


if __name__ == "__main__":
    main()
