"""A late feed is not a late order: what the engine says of feeds and of what they own, against a plain reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from rules.compile import compile_book
from rules.model import Book
from rules.parse import parse_book
from tests.amount import SEEDS
from tests.engine.feed_world import BOOK, CONNECTIONS, LONG, START, Fresh, Told, marks, messages, reading
from tests.engine.oracle import Oracle, Said
from tests.engine.world import line
from tower.engine import cycle, feed_breaches, workspace
from tower.engine.books import record_calendars
from tower.engine.cycle import run_cycle
from tower.engine.feeds import FeedState, feed_states, record_promises
from tower.model.connections import Connections
from tower.store.client import Store

COMPILED = compile_book(BOOK, CONNECTIONS.kinds)


class Line:
    """The finding of one feed by a plain reading, tick after tick."""

    def __init__(self) -> None:
        self.row: tuple[str, datetime, datetime | None] | None = None

    def tick(self, fresh: Fresh, last_heard: datetime | None, hour_end: datetime) -> None:
        if fresh.since is not None:
            if self.row is None or self.row[0] != "open":
                self.row, self.reason = ("open", fresh.since, None), fresh.reason
        elif self.row is not None and self.row[0] == "open":
            over = hour_end if self.reason == "too_few" else last_heard
            assert over is not None
            self.row = ("resolved", self.row[1], max(over, self.row[1]))


def board(client: Client) -> dict[str, Any]:
    """Return each order's state with its clocks' verdicts, and its findings that were not retracted."""
    rows = client.query(
        "SELECT order_id, state, clocks.rule, clocks.object_id, clocks.verdict FROM orders FINAL WHERE on_board"
    ).result_rows
    found = {
        o: (state, {(r, i): str(v) for r, i, v in zip(rules, ids, said, strict=True)}, {})
        for o, state, rules, ids, said in rows
    }
    breaches = client.query(
        "SELECT order_id, rule, kind, object_id, state, opened_at FROM breaches FINAL "
        "WHERE order_no != 0 AND state != 'retracted'"
    ).result_rows
    for order, rule, kind, object_id, state, opened in breaches:
        found[order][2][rule, kind, object_id] = (state, opened)
    return found


def expected(heard: list[Told], fresh: dict[str, Fresh], now: datetime) -> dict[str, Any]:
    """Return the same by the plain reading."""
    oracle = Oracle(BOOK, [t.said for t in heard if t.said.milestone], now, marks(fresh))
    found = {}
    for order in oracle.orders():
        verdict = oracle.judge(order)
        if verdict is not None:
            clocks = {key: clock[4] for key, clock in verdict.clocks.items()}
            findings = {
                (rule, kind, i): ("open" if ends is None else "resolved", opened)
                for (rule, kind, i), (opened, ends) in verdict.findings.items()
            }
            found[order[1]] = (verdict.state, clocks, findings)
    return found


def feed_rows(client: Client) -> dict[str, tuple[str, datetime, datetime | None]]:
    """Return the stored finding of each feed."""
    rows = client.query(
        "SELECT object_id, state, opened_at, resolved_at, rule, kind, object_type, order_id FROM breaches FINAL "
        "WHERE order_no = 0"
    ).result_rows
    assert all((r[4], r[5], r[6], r[7]) == (f"feed.{r[0]}", "feed_late", "connection", "") for r in rows)
    return {name: (state, opened, resolved) for name, state, opened, resolved, *_ in rows}


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_feeds_and_what_they_own_agree_with_a_plain_reading(make_store: Callable[[], Store], seed: int) -> None:
    """Tick after tick: states, findings with their life, unknown instead of late, and one finding per silent feed."""
    arriving = messages(seed)
    lines = {name: Line() for name in ("wms-berlin", "wms-hamburg", "tms", "erp")}
    store, seen, unknown, opened = make_store(), 0, 0, set()
    heard: list[Told] = []
    with store.writer() as client:
        record_calendars(client, BOOK)
        workspace.prepare(client, COMPILED)
        record_promises(client, BOOK, START)
        now = START
        while now < START + LONG:
            now += LONG / 30 * (4 + len(heard) % 2) if seen else LONG / 30
            heard = [t for t in arriving if t.received_at <= now]
            if fresh_lines := [line(t.said, t.received_at, t.connection) for t in heard[seen:]]:
                client.raw_insert("events", insert_block=b"\n".join(fresh_lines), fmt="JSONEachRow")
            seen = len(heard)
            run_cycle(client, COMPILED, CONNECTIONS, now, "test", everything=False)
            fresh = reading(heard, now)
            states = {s.connection: s for s in feed_states(client, BOOK, CONNECTIONS, now)}
            for name, plain in fresh.items():
                assert (states[name].state, states[name].reason, states[name].since) == (plain.state, plain.reason, plain.since), (name, now)  # fmt: skip
                assert states[name].watermark == plain.gate, (name, now)
                last = max((t.received_at for t in heard if t.connection == name), default=None)
                hour_end = (now - timedelta(minutes=10)).replace(minute=0, second=0, microsecond=0)
                lines[name].tick(plain, last, hour_end)
            assert feed_rows(client) == {n: x.row for n, x in lines.items() if x.row is not None}, now
            wanted = expected(heard, fresh, now)
            assert board(client) == wanted, now
            unknown += sum("unknown" in clocks.values() for _, clocks, _ in wanted.values())
            opened |= {kind for _, _, findings in wanted.values() for _, kind, _ in findings}
        kinds = client.query("SELECT DISTINCT kind FROM breach_history WHERE order_no = 0").result_rows
    assert seed > 1 or (unknown > 3 and opened >= {"late", "out_of_order", "duplicate", "diverging", "sync_late"}), (
        "the made-up world must hold what is tested"
    )
    assert kinds == [("feed_late",)]


def test_what_was_known_at_a_moment_is_found_again(make_store: Callable[[], Store]) -> None:
    """The states by known_at, after everything has arrived, are those of the moment itself."""
    arriving = messages(4)
    store = make_store()
    with store.writer() as client:
        body = b"\n".join(line(t.said, t.received_at, t.connection) for t in arriving)
        client.raw_insert("events", insert_block=body, fmt="JSONEachRow")
        for hours in (1, 5, 9, 13.4, 20, 26):
            now = START + timedelta(hours=hours)
            fresh = reading([t for t in arriving if t.received_at <= now], now)
            states = feed_states(client, BOOK, CONNECTIONS, now, known_at=now)
            found = {s.connection: (s.state, s.reason, s.watermark) for s in states if s.gates}
            # Since when it was promised is not kept by moment, so an hour before it is judged too.
            found["erp"] = found["erp"] if now > START + timedelta(hours=3) else ("ok", "", found["erp"][2])
            assert found == {n: (f.state, f.reason, f.gate) for n, f in fresh.items()}, now


def book_of(feeds: str) -> Book:
    """Return the book with other feeds."""
    text = BOOK.text["book.yaml"]
    return parse_book(
        {"book.yaml": text[: text.index("feeds:")] + f"feeds:\n  - {feeds}\npriorities: [{{name: P1}}]\n"}
    )


class Ear:
    """A store that hears messages and settles the findings of feeds, without any order."""

    def __init__(self, client: Client, feeds: str) -> None:
        self.client, self.count = client, 0
        self.book = book_of(feeds)
        record_promises(client, self.book, START)

    def hear(self, name: str, at: datetime, received_at: datetime | None = None, milestone: str = "") -> None:
        self.count += 1
        said = Said(f"m{self.count}", at, name, milestone, "reached", (("order", "O"),) if milestone else ())
        self.client.raw_insert("events", insert_block=line(said, received_at or at, name), fmt="JSONEachRow")
        self.client.command("INSERT INTO feed_counts SELECT connection, bucket, uniqExact(ev) FROM heard_events GROUP BY connection, bucket")  # fmt: skip

    def look(self, now: datetime, connections: Connections = CONNECTIONS) -> dict[str, FeedState]:
        states = feed_states(self.client, self.book, connections, now)
        return {s.connection: s for s in feed_breaches.settle(self.client, self.book, states, now)}

    def row(self) -> tuple[Any, ...]:
        (found,) = self.client.query(
            "SELECT state, opened_at, resolved_at, retracted_at, system, error FROM breaches FINAL WHERE order_no = 0"
        ).result_rows
        return tuple(found)


@pytest.fixture
def ear(make_store: Callable[[], Store]) -> Iterator[Callable[[str], Ear]]:
    with make_store().writer() as client:
        yield lambda feeds: Ear(client, feeds)


MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_a_feed_that_was_never_heard_is_late_at_once_and_a_finding_when_it_had_time_to_speak(
    ear: Callable[[str], Ear],
) -> None:
    feed = ear("{connection: tms, expects: stream, quiet_after: 10m}")
    assert (feed.look(START)["tms"].state, feed.look(START)["tms"].since) == ("late", None)
    feed.look(START + 10 * MINUTE)
    assert feed.client.query("SELECT count() FROM breaches").result_rows == [(0,)]
    feed.look(START + 10 * MINUTE + timedelta(seconds=1))
    assert feed.row()[:2] == ("open", START + 10 * MINUTE)
    assert feed.row()[4:] == ("tms", "it was never heard")


def test_a_silent_feed_keeps_the_start_of_its_finding_until_it_is_heard_in_time(ear: Callable[[str], Ear]) -> None:
    feed = ear("{connection: tms, expects: stream, quiet_after: 10m}")
    feed.hear("tms", START)
    assert feed.look(START + 10 * MINUTE)["tms"].next_due_at == START + 10 * MINUTE
    for minutes in (11, 30):
        feed.look(START + minutes * MINUTE)
        assert feed.row()[:3] == ("open", START + 10 * MINUTE, None)
    feed.hear("tms", START + 5 * MINUTE, START + 40 * MINUTE)  # it catches up, and is still behind
    assert feed.look(START + 41 * MINUTE)["tms"].state == "late"
    assert feed.row()[:3] == ("open", START + 10 * MINUTE, None)
    feed.hear("tms", START + 40 * MINUTE, START + 42 * MINUTE)
    feed.look(START + 43 * MINUTE)
    assert feed.row()[:4] == ("resolved", START + 10 * MINUTE, START + 42 * MINUTE, None)
    rows = feed.client.query("SELECT count() FROM breaches").result_rows
    feed.look(START + 44 * MINUTE)
    assert feed.client.query("SELECT count() FROM breaches").result_rows == rows, "a tick without news writes nothing"
    feed.look(START + HOUR)
    assert feed.row()[:3] == ("open", START + 50 * MINUTE, None), "the next silence is the same finding, opened anew"


def test_a_feed_that_should_never_have_been_late_is_retracted(ear: Callable[[str], Ear]) -> None:
    feed = ear("{connection: tms, expects: stream, quiet_after: 10m}")
    feed.hear("tms", START)
    feed.look(START + HOUR)
    feed.book = book_of("{connection: tms, expects: stream, quiet_after: 2h}")
    feed.look(START + HOUR + MINUTE)
    assert feed.row()[0] == "retracted"
    feed.book = book_of("{connection: tms, expects: stream, quiet_after: 10m}")
    feed.look(START + HOUR + 2 * MINUTE)
    assert feed.row()[:4] == ("open", START + 10 * MINUTE, None, None)
    feed.look(START + HOUR + 3 * MINUTE, Connections(CONNECTIONS.entries[3:], configured=True))
    assert (feed.row()[0], feed.row()[4]) == ("retracted", "tms"), "its connection is gone"


def test_a_stream_that_settles_vouches_only_for_what_it_had_told_before_its_silence(ear: Callable[[str], Ear]) -> None:
    """The heartbeat comes first, what was held back comes after it: orders wait until the stream has settled."""
    feed = ear("{connection: tms, expects: stream, quiet_after: 10m, settle: 5m}")
    feed.hear("tms", START)
    feed.look(START + 30 * MINUTE)
    feed.hear("tms", START + 2 * MINUTE, START + 31 * MINUTE)
    feed.look(START + 31 * MINUTE)
    feed.hear("tms", START + 32 * MINUTE)
    state = feed.look(START + 32 * MINUTE)["tms"]
    assert (state.state, state.watermark, state.gate) == ("ok", START + 32 * MINUTE, START + 2 * MINUTE)
    assert feed.look(START + 36 * MINUTE)["tms"].gate == START + 2 * MINUTE
    assert feed.look(START + 37 * MINUTE)["tms"].gate == START + 32 * MINUTE


def test_an_hour_that_brings_too_little_makes_the_feed_late_until_one_brings_enough(ear: Callable[[str], Ear]) -> None:
    feed = ear("{connection: tms, expects: {per_hour: {min: 2, max: 3}}}")

    def hour(number: int) -> FeedState:
        return feed.look(START + number * HOUR + 6 * MINUTE)["tms"]

    feed.hear("tms", START + MINUTE, milestone="delivered")
    feed.hear("tms", START + 59 * MINUTE)  # a heartbeat brings nothing
    first = hour(1)
    assert (first.state, first.reason, first.brought, first.least, first.most) == ("late", "too_few", 1, 2, 3)
    assert feed.row()[:3] == ("open", START + HOUR, None)
    feed.hear("tms", START + 30 * MINUTE, START + HOUR + 10 * MINUTE, milestone="delivered")
    assert feed.look(START + HOUR + 11 * MINUTE)["tms"].state == "ok", "it was only told late"
    assert feed.row()[:3] == ("resolved", START + HOUR, START + HOUR)
    assert hour(2).state == "late"
    for minute in (1, 2):
        feed.hear("tms", START + 2 * HOUR + minute * MINUTE, milestone="delivered")
    assert hour(3).state == "ok"
    assert feed.row()[:3] == ("resolved", START + 2 * HOUR, START + 3 * HOUR)


def test_the_same_event_twice_counts_once(ear: Callable[[str], Ear]) -> None:
    feed = ear("{connection: tms, expects: {per_hour: {min: 2}}}")
    for again in range(3):
        feed.count = 0
        feed.hear("tms", START + MINUTE, START + again * MINUTE + MINUTE, milestone="delivered")
    assert feed.look(START + HOUR + 6 * MINUTE)["tms"].brought == 1


def test_a_timetable_is_late_when_a_run_is_missing_and_fine_with_the_next(ear: Callable[[str], Ear]) -> None:
    feed = ear("{connection: tms, cron: '0 8 * * mon-fri', zone: Europe/Berlin, grace: 30m}")
    eight = datetime(2026, 3, 27, 7, tzinfo=UTC)  # a Friday
    feed.hear("tms", START)
    feed.hear("tms", eight + 5 * MINUTE)
    assert feed.look(eight + 10 * MINUTE)["tms"].watermark == eight
    monday = datetime(2026, 3, 30, 6, tzinfo=UTC)  # an hour earlier: the clocks went forward
    waiting = feed.look(monday + 29 * MINUTE)["tms"]
    assert (waiting.state, waiting.next_due_at) == ("ok", monday + 30 * MINUTE)
    missing = feed.look(monday + 30 * MINUTE)["tms"]
    assert (missing.state, missing.reason, missing.since) == ("late", "run_missing", monday + 30 * MINUTE)
    feed.hear("tms", monday + HOUR)
    feed.look(monday + HOUR + MINUTE)
    assert feed.row()[:3] == ("resolved", monday + 30 * MINUTE, monday + HOUR)


def test_a_clock_that_ends_with_its_order_is_late_only_by_the_word_of_its_feed(make_store: Callable[[], Store]) -> None:
    """The order is done while its warehouse is silent; what the warehouse tells afterwards decides."""
    deliver = Said("d", START + 5 * HOUR, "tms", "delivered", "reached", (("shipment", "S"),), ((("shipment", "S"), ("order", "O"), False),))  # fmt: skip
    accept = Said("a", START, "erp", "order_accepted", "reached", (("order", "O"),), (), {"warehouse": "BER1"})
    release = Said("r", START + HOUR, "wms", "pick_released", "reached", (("fulfillment", "F"),), ((("fulfillment", "F"), ("order", "O"), False),))  # fmt: skip

    def late(client: Client) -> list[tuple[Any, ...]]:
        sql = "SELECT rule, state FROM breaches FINAL WHERE order_no != 0 AND kind = 'late' AND state != 'retracted' ORDER BY rule"
        return [tuple(r) for r in client.query(sql).result_rows]

    with make_store().writer() as client:
        record_calendars(client, BOOK)
        workspace.prepare(client, COMPILED)

        def tick(*told: tuple[str, Said]) -> None:
            rows = [line(said, said.at, name) for name, said in told]
            client.raw_insert("events", insert_block=b"\n".join(rows), fmt="JSONEachRow")
            run_cycle(client, COMPILED, CONNECTIONS, START + 6 * HOUR, "test", everything=False)

        tick(("erp", accept), ("wms-berlin", release), ("tms", deliver))
        (order,) = client.query("SELECT state, waits_for, waits_until FROM orders FINAL").result_rows
        assert order == ("done", ["wms-berlin"], [START + 2.5 * HOUR])
        assert late(client) == []
        beat = Said("b", START + 3 * HOUR, "wms", "", "reached", ())
        tick(("wms-berlin", beat))
        assert late(client) == [("release-to-pick", "resolved")], "the feed has passed the deadline without it"
        tick(("wms-berlin", Said("p", START + 2 * HOUR, "wms", "picked", "reached", (("fulfillment", "F"),))))
        assert late(client) == []
        ((waits_for,),) = client.query("SELECT waits_for FROM orders FINAL").result_rows
        assert "wms-berlin" not in waits_for


def test_a_watermark_never_vouches_for_events_that_the_tick_has_not_taken_in(
    make_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored while a tick is under way neither counts as taken in nor as told."""
    accept = Said("a", START, "erp", "order_accepted", "reached", (("order", "O"),), (), {"warehouse": "BER1"})
    release = Said("r", START + HOUR, "wms", "pick_released", "reached", (("fulfillment", "F"),), ((("fulfillment", "F"), ("order", "O"), False),))  # fmt: skip
    beat = Said("b", START + 3 * HOUR, "wms", "", "reached", ())
    with make_store().writer() as client:
        record_calendars(client, BOOK)
        workspace.prepare(client, COMPILED)
        take_in = cycle._take_in

        def slow(client: Client, cursor: datetime, goal: datetime) -> tuple[int, datetime]:
            done = take_in(client, cursor, goal)
            rows = [line(said, said.at, "wms-berlin") for said in (release, beat)]
            client.raw_insert("events", insert_block=b"\n".join(rows), fmt="JSONEachRow")
            return done

        monkeypatch.setattr(cycle, "_take_in", slow)
        client.raw_insert("events", insert_block=line(accept, START, "erp"), fmt="JSONEachRow")
        run_cycle(client, COMPILED, CONNECTIONS, START + 3 * HOUR, "test", everything=False)
        assert client.query("SELECT state FROM orders FINAL").result_rows == [("unknown",)]
        assert client.query("SELECT count() FROM breaches WHERE order_no != 0").result_rows == [(0,)]
