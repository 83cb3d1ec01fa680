"""Run the command line by ``python -m physlearn.cli``, which does the same as ``python -m physlearn``."""

from physlearn.cli import main

if __name__ == "__main__":
    main()
