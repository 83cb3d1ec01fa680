"""Run the command line by ``python -m physlearn``."""

from physlearn.cli import main

main()
