"""Run the command line by ``python -m physlearn``, which does the same as ``python -m physlearn.cli``."""

import physlearn.cli.__main__  # noqa: F401 - runs it
