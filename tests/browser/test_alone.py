"""The life of one process of pages: the first link after its start, who signs in, and what a screen shows when the tower,
or the process itself, is gone. The tests are in the order of that life."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Dashboards, start_dashboards, until
from tests.browser.test_board import ids
from tests.dashboards.fake_api import FakeTower, Served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def closed(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboards]:
    """Pages without a shared key, where everyone signs in; they give up their data after seconds instead of half a minute."""
    log = tmp_path_factory.mktemp("closed") / "log"
    started = start_dashboards(served.url, log, key="", program="tests.browser.impatient", TOWER_DASH_REFRESH_S="1")
    yield started
    if started.process.poll() is None:
        started.stop()


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("Tower key").fill(key)
    page.get_by_role("button", name="Sign in").click()


def test_one_signs_in_with_ones_own_key_and_comes_back_to_the_link(
    page: Page, closed: Dashboards, tower: FakeTower
) -> None:
    """No page was opened before this one: it has title, style and everything else of the app around it."""
    order = next(o for o, r in tower.rows.items() if r["state"] == "late")
    page.goto(f"{closed.url}/order?id={order}")
    sign_in(page, "not-a-key")
    expect(page.get_by_role("alert")).to_contain_text("does not know this key")
    sign_in(page, "key-ana-operator")
    expect(page).to_have_url(f"{closed.url}/order?id={order}")
    expect(page.get_by_role("heading", name=order)).to_be_visible()
    expect(page.get_by_role("link", name="Flow map")).to_be_visible()
    assert page.locator(".stApp").evaluate("e => getComputedStyle(e).getPropertyValue('--t-failing')") != ""
    page.goto(f"{closed.url}/targets")
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
    until(lambda: [r["actor"] for r in tower.requests if r["orders"][0]["order_id"] == "SO-BOB"] == ["bob"], page)


def test_a_viewer_finds_every_retry_switched_off(page: Page, closed: Dashboards) -> None:
    page.goto(closed.url)
    sign_in(page, "key-vic-viewer")
    table = page.get_by_role("grid", name="Stuck orders")
    expect(table.locator("button.retry").first).to_be_disabled()
    assert table.locator("button.retry:enabled").count() == 0
    expect(page.get_by_text("may look")).to_be_visible()


def test_the_tower_goes_and_comes_back(page: Page, closed: Dashboards, served: Served) -> None:
    page.goto(closed.url)
    sign_in(page, "key-ana-operator")
    table = page.get_by_role("grid", name="Stuck orders")
    expect(table.get_by_role("row").nth(1)).to_be_visible()
    before = ids(table)
    table.get_by_role("row").nth(2).get_by_role("checkbox").check()
    drawn = table.element_handle()
    served.stop()
    try:
        expect(page.get_by_text("No news from the tower")).to_be_visible()
        until(lambda: ids(table)[:5] == before[:5], page)
        assert drawn is not None and drawn.evaluate("table => table.isConnected"), "the table is another one now"
        expect(table.locator(".row.on")).to_have_count(1)  # what was selected still is
        expect(page.get_by_text("NO DATA SINCE")).to_be_visible()
        expect(table.get_by_role("button", name="Retry SO-").first).to_be_disabled()
    finally:
        served.start()
    expect(page.get_by_text("No news from the tower")).to_have_count(0)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(table.locator("button.retry:enabled").first).to_be_visible()


def test_the_wall_can_be_read_and_turns_red_when_it_is_alone(page: Page, closed: Dashboards) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{closed.url}/wall")
    sign_in(page, "key-wall-viewer")
    expect(page.get_by_role("table", name="Worst orders").get_by_role("row")).to_have_count(8)
    sizes = page.locator(".w-big, .w-mid, .w-table td").evaluate_all(
        "all => all.map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 33
    assert sizes.count(92) == 4
    assert page.evaluate("document.documentElement.scrollHeight") <= 1080
    bottom = page.locator(".w-table").bounding_box()
    assert bottom is not None
    assert bottom["y"] + bottom["height"] <= 1080
    expect(page.get_by_role("link", name="Flow map")).to_have_count(0)
    closed.stop()  # not even the pages' own process is left
    expect(page.get_by_text("NO DATA SINCE")).to_be_visible()
