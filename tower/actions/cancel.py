"""Taking a wish back: for the items that were not sent yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tower.actions.item import COLUMNS, read_items, write_items
from tower.store.client import Store
from tower.store.sql import load


def cancel(store: Store, action_id: str, actor: str, now: datetime) -> int:
    """Cancel every unsent item of an action and return how many there were.

    The engine writes the audit row. Its claims count revisions by two, so an item that it sends at the same moment
    from another process stays sent.
    """
    with store.writer() as client:
        text = load("action_unsent").replace("$columns", ", ".join(COLUMNS))
        found = client.query(text, parameters={"action_id": action_id})
        items = read_items(found.result_rows, found.column_names)
        said = {"state": "cancelled", "detail": f"cancelled by {actor}", "updated_at": now}
        write_items(client, [replace(i, revision=i.revision + 1, **said) for i in items])  # type: ignore[arg-type]
        return len(items)
