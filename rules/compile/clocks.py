"""A stage as SQL: one SELECT per stage says where its clocks start, what ends them and which budget they have.

The arithmetic that turns this into deadlines is the same for all stages and stands once in
rules.compile.deadlines. Every instant of a clock is an exact function of facts; what it means at a moment (late,
at risk, waiting for a feed) is decided afterwards in rules.compile.verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rules.compile.authority import columns, configured, milestone_authority_sql
from rules.compile.quote import FAR, NO_INSTANT, choose, text
from rules.match import when_sql
from rules.model import Book, Budget, Stage

_NO_HOLDS = "CAST([] AS Array(Tuple(DateTime64(3, 'UTC'), DateTime64(3, 'UTC'))))"


@dataclass(frozen=True, slots=True)
class _Variant:
    """The stage as it stands for the orders of one tier; the last one has no condition."""

    condition: str | None
    budget: Budget
    calendar: str


def _variants(stage: Stage) -> list[_Variant]:
    tiers = [
        _Variant(when_sql(t.when, columns("o")), t.budget or stage.budget, t.calendar or stage.calendar or "")
        for t in stage.tiers
    ]
    return [*tiers, _Variant(None, stage.budget, stage.calendar or "")]


def _per_variant(variants: list[_Variant], expression: Callable[[_Variant], str]) -> str:
    values = [expression(v) for v in variants]
    if len(set(values)) == 1:
        return values[0]
    return choose([(v.condition or "1", x) for v, x in zip(variants[:-1], values, strict=False)], values[-1])


def _within(variant: _Variant) -> str:
    return "NULL" if variant.budget.within_s is None else str(variant.budget.within_s * 1000)


def _until(variant: _Variant) -> str:
    return NO_INSTANT if variant.budget.until is None else f"o.{variant.budget.until}"


def _holds_sql(stage: Stage) -> str:
    """Return the intervals in which the clock stands still, not yet merged; an open one ends at FAR."""
    pairs = ", ".join(
        f"arrayMap(o -> (o, ifNull(arrayFirstOrNull(c -> c >= o, closed_{i}), {FAR})), opened_{i})"
        for i, _ in enumerate(stage.pauses)
    )
    return f"arrayConcat({pairs})" if pairs else _NO_HOLDS


def _source(book: Book, stage: Stage) -> str:
    if stage.end.pick != "complete":
        return "judged_anchors AS a"
    return f"""(
        SELECT x.*, c.complete_at AS complete_at, c.complete_ev AS complete_ev
        FROM judged_anchors AS x
        LEFT JOIN
        (
            SELECT order_no, object, complete_at, complete_ev
            FROM judged_complete
            WHERE milestone = {text(stage.end.milestone)} AND per = {text(book.milestones[stage.end.milestone].object)}
        ) AS c ON c.order_no = x.order_no AND c.object = x.object
    ) AS a"""


def stage_sql(book: Book, kinds: frozenset[str] | None, stage: Stage) -> str:
    """Return the SELECT of one stage's clocks. Columns as of judged_runs; one row per clock, unordered."""
    variants = _variants(stage)
    start = f"a.milestone = {text(stage.start.milestone)}"
    end = f"a.milestone = {text(stage.end.milestone)}"
    if stage.end.pick == "complete":
        picked = ["any(a.complete_at) AS to_at", "any(a.complete_ev) AS to_ev"]
    else:
        picked = [
            f"anyIf(a.down_{stage.end.pick}_at, {end}) AS to_at",
            f"anyIf(a.down_{stage.end.pick}_ev, {end}) AS to_ev",
        ]
    pauses: list[str] = []
    milestones = [stage.start.milestone, stage.end.milestone]
    for i, pause in enumerate(stage.pauses):
        pauses.append(f"anyIf(a.reports, a.milestone = {text(pause.start)}) AS opened_{i}")
        pauses.append(f"anyIf(a.reports, a.milestone = {text(pause.end)}) AS closed_{i}")
        milestones += [pause.start, pause.end]
    anchored = ",\n        ".join(
        [
            "a.order_no AS order_no, a.object AS object",
            f"anyIf(a.{stage.start.pick}_at, {start}) AS from_at, anyIf(a.{stage.start.pick}_ev, {start}) AS from_ev",
            f"anyIf(a.echo_at, {start}) AS echo_at, anyIf(a.echo_ev, {start}) AS echo_ev",
            ", ".join(picked),
            f"anyIf(a.down_echo_at, {end}) AS to_echo_at",
            *pauses,
        ]
    )
    names = ", ".join(text(m) for m in dict.fromkeys(milestones))
    authority = milestone_authority_sql(configured(book.milestones[stage.end.milestone], kinds), "o")
    share = "NULL" if stage.at_risk is None else f"toDecimal64('{stage.at_risk}', 6)"
    return f"""
/* stage: {stage.id} */
SELECT
    run.order_no AS order_no, {text(stage.id)} AS rule, run.object AS object, {text(stage.per)} AS object_type,
    {text(stage.start.milestone)} AS from_milestone, {text(stage.end.milestone)} AS to_milestone,
    run.from_at IS NULL AS provisional,
    if(run.from_at IS NULL, run.echo_ev, run.from_ev) AS from_event,
    assumeNotNull(ifNull(run.from_at, run.echo_at)) AS started_at,
    run.to_at AS to_at, run.to_ev AS to_ev, run.to_echo_at AS to_echo_at,
    CAST({_per_variant(variants, _within)} AS Nullable(Int64)) AS within_ms,
    CAST({_per_variant(variants, _until)} AS Nullable(DateTime64(3, 'UTC'))) AS until_at,
    toInt64({_per_variant(variants, lambda v: str(v.budget.plus_s * 1000))}) AS plus_ms,
    CAST({share} AS Nullable(Decimal(18, 6))) AS at_risk_share,
    CAST({_per_variant(variants, lambda v: text(v.calendar))} AS String) AS calendar,
    {_holds_sql(stage)} AS raw_holds,
    CAST({authority} AS String) AS system,
    o.done_at AS done_at, o.cancelled_at AS cancelled_at
FROM
(
    SELECT
        {anchored}
    FROM {_source(book, stage)}
    WHERE a.object_type = {text(stage.per)}
        AND a.milestone IN ({names})
    GROUP BY a.order_no, a.object
    HAVING from_at IS NOT NULL OR echo_at IS NOT NULL
) AS run
INNER JOIN judged_cases AS o ON o.order_no = run.order_no
WHERE {when_sql(stage.when, columns("o"))}
""".strip()


def runs_sql(book: Book, kinds: frozenset[str] | None) -> str:
    """Return the step with the runs of every stage, in process order."""
    parts = [stage_sql(book, kinds, stage) for stage in book.stages]
    return "-- One row: one stage running on one object of one order.\n" + "\nUNION ALL\n".join(parts)
