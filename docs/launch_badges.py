"""Links above each notebook that open it in a hosted service, once the project has a public address."""

from __future__ import annotations

from pathlib import PurePosixPath

from sphinx.application import Sphinx

LINKS = {
    "Open in Colab": "https://colab.research.google.com/github/{repository}/blob/{branch}/notebooks/{name}.ipynb",
    "Open in Binder": "https://mybinder.org/v2/gh/{repository}/{branch}?labpath=notebooks/{name}.ipynb",
}


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the settings: ``launch_repository`` is owner/name of a public home, and empty where there is none.

    Pages may be read and written by several processes, because nothing is kept between them.
    """
    app.add_config_value("launch_repository", "", "env", str)
    app.add_config_value("launch_branch", "main", "env", str)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def badges(document: str, repository: str, branch: str) -> str:
    """Return the links for a page.

    Parameters
    ----------
    document
        Name of the page, such as ``"notebooks/03_integrators"``.
    repository
        Owner and name of the public repository, or ``""`` for none.
    branch
        Branch or tag that the service opens.

    Returns
    -------
    str
        Links in Markdown; empty for other pages, and without a repository.
    """
    path = PurePosixPath(document)
    if not repository or path.parent.name != "notebooks":
        return ""
    links = (f"[{text}]({url.format(repository=repository, branch=branch, name=path.name)})" for text, url in LINKS.items())
    return " · ".join(links)
