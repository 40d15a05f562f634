"""Stages as SQL: where each clock starts, what ends it, and which budget it has in its order.

Every stage is one line of a table; what differs from order to order (`when`, tiers) are
conditions on the order's attributes. The arithmetic that turns this into deadlines is in rules.compile.deadlines,
what a clock means at a moment in rules.compile.verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from rules.compile.authority import authority_sql, columns
from rules.compile.quote import FAR, NO_INSTANT, choose, text, texts
from rules.match import when_sql
from rules.model import Book, Stage, Tier
from rules.odds import FALLBACK_SHARE

STAGES = "judged_stages"
STAGE_COLUMNS = (
    "rule String, per String, from_milestone String, from_pick String, to_milestone String, to_pick String, "
    "to_type String, within_ms Nullable(Int64), until String, plus_ms Int64, at_risk_share Nullable(Decimal(38, 6)), "
    "calendar String, pauses Array(Tuple(String, String)), resets Array(String), cancels Array(String)"
)


def stage_line(book: Book, stage: Stage) -> str:
    """Return the stage as one line of the table."""
    within = "NULL" if stage.budget.within_s is None else str(stage.budget.within_s * 1000)
    at_risk = Decimal(FALLBACK_SHARE) if stage.odds is not None else stage.at_risk
    share = "NULL" if at_risk is None else text(str(at_risk))
    pauses = ", ".join(f"({text(p.start)}, {text(p.end)})" for p in stage.pauses)
    values = ", ".join(
        [
            text(stage.id),
            text(stage.per),
            text(stage.start.milestone),
            text(stage.start.pick),
            text(stage.end.milestone),
            text(stage.end.pick),
            text(book.milestones[stage.end.milestone].object),
            within,
            text(stage.budget.until or ""),
            str(stage.budget.plus_s * 1000),
            share,
            text(stage.calendar or ""),
            f"[{pauses}]",
            texts(stage.resets),
            texts(stage.cancels),
        ]
    )
    return f"/* stage: {stage.id} */ ({values})"


def _tiered(book: Book, value: Callable[[Tier], str | None], otherwise: str) -> str:
    """Return the value of the first tier that matches and sets one, else the stage's own."""
    cases: list[tuple[str, str]] = []
    for stage in book.stages:
        earlier: list[str] = []
        for tier in stage.tiers:
            condition = when_sql(tier.when, columns("o"))
            chosen = value(tier)
            unless = "".join(f" AND NOT {c}" for c in earlier)
            if chosen is not None:
                cases.append((f"run.rule = {text(stage.id)} AND {condition}{unless}", chosen))
            earlier.append(condition)
    return choose(cases, otherwise)


def _until(book: Book) -> str:
    attributes = {s.budget.until for s in book.stages} | {
        t.budget.until for s in book.stages for t in s.tiers if t.budget
    }
    cases = [(f"until = {text(name)}", f"o.{name}") for name in sorted(a for a in attributes if a)]
    return choose(cases, "NULL")


def _applies(book: Book) -> str:
    cases = [(f"run.rule = {text(s.id)}", when_sql(s.when, columns("o"))) for s in book.stages if s.when.any_of]
    return choose(cases, "1")


def _moments(names: str) -> str:
    return f"arraySort(arrayFlatten(arrayMap(m -> arrayFirst(t -> t.1 = m, run.told).2, run.{names})))"


def _started(book: Book) -> str:
    """Return when the clock last began: at its start, or at a reset before it stopped and before the order was closed."""
    begun = "assumeNotNull(ifNull(run.from_at, run.from_echo_at))"
    if not any(s.resets for s in book.stages):
        return begun
    closes = (
        f"if(ifNull(o.{name} >= {begun}, 0), assumeNotNull(o.{name}), {FAR})" for name in ("done_at", "cancelled_at")
    )
    ends = f"least(ifNull(to_at, {FAR}), {', '.join(closes)})"
    return f"ifNull(arrayLastOrNull(at -> at > {begun} AND at < {ends}, {_moments('resets')}), {begun})"


def _called_off(book: Book) -> str:
    if not any(s.cancels for s in book.stages):
        return NO_INSTANT
    return f"arrayFirstOrNull(at -> at >= started_at AND at < ifNull(to_at, {FAR}), {_moments('cancels')})"


def limit_items(book: Book) -> list[str]:
    """Return the select items that give the clock `run` in the order `o` its limit: the first tier that matches, or its own."""

    def calendar(tier: Tier) -> str | None:
        return None if tier.calendar is None else text(tier.calendar)

    tiers = [tier for stage in book.stages for tier in stage.tiers if tier.budget is not None]
    place = {id(tier): str(number) for number, tier in enumerate(tiers, 1)}
    which = _tiered(book, lambda tier: place.get(id(tier)), "0")

    def chosen(values: list[str], own: str) -> str:
        return f"if(limit_tier = 0, {own}, [{', '.join(values)}][limit_tier])" if values else own

    budgets = [tier.budget for tier in tiers if tier.budget is not None]
    within = ["NULL" if b.within_s is None else str(b.within_s * 1000) for b in budgets]
    until = [text(b.until or "") for b in budgets]
    plus = [str(b.plus_s * 1000) for b in budgets]
    return [
        f"toUInt16({which}) AS limit_tier",
        f"CAST({chosen(within, 'run.own_within_ms')} AS Nullable(Int64)) AS within_ms",
        f"{chosen(until, 'run.own_until')} AS until",
        f"CAST({_until(book)} AS Nullable(DateTime64(3, 'UTC'))) AS until_at",
        f"toInt64({chosen(plus, 'run.own_plus_ms')}) AS plus_ms",
        f"CAST({_tiered(book, calendar, 'run.own_calendar')} AS String) AS calendar",
    ]


def stages_sql(book: Book) -> str:
    """Return the step with the stages of the book, which neither orders nor moments change."""
    lines = ",\n    ".join(stage_line(book, stage) for stage in book.stages)
    rows = f"values(\n    {text(STAGE_COLUMNS)},\n    {lines})" if lines else f"null({text(STAGE_COLUMNS)})"
    return f"-- One row: a stage.\nSELECT *\nFROM {rows}"


def runs_sql(book: Book, kinds: frozenset[str] | None) -> str:
    """Return the step with the runs of every stage on every object of every order."""
    limits = ",\n    ".join(limit_items(book))
    return f"""
-- One row: one stage running on one object of one order.
WITH
    met AS
    (
        SELECT
            a.order_no AS order_no, a.object AS object, s.rule AS rule,
            anyIf(if(s.from_pick = 'last', a.last_at, a.first_at), a.milestone = s.from_milestone) AS from_at,
            anyIf(if(s.from_pick = 'last', a.last_ev, a.first_ev), a.milestone = s.from_milestone) AS from_ev,
            anyIf(a.echo_at, a.milestone = s.from_milestone) AS from_echo_at,
            anyIf(a.echo_ev, a.milestone = s.from_milestone) AS from_echo_ev,
            anyIf(if(s.to_pick = 'last', a.down_last_at, a.down_first_at), a.milestone = s.to_milestone) AS one_at,
            anyIf(if(s.to_pick = 'last', a.down_last_ev, a.down_first_ev), a.milestone = s.to_milestone) AS one_ev,
            anyIf(a.down_echo_at, a.milestone = s.to_milestone) AS to_echo_at,
            groupArrayIf((CAST(a.milestone AS String), a.reports), notEmpty(s.pauses) OR notEmpty(s.resets) OR notEmpty(s.cancels)) AS told
        FROM judged_anchors AS a
        INNER JOIN {STAGES} AS s ON s.per = a.object_type
        WHERE a.milestone IN (s.from_milestone, s.to_milestone) OR arrayExists(p -> a.milestone IN (p.1, p.2), s.pauses)
            OR has(s.resets, a.milestone) OR has(s.cancels, a.milestone)
        GROUP BY a.order_no, a.object, s.rule
        HAVING from_at IS NOT NULL OR from_echo_at IS NOT NULL
    ),
    run AS
    (
        SELECT
            met.*, s.per AS per, s.from_milestone AS from_milestone, s.to_milestone AS to_milestone, s.to_pick AS to_pick,
            s.to_type AS to_type, s.within_ms AS own_within_ms, s.until AS own_until, s.plus_ms AS own_plus_ms,
            s.at_risk_share AS at_risk_share, s.calendar AS own_calendar, s.pauses AS pauses, s.resets AS resets, s.cancels AS cancels
        FROM met
        INNER JOIN {STAGES} AS s ON s.rule = met.rule
    )
SELECT
    run.order_no AS order_no, run.rule AS rule, run.object AS object, run.per AS object_type,
    run.from_milestone AS from_milestone, run.to_milestone AS to_milestone, run.from_at IS NULL AS provisional,
    if(provisional, run.from_echo_ev, run.from_ev) AS from_event,
    if(run.to_pick = 'complete', c.complete_at, run.one_at) AS to_at,
    {_started(book)} AS started_at, {_called_off(book)} AS called_off_at,
    if(run.to_pick = 'complete', ifNull(c.complete_ev, 0), run.one_ev) AS to_ev,
    run.to_echo_at AS to_echo_at,
    {limits},
    run.at_risk_share AS at_risk_share,
    arrayFlatten(arrayMap(p -> arrayMap(opened ->
        (opened, ifNull(arrayFirstOrNull(closed -> closed >= opened, arrayFirst(t -> t.1 = p.2, run.told).2), {FAR})),
        arrayFirst(t -> t.1 = p.1, run.told).2), run.pauses)) AS raw_holds,
    CAST({authority_sql(book, kinds, "run.to_milestone", "o", "run.object", [s.end.milestone for s in book.stages])} AS String) AS system,
    o.done_at AS done_at, o.cancelled_at AS cancelled_at
FROM run
INNER JOIN judged_cases AS o ON o.order_no = run.order_no
LEFT JOIN judged_complete AS c
    ON c.order_no = run.order_no AND c.object = run.object AND c.milestone = run.to_milestone AND c.per = run.to_type
WHERE {_applies(book)}
""".strip()
