"""From runs to clocks: what ends them, merged pauses, deadline, budget and time used, in each one's calendar.

Business time is arithmetic on "open ms before an instant" over the arrays of all calendars at once, so the text
grows neither with the number of stages nor with that of calendars.
"""

from __future__ import annotations

from rules.calendar import Calendar
from rules.calendar_sql import CalendarSet, add_sql, open_ms_sql
from rules.compile.quote import FAR
from rules.model import Book

_NEVER_MS = 10**15  # more open time than any calendar has
_NO_HOLDS = "CAST([] AS Array(Tuple(DateTime64(3, 'UTC'), DateTime64(3, 'UTC'))))"


def used_calendars(book: Book) -> dict[str, Calendar]:
    """Return the calendars that a stage or a tier of the book names, by name."""
    names = {s.calendar for s in book.stages} | {t.calendar for s in book.stages for t in s.tiers}
    return {name: book.calendars[name] for name in sorted(n for n in names if n)}


def starts_sql(book: Book) -> str:
    """Return the step that gives each run its end, deadline, at-risk instant, budget and used open time."""
    calendars = CalendarSet(used_calendars(book))
    scalars = ",\n    ".join(calendars.with_items())
    offsets = "".join(f",\n            {item}" for item in calendars.columns())

    def open_ms(instant: str) -> str:
        return f"toInt64({open_ms_sql(calendars, instant)})"

    def add(instant: str, ms: str) -> str:
        return add_sql(calendars, instant, ms)

    def needed(target: str) -> str:
        return (
            f"arrayFold((needed, p) -> if(p.1 - started_open < needed, if(p.2 >= {_NEVER_MS}, toInt64({_NEVER_MS}), "
            f"needed + p.2 - p.1), needed), holds_open, {target})"
        )

    return f"""
-- One row: a clock with everything that does not depend on the moment it is looked at.
WITH
    {scalars + "," if scalars else ""}
    closing AS
    (
        SELECT
            *,
            least(
                if(done_at IS NULL OR started_at > assumeNotNull(done_at), {FAR}, assumeNotNull(done_at)),
                if(cancelled_at IS NULL, {FAR}, greatest(assumeNotNull(cancelled_at), started_at))) AS closes_at,
            arraySort(arrayFilter(p -> p.1 < p.2, arrayMap(p -> (greatest(p.1, started_at), p.2), raw_holds))) AS cut_holds{offsets}
        FROM judged_runs
    ),
    ending AS
    (
        SELECT
            *,
            arrayFold((merged, p) -> if(empty(merged) OR p.1 > merged[-1].2, arrayPushBack(merged, p),
                arrayPushBack(arrayPopBack(merged), (merged[-1].1, greatest(merged[-1].2, p.2)))), cut_holds, {_NO_HOLDS}) AS holds,
            to_at IS NOT NULL AND assumeNotNull(to_at) <= closes_at AS stopped,
            multiIf(stopped, greatest(assumeNotNull(to_at), started_at), closes_at < {FAR}, closes_at, NULL) AS end_at
        FROM closing
    ),
    opened AS
    (
        SELECT
            *,
            {open_ms("started_at")} AS started_open,
            {open_ms("ifNull(end_at, started_at)")} AS end_open,
            arrayMap(p -> ({open_ms("p.1")}, if(p.2 = {FAR}, toInt64({_NEVER_MS}), {open_ms("p.2")})), holds) AS holds_open
        FROM ending
    ),
    needing AS
    (
        SELECT *, {needed("toInt64(ifNull(within_ms, 0))")} AS due_needed
        FROM opened
    ),
    due AS
    (
        SELECT
            *,
            if(within_ms IS NULL, ifNull(until_at, started_at), started_at) AS due_from,
            multiIf(within_ms IS NOT NULL, due_needed, until_at IS NULL, toInt64({_NEVER_MS}), plus_ms) AS due_after,
            CAST(if(due_after >= {_NEVER_MS}, NULL, {add("due_from", f"if(due_after >= {_NEVER_MS}, 0, due_after)")}) AS Nullable(DateTime64(3, 'UTC'))) AS due_at
        FROM needing
    ),
    budgeted AS
    (
        SELECT
            *,
            if(within_ms IS NOT NULL, within_ms, if(due_at IS NULL, NULL, {open_ms("ifNull(due_at, started_at)")} - started_open)) AS budget_ms,
            toInt64(ceil(ifNull(budget_ms, 0) * ifNull(at_risk_share, 0))) AS at_risk_target
        FROM due
    ),
    warned AS
    (
        SELECT *, if(at_risk_share IS NULL OR budget_ms IS NULL, toInt64({_NEVER_MS}), {needed("at_risk_target")}) AS at_risk_needed
        FROM budgeted
    )
SELECT
    order_no, rule, object, object_type, from_milestone, to_milestone, provisional, from_event, started_at,
    stopped, if(stopped, to_ev, 0) AS to_event, end_at, to_echo_at,
    stopped AND assumeNotNull(to_at) < started_at AS disorder,
    cancelled_at IS NOT NULL AND started_at > assumeNotNull(cancelled_at) AS after_cancelled,
    due_at, budget_ms,
    CAST(if(at_risk_needed >= {_NEVER_MS}, NULL, {add("started_at", f"if(at_risk_needed >= {_NEVER_MS}, 0, at_risk_needed)")}) AS Nullable(DateTime64(3, 'UTC'))) AS at_risk_at,
    if(end_at IS NULL, NULL, end_open - started_open - arraySum(p -> least(p.2, end_open) - least(p.1, end_open), holds_open)) AS used_ms,
    calendar, holds, system
FROM warned
""".strip()
