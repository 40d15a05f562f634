"""How long clocks ran, as SQL over the stored orders: what survival curves are fitted to, and what running clocks have used.

A clock counts up to where it was last seen: to its stop, to the end of its order, to the first action taken for it
(from there on it no longer shows what happens by itself), else to now. Time is open time of the clock's calendar.
"""

from __future__ import annotations

from rules.calendar_sql import CalendarSet, open_ms_sql
from rules.compile.deadlines import used_calendars
from rules.compile.odds import segment_sql
from rules.compile.quote import FAR
from rules.model import Book
from rules.odds import SEGMENT_ATTRIBUTES

_NOW = "{now:DateTime64(3, 'UTC')}"


# First sends, by (order, object, stage): what came after is no longer what happens by itself.
_TREATED = """
    treated AS
    (
        SELECT order_no, object, CAST(stage AS String) AS stage, min(sent_at) AS first_at
        FROM action_items FINAL
        WHERE sent_at IS NOT NULL
        GROUP BY order_no, object, stage
    )"""


def dwells_sql(book: Book) -> str:
    """Return a SELECT of rule, segment, dwell_ms, ended: every clock that started since {since}, and every failure."""
    return f"""
-- One row: a clock with how long it was seen to run, and whether it stopped by itself (ended). Parameters: now, since.
WITH{_TREATED}
SELECT rule, segment, greatest(0, dwell_ms) AS dwell_ms, ended
FROM
(
{_measured(book, "started_at >= {since:DateTime64(3, 'UTC')}")}
)
UNION ALL
SELECT
    b.rule, '', greatest(0, toUnixTimestamp64Milli(least(seen_until, ifNull(t.first_at, {FAR}))) - toUnixTimestamp64Milli(b.opened_at)),
    healed AND ifNull(t.first_at >= seen_until, 1)
FROM
(
    SELECT
        f.order_no AS order_no, f.object AS object, toString(f.rule) AS rule, f.opened_at AS opened_at,
        least(ifNull(f.resolved_at, {_NOW}), {_NOW}) AS seen_until,
        f.state = 'resolved' AND ifNull(o.closed_at != f.resolved_at, 1) AS healed
    FROM (SELECT * FROM breaches FINAL WHERE kind = 'failing' AND state != 'retracted' AND opened_at >= {{since:DateTime64(3, 'UTC')}} AND opened_at <= {_NOW}) AS f
    LEFT JOIN (SELECT order_no, closed_at FROM orders FINAL) AS o ON o.order_no = f.order_no
) AS b
LEFT JOIN (SELECT order_no, object, min(first_at) AS first_at FROM treated GROUP BY order_no, object) AS t
    ON t.order_no = b.order_no AND t.object = b.object
""".strip()


def running_sql(book: Book) -> str:
    """Return a SELECT of the running clocks that have a budget: order_no, rule, object, segment, used_ms, budget_ms."""
    return f"""
-- One row: a clock that runs, with the open time it has used by now. Parameter: now.
WITH{_TREATED}
SELECT order_no, rule, object, segment, dwell_ms AS used_ms, budget_ms
FROM
(
{_measured(book, "state = 'running' AND budget_s > 0", "closed_at IS NULL")}
)
WHERE NOT is_treated AND dwell_ms >= 0 AND budget_ms >= dwell_ms
""".strip()


def _measured(book: Book, clocks: str, orders: str = "1") -> str:
    calendars = CalendarSet(used_calendars(book))
    offsets = "".join(f"{item}, " for item in calendars.columns())
    scalars = ",\n        ".join(calendars.with_items())

    def opened(instant: str) -> str:
        return f"toInt64({open_ms_sql(calendars, instant)})"

    held = f"arraySum(p -> greatest(0, {opened('least(ifNull(p.2, until), until)')} - {opened('least(p.1, until)')}), pauses)"
    return f"""
    WITH
        {scalars + "," if scalars else ""}
        measured AS
        (
            SELECT
                c.order_no AS order_no, c.rule AS rule, c.object AS object, segment, state, used_s, budget_s, calendar,
                pauses, started_at, stopped_at, t.first_at IS NOT NULL AND t.first_at <= ifNull(c.stopped_at, {_NOW}) AS is_treated,
                if(is_treated, assumeNotNull(t.first_at), least(ifNull(c.stopped_at, {_NOW}), {_NOW})) AS until
            FROM
            (
                SELECT
                    order_no, {segment_sql()} AS segment, clock.1 AS rule, clock.2 AS object, clock.3 AS state, clock.4 AS used_s,
                    clock.5 AS budget_s, clock.6 AS calendar, clock.7 AS pauses, clock.8 AS started_at, clock.9 AS stopped_at
                FROM
                (
                    SELECT
                        order_no, {", ".join(SEGMENT_ATTRIBUTES)},
                        arrayFilter(c -> NOT c.10, arrayZip(
                            arrayMap(r -> toString(r), clocks.rule), clocks.object, arrayMap(s -> toString(s), clocks.state), clocks.used_s,
                            clocks.budget_s, arrayMap(c -> splitByChar('@', toString(c))[1], clocks.calendar), clocks.pauses, clocks.started_at,
                            clocks.stopped_at, clocks.provisional)) AS packed
                    FROM orders FINAL
                    WHERE on_board AND {orders}
                )
                ARRAY JOIN packed AS clock
                WHERE {clocks} AND started_at <= {_NOW}
            ) AS c
            LEFT JOIN treated AS t ON t.order_no = c.order_no AND t.object = c.object AND t.stage = c.rule
        )
    SELECT
        order_no, rule, object, segment, state, is_treated, budget_s * 1000 AS budget_ms, {offsets}
        if(used_s IS NOT NULL AND NOT is_treated, assumeNotNull(used_s) * 1000,
            {opened("until")} - {opened("started_at")} - {held}) AS dwell_ms,
        state = 'stopped' AND NOT is_treated AS ended
    FROM measured""".strip("\n")
