"""The files of the page: HTML, a style sheet and two scripts, which load nothing from elsewhere."""

from pathlib import Path

FOLDER = Path(__file__).parent
FILES = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/draw.js": ("draw.js", "text/javascript"),
}
