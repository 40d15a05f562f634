"""The Subscriptions page: what each click sends, what the form makes of what one typed, and links of notices."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from streamlit.testing.v1 import AppTest

from dashboards.tower_ui import letters, signin, subscription_model
from tests.dashboards.conftest import Connect, app, turn_to
from tests.dashboards.fake_api import FakeTower, Running, Served
from tests.dashboards.fake_subscriptions import TEMPLATES, WISH
from tests.dashboards.test_pages import text

pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning")]


def open_page(**query: str) -> AppTest:
    at = turn_to(app(), "subscriptions")
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception
    return at


@pytest.mark.usefixtures("started")
def test_the_list_says_what_each_hears_of_and_one_click_takes_what_is_offered(tower: FakeTower) -> None:
    at = open_page()
    shown = text(at)
    assert "Late orders of &lt;ACME&gt;" in shown and "stages" not in shown
    assert (
        "late; customer ACME or Umbra Optics; stage Invoicing" in shown
        and "quiet Monday to Friday 22:00-07:00 Europe/Berlin" in shown
    )
    assert "? Waiting" in shown and "Mail: ana@example.com" in shown and "3 notices" in shown
    at.button(key="take-high-value").click().run()
    assert not at.exception
    [(who, act, wish)] = tower.subscriptions.done
    assert (who, act, wish["above"], wish["currency"], wish["zone"]) == (
        "ana",
        "create",
        "100000",
        "EUR",
        "Europe/Berlin",
    )
    assert "Subscribed to “Orders above 100,000 EUR that are stuck”." in text(at)
    assert "take-high-value" not in {b.key for b in at.button}


@pytest.mark.usefixtures("started")
def test_the_form_shows_last_week_and_sends_what_was_typed(tower: FakeTower) -> None:
    at = open_page(new="own")
    assert "Say what to hear of" in text(at)
    at.text_input(key="customer_id-own").set_value("ACME, Umbra Optics").run()
    assert "would have sent 4 notices about 9 orders, at most 3 a day. 1 more, above the cap," in text(at)
    at.text_input(key="above-own").set_value("lots").run()
    assert "That cannot be subscribed to." in text(at)
    at.text_input(key="above-own").set_value("25,000").run()
    at.radio(key="way-own").set_value("mailto").run()
    at.text_input(key="address-own").set_value("ana@example.com").run()
    at.selectbox(key="quiet-own").set_value("mon-sun").run()
    at.button(key="subscribe").click().run()
    assert not at.exception
    [(_, act, wish)] = tower.subscriptions.done
    assert act == "create" and wish == {
        **WISH, "when": {"customer_id": ["ACME", "Umbra Optics"]}, "above": "25000", "currency": "EUR", "channel": "mailto",
        "address": "ana@example.com", "quiet": {"mon-sun": ["22:00-07:00"]},
        "label": "Anything that is stuck; customer ACME or Umbra Optics; worth more than 25,000.00 EUR",
    }  # fmt: skip


@pytest.mark.usefixtures("started")
def test_one_is_shown_with_its_notices_changed_and_ended(tower: FakeTower) -> None:
    at = open_page(id="s1")
    assert "184,200 EUR at risk" in text(at)
    at.button(key="end").click().run()
    assert tower.subscriptions.done == [("ana", "end", "s1")] and "has ended" in text(at)
    at = open_page(edit="s2")
    at.text_input(key="address-s2").set_value("ana@other.example").run()
    at.button(key="subscribe").click().run()
    assert (
        tower.subscriptions.done[1][1] == "change" and tower.subscriptions.done[1][2]["address"] == "ana@other.example"
    )
    assert "There is no such subscription of yours." in text(open_page(id="none"))


def test_a_form_gives_back_what_it_was_filled_with() -> None:
    rest = {**WISH, "label": "x", "when": {"any": [{"channel": "edi"}], "partner": "DHL", "stage": ["a", "b"]}, "deliver": "daily",
            "quiet": {"mon": ["08:00-09:00", "20:00-21:00"]}}  # fmt: skip
    simple = {
        **WISH,
        "label": "y",
        "states": ["late"],
        "quiet": {"sat-sun": ["00:00-24:00"]},
        "above": "10",
        "currency": "USD",
    }
    for row in (rest, simple):
        assert subscription_model.wish_of(subscription_model.form_of(row, "UTC")) == row
    template = subscription_model.wish_of(subscription_model.form_of(TEMPLATES[1], "Asia/Tokyo"))
    assert (template["zone"], template["deliver"], template["channel"]) == ("Asia/Tokyo", "daily", "inbox")


def test_a_link_of_a_notice_needs_no_key_and_only_its_button_does_something(
    connect: Connect, served: Served, tower: FakeTower
) -> None:
    gate = Middleware(signin.SignInFirst, sessions=signin.Sessions(), shared_key="")
    running = Running(Starlette(routes=letters.routes(connect()), middleware=[gate]))
    try:
        with httpx.Client(
            base_url=running.url, trust_env=False, verify=False, headers={"accept": "text/html"}
        ) as browser:
            asked = browser.get("/link/unsubscribe", params={"token": "t1"})
            assert asked.status_code == 200 and 'method="post"' in asked.text
            assert (
                asked.headers["cache-control"] == "no-store"
                and "default-src 'none'" in asked.headers["content-security-policy"]
            )
            done = browser.post("/link/unsubscribe", params={"token": "t1"}, data={"List-Unsubscribe": "One-Click"})
            assert done.status_code == 200 and "Done" in done.text
            assert browser.get("/link/confirm", params={"token": "old"}).status_code == 400
            assert tower.subscriptions.done[:2] == [
                ("link", "GET unsubscribe", "t1"),
                ("link", "POST unsubscribe", "t1"),
            ]
            assert "Nothing has changed" in browser.get("/link/confirm").text
            served.stop()
            assert browser.post("/link/confirm", params={"token": "t1"}).status_code == 503
            served.start()
            assert browser.get("/link/other").status_code == 404
    finally:
        running.stop()
