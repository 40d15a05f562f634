"""What a backtest says two books would have said is what a live engine says under each of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from rules.model import Book
from rules.parse import parse_book
from tests.backtest.conftest import CONNECTIONS, Live, Verdicts, book
from tests.engine.world import NOW
from tower.backtest.outcome import Outcome
from tower.backtest.run import Cancelled, backtest

DAWN = NOW - timedelta(days=90)
INVOICE = "    within: 3h\n    calendar: office"
CHANGES: dict[str, tuple[tuple[str, str], ...]] = {
    "limits, tiers, dates of a calendar": (
        (INVOICE, "    within: 5h\n    calendar: night"), ("within: 1h,", "within: 20m,"),
        ("within: 30h}", "until: promised_at}"), ('closed: ["2026-03-27"]', 'closed: ["2026-03-26"]'),
        ("{when: {priority: P1}, within: 2h}", "{when: {priority: P2}, within: 90m}"),
    ),
    "no calendars": (
        (INVOICE, "    within: 3h"), ("    within: 6h\n    calendar: office", "    within: 6h"),
        ("{when: {warehouse: HH2}, calendar: night}", "{when: {warehouse: HH2}, within: 3h}"),
        ("plus: 4h, calendar: office", "plus: 4h"),
    ),
    "whom it is for, pauses, rates, priorities, stages, authority, end of the process, feed": (
        ("{order_type: [standard, bulk]}", "{order_type: [bulk, same_day]}"), ('rate: "0.8"', 'rate: "0.4"'),
        ("    pause: [{from: credit_held, to: credit_released}]\n", ""), ('amount: ">= 1000"', 'amount: ">= 400"'),
        ("pay, from: invoice_released, to: payment_applied, per: invoice, within: 30h}",
         "dunning, from: invoice_released, to: payment_applied, per: invoice, within: 5h}"
         "\n  - {id: recall, from: {milestone: payment_applied, pick: last}, to: credit_held, within: 1h}"),
        ("authority: [{kind: 3pl, when: {warehouse: HH2}}, wms]", "authority: [{kind: 3pl, when: {warehouse: HH1}}, erp]"),
        ("payment_applied], cancelled", "{milestone: invoice_released, per: invoice}], cancelled"),
        ("expects: every 6h, grace: 15m", 'cron: "0 3 * * *", grace: 15m'),
    ),
}  # fmt: skip


ROUTES = """
receivers: {goods: {inbox: true}, money: {inbox: true}, tiers: {inbox: true}}
routes:
  receiver: goods
  routes:
    - {receiver: money, when: {rule: [invoice, pay]}, group_by: ["..."], continue: true}
    - {receiver: tiers, when: {rule: [invoice, pay]}, group_by: [customer_tier]}
"""


def expected(old: Verdicts, new: Verdicts, since: datetime) -> dict[tuple[str, str], Counter[str]]:
    """Return gained, lost, differently and same by rule and kind, from what two live runs left."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for key in old.keys() | new.keys():
        was, now = old.get(key), new.get(key)
        if not any(v and v[0] >= since for v in (was, now)):
            continue
        change = "gained" if was is None else "lost" if now is None else "same" if was == now else "differently"
        found.setdefault((key[1], key[2]), Counter())[change] += 1
    return found


def assert_told(outcome: Outcome, wanted: dict[tuple[str, str], Counter[str]]) -> None:
    told = {(r["rule"], r["kind"]): r for r in outcome.rules}
    for key in told.keys() | {k for k, counts in wanted.items() if set(counts) - {"same"}}:
        assert key in told, (key, wanted[key])
        counts = wanted.get(key, Counter())
        for name in ("gained", "lost", "differently", "same"):
            assert told[key][name] in (counts[name], None), (key, name, told[key], counts)
            assert told[key][name] is not None or name == "same"


@dataclass(frozen=True)
class Longer:
    """A backtest of a longer limit, asked again after the first one was called off, and the two books."""

    books: tuple[Book, Book]
    outcome: Outcome
    told_before_the_end: int


@pytest.fixture(scope="module")
def longer(live: Live) -> Longer:
    """Try 19 hours for an invoice; what is late goes to one receiver alone and to another by group."""
    old, new = (
        parse_book({"book.yaml": book((INVOICE, limit)).text["book.yaml"] + ROUTES})
        for limit in (INVOICE, "    within: 19h\n    calendar: office")
    )
    told = []

    def stop(what: str, _done: int, _of: int) -> None:
        told.append(what)
        raise Cancelled

    with pytest.raises(Cancelled):
        backtest(live.store, CONNECTIONS, old, new, DAWN, NOW, progress=stop)
    return Longer((old, new), backtest(live.store, CONNECTIONS, old, new, DAWN, NOW), len(told))


@pytest.mark.parametrize("change", CHANGES)
def test_a_backtest_counts_what_live_runs_under_both_books_hold(live: Live, twin: Live, change: str) -> None:
    new = book(*CHANGES[change])
    outcome = backtest(live.store, CONNECTIONS, book(), new, DAWN, NOW)
    wanted = expected(live.verdicts, twin.run(new), DAWN)
    assert any(set(counts) - {"same"} for counts in wanted.values()), "the change changes nothing: no test"
    assert_told(outcome, wanted)


def test_a_shorter_window_counts_what_opened_in_it_on_orders_that_were_open_then(
    live: Live, twin: Live, longer: Longer
) -> None:
    since = NOW - timedelta(days=3)
    outcome = backtest(live.store, CONNECTIONS, *longer.books, since, NOW)
    gone = live.closed_before(since)
    before, after = (
        {key: v for key, v in verdicts.items() if key[0] not in gone}
        for verdicts in (live.verdicts, twin.run(longer.books[1]))
    )
    wanted = expected(before, after, since)
    assert set(wanted["invoice", "late"]) >= {"lost", "differently"}
    assert_told(outcome, wanted)


def test_single_verdicts_days_and_totals_agree(longer: Longer) -> None:
    outcome = longer.outcome
    assert {r["rule"] for r in outcome.rules} == {"invoice"} and outcome.limits_only
    assert Counter(o["change"] for o in outcome.orders) == {
        name: outcome.total(name) for name in ("lost", "differently") if outcome.total(name)
    }
    assert outcome.total("gained") == 0 < outcome.total("lost")
    assert sum(d["under_old"] - d["under_new"] for d in outcome.days) == outcome.total("lost")
    moved = [o for o in outcome.orders if o["change"] == "differently"]
    assert outcome.total("later") == len(moved) and all(o["new_opened_at"] > o["old_opened_at"] for o in moved)


def test_notices_are_counted_by_receiver_day_and_group(longer: Longer) -> None:
    outcome = longer.outcome
    alone, grouped = ([row for row in outcome.notices if row["receiver"] == name] for name in ("money", "tiers"))
    assert {row["receiver"] for row in outcome.notices} == {"money", "tiers"}
    for side in ("under_old", "under_new"):
        assert sum(row[side] for row in alone) == sum(row[side] for row in outcome.days)
    assert outcome.busiest_day == max(row["under_new"] for row in outcome.notices)
    assert max(row["under_old"] for row in grouped) <= 3 < max(row["under_old"] for row in alone)


def test_the_same_book_judges_nothing_and_all_of_it_agrees_when_asked_to(live: Live) -> None:
    told = book(("id: accept,", "id: accept, label: Taking in,"))
    assert backtest(live.store, CONNECTIONS, book(), told, DAWN, NOW).judged_orders == 0
    outcome = backtest(live.store, CONNECTIONS, book(), told, DAWN, NOW, exhaustive=True)
    assert outcome.judged_orders > 100
    assert [outcome.total(n) for n in ("gained", "lost", "differently")] == [0, 0, 0]


def test_it_ends_when_whoever_watches_it_says_so(longer: Longer) -> None:
    assert longer.told_before_the_end == 1
    assert longer.outcome.total("lost")  # the next one is not hindered
