"""The score in SQL, for sorting by it: rules.score over the row of an order and the curve of its worst clock.

The items go into the WITH clause of a statement over `orders` that has `worst`, the position of the worst clock. They
give `score_points`, the score in ten-thousandths. Parameters: score_now, score_curves_at.
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


def score_items(book: Book) -> list[str]:
    """Return the items of the WITH clause, in a fixed order."""
    calendars, score = CalendarSet(used_calendars(book)), book.score

    def opened(instant: str) -> str:
        return f"toInt64({open_ms_sql(calendars, instant)})"

    curves = (
        "(SELECT {0} FROM (SELECT * FROM curves FINAL WHERE built_at = (SELECT max(built_at) FROM curves WHERE built_at <= "
        "{{score_curves_at:DateTime64(3, 'UTC')}}) AND ended >= " + str(LEAST_ENDED) + " ORDER BY rule, segment))"
    )
    held = (
        f"arraySum(p -> greatest(0, {opened(f'least(ifNull(p.2, {_NOW}), {_NOW})')} - {opened(f'least(p.1, {_NOW})')}), "
        "clocks.pauses[worst])"
    )
    tier = choose([(f"customer_tier = {text(name)}", f"{points:f}") for name, points in score.tiers.items()], "0.")
    capital = f"{book.value.cost_of_capital or 0:f}"
    worth = "greatest(0., ifNull(toFloat64(reporting_amount), 0.))"
    return [
        *calendars.with_items(),
        curves.format("groupArray((toString(rule), toString(segment)))") + " AS curve_keys",
        *(curves.format(f"groupArray({n})") + f" AS curve_{n}" for n in ("at_ms", "alive", "watched")),
        "splitByChar('@', toString(clocks.calendar[worst]))[1] AS calendar",
        *calendars.columns(),
        f"indexOf(curve_keys, (toString(stage), {segment_sql()})) AS own_curve",
        "if(own_curve = 0, indexOf(curve_keys, (toString(stage), '')), own_curve) AS curve",
        f"greatest(0, ifNull(clocks.used_s[worst] * 1000, {opened(_NOW)} - {opened('clocks.started_at[worst]')} - {held})) AS used_ms",
        f"""multiIf(
        has({texts(STUCK_STATES)}, state), 1.,
        worst = 0 OR clocks.state[worst] NOT IN ('running', 'paused') OR state = 'unknown' OR budget_s IS NULL, 0.,
        intDiv(used_ms, 1000) > budget_s, 1.,
        curve = 0, 0.,
        ifNull(round({odds_sql("(intDiv(used_ms, 1000) * 1000)", "(assumeNotNull(budget_s) * 1000)", "curve_at_ms[curve]", "curve_alive[curve]", "curve_watched[curve]")}, 3), 0.)) AS breach_odds""",
        f"if(since IS NULL, 0., greatest(0., toFloat64(toUnixTimestamp64Milli({_NOW}) - toUnixTimestamp64Milli(assumeNotNull(since))))) AS age_ms",
        f"{worth} AS worth",
        "ifNull(promised_at, requested_at) AS wanted_at",
        f"if(wanted_at IS NULL, 1., (toUnixTimestamp64Milli(assumeNotNull(wanted_at)) - toUnixTimestamp64Milli({_NOW})) / {SLACK_S * 1000}) AS slack",
        f"""if(closed_at IS NOT NULL, NULL, toInt64(
        round({score.value:f} * least(1., log10(1 + worth) / {VALUE_DECADES}) * {10**PLACES})
        + round({tier} * {10**PLACES})
        + round({score.promise:f} * least(1., greatest(0., 1 - slack)) * {10**PLACES})
        + round({score.cash:f} * least(1., log10(1 + worth * {capital} * age_ms / {365 * _DAY_MS}) / {CASH_DECADES}) * {10**PLACES})
        + round({score.ageing:f} * age_ms / {_DAY_MS} * {10**PLACES})
        + round({score.odds:f} * breach_odds * {10**PLACES}))) AS score_points""",
    ]
