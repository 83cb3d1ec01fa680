"""Run notebooks, store their outputs, and write the picture that each of them opens with.

``python docs/notebook_outputs.py notebooks/03_integrators.ipynb ...`` runs the notebooks that are named, or all of them, in
about two minutes each. The picture is that of the cell with the tag ``answer``; with ``--pictures`` nothing is run.
"""

from __future__ import annotations

import argparse
from base64 import b64decode
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"
ANSWERS = HERE / "images" / "answers"
TAG = "answer"
WIDGET = "application/vnd.jupyter.widget-view+json"
PANEL = "<iframe"  # as the explorer shows itself


def answer(notebook: nbformat.NotebookNode) -> bytes:
    """Return the picture of the cell that has the tag ``answer``, as a PNG file.

    Parameters
    ----------
    notebook
        A notebook with its outputs.

    Raises
    ------
    ValueError
        If there is not exactly one such picture.
    """
    cells = [cell for cell in notebook.cells if TAG in cell.metadata.get("tags", [])]
    pictures = [output.data["image/png"] for cell in cells for output in cell.outputs if "image/png" in output.get("data", {})]
    if len(pictures) != 1:
        raise ValueError(f"cells with the tag {TAG!r} have {len(pictures)} pictures, but a notebook needs exactly one of them")
    return b64decode(pictures[0])


def _alive(data: dict[str, str]) -> bool:
    """Return whether an output shows something only while the notebook runs."""
    return WIDGET in data or PANEL in data.get("text/html", "")


def run(path: Path) -> nbformat.NotebookNode:
    """Run a notebook in its own folder, and write it with its new outputs, without sliders and panels, which need its kernel.

    Parameters
    ----------
    path
        The notebook.
    """
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, record_timing=False, resources={"metadata": {"path": path.parent}}).execute()
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _alive(output.get("data", {}))]
    nbformat.write(notebook, path)
    return notebook


def main() -> None:
    """Run the notebooks and write their pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, help="notebooks to run, by default all")
    parser.add_argument("--pictures", action="store_true", help="write the pictures of the stored outputs, and run nothing")
    given = parser.parse_args()
    ANSWERS.mkdir(parents=True, exist_ok=True)
    for path in given.notebooks or sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4) if given.pictures else run(path)
        (ANSWERS / f"{path.stem}.png").write_bytes(answer(notebook))
        print(path.name)


if __name__ == "__main__":
    main()
