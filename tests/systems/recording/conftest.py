"""Recorded motion: CSV files as a recorder writes them."""

import numpy as np
import pytest


@pytest.fixture
def write(tmp_path):
    def write(header, *columns, name="motion.csv"):
        path = tmp_path / name
        rows = (",".join("" if np.isnan(x) else repr(float(x)) for x in row) for row in zip(*columns, strict=True))
        path.write_text("\n".join([header, *rows]) + "\n")
        return path

    return write
