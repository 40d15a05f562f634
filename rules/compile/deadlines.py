"""From runs to clocks: what ends them, merged pauses, deadline, budget and time used, in each one's calendar.

Business time is arithmetic on "open ms before an instant" over the arrays of all calendars at once, so the text
grows neither with the number of stages nor with that of calendars.
"""

from __future__ import annotations

from rules.calendar import Calendar
from rules.calendar_sql import CalendarSet, add_sql, open_ms_sql
from rules.compile.odds import at_risk_target_sql, expected_sql, has_odds
from rules.compile.quote import FAR
from rules.model import Book

CALENDARS = "judged_calendars"
_NEVER_MS = 10**15  # more open time than any calendar has
_NO_HOLDS = "CAST([] AS Array(Tuple(DateTime64(3, 'UTC'), DateTime64(3, 'UTC'))))"


def used_calendars(book: Book) -> dict[str, Calendar]:
    """Return the calendars that a stage or a tier of the book names, by name."""
    names = {s.calendar for s in book.stages} | {t.calendar for s in book.stages for t in s.tiers}
    return {name: book.calendars[name] for name in sorted(n for n in names if n)}


def _open_ms(calendars: CalendarSet, instant: str) -> str:
    return f"toInt64({open_ms_sql(calendars, instant)})"


def _needed(target: str) -> str:
    """Return the open ms after the start at which `target` of them were not paused; NEVER while a pause is open."""
    return (
        f"arrayFold((needed, p) -> if(p.1 - started_open < needed, if(p.2 >= {_NEVER_MS}, toInt64({_NEVER_MS}), "
        f"needed + p.2 - p.1), needed), holds_open, {target})"
    )


def _with(calendars: CalendarSet) -> str:
    items = calendars.with_items(CALENDARS)
    return "WITH\n    " + ",\n    ".join(items) if items else ""


def calendars_sql(book: Book) -> str:
    """Return the step with the days of the book's calendars, which neither orders nor moments change."""
    return f"-- One row: the days of all calendars, one calendar's after another's.\n{CalendarSet(used_calendars(book)).row_sql()}"


def ends_sql() -> str:
    """Return the step that says what ends each run, and in which merged intervals it stands still."""
    return f"""
-- One row: a run with its end and its pauses.
WITH
    closing AS
    (
        SELECT
            *,
            least(
                if(done_at IS NULL OR started_at > assumeNotNull(done_at), {FAR}, assumeNotNull(done_at)),
                if(cancelled_at IS NULL, {FAR}, greatest(assumeNotNull(cancelled_at), started_at)),
                ifNull(called_off_at, {FAR})) AS closes_at,
            arraySort(arrayFilter(p -> p.1 < p.2, arrayMap(p -> (greatest(p.1, started_at), p.2), raw_holds))) AS cut_holds
        FROM judged_runs
    )
SELECT
    * EXCEPT (raw_holds, cut_holds),
    arrayFold((merged, p) -> if(empty(merged) OR p.1 > merged[-1].2, arrayPushBack(merged, p),
        arrayPushBack(arrayPopBack(merged), (merged[-1].1, greatest(merged[-1].2, p.2)))), cut_holds, {_NO_HOLDS}) AS holds,
    to_at IS NOT NULL AND assumeNotNull(to_at) <= closes_at AS stopped,
    multiIf(stopped, greatest(assumeNotNull(to_at), started_at), closes_at < {FAR}, closes_at, NULL) AS end_at,
    NOT stopped AND ifNull(called_off_at = closes_at, 0) AS called_off
FROM closing
""".strip()


def dues_sql(book: Book) -> str:
    """Return the step that gives each run its deadline, in the open time of its calendar."""
    calendars = CalendarSet(used_calendars(book))
    offsets = "".join(f"{item},\n            " for item in calendars.columns())
    scalars = _with(calendars)
    add = add_sql(calendars, "due_from", f"if(due_after >= {_NEVER_MS}, 0, due_after)")
    return f"""
-- One row: a run with its deadline.
{scalars + "," if scalars else "WITH"}
    opened AS
    (
        SELECT
            *,
            {offsets}arrayMap(t -> {_open_ms(calendars, "t")},
                arrayConcat([started_at, ifNull(end_at, started_at)], arrayMap(p -> p.1, holds), arrayMap(p -> p.2, holds))) AS opens,
            opens[1] AS started_open, opens[2] AS end_open,
            arrayMap((p, i) -> (opens[i + 2], if(p.2 = {FAR}, toInt64({_NEVER_MS}), opens[i + 2 + length(holds)])),
                holds, arrayEnumerate(holds)) AS holds_open
        FROM judged_ends
    )
SELECT
    * EXCEPT (opens),
    if(within_ms IS NULL, ifNull(until_at, started_at), started_at) AS due_from,
    multiIf(
        within_ms IS NOT NULL, {_needed("toInt64(ifNull(within_ms, 0))")},
        until_at IS NULL, toInt64({_NEVER_MS}),
        plus_ms) AS due_after,
    CAST(if(due_after >= {_NEVER_MS}, NULL, {add}) AS Nullable(DateTime64(3, 'UTC'))) AS due_at
FROM opened
""".strip()


def starts_sql(book: Book) -> str:
    """Return the step that makes each run a clock: budget, at-risk instant and open time used."""
    calendars = CalendarSet(used_calendars(book))
    scalars = _with(calendars)
    add = add_sql(calendars, "started_at", f"if(at_risk_needed >= {_NEVER_MS}, 0, at_risk_needed)")
    target, expected = "toInt64(ceil(ifNull(budget_ms, 0) * ifNull(at_risk_share, 0)))", ""
    if has_odds(book):
        target, expected = at_risk_target_sql(target), expected_sql(book)
    return f"""
-- One row: a clock with everything that does not depend on the moment it is looked at.
{scalars + "," if scalars else "WITH"}
    budgeted AS
    (
        SELECT
            *,
            if(within_ms IS NOT NULL, within_ms,
                if(due_at IS NULL, NULL, {_open_ms(calendars, "ifNull(due_at, started_at)")} - started_open)) AS budget_ms
        FROM judged_dues
    ),{expected}
    warned AS
    (
        SELECT
            *,
            {target} AS at_risk_target,
            if(at_risk_share IS NULL OR budget_ms IS NULL, toInt64({_NEVER_MS}), {_needed("at_risk_target")}) AS at_risk_needed
        FROM {"expected" if expected else "budgeted"}
    )
SELECT
    order_no, rule, object, object_type, from_milestone, to_milestone, provisional, from_event, started_at,
    stopped, if(stopped, to_ev, 0) AS to_event, end_at, to_echo_at,
    stopped AND assumeNotNull(to_at) < started_at AS disorder,
    cancelled_at IS NOT NULL AND started_at > assumeNotNull(cancelled_at) AS after_cancelled,
    due_at, budget_ms,
    CAST(if(at_risk_needed >= {_NEVER_MS}, NULL, {add}) AS Nullable(DateTime64(3, 'UTC'))) AS at_risk_at,
    if(end_at IS NULL, NULL, end_open - started_open - arraySum(p -> least(p.2, end_open) - least(p.1, end_open), holds_open)) AS used_ms,
    calendar, holds, system, called_off
FROM warned
""".strip()
