"""The types of what `systems.Orbit.of` takes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from numpy.typing import ArrayLike
from torch import Tensor

if TYPE_CHECKING:
    import pandas
    import xarray

    from systems.orbit import Orbit

Numbers: TypeAlias = Tensor | ArrayLike
Path: TypeAlias = str | os.PathLike[str]
Table: TypeAlias = "pandas.DataFrame | Mapping[str, Numbers]"
Labelled: TypeAlias = "xarray.Dataset | xarray.DataArray"
One: TypeAlias = "Numbers | Path | Table | Labelled | Orbit"
Data: TypeAlias = "One | Sequence[One] | Mapping[str, pandas.DataFrame]"
Times: TypeAlias = "Numbers | Sequence[Numbers] | str"
Rates: TypeAlias = "Numbers | Sequence[Numbers] | Sequence[str]"
