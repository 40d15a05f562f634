"""Named SQL: each query is a file under tower/store/sql that opens with its purpose, parameters and order."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def load(name: str) -> str:
    """Return the text of tower/store/sql/<name>.sql; the name is what appears in logs and in system.query_log."""
    text = (resources.files("tower.store") / "sql" / f"{name}.sql").read_text()
    return f"/* {name} */\n{text.strip()}"
