"""The whole app, page by page, without a browser: what stands there, and what a click sends."""

from __future__ import annotations

import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.tower_ui import shared
from dashboards.views import board
from tests.dashboards.conftest import VIEWER, app, forget, turn_to
from tests.dashboards.fake_api import FakeTower, Served

pytestmark = [
    pytest.mark.usefixtures("started"),
    # The script runs in a thread of the test: what the server would clean up between pages is left to the interpreter.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def text(at: AppTest) -> str:
    """Return everything on the page that is HTML of ours, without its tags."""
    raw = " ".join(str(e.proto.body) for e in at.get("html") if "<style>" not in str(e.proto.body))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", raw))


def seen_payload(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return the list into which each table's payload goes; tables themselves need a browser."""
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(board, "grid", lambda payload, **_: seen.append(payload))
    return seen


def test_the_board_opens_with_what_needs_action(tower: FakeTower, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = seen_payload(monkeypatch)
    at = app().run()
    assert not at.exception
    assert at.title[0].value == "Stuck orders"
    stuck = sorted(
        (r for r in tower.rows.values() if r["state"] in ("failing", "late", "diverging")),
        key=lambda r: -r["value_at_risk"],
    )
    assert seen[-1]["ids"] == [r["order_id"] for r in stuck]
    assert f"{len(stuck)} of 120 open orders" in text(at)
    assert "ana" in text(at)


def test_an_address_with_filters_shows_just_that(tower: FakeTower, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = seen_payload(monkeypatch)
    at = app(view="Late", q="tax").run()
    assert not at.exception
    expected = {
        r["order_id"]
        for r in tower.rows.values()
        if r["state"] == "late" and "tax" in (r["customer_id"] + r["error"]).lower()
    }
    assert expected
    assert set(seen[-1]["ids"]) == expected


def test_a_viewer_is_offered_no_live_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWER_DASH_KEY", VIEWER)
    forget()
    seen = seen_payload(monkeypatch)
    at = app().run()
    assert seen[-1]["mayAct"] is False
    assert "may look" in text(at)


def test_when_nothing_is_stuck_everything_is_moving(tower: FakeTower) -> None:
    tower.clear(*[o for o, r in tower.rows.items() if r["state"] in ("failing", "late", "diverging")])
    assert "Everything is moving" in text(app().run())


def test_a_filter_that_matches_nothing_says_how_to_see_more() -> None:
    assert "No order matches" in text(app(q="no such thing").run())


def test_the_tower_goes_and_comes_back(started: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = seen_payload(monkeypatch)
    at = app().run()
    ids = seen[-1]["ids"]
    started.stop()
    shared.api()._fresh_s = 0
    at.run()
    assert not at.exception
    assert "No news from the tower" in text(at)
    assert seen[-1]["ids"] == ids
    started.start()
    at.run()
    assert "No news" not in text(at)


def test_a_tower_that_was_never_up_is_said_plainly(started: Served) -> None:
    started.stop()
    at = app().run()
    assert not at.exception
    assert "has not answered yet" in text(at)
    assert "TOWER_API_URL" in text(at)


def test_without_a_key_there_is_only_the_way_to_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOWER_DASH_KEY")
    forget()
    for page in ("", "order", "flow", "feeds", "wall"):
        at = turn_to(app(), page).run()
        assert "Sign in with your own tower key" in text(at), page
        assert len(at.get("html")) <= 4


def test_a_key_that_was_revoked_leads_to_the_form(tower: FakeTower) -> None:
    at = app().run()
    tower.keys.clear()
    shared.api()._fresh_s = 0
    at.run()
    assert "does not accept this key" in text(at)


def open_order(order: str) -> AppTest:
    at = turn_to(app(), "order")
    at.query_params["id"] = order
    return at.run()


def test_the_order_page_says_first_what_is_wrong(tower: FakeTower) -> None:
    tower.add(
        "SO-1", state="failing", stage="ship-to-invoice", error="Tax engine timeout", system="tax", retryable=True
    )
    at = open_order("SO-1")
    assert not at.exception
    shown = text(at)
    assert "Tax: Tax engine timeout" in shown
    assert shown.index("Tax: Tax engine timeout") < shown.index("Value at risk")
    assert "✖ Failing" in shown
    assert not at.button(key="retry").disabled


def test_retry_on_the_order_page_sends_its_version_once(tower: FakeTower) -> None:
    row = tower.add("SO-1", state="late", retryable=True)
    tower.settle_s = 3600
    at = open_order("SO-1")
    at.button(key="retry").click().run()
    assert [r["orders"] for r in tower.requests] == [[{"order_id": "SO-1", "version": row["version"]}]]
    assert at.button(key="retry").disabled
    assert "the tower sends it now" in text(at)
    assert at.toast


def test_an_unknown_order_is_said_to_be_unknown() -> None:
    assert "knows no order SO-NONE" in text(open_order("SO-NONE"))


def test_an_order_that_is_done_says_so_and_offers_nothing(tower: FakeTower) -> None:
    tower.add("SO-1", state="late", retryable=True)
    tower.clear("SO-1")
    at = open_order("SO-1")
    assert "This order is done since" in text(at)
    assert at.button(key="retry").disabled


def test_text_from_outside_is_text(tower: FakeTower) -> None:
    bad = "<img src=x onerror=alert(1)>"
    tower.add("SO-1", state="late", customer_id=bad, error=bad)
    at = open_order("SO-1")
    raw = " ".join(str(e.proto.body) for e in at.get("html"))
    assert "<img" not in raw
    assert "&lt;img" in raw


def test_without_an_id_the_order_page_asks_for_one() -> None:
    at = turn_to(app(), "order")
    at.run()
    assert at.text_input(key="order_id")


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("flow", "what is stuck on the way"),
        ("feeds", "wms-berlin"),
        ("wall", "Order-to-cash · stuck orders"),
        ("jeopardy", "Largest gap 5.0 pt"),
    ],
)
def test_the_other_pages_stand(page: str, says: str) -> None:
    at = turn_to(app(), page)
    at.run()
    assert not at.exception
    assert says in text(at)


def test_a_late_feed_is_told_apart_from_late_orders() -> None:
    at = turn_to(app(), "feeds")
    at.run()
    shown = text(at)
    assert "Orders unknown 184 €1.3M waits for a late feed" in shown
    assert shown.index("wms-berlin") < shown.index("legacy-erp") < shown.index("commerce-main")
    assert "The rulebook promises 1 feed that no connection has: old-portal." in shown


def test_an_address_picks_the_feed_that_is_shown_whole() -> None:
    at = turn_to(app(), "feeds")
    at.query_params["feed"] = "legacy-erp"
    at.run()
    shown = text(at)
    assert "Runs of the last day are missing: what they held may have to be sent again." in shown
    assert "Promises every 30m" in shown and "Runs in 24 h 46 of 48" in shown
    assert len(at.get("plotly_chart")) == 0
    at.query_params["feed"] = "edi-gateway"
    at.run()
    assert "isa:ACME/US 000104210 000104211 2" in text(at)
    assert len(at.get("plotly_chart")) == 1


def test_without_connections_the_feeds_page_says_where_to_name_them(tower: FakeTower) -> None:
    tower.feeds = {"feeds": [], "unconfigured": []}
    at = turn_to(app(), "feeds")
    at.run()
    assert "No connections" in text(at) and "TOWER_CONNECTIONS" in text(at)


def test_names_of_feeds_are_text(tower: FakeTower) -> None:
    tower.feeds = {"feeds": [{"connection": "<b>x</b>", "kind": "<i>", "state": "late", "expects": "<u>"}]}
    at = turn_to(app(), "feeds")
    at.run()
    assert not at.exception
    raw = " ".join(str(e.proto.body) for e in at.get("html"))
    assert "<b>x" not in raw and "<u>" not in raw and "&lt;b&gt;x" in raw


def test_the_wall_shows_failing_orders_most_value_first(tower: FakeTower) -> None:
    at = turn_to(app(), "wall")
    at.run()
    failing = sorted((r for r in tower.rows.values() if r["state"] == "failing"), key=lambda r: -r["value_at_risk"])
    shown = text(at)
    places = [shown.index(r["order_id"]) for r in failing[:7]]
    assert places == sorted(places)


def test_a_target_that_is_left_alone_comes_first_with_what_to_do_and_can_be_probed(tower: FakeTower) -> None:
    at = turn_to(app(), "targets")
    at.run()
    assert not at.exception
    shown = text(at)
    assert shown.index("Left alone") < shown.index("● Works")
    assert "5 failed in a row, opens at 5" in shown and "500 of 500 per hour" in shown and "12 items wait." in shown
    raw = " ".join(str(e.proto.body) for e in at.get("html"))
    assert "503 <b>down" not in raw
    at.button(key="probe-middleware").click().run()
    assert tower.probed == ["middleware"]


def test_who_may_only_look_cannot_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWER_DASH_KEY", VIEWER)
    forget()
    at = turn_to(app(), "targets")
    at.run()
    assert at.button(key="probe-middleware").disabled
