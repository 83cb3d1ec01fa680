"""Check a built site: every link within it leads to a page and a place there, and no page loads anything from elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src"}  # what a browser fetches without being asked


class Page(HTMLParser):
    """Links, fetched files and anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the attributes of a tag that are addresses or anchors."""
        given = {name: value for name, value in attrs if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.add(given["href"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "icon"):
            self.loaded.add(given["href"])
        elif LOADED.get(tag) in given:
            self.loaded.add(given[LOADED[tag]])


def complaints(site: Path) -> Iterator[str]:
    """Yield one line per broken link of a site.

    Parameters
    ----------
    site
        Folder of the built pages.

    Yields
    ------
    str
        The page, the address, and what is wrong with it.
    """
    pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        for address in sorted(page.links | page.loaded):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                if address in page.loaded and parts.scheme != "data":
                    yield f"{path.relative_to(site)}: loads {address} from elsewhere"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if parts.path.startswith("/") or not target.is_relative_to(site):
                yield f"{path.relative_to(site)}: {address} is not relative to the page"
            elif not target.exists():
                yield f"{path.relative_to(site)}: {address} does not exist"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{path.relative_to(site)}: {address} has no such anchor"


def main(site: Path) -> int:
    """Print the complaints; the exit status is 1 if there are any."""
    found = list(complaints(site.resolve()))
    print("\n".join([*found, f"{len(found)} broken links in {site}"]))
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
