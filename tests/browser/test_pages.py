"""The pages besides the board, both appearances and the widths people have, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Dashboards, no_fault, unfold
from tests.dashboards.fake_api import FakeTower

pytestmark = pytest.mark.browser
# What of a table leaves the window or itself, and which texts that must be read whole are not.
CUT = """table => {
  const box = table.getBoundingClientRect(), found = [];
  if (box.right > innerWidth || box.bottom > innerHeight) found.push("the table leaves the window");
  for (const c of table.querySelector(".row").querySelectorAll(".cell"))
    if (c.getBoundingClientRect().right > box.right) found.push(`${c.className} leaves the table`);
  for (const c of table.querySelectorAll(".k-state, .k-order, .k-money, .k-age, .pct, .head .cell"))
    if (c.scrollWidth > c.clientWidth + 1) found.push(c.textContent);
  const labels = document.querySelector("[data-testid=stButtonGroup]");
  if (labels.scrollWidth > labels.clientWidth + 1) found.push("the views");
  return found;
}"""


def live(page: Page) -> None:
    expect(page.get_by_text("Live", exact=True).first).to_be_visible()  # from then on links stay within the page


def wide(page: Page, width: int) -> None:
    """No table of the page is wider than the window."""

    def faults() -> list[str]:
        script = "(all, w) => all.filter(e => e.getBoundingClientRect().right > w).map(e => e.ariaLabel)"
        found: list[str] = page.locator("table.t-table").evaluate_all(script, width)
        return found

    page.set_viewport_size({"width": width, "height": 1200})
    no_fault(faults, page)


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


def test_nothing_is_cut_off_on_the_board(page: Page, pages: Dashboards) -> None:
    """Every column ends inside the table, the table inside the window, and what must be read whole is whole."""
    page.goto(pages.url)
    table = page.get_by_role("grid", name="Stuck orders")
    expect(table.locator(".row").first).to_be_visible()

    def faults() -> list[str]:
        found: list[str] = table.evaluate(CUT)
        return found

    for width, height in ((1680, 1000), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        no_fault(faults, page)


def test_the_flow_map_leads_to_the_board_of_a_stage(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    page.goto(f"{pages.url}/flow")
    live(page)
    page.evaluate("window.same = true")
    page.locator("a.t-card", has_text="Invoicing").click()
    table = page.get_by_role("grid", name="Stuck orders")
    expect(table).to_be_visible()
    expect(page).to_have_url(f"{pages.url}/?stage=Invoicing")
    assert page.evaluate("window.same") is True  # no reload
    page.get_by_role("link", name="Flow map").click()
    page.get_by_role("table", name="Stuck by stage and time").get_by_role("link").nth(8).click()
    expect(page.get_by_label("Sort")).to_have_value("Waiting longest")


def test_a_feed_is_picked_from_the_list_and_nothing_is_cut_off(page: Page, pages: Dashboards) -> None:
    page.goto(f"{pages.url}/feeds")
    live(page)
    table = page.get_by_role("table", name="Feeds")
    expect(page.get_by_role("heading", name="wms-berlin")).to_be_visible()
    page.evaluate("window.same = true")
    table.get_by_role("link", name="legacy-erp").click()
    expect(page.get_by_role("heading", name="legacy-erp")).to_be_visible()
    expect(page).to_have_url(f"{pages.url}/feeds?feed=legacy-erp")
    expect(page.get_by_role("table", name="Runs")).to_contain_text("Missing")
    assert page.evaluate("window.same") is True
    for width in (1680, 1280):
        wide(page, width)


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
    tower.touch("SO-HOP", customer_id="Refreshed & Sons")
    expect(page.get_by_text("Refreshed & Sons").first).to_be_visible()  # a refresh later the pick still stands
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
    unfold(page, "Why? What each verdict rests on")
    story = page.locator(".t-story")
    expect(story).to_contain_text("Would close it")
    unfold(page, "The SQL and its parameters")
    expect(page.get_by_text("FROM judged_findings")).to_be_visible()
    for n in range(2):
        tower.touch("SO-STORY", customer_id=f"Refreshed {n}")
        expect(page.get_by_text(f"Refreshed {n}").first).to_be_visible()
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


def test_a_group_is_replayed_as_it_was_listed(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    page.goto(f"{pages.url}/quarantine")
    live(page)
    wide(page, 1280)
    groups = page.get_by_role("table", name="Held messages by reason")
    groups.get_by_role("row", name="wms-hamburg").get_by_role("link").click()
    expect(page).to_have_url(f"{pages.url}/quarantine?reason=unknown_milestone&connection=wms-hamburg")
    page.get_by_role("button", name="Replay 4 messages…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("4 messages will be read again")
    listed = tuple(r["id"] for r in tower.held.open(reason="unknown_milestone", connection="wms-hamburg"))
    late = tower.held.hold("unknown_milestone", "wms-hamburg", minutes=0)  # came after the question was asked
    tower.held.mended.add("unknown_milestone")
    expect(page.get_by_text("Replay 5 messages…")).to_be_visible()  # a refresh behind the open dialog
    dialog.get_by_label("Reason, for the audit").fill("the rulebook knows it now")
    dialog.get_by_role("button", name="Replay 4 messages").dblclick()
    expect(dialog).to_be_hidden()
    assert [d for d in tower.held.done if d[1] == "replay"] == [("ana", "replay", listed, "the rulebook knows it now")]
    assert tower.held.rows[late]["state"] == "open"
    expect(page.get_by_role("button", name="Replay 1 message…")).to_be_visible()


def test_one_message_is_looked_at_tried_and_let_go(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    held = next(r["id"] for r in tower.held.open(reason="mapping_failed"))
    page.goto(f"{pages.url}/quarantine?reason=mapping_failed&connection=shop-eu")
    live(page)
    page.get_by_role("table", name="Held messages", exact=True).get_by_role("link").first.click()
    expect(page).to_have_url(f"{pages.url}/quarantine?id={held}")
    expect(page.get_by_text("•••").first).to_be_visible()
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_role("table", name="Dry run")).to_contain_text("'n/a' is no number")
    page.get_by_role("button", name="Discard", exact=True).click()  # without a reason
    expect(page.get_by_text("Say why it may go").first).to_be_visible()
    assert tower.held.rows[held]["state"] == "open"
    why = page.get_by_label("Reason to discard it")
    why.fill("a test of the shop")
    why.press("Tab")  # a click that also leaves the field meets a page that is drawn anew under it
    page.get_by_role("button", name="Discard", exact=True).click()
    expect(page.get_by_text("It was discarded.").first).to_be_visible()
    assert tower.held.done[-1] == ("ana", "discard", (held,), "a test of the shop")
    expect(page.get_by_role("button", name="Replay")).to_be_disabled()


def test_a_shared_number_is_settled_by_hand(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    page.goto(f"{pages.url}/orphans")
    live(page)
    wide(page, 1280)
    page.get_by_role("table", name="Orphans").get_by_role("link", name="PO 4711").click()
    button = page.get_by_role("button", name="It is SO-100007")
    button.click()
    expect(page.get_by_text("Say first why").first).to_be_visible()
    page.get_by_label("Why does it belong there?").fill("asked the customer")
    button.click()
    expect(page.get_by_text("is no orphan any more").first).to_be_visible()
    assert tower.held.links == [
        {"from": "order:customer_po:C-42/PO 4711", "to": "order:SO-100007", "reason": "asked the customer", "relation": "alias"}
    ]  # fmt: skip
