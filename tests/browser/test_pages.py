"""Signing in, the other pages, both appearances and the widths people have, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Dashboards, context_of, start_dashboards
from tests.dashboards.fake_api import FakeTower, Served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def closed(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboards]:
    """Pages without a shared key: everyone signs in."""
    started = start_dashboards(served.url, tmp_path_factory.mktemp("closed") / "log", key="", TOWER_DASH_REFRESH_S="2")
    yield started
    started.stop()


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("Tower key").fill(key)
    page.get_by_role("button", name="Sign in").click()


def test_one_signs_in_with_ones_own_key_and_comes_back_to_the_link(
    page: Page, closed: Dashboards, tower: FakeTower
) -> None:
    order = next(o for o, r in tower.rows.items() if r["state"] == "late")
    page.goto(f"{closed.url}/order?id={order}")
    sign_in(page, "not-a-key")
    expect(page.get_by_role("alert")).to_contain_text("does not know this key")
    sign_in(page, "key-ana-operator")
    expect(page).to_have_url(f"{closed.url}/order?id={order}")
    expect(page.get_by_role("heading", name=order)).to_be_visible()
    page.reload()
    expect(page.get_by_text("ana", exact=True)).to_be_visible()
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Tower key")).to_be_visible()
    page.goto(f"{closed.url}/")
    expect(page.get_by_label("Tower key")).to_be_visible()
    assert "key-ana-operator" not in closed.log.read_text()


def test_an_action_bears_the_name_of_who_clicked(page: Page, closed: Dashboards, tower: FakeTower) -> None:
    tower.keys["key-bob-operator"] = ("bob", ["operator"])
    tower.add("SO-BOB", state="late", retryable=True, value_at_risk=9_999_999, amount=9_999_999)
    page.goto(closed.url)
    sign_in(page, "key-bob-operator")
    table = page.get_by_role("grid", name="Stuck orders")
    table.get_by_role("button", name="Retry SO-BOB").click()
    expect(table.locator(".say")).to_contain_text("SO-BOB")
    assert [r["actor"] for r in tower.requests if r["orders"][0]["order_id"] == "SO-BOB"] == ["bob"]


def test_a_viewer_finds_every_retry_switched_off(page: Page, closed: Dashboards) -> None:
    page.goto(closed.url)
    sign_in(page, "key-vic-viewer")
    table = page.get_by_role("grid", name="Stuck orders")
    expect(table.locator("button.retry").first).to_be_disabled()
    assert table.locator("button.retry:enabled").count() == 0
    expect(page.get_by_text("may look")).to_be_visible()


def test_dark_comes_first_and_light_can_be_chosen(page: Page, pages: Dashboards) -> None:
    def colours() -> list[str]:
        probe = "e => getComputedStyle(e).backgroundColor"
        return [
            page.locator(".stApp").evaluate(probe),
            page.locator(".t-card").first.evaluate(probe),
            grid.locator(".head").evaluate(probe),
        ]

    page.goto(pages.url)
    grid = page.get_by_role("grid", name="Stuck orders")
    expect(grid).to_be_visible()
    assert colours() == ["rgb(13, 19, 29)", "rgb(19, 27, 41)", "rgb(26, 36, 54)"]
    page.get_by_test_id("stMainMenu").click()
    page.get_by_test_id("stMainMenuItem-theme-Light").click()
    expect(page.locator(".stApp")).to_have_css("background-color", "rgb(246, 248, 251)")
    assert colours() == ["rgb(246, 248, 251)", "rgb(255, 255, 255)", "rgb(237, 241, 247)"]
    page.reload()
    expect(page.locator(".stApp")).to_have_css("background-color", "rgb(246, 248, 251)")


@pytest.mark.parametrize(("width", "height"), [(1680, 1000), (1280, 800)])
def test_nothing_is_cut_off_on_the_board(chromium: Browser, pages: Dashboards, width: int, height: int) -> None:
    """Every column ends inside the table, the table inside the window, and what must be read whole is whole."""
    context = context_of(chromium, viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto(pages.url)
    table = page.get_by_role("grid", name="Stuck orders")
    expect(table.locator(".row").first).to_be_visible()
    box = table.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= height
    right = (
        table.locator(".row")
        .first.locator(".cell")
        .evaluate_all("cells => Math.max(...cells.map(c => c.getBoundingClientRect().right))")
    )
    assert right <= box["x"] + box["width"]
    whole = ".k-state, .k-order, .k-money, .k-age, .pct, .head .cell"
    cut = table.locator(whole).evaluate_all(
        "cells => cells.filter(c => c.scrollWidth > c.clientWidth + 1).map(c => c.textContent)"
    )
    assert cut == []
    labels = page.locator("[data-testid=stButtonGroup]").first.evaluate("e => e.scrollWidth - e.clientWidth")
    assert labels <= 1
    context.close()


def test_the_flow_map_leads_to_the_board_of_a_stage(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    page.goto(f"{pages.url}/flow")
    expect(page.get_by_text("Live", exact=True).first).to_be_visible()  # from then on links stay within the page
    page.evaluate("window.same = true")
    page.locator("a.t-card", has_text="Invoicing").click()
    table = page.get_by_role("grid", name="Stuck orders")
    expect(table).to_be_visible()
    expect(page).to_have_url(f"{pages.url}/?stage=Invoicing")
    assert page.evaluate("window.same") is True  # no reload
    page.goto(f"{pages.url}/flow")
    page.get_by_role("table", name="Stuck by stage and time").get_by_role("link").nth(8).click()
    expect(page.get_by_label("Sort")).to_have_value("Waiting longest")


@pytest.mark.parametrize("width", [1680, 1280])
def test_a_feed_is_picked_from_the_list_and_nothing_is_cut_off(
    chromium: Browser, pages: Dashboards, width: int
) -> None:
    context = context_of(chromium, viewport={"width": width, "height": 1200})
    page = context.new_page()
    page.goto(f"{pages.url}/feeds")
    expect(page.get_by_text("Live", exact=True).first).to_be_visible()
    table = page.get_by_role("table", name="Feeds")
    expect(page.get_by_role("heading", name="wms-berlin")).to_be_visible()
    page.evaluate("window.same = true")
    table.get_by_role("link", name="legacy-erp").click()
    expect(page.get_by_role("heading", name="legacy-erp")).to_be_visible()
    expect(page).to_have_url(f"{pages.url}/feeds?feed=legacy-erp")
    expect(page.get_by_role("table", name="Runs")).to_contain_text("Missing")
    assert page.evaluate("window.same") is True
    for one in page.locator("table.t-table").all():
        box = one.bounding_box()
        assert box is not None and box["x"] + box["width"] <= width
    context.close()


def test_the_attempt_names_what_failed_and_another_can_be_picked(
    page: Page, pages: Dashboards, tower: FakeTower
) -> None:
    tower.add("SO-HOP", state="failing", stage="ship-to-invoice", system="erp", error="Period is closed")
    page.goto(f"{pages.url}/order?id=SO-HOP")
    hop = page.locator(".t-hop")
    expect(hop).to_contain_text("erp · attempt 3: Period is closed")
    expect(hop.get_by_role("link", name="Open trace")).to_have_attribute("href", "http://traces.example/SO-HOP-0")
    log = page.get_by_role("table", name="Log of this attempt")
    expect(log).to_contain_text("Period is closed")
    expect(page.get_by_text("failed here")).to_be_visible()
    page.get_by_role("combobox", name="Attempt").click()
    page.get_by_role("option").nth(1).click()
    expect(hop).to_contain_text("Every step went well.")
    expect(log).to_have_count(0)
    page.wait_for_timeout(2500)  # a refresh later the pick still stands
    expect(hop).to_contain_text("Every step went well.")


def test_the_order_page_tells_the_whole_story(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    tower.add(
        "SO-STORY", state="failing", stage="ship-to-invoice", error="Tax engine timeout", system="tax", retryable=True
    )
    page.goto(f"{pages.url}/order?id=SO-STORY")
    expect(page.get_by_role("alert")).to_contain_text("Tax: Tax engine timeout")
    for name in ("Clocks", "Events, newest first"):
        expect(page.get_by_role("table", name=name)).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    page.get_by_text("Why? What each verdict rests on").click()
    story = page.locator(".t-story")
    expect(story).to_contain_text("Would close it")
    page.get_by_text("The SQL and its parameters").click()
    expect(page.get_by_text("FROM judged_findings")).to_be_visible()
    page.wait_for_timeout(4500)  # two refreshes
    expect(story).to_contain_text("CRM said at")
    expect(page.get_by_text("FROM judged_findings")).to_be_visible()
    page.get_by_role("button", name="Retry now").dblclick()
    expect(page.get_by_text("This order is done since")).to_be_visible()
    assert sum(o["order_id"] == "SO-STORY" for r in tower.requests for o in r["orders"]) == 1
    expect(page.get_by_role("table", name="Retries")).to_contain_text("Worked: the order moved")


def test_on_the_board_of_the_past_nothing_can_be_retried(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    tower.add("SO-PAST", state="late", retryable=True, value_at_risk=9_999_998, amount=9_999_998)
    page.goto(f"{pages.url}/?as_of=2026-11-20T09:00:00Z")
    retry = page.get_by_role("grid", name="Stuck orders").get_by_role("button", name="Retry SO-PAST")
    expect(retry).to_be_disabled()
    page.get_by_role("button", name="Back to now").click()
    expect(retry).to_be_enabled()
    assert "as_of" not in page.url


def test_what_is_offered_is_subscribed_to_with_one_click(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    page.goto(f"{pages.url}/subscriptions")
    page.get_by_role("button", name="Subscribe").first.click()
    expect(page.get_by_role("link", name="Orders above 100,000 EUR that are stuck")).to_be_visible()
    assert [(who, act) for who, act, _ in tower.subscriptions.done] == [("ana", "create")]
    page.goto(f"{pages.url}/link/unsubscribe?token=t1")
    assert tower.subscriptions.done[1:] == [("link", "GET unsubscribe", "t1")]
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("Done")).to_be_visible()
    assert tower.subscriptions.done[2:] == [("link", "POST unsubscribe", "t1")]
