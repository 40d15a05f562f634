"""Survival curves inside SQL: what rules.odds.Curve reads in Python, over the columns at_ms and alive of a row."""

from __future__ import annotations

from rules.compile.quote import text
from rules.model import Book
from rules.odds import LEAST_WATCHED, SEGMENT_ATTRIBUTES


def has_odds(book: Book) -> bool:
    """Return whether a stage of the book goes by predicted odds."""
    return any(s.odds is not None for s in book.stages)


def segment_sql() -> str:
    """Return the name of an order's segment, as rules.odds.segment_of writes it."""
    names = ", ".join(f"toString({name})" for name in SEGMENT_ATTRIBUTES)
    return f"concatWithSeparator(' / ', {names})"


def outlasts_sql(ms: str, at_ms: str = "at_ms", alive: str = "alive") -> str:
    """Return the share of clocks that run longer than so much open time; 1 where there is no curve."""
    return f"arrayMap(i -> if(i = 0, 1., {alive}[i]), [arrayLastIndex(t -> t <= {ms}, {at_ms})])[1]"


def odds_sql(used_ms: str, budget_ms: str, at_ms: str = "at_ms", alive: str = "alive", watched: str = "watched") -> str:
    """Return the chance to run longer than budget_ms after used_ms; null where too few ran so long."""
    seen = f"{watched}[arrayFirstIndex(t -> t > {used_ms}, {at_ms})]"
    share = f"{outlasts_sql(budget_ms, at_ms, alive)} / {outlasts_sql(used_ms, at_ms, alive)}"
    return f"multiIf({used_ms} > {budget_ms}, 1., {seen} < {LEAST_WATCHED}, NULL, {share})"


def expected_sql(book: Book) -> str:
    """Return the CTE that gives each run of a stage with odds the curve it is judged by; none without such stages."""
    stages = [s for s in book.stages if s.odds is not None]
    names = ", ".join(text(s.id) for s in stages)
    odds = ", ".join(f"{s.odds:f}" for s in stages)
    return f"""
    expected AS
    (
        SELECT
            * EXCEPT (parted, part, own_rule, own_part, own_at, own_alive, whole_rule, whole_at, whole_alive),
            if(budget_ms IS NULL, NULL, transform(rule, [{names}], [{odds}], NULL)) AS odds_wanted,
            if(empty(own_at), whole_at, own_at) AS curve_at, if(empty(own_at), whole_alive, own_alive) AS curve_alive
        FROM budgeted
        LEFT JOIN (SELECT order_no AS parted, {segment_sql()} AS part FROM judged_cases) AS parts ON parted = order_no
        LEFT JOIN (SELECT rule AS own_rule, segment AS own_part, at_ms AS own_at, alive AS own_alive FROM odds_curves) AS own
            ON own_rule = rule AND own_part = part
        LEFT JOIN (SELECT rule AS whole_rule, at_ms AS whole_at, alive AS whole_alive FROM odds_curves WHERE segment = '') AS whole
            ON whole_rule = rule
    ),"""


def at_risk_target_sql(share_based: str) -> str:
    """Return the open ms after which a run is at risk: where its odds reach what the book says, else by its share.

    The odds S(budget) / S(used) grow with used while the curve stays: they are reached where S(used) has fallen to
    S(budget) / odds, which is the case at the budget at the latest.
    """
    most = f"{outlasts_sql('assumeNotNull(budget_ms)', 'curve_at', 'curve_alive')} / assumeNotNull(odds_wanted)"
    reached = f"arrayMap(most -> if(most >= 1, toInt64(0), arrayFirst((t, s) -> s <= most, curve_at, curve_alive)), [{most}])[1]"
    return f"if(odds_wanted IS NULL OR empty(curve_at), {share_based}, least({reached}, assumeNotNull(budget_ms)))"
