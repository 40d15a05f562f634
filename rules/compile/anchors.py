"""The step that looks around from an object: which milestones lie on its way, above it and below it."""

from __future__ import annotations

from collections.abc import Collection

from rules.compile.quote import text, texts
from rules.model import Book, Stage


def asked(book: Book, completeness: Collection[tuple[str, str, str]]) -> set[tuple[str, str]]:
    """Return what clocks, completeness and rules that look around ask objects for: (object type, milestone).

    completeness: (type of the object above, milestone, type that must all have it).
    """
    wanted = {(s.per, milestone) for s in book.stages for milestone in _milestones(s)}
    wanted |= {(kind, milestone) for above, milestone, per in completeness for kind in (above, per)}
    firsts = [rule for rule in book.findings if rule.first]
    wanted |= {(kind, r.first) for r in firsts for kind in ("order", book.milestones[r.first].object)}
    types = {"order"} | {kind for kind, _ in wanted} | {book.milestones[r.then].object for r in firsts if r.since}
    return wanted | {(kind, r.since) for r in firsts if r.since for kind in types}


def _milestones(stage: Stage) -> set[str]:
    around = {name for pause in stage.pauses for name in (pause.start, pause.end)}
    return {stage.start.milestone, stage.end.milestone, *stage.resets, *stage.cancels} | around


# An instant and its event in one number that orders like the two: aggregates of tuples cost ten times as much.
def _pair(at: str, ev: str) -> str:
    return f"bitShiftLeft(toInt128(toUnixTimestamp64Milli({at})), 64) + toInt128({ev})"


def _parts(name: str) -> str:
    """Return the select items that take the pair of that name apart: null and 0 where there is none."""
    pair = f"{name}_pair"
    at = f"fromUnixTimestamp64Milli(toInt64(bitShiftRight({pair}, 64)), 'UTC') AS {name}_at"
    return f"{at}, ifNull(toUInt64({pair}), 0) AS {name}_ev"


def anchors_sql(wanted: Collection[tuple[str, str]]) -> str:
    """Return the step that tells for objects of a type which milestones lie on their way; wanted: (type, milestone).

    `first` and `last` look up and down (the start of a clock), `down_*` only at the object and below (its end).
    """
    types = texts(sorted({kind for kind, _ in wanted}))
    milestones = texts(sorted({milestone for _, milestone in wanted}))
    pairs = ", ".join(f"({text(kind)}, {text(milestone)})" for kind, milestone in sorted(wanted)) or "('', '')"
    parts = ",\n    ".join(_parts(name) for name in ("first", "last", "echo", "down_first", "down_last"))
    return f"""
-- One row: an object a clock may run on, and a milestone reached on it, above it or below it.
SELECT
    order_no, object, object_type, milestone,
    {parts},
    down_echo_at, reports
FROM
(
    SELECT
        near.order_no AS order_no, near.object AS object, any(near.object_type) AS object_type, reached.milestone AS milestone,
        minOrNull(reached.pair) AS first_pair, maxOrNull(reached.pair) AS last_pair, minOrNull(reached.echo_pair) AS echo_pair,
        minOrNullIf(reached.pair, near.down) AS down_first_pair, maxOrNullIf(reached.pair, near.down) AS down_last_pair,
        minOrNullIf(reached.echo_at, near.down) AS down_echo_at,
        arrayDistinct(arraySort(groupArrayArray(reached.reports))) AS reports
    FROM
    (
        SELECT t.order_no AS order_no, t.above AS object, t.above_type AS object_type, t.object AS base, 1 AS down
        FROM judged_tree AS t
        WHERE has({types}, t.above_type)
        UNION ALL
        SELECT t.order_no, t.object, t.object_type, t.above, 0
        FROM judged_tree AS t
        WHERE has({types}, t.object_type) AND t.above != t.object
    ) AS near
    INNER JOIN
    (
        SELECT
            order_no, base, milestone, echo_at, reports, {_pair("reached_at", "reached_ev")} AS pair,
            {_pair("echo_at", "echo_ev")} AS echo_pair
        FROM judged_reached
        WHERE has({milestones}, milestone)
    ) AS reached ON reached.order_no = near.order_no AND reached.base = near.base
    WHERE (near.object_type, reached.milestone) IN ({pairs})
    GROUP BY near.order_no, near.object, reached.milestone
)
""".strip()
