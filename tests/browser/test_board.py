"""The board in a real browser: ids, not rows; exactly what was confirmed; one click, one attempt."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Dashboards, start_dashboards, until
from tests.dashboards.fake_api import STUCK, FakeTower, Served

pytestmark = pytest.mark.browser


def board(page: Page, pages: Dashboards, query: str = "") -> Locator:
    """Open the board and return its table."""
    page.goto(f"{pages.url}/{query}")
    table = page.get_by_role("grid", name="Stuck orders")
    expect(table.get_by_role("row").nth(1)).to_be_visible()
    return table


def ids(table: Locator) -> list[str]:
    """Return the ids of the rows drawn, from top to bottom."""
    rows = table.locator(".row").evaluate_all(
        "rows => rows.map(r => [Number(r.getAttribute('aria-rowindex')), r.dataset.id])"
    )
    return [order for _, order in sorted(rows)]


def row(table: Locator, order: str) -> Locator:
    return table.locator(f'.row[data-id="{order}"]')


def retryable(tower: FakeTower, n: int, value: int) -> list[str]:
    """Put n stuck orders that may be retried on top of the board."""
    names = [f"SO-{value}-{i}" for i in range(n)]
    for i, name in enumerate(names):
        tower.add(
            name,
            state="late",
            stage="ship-to-invoice",
            retryable=True,
            value_at_risk=value - i,
            amount=value - i,
            retries=0,
        )
    return names


def test_a_deep_link_is_the_first_thing_after_a_start(
    page: Page, served: Served, tower: FakeTower, tmp_path: Path
) -> None:
    """Before any other page was opened: with title, style and everything else of the app around it."""
    order = next(o for o, r in tower.rows.items() if r["state"] == "late")
    fresh = start_dashboards(served.url, tmp_path / "log")
    try:
        page.goto(f"{fresh.url}/order?id={order}")
        expect(page.get_by_role("heading", name=order)).to_be_visible()
        expect(page.get_by_role("link", name="Flow map")).to_be_visible()
        expect(page.get_by_text("ana", exact=True)).to_be_visible()
        assert page.locator(".stApp").evaluate("e => getComputedStyle(e).getPropertyValue('--t-failing')") != ""
    finally:
        fresh.stop()


def test_filters_live_in_the_address(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    table = board(page, pages, "?view=Failing&stage=Invoicing")
    expected = sum(r["state"] == "failing" and r["stage"] == "ship-to-invoice" for r in tower.rows.values())
    expect(table).to_have_attribute("aria-rowcount", str(expected + 1))
    page.get_by_role("radio", name="Late").or_(page.get_by_role("button", name="Late", exact=True)).first.click()
    expect(page).to_have_url(f"{pages.url}/?stage=Invoicing&view=Late")


def test_selection_and_scroll_survive_two_refreshes_by_id(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    table = board(page, pages)
    body = table.locator(".body")
    body.evaluate("e => e.scrollTop = 1500")
    page.wait_for_timeout(300)
    visible = ids(table)[9:14]
    picked = [visible[0], visible[2], visible[4]]
    for order in picked:
        row(table, order).get_by_role("checkbox").check()
    top = body.evaluate("e => e.scrollTop")
    before = ids(table)
    gone = [o for o in before if o not in picked][:3]
    for n in range(2):
        tower.clear(gone[n])
        tower.add(f"SO-NEW-{n}", state="late", value_at_risk=10**6, amount=10**6)
        expect(table.get_by_role("button", name=f"{n + 1} new, {n + 1} cleared – show")).to_be_visible()
    assert body.evaluate("e => e.scrollTop") == top
    assert ids(table) == before
    chosen = table.locator(".row.on").evaluate_all("rows => rows.map(r => r.dataset.id)")
    assert sorted(chosen) == sorted(picked)
    expect(row(table, gone[0])).to_contain_text("Cleared")
    expect(row(table, gone[0]).get_by_role("checkbox")).to_be_disabled()
    table.get_by_role("button", name="2 new, 2 cleared – show").click()
    expect(row(table, gone[0])).to_have_count(0)
    assert table.locator(".foot .sum").inner_text().startswith("3 selected")


def test_a_bulk_retry_sends_exactly_the_confirmed_ids(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    names = retryable(tower, 4, 9_000_001)
    tower.touch(names[3], retryable=False)
    table = board(page, pages)
    versions = {n: tower.rows[n]["version"] for n in names}
    for name in names:
        row(table, name).get_by_role("checkbox").check()
    sent = len(tower.requests)
    table.get_by_role("button", name="Retry 4").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("row")).to_have_count(5)
    expect(dialog).to_contain_text("€27,000,000.00")  # the three that will be sent
    expect(dialog.get_by_role("row", name=names[3])).to_contain_text("refused")
    retryable(tower, 2, 9_900_001)  # the board moves on underneath
    page.wait_for_timeout(2500)
    assert len(tower.requests) == sent
    dialog.get_by_role("button", name="Retry 3 orders").click()
    until(lambda: len(tower.requests) > sent, page)
    page.wait_for_timeout(1500)
    assert [r["orders"] for r in tower.requests[sent:]] == [
        [{"order_id": n, "version": versions[n]} for n in names[:3]]
    ]
    expect(page.get_by_test_id("stToast").first).to_be_visible()
    expect(table.locator(".say")).to_contain_text("retry worked: the order moved")
    expect(row(table, names[0])).to_contain_text("Verified")


def test_two_quick_clicks_make_one_attempt(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    (name,) = retryable(tower, 1, 9_100_000)
    table = board(page, pages)
    button = row(table, name).get_by_role("button", name=f"Retry {name}")
    sent = len(tower.requests)
    button.dblclick()
    expect(row(table, name)).to_contain_text("Verified")
    mine = [r for r in tower.requests[sent:] if any(o["order_id"] == name for o in r["orders"])]
    assert len(mine) == 1
    assert sum(i["order_id"] == name for a in tower.actions for i in a["items"]) == 1


def test_clicks_faster_than_the_tower_answers_all_arrive(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    names = retryable(tower, 4, 9_150_003)
    table = board(page, pages)
    expect(row(table, names[-1])).to_be_visible()
    tower.slow_s = 0.7
    try:
        for name in names:
            row(table, name).get_by_role("button", name=f"Retry {name}").click()
        until(lambda: all(sum(o["order_id"] == n for r in tower.requests for o in r["orders"]) for n in names), page)
    finally:
        tower.slow_s = 0.0
    for name in names:
        expect(row(table, name)).to_contain_text("Verified")
        assert sum(o["order_id"] == name for r in tower.requests for o in r["orders"]) == 1


def test_a_retry_without_effect_says_so_on_the_board_and_on_the_order(
    page: Page, pages: Dashboards, tower: FakeTower
) -> None:
    (name,) = retryable(tower, 1, 9_200_000)
    tower.outcome = "no_effect"
    try:
        table = board(page, pages)
        row(table, name).get_by_role("button", name=f"Retry {name}").click()
        expect(table.locator(".say")).to_contain_text("the tower sends it now")
        expect(row(table, name)).to_contain_text("no effect")
        expect(table.locator(".say")).to_contain_text("the order did not move in time")
    finally:
        tower.outcome = "verified"
    row(table, name).get_by_role("link").click()
    expect(page).to_have_url(f"{pages.url}/order?id={name}")
    expect(page.get_by_role("table", name="Retries")).to_contain_text("Had no effect")


def test_a_click_on_what_has_changed_is_refused_in_words(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    (name,) = retryable(tower, 1, 9_300_000)
    table = board(page, pages)
    expect(row(table, name)).to_be_visible()
    tower.touch(name, error="Price condition missing")
    row(table, name).get_by_role("button", name=f"Retry {name}").click()
    expect(table.locator(".say")).to_contain_text("changed since you saw it")


def test_the_keyboard_does_everything_the_mouse_does(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    names = retryable(tower, 3, 9_400_003)
    table = board(page, pages)
    expect(row(table, names[0])).to_be_visible()
    start = ids(table)
    at = start.index(names[0])
    for key in ["j"] * (at + 2) + ["k"]:
        page.keyboard.press(key)
    expect(table.locator(".row.focus")).to_have_attribute("data-id", start[at])
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(table.locator(".foot .sum")).to_contain_text("2 selected")
    page.keyboard.press("Escape")
    expect(table.locator(".row.on")).to_have_count(0)
    page.keyboard.press("r")
    until(lambda: any(o["order_id"] == names[1] for r in tower.requests for o in r["orders"]), page)
    expect(table.locator(".say")).to_contain_text("retry worked: the order moved")
    page.keyboard.press("n")
    expect(row(table, names[1])).to_have_count(0)
    page.keyboard.press("Home")
    first = ids(table)[0]
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{pages.url}/order?id={first}")


def test_shift_click_selects_a_range(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    table = board(page, pages)
    shown = ids(table)
    row(table, shown[1]).get_by_role("checkbox").click()
    row(table, shown[5]).get_by_role("checkbox").click(modifiers=["Shift"])
    expect(table.locator(".foot .sum")).to_contain_text("5 selected")


def test_markup_from_outside_stays_text(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    bad = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
    tower.add("SO-XSS", state="failing", customer_id=bad, error=bad, value_at_risk=10**8, amount=10**8)
    table = board(page, pages)
    expect(row(table, "SO-XSS")).to_contain_text("<img src=x")
    row(table, "SO-XSS").get_by_role("link").click()
    expect(page.get_by_role("heading", name="SO-XSS")).to_be_visible()
    page.goto(f"{pages.url}/?tab=By+error")
    expect(page.get_by_role("grid", name="Stuck orders by error")).to_contain_text("<img src=x")
    page.goto(f"{pages.url}/wall")
    expect(page.get_by_role("table", name="Worst orders")).to_contain_text("<img src=x")
    assert page.evaluate("window.hit") is None
    tower.clear("SO-XSS")


def test_a_group_leads_to_its_orders_and_is_retried_as_listed(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    for i in range(3):
        tower.add(
            f"SO-G{i}",
            state="failing",
            stage="ship-to-invoice",
            system="tax",
            error="Rate missing",
            retryable=True,
            value_at_risk=5_000_000,
            amount=5_000_000,
        )
    page.goto(f"{pages.url}/?tab=By+error")
    groups = page.get_by_role("grid", name="Stuck orders by error")
    line = groups.locator(".row", has_text="Rate missing")
    sent = len(tower.requests)
    line.get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("row")).to_have_count(4)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert len(tower.requests) == sent
    line.get_by_role("link").click()
    table = page.get_by_role("grid", name="Stuck orders", exact=True)
    expect(table).to_have_attribute("aria-rowcount", "4")
    assert sorted(ids(table)) == ["SO-G0", "SO-G1", "SO-G2"]


def test_only_the_rows_in_sight_are_drawn(page: Page, pages: Dashboards, tower: FakeTower) -> None:
    table = board(page, pages, "?view=All+open")
    assert sum(r["state"] in (*STUCK, "unknown", "at_risk", "on_track") for r in tower.rows.values()) > 300
    assert table.locator(".row").count() < 60
