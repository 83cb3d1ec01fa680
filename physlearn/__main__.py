"""Run the command line by ``python -m physlearn``."""

from physlearn.cli import main

if __name__ == "__main__":  # workers import what their parent has imported
    main()
