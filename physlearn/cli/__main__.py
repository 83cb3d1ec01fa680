"""Run the command line by ``python -m physlearn.cli``."""

from physlearn.cli import main

main()
