"""Prints every stored clock of a stopped tower as JSON; a process of its own, since one may open one store only."""

from __future__ import annotations

import json
import sys

from tower.store.client import Store

SQL = """
SELECT order_id, rule, object_id, clock_state, toUnixTimestamp64Milli(started_at) AS started_ms,
    toUnixTimestamp64Milli(stopped_at) AS stopped_ms, used_s
FROM (SELECT * FROM orders FINAL WHERE on_board)
ARRAY JOIN clocks.rule AS rule, clocks.object_id AS object_id, clocks.state AS clock_state,
    clocks.started_at AS started_at, clocks.stopped_at AS stopped_at, clocks.used_s AS used_s
"""

if __name__ == "__main__":
    with Store(sys.argv[1]).reader() as client:
        json.dump(list(client.query(SQL).named_results()), sys.stdout)
