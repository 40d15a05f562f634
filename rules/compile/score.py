"""The score in SQL, for sorting by it: rules.score over the row of an order and the curve of its worst clock.

score_points is the score in ten-thousandths. Parameters: score_now, score_curves_at.
"""

from __future__ import annotations

from rules.calendar_sql import CalendarSet, open_ms_sql
from rules.compile.deadlines import used_calendars
from rules.compile.odds import odds_sql, segment_sql
from rules.compile.quote import choose, text, texts
from rules.model import Book
from rules.odds import LEAST_ENDED
from rules.score import CASH_DECADES, PLACES, SLACK_S, VALUE_DECADES
from rules.vocabulary import STUCK_STATES

_NOW = "{score_now:DateTime64(3, 'UTC')}"
_DAY_MS = 86_400_000
# Keeps conditions on the score out of the levels below: looking for keys in them takes the planner minutes.
_ALL = 10**12


def scored_sql(book: Book, orders: str, where: str) -> str:
    """Return a sub-query of the orders that fulfil `where`, with breach_odds and score_points; null for closed orders.

    One step a level: aliases that use each other within one level would be written out again at each use.
    """
    calendars, score = CalendarSet(used_calendars(book)), book.score

    def opened(instant: str) -> str:
        return f"toInt64({open_ms_sql(calendars, instant)})"

    curves = (
        "(SELECT groupArray({0}) FROM (SELECT * FROM curves FINAL WHERE built_at = (SELECT max(built_at) FROM curves "
        "WHERE built_at <= {{score_curves_at:DateTime64(3, 'UTC')}}) AND ended >= " + str(LEAST_ENDED) + " "
        "ORDER BY rule, segment)) AS {1}"
    )
    known = [
        curves.format(*pair)
        for pair in (
            ("(toString(rule), toString(segment))", "curve_keys"),
            ("at_ms", "curve_at_ms"),
            ("alive", "curve_alive"),
            ("watched", "curve_watched"),
        )
    ]
    until, begin = f"least(ifNull(p.2, {_NOW}), {_NOW})", f"least(p.1, {_NOW})"
    held = f"arraySum(p -> greatest(0, {opened(until)} - {opened(begin)}), s_pauses)"
    odds = odds_sql("s_used_ms", "s_budget_ms", "s_at_ms", "s_alive", "s_watched")
    tier = choose([(f"customer_tier = {text(name)}", f"{points:f}") for name, points in score.tiers.items()], "0.")
    offsets = "".join(f"{item}, " for item in calendars.columns())
    since = f"toUnixTimestamp64Milli({_NOW}) - toUnixTimestamp64Milli(assumeNotNull(since))"
    slack = f"(toUnixTimestamp64Milli(assumeNotNull(s_wanted_at)) - toUnixTimestamp64Milli({_NOW})) / {SLACK_S * 1000}"
    cost = f"s_worth * {book.value.cost_of_capital or 0:f} * s_age_ms / {365 * _DAY_MS}"
    terms = (
        f"{score.value:f} * least(1., log10(1 + s_worth) / {VALUE_DECADES})",
        tier,
        f"{score.promise:f} * least(1., greatest(0., 1 - if(s_wanted_at IS NULL, 1., {slack})))",
        f"{score.cash:f} * least(1., log10(1 + {cost}) / {CASH_DECADES})",
        f"{score.ageing:f} * s_age_ms / {_DAY_MS}",
        f"{score.odds:f} * breach_odds",
    )
    points = "\n        + ".join(f"round(({term}) * {10**PLACES})" for term in terms)
    return f"""
(
SELECT *, if(closed_at IS NOT NULL, NULL, toInt64(
        {points})) AS score_points
FROM
(
    SELECT *, multiIf(
        has({texts(STUCK_STATES)}, state), 1.,
        s_state NOT IN ('running', 'paused') OR state = 'unknown' OR budget_s IS NULL, 0.,
        s_used_ms > s_budget_ms, 1.,
        empty(s_at_ms), 0.,
        ifNull(round({odds}, 3), 0.)) AS breach_odds
    FROM
    (
        WITH
            {(", " + chr(10) + " " * 12).join([*calendars.with_items(), *known])}
        SELECT
            *, {offsets}if(s_own = 0, indexOf(curve_keys, (toString(stage), '')), s_own) AS s_curve,
            curve_at_ms[s_curve] AS s_at_ms, curve_alive[s_curve] AS s_alive, curve_watched[s_curve] AS s_watched,
            1000 * intDiv(greatest(0, ifNull(s_used_s * 1000, {opened(_NOW)} - {opened("s_started_at")} - {held})), 1000) AS s_used_ms
        FROM
        (
            WITH
                {known[0]},
                arrayFirstIndex((rule, type, id) -> rule = stage AND type = object_type AND id = object_id,
                    clocks.rule, clocks.object_type, clocks.object_id) AS s_at
            SELECT
                *, splitByChar('@', toString(clocks.calendar[s_at]))[1] AS calendar, clocks.used_s[s_at] AS s_used_s,
                clocks.started_at[s_at] AS s_started_at, clocks.pauses[s_at] AS s_pauses, toString(clocks.state[s_at]) AS s_state,
                ifNull(budget_s, 0) * 1000 AS s_budget_ms, ifNull(promised_at, requested_at) AS s_wanted_at,
                greatest(0., ifNull(toFloat64(reporting_amount), 0.)) AS s_worth,
                if(since IS NULL, 0., greatest(0., toFloat64({since}))) AS s_age_ms,
                indexOf(curve_keys, (toString(stage), {segment_sql()})) AS s_own
            FROM {orders}
            WHERE {where}
        )
    )
)
LIMIT {_ALL}
)""".strip()
