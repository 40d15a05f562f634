"""Held messages and orphans in a real browser: what is confirmed is what is done, and nothing is cut off."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Dashboards, context_of
from tests.dashboards.fake_api import FakeTower

pytestmark = pytest.mark.browser


def live(page: Page) -> None:
    expect(page.get_by_text("Live", exact=True).first).to_be_visible()  # from then on links stay within the page


def test_a_group_is_replayed_as_it_was_listed(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    page.goto(f"{pages.url}/quarantine")
    live(page)
    groups = page.get_by_role("table", name="Held messages by reason")
    groups.get_by_role("row", name="wms-hamburg").get_by_role("link").click()
    expect(page).to_have_url(f"{pages.url}/quarantine?reason=unknown_milestone&connection=wms-hamburg")
    page.get_by_role("button", name="Replay 4 messages…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("4 messages will be read again")
    listed = tuple(r["id"] for r in tower.held.open(reason="unknown_milestone", connection="wms-hamburg"))
    late = tower.held.hold("unknown_milestone", "wms-hamburg", minutes=0)  # came after the question was asked
    tower.held.mended.add("unknown_milestone")
    page.wait_for_timeout(5_000)  # one refresh behind the open dialog
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
    page.get_by_label("Reason to discard it").fill("a test of the shop")
    page.get_by_role("button", name="Discard", exact=True).click()
    expect(page.get_by_text("It was discarded.").first).to_be_visible()
    assert tower.held.done[-1] == ("ana", "discard", (held,), "a test of the shop")
    expect(page.get_by_role("button", name="Replay")).to_be_disabled()


def test_a_shared_number_is_settled_by_hand(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    page.goto(f"{pages.url}/orphans")
    live(page)
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


@pytest.mark.parametrize("path", ["quarantine", "orphans"])
def test_nothing_is_cut_off_in_a_narrow_window(chromium: Browser, pages: Dashboards, path: str) -> None:
    context = context_of(chromium, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{pages.url}/{path}")
    live(page)
    for one in page.locator("table.t-table").all():
        box = one.bounding_box()
        assert box is not None and box["x"] + box["width"] <= 1280
    context.close()
