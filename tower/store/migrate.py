"""Numbered migrations, applied in order at start. A released file is never edited; a change is a new number."""

from __future__ import annotations

import re
from importlib import resources

from tower.store.client import Store, StoreError

_LEDGER = """
CREATE TABLE IF NOT EXISTS migrations
(number UInt32, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
ENGINE = MergeTree ORDER BY number
"""


def available() -> list[tuple[int, str, str]]:
    """Return (number, file name, text) of every migration that ships, in order."""
    folder = resources.files("tower.store") / "migrations"
    files = sorted(f.name for f in folder.iterdir() if f.name.endswith(".sql"))
    return [(int(name.split("_", 1)[0]), name, (folder / name).read_text()) for name in files]


def statements(text: str) -> list[str]:
    """Return the statements of a migration without comments."""
    bare = re.sub(r"--[^\n]*", "", text)
    return [s.strip() for s in bare.split(";") if s.strip()]


def migrate(store: Store) -> list[str]:
    """Apply what is missing and return its file names. Raises StoreError if the store is newer than this program."""
    with store.writer() as client:
        client.command(_LEDGER)
        done = {row[0] for row in client.query("SELECT number FROM migrations").result_rows}
        files = available()
        newer = done - {number for number, _, _ in files}
        if newer:
            raise StoreError(f"the store has migration {max(newer)}, which this program does not know; use a newer one")
        applied = []
        for number, name, text in files:
            if number in done:
                continue
            for statement in statements(text):
                client.command(re.sub(r"^CREATE (TABLE|MATERIALIZED VIEW) ", r"CREATE \1 IF NOT EXISTS ", statement))
            client.insert("migrations", [[number, name]], column_names=["number", "name"])
            applied.append(name)
    return applied
