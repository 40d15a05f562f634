"""The demo's rulebook and connections, written where a tower can read them.

`python -m tower.demo.book FOLDER MIDDLEWARE_URL SECRET_REFERENCE` does it once, for the containers.
"""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

_URL = "http://127.0.0.1:9000"
_SECRET = "env:TOWER_SECRET_MIDDLEWARE"  # noqa: S105 - a reference, as the shipped file has it


def write_book(folder: Path, middleware_url: str, secret: str = _SECRET) -> Path:
    """Write the book with the middleware's address and secret reference into folder; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shipped = resources.files("tower.demo") / "book"
    for item in shipped.iterdir():
        if item.name.endswith(".yaml"):
            text = item.read_text().replace(_URL, middleware_url).replace(_SECRET, secret)
            (folder / item.name).write_text(text)
    return folder


def write_connections(path: Path) -> Path:
    """Write the connections file; return its path."""
    path.write_text((resources.files("tower.demo") / "connections.yaml").read_text())
    return path


if __name__ == "__main__":
    target, url, reference = sys.argv[1:]
    write_connections(write_book(Path(target) / "book", url, reference).parent / "connections.yaml")
