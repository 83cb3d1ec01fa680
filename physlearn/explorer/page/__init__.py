"""The files of the page: HTML, a style sheet and scripts, which load nothing from elsewhere."""

from pathlib import Path

FOLDER = Path(__file__).parent
KINDS = {".css": "text/css", ".js": "text/javascript"}
FILES = {
    "/": ("page.html", "text/html"),
    **{f"/{file.name}": (file.name, KINDS[file.suffix]) for file in FOLDER.iterdir() if file.suffix in KINDS},
}
