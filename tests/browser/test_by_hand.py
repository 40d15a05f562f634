"""Saying something by hand in a real browser: asked with a reason, shown on the order, filtered on the board."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Dashboards, until
from tests.browser.test_board import board, ids, retryable, row
from tests.dashboards.fake_api import FakeTower

pytestmark = pytest.mark.browser


def test_an_order_is_held_with_a_reason_and_assigned_with_others(
    page: Page, pages: Dashboards, tower: FakeTower
) -> None:
    one, two = retryable(tower, 2, 990_000)
    page.goto(f"{pages.url}/order?id={one}")
    page.get_by_role("button", name="By hand…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Hold", exact=True).click()
    expect(dialog.get_by_text("Nobody retries it")).to_be_visible()
    dialog.get_by_role("button", name=f"Hold: {one}").click()
    expect(dialog.get_by_text("Say it in words first")).to_be_visible()
    dialog.get_by_label("Why").fill("customer calls back")
    dialog.get_by_role("button", name=f"Hold: {one}").click()
    expect(page.get_by_text("held by ana")).to_be_visible()
    expect(page.get_by_role("button", name="Retry now")).to_be_disabled()
    expect(page.get_by_role("table", name="Said by hand")).to_contain_text("ana holds it")
    table = board(page, pages)
    expect(row(table, one).get_by_role("button", name="Held")).to_be_disabled()
    for order in (one, two):
        row(table, order).get_by_role("checkbox").check()
    table.get_by_role("button", name="By hand…").click()
    page.get_by_role("dialog").get_by_role("button", name="Assign: 2 orders").click()
    until(lambda: {tower.rows[o]["assignee"] for o in (one, two)} == {"ana"}, page)
    assert ids(board(page, pages, "?whose=ana")) == [one, two]
    assert ids(board(page, pages, "?view=Held")) == [one]


def test_another_repair_shows_its_request_and_its_proof_and_is_sent_once(
    page: Page, pages: Dashboards, tower: FakeTower
) -> None:
    (one,) = retryable(tower, 1, 990_010)
    page.goto(f"{pages.url}/order?id={one}")
    page.get_by_role("button", name="Other repairs…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Sent to erp. Proved when order cancelled is heard within")).to_be_visible()
    dialog.get_by_text("The exact request").click()
    expect(dialog.get_by_text("http://erp.example/cancel")).to_be_visible()
    dialog.get_by_label("Why").fill("the buyer called it off")
    dialog.get_by_role("button", name=f"Cancel {one}").click()
    until(lambda: [r["kind"] for r in tower.requests if r["orders"][0]["order_id"] == one] == ["cancel"], page)
    expect(page.get_by_role("status").get_by_text(f"{one}: cancel accepted")).to_be_visible()
