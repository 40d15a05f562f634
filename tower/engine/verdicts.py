"""From judged tables to stored verdicts: the orders as the board shows them, and breaches with a life."""

from __future__ import annotations

from datetime import datetime

from clickhouse_connect.driver.client import Client

from rules.compile import Compiled
from rules.compile.verdict import CLOCK_COLUMNS, NAME_COLUMNS
from rules.vocabulary import ORDER_ATTRIBUTES
from tower.store.sql import load

ORDER_COLUMNS = (
    "order_no", "order_id", "on_board", "state", "closed_at", "started_at", "stage", "object_type", "object_id", "since",
    "due_at", "budget_s", "priority", *ORDER_ATTRIBUTES, "reporting_amount", "value_at_risk", "system", "error",
    "last_milestone", "last_at", "next_milestone", "facts", "own", "version", "next_at", "waits_for", "waits_until",
    *(f"clocks.{name}" for name in CLOCK_COLUMNS), *(f"names.{name}" for name in NAME_COLUMNS), "held_by", "assignee",
    "escalated_by", "closed_by", "book",
)  # fmt: skip

_EVIDENCE = """toJSONString(CAST((
        lower(hex(from_event)), if(to_event = 0, '', lower(hex(to_event))), toString(started_at), toString(opened_at),
        budget_s, used_s, calendar, arrayMap(p -> (toString(p.1), if(p.2 > '2199-01-01', '', toString(p.2))), holds)),
        'Tuple(from_event String, to_event String, started_at String, due_at String, budget_s Nullable(Int64), used_s Nullable(Int64), calendar String, pauses Array(Tuple(start String, end String)))'))"""
# What a rule has to say beside goes into the same object.
_WHOLE = f"if(more = '', {_EVIDENCE} AS plain, concat(substring(plain, 1, length(plain) - 1), ',', substring(more, 2)))"

BREACHES = f"""
-- One row: a finding in the shape of `breaches`, without what belongs to its life (detected, retracted).
SELECT
    order_no, order_id, rule, kind, object, object_type, object_id, breach_id, state, opened_at,
    {{known_at:DateTime64(3, 'UTC')}} AS detected_at, resolved_at, CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS retracted_at,
    milestone, system, error, {_WHOLE} AS evidence, {{book:String}} AS book,
    {{known_at:DateTime64(3, 'UTC')}} AS updated_at
FROM judged_findings
"""


def shape_breaches(client: Client, compiled: Compiled, known_at: datetime) -> None:
    """Fill judged_breaches from judged_findings."""
    client.command(
        f"CREATE OR REPLACE TEMPORARY TABLE judged_breaches ENGINE = Memory AS\n{BREACHES}",
        parameters={"known_at": known_at, "book": compiled.book.hash},
    )


def store(client: Client, compiled: Compiled, now: datetime) -> None:
    """Replace the orders in `scope` by their judged rows, and open, resolve or retract their breaches."""
    columns = ", ".join(f"`{name}`" for name in ORDER_COLUMNS)
    client.command(
        f"INSERT INTO orders ({columns}, judged_at) SELECT {columns}, {{now:DateTime64(3, 'UTC')}} FROM judged_orders",
        parameters={"now": now},
    )
    counts = {row[0]: row[1] for row in client.query(load("engine_judged")).result_rows}
    if counts["judged"] < counts["scope"]:
        client.command(load("engine_unjudged"), parameters={"now": now})
    if counts["findings"] or counts["breaches"]:
        text = load("engine_breaches").replace("$findings", BREACHES)
        client.command(text, parameters={"now": now, "known_at": now, "book": compiled.book.hash})
