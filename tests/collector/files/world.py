"""A sender of batch files: its connection, its mapping, its folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tower.model.connection import Connection, Files
from tower.model.connections import Connections

MAPPING = """\
mapping: legacy.shipments
version: 1
status: experimental
source: made for the tests of files
decode:
  format: csv
  delimiter: ";"
  type: 1
  records:
    - {type: S, columns: [type, order, line, shipped, quantity]}
    - {type: T, role: trailer, columns: [type, rows]}
  key: [order, line]
  totals: [{field: rows, of: S}]
match: body.row.type == 'S'
common:
  objects: [{type: order, key: erp_order_no, expr: body.row.order}]
emit:
  - milestone: shipment_confirmed
    occurred_at: {expr: body.row.shipped, parse: iso}
    event_key: [body.key]
    attributes: {quantity: body.row.quantity}
    further: {file: meta.file}
"""
OTHER = """\
mapping: legacy.orders
version: 1
status: experimental
source: made for the tests of files
decode: {format: x12}
match: body.envelope.type == '850'
emit:
  - milestone: order_captured
    occurred_at: {expr: 'body.BEG[0]."05"', parse: yyyymmdd}
    objects: [{type: order, key: erp_order_no, expr: 'body.BEG[0]."03"'}]
    event_key: [body.envelope.id]
"""


def mappings(folder: Path) -> Path:
    """Write the mapping set `legacy` into a folder of sets, and return the folder."""
    (folder / "legacy").mkdir(parents=True)
    (folder / "legacy" / "shipments.yaml").write_text(MAPPING)
    (folder / "legacy" / "orders.yaml").write_text(OTHER)
    return folder


def connections(folder: Path, **rule: object) -> Connections:
    """Return one connection that watches a folder."""
    files = Files(str(folder), **{"settle_s": 0, "pattern": "*.csv", **rule})  # type: ignore[arg-type]  # names are Files' own
    watched = Connection("legacy", "erp", "/erp/legacy", mapping="legacy", files=files, attributes=frozenset({"file"}))
    return Connections((watched, Connection("hand", "erp", "/erp/hand", mapping="legacy")), configured=True)


def shipments(*rows: tuple[str, str, str], stated: int | None = None) -> str:
    """Return a file of (order, line, quantity), with what its trailer says."""
    lines = [f"S;{order};{line};2026-03-01T08:00:00Z;{quantity}" for order, line, quantity in rows]
    return "\n".join([*lines, f"T;{len(rows) if stated is None else stated}"]) + "\n"


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something that another thread brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
