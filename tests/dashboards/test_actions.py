"""A retry from the click to what is said about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from dashboards.tower_ui import actions
from dashboards.tower_ui.actions import Answer
from dashboards.tower_ui.board_model import Outcome, outcomes
from dashboards.tower_ui.client import Api, Viewer
from dashboards.tower_ui.grid.grid import Seen
from dashboards.tower_ui.recent import Recent
from tests.dashboards.conftest import Connect
from tests.dashboards.fake_api import FakeTower, Served

ANA = Viewer("ana", frozenset({"operator"}), "key-ana-operator")
VIC = Viewer("vic", frozenset({"viewer"}), "key-vic-viewer")
NOW = datetime(2026, 11, 23, tzinfo=UTC)
OUTCOME = Outcome("a1", "verified", "x", 1, "", "ana", NOW, NOW)


def seen(tower: FakeTower, *orders: str) -> list[Seen]:
    return [Seen(o, tower.rows[o]["version"]) for o in orders]


def test_a_retry_names_the_orders_with_the_versions_seen(connect: Connect, tower: FakeTower) -> None:
    tower.add("SO-1", state="late", retryable=True)
    answer = actions.act(connect(), ANA, "retry", seen(tower, "SO-1"), click="click-1")
    assert answer.accepted == ["SO-1"]
    sent = tower.requests[0]
    assert (sent["actor"], sent["key"], sent["kind"]) == ("ana", "click-1", "retry")
    assert sent["orders"] == [{"order_id": "SO-1", "version": tower.rows["SO-1"]["version"]}]


def test_each_kind_of_result_is_told_in_words(connect: Connect, tower: FakeTower) -> None:
    for order, fixed in {"SO-1": {}, "SO-2": {"retryable": False}, "SO-3": {}, "SO-4": {}, "SO-5": {}}.items():
        tower.add(order, **{"state": "late", "retryable": True, **fixed})
    tower.settle_s = 3600  # SO-5's first retry is under way as long as the test takes
    rows = seen(tower, "SO-1", "SO-2", "SO-3", "SO-4", "SO-5")
    tower.touch("SO-3")
    tower.clear("SO-4")
    actions.act(connect(), ANA, "retry", rows[4:], click="first")
    answer = actions.act(connect(), ANA, "retry", rows, click="second")
    text = actions.message(answer)
    assert text.startswith("1 accepted")
    for part in ("1 already running (SO-5)", "1 changed (SO-3)", "1 gone (SO-4)", "1 cannot be retried (SO-2)"):
        assert part in text
    assert actions.tone(answer) == "mixed"


def test_the_same_click_twice_is_one_request(connect: Connect, tower: FakeTower) -> None:
    tower.add("SO-1", state="late", retryable=True)
    rows, api = seen(tower, "SO-1"), connect()
    assert actions.act(api, ANA, "retry", rows, click="same") == actions.act(api, ANA, "retry", rows, click="same")
    assert len(tower.requests) == 1


def test_a_dry_run_sends_nothing(connect: Connect, tower: FakeTower) -> None:
    tower.add("SO-1", state="late", retryable=True)
    answer = actions.act(connect(), ANA, "retry", seen(tower, "SO-1"), click="dry", dry_run=True)
    assert answer.accepted == ["SO-1"]
    assert tower.requests == []


def test_a_viewer_is_refused_by_the_tower(connect: Connect, tower: FakeTower) -> None:
    tower.add("SO-1", state="late", retryable=True)
    answer = actions.act(connect(), VIC, "retry", seen(tower, "SO-1"), click="c")
    assert "Not retried" in actions.message(answer)
    assert tower.requests == []


def test_no_answer_is_not_told_as_not_done() -> None:
    def hang(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    answer = actions.act(
        Api("http://tower.example", httpx.MockTransport(hang)), ANA, "retry", [Seen("SO-1", "v")], click="c"
    )
    assert "not known" in actions.message(answer)
    assert actions.tone(answer) == "bad"


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ("accepted", "the tower sends it now"),
        ("running", "already on its way"),
        ("stale", "changed since you saw it"),
        ("gone", "no longer"),
    ],
)
def test_one_order_gets_one_sentence(result: str, says: str) -> None:
    text = actions.message(Answer("a", {"SO-1": result}))
    assert text.startswith("SO-1: ")
    assert says in text


def test_the_towers_reason_for_a_refusal_is_passed_on() -> None:
    answer = Answer("a", {"SO-1": "not_retryable"}, {"SO-1": "all 3 attempts of retry-tax are used up"})
    assert "all 3 attempts" in actions.message(answer)


def test_many_orders_are_named_up_to_three_and_counted() -> None:
    answer = Answer("a", {f"SO-{i}": "stale" for i in range(5)})
    assert actions.message(answer) == "5 changed (SO-0, SO-1, SO-2 and 2 more)"


def test_news_are_only_of_the_own_action_and_only_once_decided() -> None:
    waiting = {"SO-1": "a1", "SO-2": "a1", "SO-3": "a1"}
    now = {"SO-1": OUTCOME, "SO-2": replace(OUTCOME, state="accepted"), "SO-3": replace(OUTCOME, action_id="a0")}
    assert list(actions.news(waiting, now)) == ["SO-1"]


def test_news_tell_apart_what_worked_and_what_had_no_effect() -> None:
    text = actions.news_text({"SO-1": OUTCOME, "SO-2": replace(OUTCOME, state="no_effect")})
    assert "SO-1: retry worked: the order moved" in text
    assert "SO-2: retry had no effect" in text


def test_a_settled_action_is_read_once_and_one_in_flight_again(connect: Connect, tower: FakeTower) -> None:
    tower.settle_s = 3600
    tower.add("SO-1", state="late", retryable=True)
    api, recent = connect(fresh_s=0), Recent()
    actions.act(api, ANA, "retry", seen(tower, "SO-1"), click="c")
    found = outcomes(recent.read(api, ANA) or [])
    assert found["SO-1"].in_flight
    tower.settle_s = 0.0
    tower.outcome = "no_effect"
    tower.settle()
    assert outcomes(recent.read(api, ANA) or [])["SO-1"].state == "no_effect"
    tower.actions[0]["items"][0]["state"] = "verified"  # a settled outcome is final; a changed one would show a re-read
    assert outcomes(recent.read(api, ANA) or [])["SO-1"].state == "no_effect"


def test_while_the_tower_is_away_there_is_no_news(served: Served, connect: Connect) -> None:
    served.stop()
    assert Recent().read(connect(), ANA) is None
