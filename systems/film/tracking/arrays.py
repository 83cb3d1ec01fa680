"""Names for the arrays that tracking works with."""

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Image = NDArray[np.float32]
Mask = NDArray[np.bool_]
Points = NDArray[np.complex128]  # x + i y in pixels, y pointing down
