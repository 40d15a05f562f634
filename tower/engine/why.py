"""Why: the evidence of one rule on one order, and the SQL with parameters that gives the same verdict again."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from rules.compile.script import script, statements
from rules.model import Book
from rules.odds import SEGMENT_ATTRIBUTES, WHOLE, segment_of
from tower.engine.books import compiled_for
from tower.engine.curves import read_curves
from tower.engine.replay import judged
from tower.model.connections import Connections
from tower.model.problem import Problem
from tower.store.client import Store

_EVENTS = """
SELECT lower(hex(ev)) AS key, event_id, source, kind, milestone, polarity, occurred_at, received_at, object_type, object_id,
    error, made.raw_id AS raw_id, made.mapping AS mapping
FROM judged_facts
LEFT JOIN
(
    SELECT ev, body, any(raw_id) AS raw_id, CAST(any(mapping) AS String) AS mapping
    FROM case_facts
    WHERE order_no IN (SELECT order_no FROM scope)
    GROUP BY ev, body
) AS made USING (ev, body)
WHERE lower(hex(ev)) IN {keys:Array(String)}
ORDER BY occurred_at, event_id
LIMIT 1 BY key
"""
_CLOCKS = """
SELECT rule, object_type, object_id, from_milestone, to_milestone, started_at, end_at, due_at, at_risk_at, budget_s, used_s,
    calendar, arrayMap(p -> (p.1, p.2), holds) AS pauses, state, verdict, provisional, to_echo_at, system,
    lower(hex(from_event)) AS from_event, if(to_event = 0, '', lower(hex(to_event))) AS to_event
FROM judged_clocks
WHERE rule = {rule:String} OR {rule:String} = ''
ORDER BY rule, object_id
"""
# What others than the owner said of the awaited milestone, and what the owner took back or could not do.
_HEARD = """
SELECT DISTINCT
    c.rule AS rule, c.object_type AS object_type, c.object_id AS object_id, said.milestone AS milestone, said.kind AS system,
    said.polarity AS polarity, said.occurred_at AS occurred_at, said.error AS error, lower(hex(said.ev)) AS key
FROM judged_clocks AS c
INNER JOIN judged_tree AS tree ON tree.order_no = c.order_no AND tree.above = c.object
INNER JOIN judged_reports AS said
    ON said.order_no = c.order_no AND said.base = tree.object AND said.milestone = c.to_milestone
WHERE (c.rule = {rule:String} OR {rule:String} = '') AND NOT (said.polarity = 'reached' AND said.word)
ORDER BY rule, object_id, occurred_at, key
"""
_SINCE = (
    "SELECT maxOrNull(loaded_at) FROM books WHERE hash = {hash:String} AND loaded_at <= {known_at:DateTime64(3, 'UTC')}"
)
_BREACHES = """
SELECT rule, kind, object_type, object_id, state, opened_at, resolved_at, milestone, system, error, evidence
FROM judged_breaches
WHERE rule = {rule:String} OR {rule:String} = ''
ORDER BY rule, object_id, kind
"""


def explain(
    store: Store,
    book: Book,
    connections: Connections,
    order_id: str,
    rule: str | None,
    as_of: datetime,
    known_at: datetime,
    sees: frozenset[str] | None = None,
) -> dict[str, Any]:
    """Return rule, version, clocks, findings, both events, what was heard instead, pauses, feeds, SQL and parameters.

    script is all of the SQL as one text that can be run as it is; feeds say how far each had been heard.
    sees: the connections that may be named to the caller, None for all; the script names all, so others get none, and
    no curves either, since those count everybody's orders.

    rule None explains every rule of the order. Raises Problem 404 for an unknown order or rule.
    """
    known = {s.id for s in book.stages} | {f.id for f in book.findings} | {f"{m}.failed" for m in book.milestones}
    known.add("escalated")  # said by hand
    if rule and rule not in known:
        raise Problem(404, "unknown_rule", f"the rulebook has no rule {rule!r}; see GET /v1/rules")
    with judged(store, lambda _: book, connections, as_of=as_of, known_at=known_at, order_ids=[order_id]) as client:

        def rows(sql: str, **parameters: object) -> list[dict[str, Any]]:
            return list(client.query(sql, parameters=parameters).named_results())

        if not client.query("SELECT count() FROM scope").result_rows[0][0]:
            raise Problem(404, "unknown_order", f"no order {order_id!r} has been heard of")
        clocks, findings = rows(_CLOCKS, rule=rule or ""), rows(_BREACHES, rule=rule or "")
        heard = rows(_HEARD, rule=rule or "")
        since = client.query(_SINCE, parameters={"hash": book.hash, "known_at": known_at}).result_rows[0][0]
        for finding in findings:
            finding["evidence"] = json.loads(finding["evidence"])
        keys = {c[k] for c in clocks for k in ("from_event", "to_event")}
        keys |= {f["evidence"][k] for f in findings for k in ("from_event", "to_event")}
        keys |= {h["key"] for h in heard}
        events = rows(_EVENTS, keys=sorted(keys - {""}))
        order = rows("SELECT order_id, state, stage, priority, version, waits_for FROM judged_orders")
        feeds = rows("SELECT * FROM feed_marks ORDER BY connection")
        attributes = rows(f"SELECT {', '.join(SEGMENT_ATTRIBUTES)} FROM judged_orders")
        curves = _curves(client, rule, attributes, min(as_of, known_at))
    compiled = compiled_for(book, connections.kinds)
    own_id = str(order[0]["order_id"]) if order else order_id
    written = (book.stage(rule) or book.finding(rule)) if rule else None
    return {
        "order": order[0] if order else {"order_id": order_id},
        "rule": rule,
        "where": written.where if written else None,
        "book": book.hash,
        "book_since": since,
        "as_of": as_of,
        "known_at": known_at,
        "clocks": clocks,
        "findings": findings,
        "heard": heard,
        "events": events,
        "curves": curves if sees is None else [],
        "feeds": feeds if sees is None else [f for f in feeds if f["connection"] in sees],
        "script": script(statements(compiled, [own_id], [tuple(f.values()) for f in feeds], as_of, known_at))
        if sees is None
        else None,
        "sql": [{"table": step.table, "sql": step.sql} for step in compiled.steps],
        "parameters": {"as_of": as_of, "known_at": known_at, "order_id": order_id},
    }


def _curves(client: Client, rule: str | None, order: list[dict[str, Any]], at: datetime) -> list[dict[str, Any]]:
    """Return the survival curves that odds of the order's clocks are read off, each with its points."""
    own = {segment_of([str(row[name]) for name in SEGMENT_ATTRIBUTES]) for row in order}
    return [
        {
            "rule": c.rule,
            "segment": c.segment,
            "built_at": c.built_at,
            "cases": c.cases,
            "ended": c.ended,
            "thin": c.thin,
            "points": [
                {"open_ms": ms, "outlasts": share, "watched": watched}
                for ms, share, watched in zip(c.at_ms, c.alive, c.watched, strict=True)
            ],
        }
        for c in read_curves(client, at).by_key.values()
        if c.rule == rule and c.segment in own | {WHOLE}
    ]
